"""How far a long run has come, on standard error: at a terminal a line that changes, elsewhere one now and then."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable
from typing import Final, final

from p2pchat.cli import say

PATIENCE: Final = 1.0  # seconds before anything is said
AT_A_TERMINAL: Final = 0.2  # seconds between two changes of the line
ELSEWHERE: Final = 10.0  # seconds between two lines


@final
class Progress:
    """Tells how far something has come."""

    def __init__(self, clock: Callable[[], float], *, is_wanted: bool) -> None:
        self._clock = clock
        self._is_terminal = os.isatty(2)
        self._every = AT_A_TERMINAL if self._is_terminal else ELSEWHERE
        self._due = clock() + max(PATIENCE, self._every) if is_wanted else math.inf
        self._is_shown = False

    def tell(self, words: Callable[[], str]) -> None:
        """Say what `words` returns, if it is time to."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + self._every
        if self._is_terminal:
            self._is_shown = True
            self._write(f"\r{say.PREFIX}: {words()}\x1b[K")
        else:
            say.note(words())

    def end(self) -> None:
        """Take the line away, if there is one."""
        if self._is_shown:
            self._write("\r\x1b[K")
            self._is_shown = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            os.write(2, text.encode())
