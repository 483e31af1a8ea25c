"""The one door to asyncio: Trio runs as its guest, so that a prompt_toolkit screen can live beside our tasks.

Only a program that opens such a screen comes through here; everything else stays `trio.run`. Both loops share the main
thread, so either side may call plain functions of the other; but asyncio's callbacks are no Trio tasks: they may call
only what never waits (`send_nowait`, `Event.set`, `CancelScope.cancel`).

Source: https://trio.readthedocs.io/en/stable/reference-lowlevel.html, "Using guest mode".
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import trio

if TYPE_CHECKING:
    from outcome import Outcome  # what Trio itself hands us; not a dependency of ours

T = TypeVar("T")


def run(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Return what ``await main(*args)`` returns, under Trio; inside, `from_aio` can wait for asyncio."""
    with _plain_interrupts():
        return asyncio.run(_host(main, args)).unwrap()


async def from_aio(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function of asyncio as a child of this Trio task, and return what it returns.

    Cancelled, it cancels the child and waits until that has cleaned up, however long it takes.

    Raises:
      Exception: what the child raised, or what any callback of asyncio raised meanwhile: a callback has no caller to
        tell, and a screen with half of its callbacks is worse than none.
    """
    trio_task = trio.lowlevel.current_task()
    loop = asyncio.get_running_loop()
    child = loop.create_task(function())
    crashes: list[BaseException] = []
    give_up: Callable[[], Any] | None = None

    def crashed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        crashes.append(context.get("exception") or RuntimeError(context["message"]))
        child.cancel()

    def done(_: asyncio.Task[T]) -> None:
        trio.lowlevel.reschedule(trio_task)

    def abort(raise_cancel: Callable[[], Any]) -> trio.lowlevel.Abort:
        nonlocal give_up
        give_up = raise_cancel
        child.cancel()
        return trio.lowlevel.Abort.FAILED  # `done` wakes us up: nothing of the screen outlives this call

    loop.set_exception_handler(crashed)
    child.add_done_callback(done)
    try:
        await trio.lowlevel.wait_task_rescheduled(abort)
    finally:
        loop.set_exception_handler(None)
    if crashes:
        raise crashes[0]
    if child.cancelled() and give_up is not None:
        give_up()
    return child.result()


async def _host(main: Callable[..., Awaitable[T]], args: tuple[object, ...]) -> Outcome[T]:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Outcome[T]] = loop.create_future()
    # While asyncio handles any signal it wakes up for all of them, Trio's included. This one means nothing to us, and
    # is the one that prompt_toolkit borrows and gives back.
    loop.add_signal_handler(signal.SIGWINCH, int)
    trio.lowlevel.start_guest_run(
        main,
        *args,
        run_sync_soon_threadsafe=loop.call_soon_threadsafe,
        run_sync_soon_not_threadsafe=loop.call_soon,
        done_callback=done.set_result,
        host_uses_signal_set_wakeup_fd=True,
    )
    return await done


@contextmanager
def _plain_interrupts() -> Iterator[None]:
    """Let SIGINT kill us wherever no task of ours waits for it, as SIGTERM does.

    Both loops would otherwise turn it into a KeyboardInterrupt in the middle of the other's work.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
