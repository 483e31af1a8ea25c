"""What is logged in a simulation, by those who live: a dead process would complain of its disk, and of its death."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

#: Whether the process that runs now is alive; whoever is in none of them is.
is_alive: Final[ContextVar[Callable[[], bool]]] = ContextVar("is_alive")


@contextmanager
def logs_of_the_living() -> Iterator[None]:
    """Let what this package logs go where it always goes, unless the process that logs it is dead."""
    ours = logging.getLogger("p2pchat")
    handlers, propagates = ours.handlers, ours.propagate
    ours.handlers, ours.propagate = [_Filtered(handlers, propagates=propagates)], False
    try:
        yield
    finally:
        ours.handlers, ours.propagate = handlers, propagates


class _Filtered(logging.Handler):
    def __init__(self, handlers: Sequence[logging.Handler], *, propagates: bool) -> None:
        super().__init__()
        self._handlers = handlers
        self._propagates = propagates

    def emit(self, record: logging.LogRecord) -> None:
        alive = is_alive.get(None)
        if alive is not None and not alive():
            return
        for handler in self._handlers:
            if record.levelno >= handler.level:
                handler.handle(record)
        if self._propagates:
            logging.getLogger().callHandlers(record)
