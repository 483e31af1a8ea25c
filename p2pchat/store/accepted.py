"""The plain list of who may come in: ``<data>/accepted``, one peer id a line, until there are contacts.

People edit it while we run, and an edit counts at the next handshake. So it is read each time and parsed only when its
bytes have changed: comparing times and sizes would be no faster for a file of this size, and can miss an edit that
follows another within a tick of the clock.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from shlex import quote
from typing import final

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import AddressError, ConfigurationError, StoreError

MAX_SIZE = 1024 * 1024  # bytes: some 15,000 ids
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


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
        content = self._read()
        if content != self._content:
            self._peers = parse(content, self._path)
            self._content = content
        return self._peers

    def _read(self) -> bytes:
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # not to wait for the other end of what may be a pipe
        try:
            with os.fdopen(os.open(self._path, flags), "rb") as file:
                self._check(os.fstat(file.fileno()))
                return file.read(MAX_SIZE)
        except FileNotFoundError:
            return b""
        except OSError as exc:
            raise StoreError(f"cannot read {self._path}: {exc.strerror}") from exc

    def _check(self, status: os.stat_result) -> None:
        """Refuse a list that somebody else may have written."""
        if not stat.S_ISREG(status.st_mode) or status.st_size >= MAX_SIZE:
            raise ConfigurationError(f"{self._path} is not a file of at most 1 MiB", hint="one peer1... a line")
        if status.st_uid not in {0, os.geteuid()} or status.st_mode & WRITABLE_BY_OTHERS:
            raise ConfigurationError(
                f"{self._path} can be written by other users, so it says nothing",
                hint=f"make it yours alone: chmod 600 {quote(str(self._path))}",
            )


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
