"""Signals end the program in order: goodbyes are said, files and sockets are closed, the exit code tells which it was.

Only what a person does is cancelled, not the node beneath it: so its links live long enough to say that we go away. A
second signal does not wait for that.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import trio

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run(function: Callable[[], Awaitable[None]]) -> int:
    """Await `function()` and return 0, or cancel it at the first of the signals that end us and return 128 + signal.

    Signals that our parent had us ignore (`nohup`, a shell's background jobs) stay ignored.
    """
    caught: list[int] = []

    async def watch(task_status: trio.TaskStatus[None]) -> None:
        wanted = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]
        with trio.open_signal_receiver(*wanted) as signals:
            task_status.started()
            async for number in signals:
                caught.append(number)
                break  # the old handlers come back here, and with them the second Ctrl-C
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        await nursery.start(watch)
        await function()
        nursery.cancel_scope.cancel()
    return 128 + caught[0] if caught else 0
