"""What a socket does once in a thousand runs, on purpose."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from p2pchat.transports.sockets import MAX_RECEIVE, SocketStream

Pair = tuple[SocketStream, SocketStream]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    ours, theirs = map(SocketStream, socket.socketpair())
    async with ours, theirs:
        yield ours, theirs


async def test_a_false_alarm_is_waited_out(pair: Pair) -> None:
    ours, theirs = pair
    await theirs.send_all(b"x")
    alarms = iter([BlockingIOError(errno.EAGAIN, "nothing there after all"), BlockingIOError(errno.EAGAIN, "nor now")])

    def receive(max_bytes: int) -> bytes:
        for alarm in alarms:
            raise alarm
        return ours._socket.recv(max_bytes)

    assert await ours._receive(receive, 10) == b"x"


async def test_a_stream_closed_between_the_alarm_and_the_call_is_closed(pair: Pair) -> None:
    ours, theirs = pair
    await theirs.send_all(b"x")

    def receive(max_bytes: int) -> bytes:
        ours._socket.close()
        return ours._socket.recv(max_bytes)

    with pytest.raises(trio.ClosedResourceError):
        await ours._receive(receive, 10)


async def test_one_call_never_asks_for_so_much_that_the_buffer_is_mapped(pair: Pair) -> None:
    ours, theirs = pair
    await theirs.send_all(bytes(MAX_RECEIVE + 1))
    assert len(await ours.receive_some(2 * MAX_RECEIVE)) == MAX_RECEIVE < 128 * 1024


async def test_cancelled_sending_has_sent_a_part_at_most(pair: Pair) -> None:
    ours, theirs = pair
    data = os.urandom(2**22)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.send_all, data)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    await ours.aclose()
    received = b""
    while more := await theirs.receive_some():
        received += more
    assert data.startswith(received)
    assert len(received) < len(data)
