"""The draft: what a person was typing when the program had to end, kept for the next start of the profile.

One small file that only we may read. Several runs of a profile may end before one starts: each adds to the file, and
whoever takes the draft takes all of it. A `flock` on the file itself keeps them from meeting halfway.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import final

from p2pchat.errors import StoreError

MAX_SIZE = 4 * 1024 * 1024  # bytes; far more than one message may hold
FILE_MODE = 0o600


@final
class DraftFile:
    """The file at a path; both verbs block on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take(self) -> str:
        """Return all that was kept, oldest first, and remove the file; an empty string if there is none of ours."""
        with suppress(OSError), self._open() as file:
            if _is_ours(os.fstat(file.fileno())):
                text = file.read(MAX_SIZE).decode(errors="replace")
                self._path.unlink()
                return text
        return ""

    def keep(self, text: str) -> None:
        """Write `text` down for the next `take`, on a line of its own behind what is there already.

        Raises:
          StoreError: if the disk refuses, or the file would hold more than MAX_SIZE; what was there is still there.
        """
        try:
            self._remove_what_is_not_ours()
            with self._open(os.O_CREAT) as file:
                os.fchmod(file.fileno(), FILE_MODE)
                _append(file, text.encode(errors="replace"))
        except OSError as exc:
            raise StoreError(f"cannot keep your draft in {self._path}: {exc.strerror}") from exc

    def _open(self, flags: int = 0) -> FileIO:
        """Return the file, which nobody else takes or changes until it is closed."""
        flags |= os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        while True:
            file = FileIO(os.open(self._path, flags, FILE_MODE), "r+")
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_nlink:
                return file
            file.close()  # another run has taken it while we waited

    def _remove_what_is_not_ours(self) -> None:
        with suppress(FileNotFoundError):
            if not _is_ours(self._path.lstat()):
                self._path.unlink()


def _is_ours(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()


def _append(file: FileIO, data: bytes) -> None:
    """Add all of `data`, or nothing."""
    size = file.seek(0, os.SEEK_END)
    data = b"\n" * bool(size) + data
    if size + len(data) > MAX_SIZE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    if file.write(data) != len(data):
        file.truncate(size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
