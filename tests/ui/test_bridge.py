"""Trio beside asyncio: values, errors, cancellation and signals cross the bridge."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

import pytest
import trio

from p2pchat.ui import bridge


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


async def fail() -> int:
    await asyncio.sleep(0)
    raise KeyError("mine")


def test_values_come_over() -> None:
    async def main(question: str) -> tuple[str, int]:
        return question, await bridge.from_aio(answer)

    assert bridge.run(main, "?") == ("?", 42)


def test_errors_come_over() -> None:
    async def main() -> None:
        with pytest.raises(KeyError, match="mine"):
            await bridge.from_aio(fail)
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        bridge.run(main)


def test_a_cancelled_child_cleans_up_first() -> None:
    order = []
    scope = trio.CancelScope()

    async def child() -> None:
        try:
            scope.cancel()
            await asyncio.sleep(60)
        finally:
            order.append("cleaned up")

    async def main() -> None:
        with scope:
            await bridge.from_aio(child)
        assert scope.cancelled_caught
        order.append("went on")

    bridge.run(main)
    assert order == ["cleaned up", "went on"]


def test_a_child_may_end_well_although_it_was_cancelled() -> None:
    scope = trio.CancelScope()

    async def child() -> str:
        with suppress(asyncio.CancelledError):
            scope.cancel()
            await asyncio.sleep(60)
        return "unsent words"

    async def main() -> str:
        with scope:
            return await bridge.from_aio(child)
        return "nothing"

    assert bridge.run(main) == "unsent words"


def test_what_a_callback_raises_ends_the_child_and_is_raised() -> None:
    async def child() -> None:
        def callback() -> None:
            raise ZeroDivisionError("in a callback")

        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(60)

    async def main() -> None:
        await bridge.from_aio(child)

    with pytest.raises(ZeroDivisionError, match="in a callback"):
        bridge.run(main)


def test_a_complaint_without_an_exception_is_an_error_too() -> None:
    async def child() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "something odd"})
        await asyncio.sleep(60)

    async def main() -> None:
        await bridge.from_aio(child)

    with pytest.raises(RuntimeError, match="something odd"):
        bridge.run(main)


def test_trio_runs_while_asyncio_does_and_may_be_called_from_it() -> None:
    async def main() -> list[str]:
        send, receive = trio.open_memory_channel[str](1)

        async def child() -> None:
            send.send_nowait("from asyncio")
            await asyncio.sleep(60)

        async with trio.open_nursery() as nursery, send, receive:
            nursery.start_soon(bridge.from_aio, child)
            heard = [await receive.receive()]
            nursery.cancel_scope.cancel()
        return heard

    assert bridge.run(main) == ["from asyncio"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_reach_trio_at_once(number: signal.Signals) -> None:
    async def main() -> int:
        with trio.open_signal_receiver(number) as signals:
            os.kill(os.getpid(), number)
            with trio.fail_after(10):
                return await anext(signals)

    assert bridge.run(main) == number


def test_an_interrupt_that_nobody_waits_for_is_not_an_exception_in_odd_places() -> None:
    async def main() -> object:
        await trio.lowlevel.checkpoint()
        return signal.getsignal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    assert bridge.run(main) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_that_our_parent_ignores_stays_ignored() -> None:
    async def main() -> object:
        await trio.lowlevel.checkpoint()
        return signal.getsignal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert bridge.run(main) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
