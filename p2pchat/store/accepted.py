"""The plain list of who may come in: ``<data>/accepted``, one peer id a line, until there are contacts.

People edit it while we run, and an edit counts at the next handshake. So it is read each time and parsed only when its
bytes have changed: comparing times and sizes would be no faster for a file of this size, and can miss an edit that
follows another within a tick of the clock.
"""

from __future__ import annotations

import errno
import os
import stat
from io import FileIO
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, final

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import AddressError, ConfigurationError, StoreError
from p2pchat.store import contacts

if TYPE_CHECKING:
    from p2pchat.store.database import Database

MAX_SIZE = 1024 * 1024  # bytes: some 15,000 ids
FILE_MODE = 0o600
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


def import_file(db: Database, path: Path) -> int:
    """Make everybody in the list at `path` a contact who is let in, then remove it; a transaction of its own.

    A contact that is blocked stays blocked.

    Returns:
      How many are let in that were not before; 0 if there is no list.

    Raises:
      ConfigurationError: if a line is not a peer id, or others may write the file; then nothing has changed.
      StoreError: if the disk refuses.
    """
    content = _read(path)
    if content is None:
        return 0
    with db.transaction():
        news = sum(contacts.know(db, peer) for peer in sorted(parse(content, path)))
    _remove(path)  # what is removed from the contacts from now on does not come back with the file
    return news


def _remove(path: Path) -> None:
    """Remove the file, so that no power cut brings it back."""
    try:
        path.unlink(missing_ok=True)  # another process may have been faster
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as exc:
        raise StoreError(f"cannot remove {path}: {exc.strerror}") from exc


def _read(path: Path) -> bytes | None:
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # not to wait for the other end of what may be a pipe
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            _check(os.fstat(file.fileno()), path)
            return file.read(MAX_SIZE)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StoreError(f"cannot read {path}: {exc.strerror}") from exc


def _check(status: os.stat_result, path: Path) -> None:
    """Refuse a list that somebody else may have written."""
    if not stat.S_ISREG(status.st_mode) or status.st_size >= MAX_SIZE:
        raise ConfigurationError(f"{path} is not a file of at most 1 MiB", hint="one peer1... a line")
    if status.st_uid not in {0, os.geteuid()} or status.st_mode & WRITABLE_BY_OTHERS:
        raise ConfigurationError(
            f"{path} can be written by other users, so it says nothing",
            hint=f"make it yours alone: chmod 600 {quote(str(path))}",
        )


@final
class AcceptedFile:
    """The file at a path, as a set of ids."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = b""
        self._peers: frozenset[PeerId] = frozenset()

    def peers(self) -> frozenset[PeerId]:
        """Return who is listed now; nobody if there is no file. Reads the disk: some 20 µs for a short list.

        Raises:
          ConfigurationError: if a line is not a peer id, or others may write the file; nobody is let in by half a list.
          StoreError: if it cannot be read.
        """
        content = _read(self._path) or b""
        if content != self._content:
            self._peers = parse(content, self._path)
            self._content = content
        return self._peers

    def add(self, peer: PeerId) -> bool:
        """Let `peer` in from now on; False if it is on the list already. Returns once that is on the disk.

        What else is in the file stays as it is. Two who add at a time may put one peer there twice, which is the same.

        Raises:
          ConfigurationError: as `peers`; nothing is added to a list that does not count.
          StoreError: if it cannot be written.
        """
        if peer in self.peers():
            return False
        begin = b"" if self._content.endswith(b"\n") else b"\n"  # an editor may have left the last line open
        line = begin * bool(self._content) + f"{peer}\n".encode()
        try:
            with FileIO(os.open(self._path, _APPEND, FILE_MODE), "ab") as file:
                _append(file, line)
                os.fsync(file.fileno())
        except OSError as exc:
            raise StoreError(f"cannot write {self._path}: {exc.strerror}") from exc
        return True


def _append(file: FileIO, line: bytes) -> None:
    """Add `line`, or nothing: a list with half an id in it would let nobody in."""
    size = file.seek(0, os.SEEK_END)
    if size + len(line) >= MAX_SIZE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    if file.write(line) != len(line):
        file.truncate(size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def parse(content: bytes, path: Path) -> frozenset[PeerId]:
    """Return the ids in `content`; ``#`` begins a comment, blank lines mean nothing.

    Raises:
      ConfigurationError: at the first line that is something else; it names the line.
    """
    peers = set()
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").split("\n"), start=1):
        text = line.partition("#")[0].strip()
        if text:
            try:
                peers.add(PeerId.parse(text))
            except AddressError as exc:
                raise ConfigurationError(f"{path}, line {number}: {exc}", hint=exc.hint) from exc
    return frozenset(peers)
