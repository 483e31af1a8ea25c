"""Signals in a simulation end it between two of its events: what happened so far is still told.

Trio would raise `KeyboardInterrupt` wherever it happens to be, for example in the callback of a simulated disk, and the
world would take that for something that its own code has done. So a signal is only noted down, and whoever hears what
happens in the world looks at the note.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@final
class Halted(BaseException):
    """The simulation is to end; no `Exception`, so that nothing in the world takes it for an answer."""


@final
class Halt:
    """A note that the simulation is to end, and why."""

    def __init__(self) -> None:
        self.signal: int = 0  # that came
        self.error: Exception | None = None  # that came in the way of telling what happens

    def check(self) -> None:
        """Raise `Halted` if the simulation is to end."""
        if self:
            raise Halted

    def __bool__(self) -> bool:
        """Whether it is to end."""
        return bool(self.signal or self.error)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note signals down; a second one ends the process as ever. What our parent had us ignore stays ignored."""
        before = {int(number): signal.getsignal(number) for number in ENDING}

        def note(number: int, _: FrameType | None) -> None:
            self.signal = number
            signal.signal(number, before[number])

        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
