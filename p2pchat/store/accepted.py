"""The plain list of who may come in, ``<data>/accepted``, one peer id a line, that older versions had.

It becomes contacts once, all of it or nothing, and is removed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import AddressError, ConfigurationError, StoreError
from p2pchat.store import contacts

if TYPE_CHECKING:
    from p2pchat.store.database import Database

MAX_SIZE: Final = 1024 * 1024  # bytes: some 15,000 ids
WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def import_file(db: Database, path: Path) -> int:
    """Make everybody in the list at `path` a contact who is let in, then remove it; a transaction of its own.

    A contact that is blocked stays blocked.

    Returns:
      How many are let in that were not before; 0 if there is no list.

    Raises:
      ConfigurationError: if a line is not a peer id, or others may write the file; then nothing has changed.
      StoreError: if the disk refuses. The list may be read again then, which changes nothing.
    """
    content = _read(path)
    if content is None:
        return 0
    peers = parse(content, path)
    with db.transaction():
        news = sum(contacts.know(db, peer) for peer in sorted(peers))
    _remove(path)
    return news


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


def _remove(path: Path) -> None:
    """Remove the file for good: whoever is removed from the contacts later must not come back with it."""
    try:
        path.unlink(missing_ok=True)  # another process may have been faster
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as exc:
        raise StoreError(f"cannot remove {path}, whose ids are contacts now: {exc.strerror}") from exc
