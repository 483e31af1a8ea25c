"""Which process of a profile keeps up the link with a peer: the one that has its lock.

The lock saves vain dials and nothing more; the fence in the database is what messages rely on. It belongs to the
process: the kernel takes it back when that dies. A file, once made, stays: to remove it would leave two processes with
a lock on two files of one name.

Source: docs/protocol.md, section 6.4.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId

DIRECTORY_MODE: Final = 0o700
FILE_MODE: Final = 0o600


@final
class PeerLocks:
    """The locks that this process has, one file for each peer in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[PeerId, int] = {}  # descriptors

    def try_lock(self, peer: PeerId) -> bool | None:
        """Return whether the lock of `peer` is ours now; None where no lock can be had (some network file systems)."""
        if peer in self._held:
            return True
        try:
            self._directory.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._directory / f"{peer}.lock", flags, FILE_MODE)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            os.close(descriptor)
            return False if isinstance(exc, BlockingIOError) else None
        self._held[peer] = descriptor
        return True

    def held(self, peer: PeerId) -> bool:
        """Return whether the lock of `peer` is ours."""
        return peer in self._held

    def is_elsewhere(self, peer: PeerId) -> bool:
        """Return whether another process has the lock of `peer`; if nobody has it, nobody has it afterwards."""
        if peer in self._held:
            return False
        got = self.try_lock(peer)
        self.release(peer)
        return got is False

    def release(self, peer: PeerId) -> None:
        """Let go of the lock of `peer`, if it is ours."""
        descriptor = self._held.pop(peer, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of all of them."""
        for peer in list(self._held):
            self.release(peer)
