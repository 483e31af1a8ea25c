"""Two streams joined: bytes and ends arrive as if nobody were in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trio.testing
from trio.testing import MockClock

from p2pchat.cli import relay
from tests.support.peers import Wire


def pair() -> tuple[Wire, Wire]:
    one, other = trio.testing.memory_stream_pair()
    return Wire(one), Wire(other)


@asynccontextmanager
async def joined() -> AsyncIterator[tuple[Wire, Wire, trio.Event]]:
    """The two far ends, and what is set when the relay is over."""
    (left, near_left), (near_right, right) = pair(), pair()
    over = trio.Event()

    async def run(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await relay.relay(near_left, near_right)
        assert near_left.closed
        assert near_right.closed
        over.set()

    async with trio.open_nursery() as nursery:
        await nursery.start(run)
        yield left, right, over


async def test_each_way_ends_by_itself(autojump_clock: MockClock) -> None:
    async with joined() as (left, right, over):
        await left.send_all(b"question")
        assert await right.receive_some() == b"question"
        await left.send_eof()
        assert await right.receive_some() == b""
        await trio.sleep(relay.AFTER_END / 2)
        await right.send_all(b"answer")
        assert await left.receive_some() == b"answer"
        assert not over.is_set()
        await right.send_eof()
        assert await left.receive_some() == b""
        await over.wait()


async def test_last_words_of_who_hears_no_more_still_arrive(autojump_clock: MockClock) -> None:
    """A peer says why it leaves and closes; what is on its way to it breaks, and must not take that with it."""
    (left, near_left), (near_right, right) = pair(), pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(relay.relay, near_left, near_right)
        near_right.send_all = _broken  # type: ignore[method-assign, assignment]
        await left.send_all(b"anybody?")
        await trio.testing.wait_all_tasks_blocked()
        await right.send_all(b"goodbye")
        assert await left.receive_some() == b"goodbye"
        began = trio.current_time()
        assert await left.receive_some() == b""
        assert trio.current_time() - began == relay.LAST_WORDS


async def _broken(data: bytes) -> None:
    await trio.lowlevel.checkpoint()
    raise trio.BrokenResourceError


async def test_who_does_not_answer_an_end_is_not_waited_for(autojump_clock: MockClock) -> None:
    async with joined() as (left, right, over):
        await trio.sleep(1000)
        began = trio.current_time()
        await left.send_eof()
        assert await right.receive_some() == b""
        await over.wait()
        assert trio.current_time() - began == relay.AFTER_END


async def test_who_takes_nothing_any_more_is_as_good_as_gone(autojump_clock: MockClock) -> None:
    (left, near_left), (near_right, _) = pair(), pair()
    near_right.send_all = _stopped  # type: ignore[method-assign, assignment]
    await left.send_all(b"anybody?")
    await left.aclose()
    await relay.relay(near_left, near_right)
    assert trio.current_time() == relay.STALL + relay.LAST_WORDS


async def _stopped(data: bytes) -> None:
    await trio.sleep_forever()


async def test_when_both_are_gone_it_is_over(autojump_clock: MockClock) -> None:
    async with joined() as (left, right, over):
        await left.aclose()
        await right.aclose()
        await over.wait()


async def test_cancelled_it_closes_both() -> None:
    (_, near_left), (near_right, _) = pair(), pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(relay.relay, near_left, near_right)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert near_left.closed
    assert near_right.closed
