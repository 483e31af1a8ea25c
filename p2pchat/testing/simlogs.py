"""What is logged in a simulation, by those who live: a dead process would complain of its disk, and of its death."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

#: Whether the process that runs now is alive; whoever is in none of them is.
is_alive: Final[ContextVar[Callable[[], bool]]] = ContextVar("is_alive")


@contextmanager
def logs_of_the_living() -> Iterator[None]:
    """Let what this package logs go where it always goes, unless the process that logs it is dead."""
    ours, filtered = logging.getLogger("p2pchat"), _Filtered()
    propagates, ours.propagate = ours.propagate, False
    ours.addHandler(filtered)
    try:
        yield
    finally:
        ours.removeHandler(filtered)
        ours.propagate = propagates


class _Filtered(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        alive = is_alive.get(None)
        if alive is None or alive():
            logging.getLogger().callHandlers(record)
