"""One task at a time may send on a stream, and one may receive: whoever comes second is told so, never queued.

Trio's own streams keep the same promise (`trio.BusyResourceError`), with a class that is private to Trio.
"""

from __future__ import annotations

from types import TracebackType

import trio


class Turn:
    """A context manager that raises `BusyResourceError` when it is entered twice at once."""

    __slots__ = ("_doing", "taken")

    def __init__(self, doing: str) -> None:
        self._doing = doing  # what the other task does, for the message
        self.taken: bool = False

    def check(self) -> None:
        """Raise `BusyResourceError` if a task has the turn; for those who need it without a checkpoint."""
        if self.taken:
            raise trio.BusyResourceError(f"another task is {self._doing} this stream")

    def __enter__(self) -> None:
        self.check()
        self.taken = True

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.taken = False
