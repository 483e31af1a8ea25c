"""Cancel something at each step of the loop, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio

NEVER = 10**9


class CancelAtStep(trio.abc.Instrument):
    """Cancels `scope` when the loop takes its `step`-th step."""

    def __init__(self, step: int, scope: trio.CancelScope) -> None:
        self.left = step
        self._scope = scope

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count it."""
        self.left -= 1
        if self.left == 0:
            self._scope.cancel()


@contextmanager
def cancelled_at(step: int) -> Iterator[CancelAtStep]:
    """Cancel the body at its `step`-th step; yields what counts them down."""
    with trio.CancelScope() as scope:
        instrument = CancelAtStep(step, scope)
        trio.lowlevel.add_instrument(instrument)
        try:
            yield instrument
        finally:
            trio.lowlevel.remove_instrument(instrument)


async def steps_of(function: Callable[[], Awaitable[None]]) -> int:
    """Return how many steps `function` takes."""
    with cancelled_at(NEVER) as instrument:
        await function()
    return NEVER - instrument.left
