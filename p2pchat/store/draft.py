"""The draft: what a person was typing when the program had to end, kept for the next start of the profile.

One small file that only we may read. It is there between two runs and not during one: whoever takes the draft owns it.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
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
        """Return the draft and remove its file; an empty string if there is none, or none of ours."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with suppress(OSError), os.fdopen(os.open(self._path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                text = file.read(MAX_SIZE).decode(errors="replace")
                self._path.unlink()
                return text
        return ""

    def keep(self, text: str) -> None:
        """Write `text` down for the next `take`.

        Raises:
          StoreError: if the disk refuses; there may be half a draft then.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._path.unlink(missing_ok=True)  # so that the new file is ours, whatever lay there
            with os.fdopen(os.open(self._path, flags, FILE_MODE), "wb") as file:
                file.write(text.encode(errors="replace"))
        except OSError as exc:
            raise StoreError(f"cannot keep your draft in {self._path}: {exc.strerror}") from exc
