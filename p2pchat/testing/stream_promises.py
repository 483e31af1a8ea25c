"""What the streams of every transport promise; `contract` runs this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
import trio.testing

from p2pchat.testing.door import expect, expect_same, failure_of, open_door, receive_exactly
from p2pchat.transports import base

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.env import Net

BULK = 3 * 2**20  # bytes; more than the buffers of a connection hold, so both ends have to work at once
TOO_MUCH = 2**26  # bytes that nobody reads; a transport that takes so many has no bound at all
CHUNK = 2**18  # bytes for one send
SETTLED = 0.002  # seconds without any event: what the system does behind a connection has ended


async def streams_are_streams(net: Net, address: Address) -> None:
    """Streams do all that Trio asks of one that can be closed by halves, or else of a two-way stream."""

    async def make() -> tuple[trio.abc.Stream, trio.abc.Stream]:
        async with open_door(net, address) as door:
            return await door.pair()

    async def make_clogged() -> tuple[trio.abc.Stream, trio.abc.Stream]:
        dialed, accepted = await make()
        await clog(dialed)
        await clog(accepted)
        return dialed, accepted

    dialed, accepted = await make()
    async with dialed, accepted:
        halves = isinstance(dialed, trio.abc.HalfCloseableStream)
    check = trio.testing.check_half_closeable_stream if halves else trio.testing.check_two_way_stream
    await check(make, make_clogged)  # type: ignore[arg-type]


async def connections_are_apart(net: Net, address: Address) -> None:
    """One address takes many connections, and what is sent on one arrives at its other end alone."""
    async with open_door(net, address) as door:
        pairs = [await door.pair() for _ in range(3)]
    for number, (dialed, _) in enumerate(pairs):
        await dialed.send_all(b"%d" % number)
        await trio.aclose_forcefully(dialed)
    for number, (_, accepted) in enumerate(pairs):
        async with accepted:
            expect_same(await receive_exactly(accepted, 2), b"%d" % number)


async def bulk_arrives_both_ways(net: Net, address: Address) -> None:
    """Both ends can send and receive at once, and nothing is lost, doubled or reordered."""
    there, back = (bytes(range(256)) * (BULK // 256), bytes(reversed(range(256))) * (BULK // 256))
    got: dict[str, bytes] = {}

    async def receive(stream: trio.abc.Stream, name: str) -> None:
        got[name] = await receive_exactly(stream, BULK)

    async with open_door(net, address) as door:
        dialed, accepted = await door.pair()
    async with dialed, accepted, trio.open_nursery() as nursery:
        nursery.start_soon(dialed.send_all, there)
        nursery.start_soon(accepted.send_all, back)
        nursery.start_soon(receive, accepted, "there")
        nursery.start_soon(receive, dialed, "back")
    expect_same(got, {"there": there, "back": back})


async def unread_bytes_are_bounded(net: Net, address: Address) -> None:
    """Who sends to somebody who does not read has to wait, instead of filling the memory."""
    async with open_door(net, address) as door:
        dialed, accepted = await door.pair()
    async with dialed, accepted:
        await clog(dialed)


async def buffers_are_filled_in_place(net: Net, address: Address) -> None:
    """`receive_into`, where a stream has it, receives and ends as `receive_some` does."""
    async with open_door(net, address) as door:
        ours, theirs = await door.pair()
    async with ours, theirs:
        if not isinstance(ours, base.ReceivesInto):
            return
        buffer = bytearray(b"-----")

        async def receive() -> None:
            expect_same(await ours.receive_into(memoryview(buffer)), 3)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            await trio.testing.wait_all_tasks_blocked()
            await failure_of(trio.BusyResourceError, ours.receive_into(memoryview(buffer)))
            await theirs.send_all(b"abc")
        expect_same(buffer, b"abc--")
        await theirs.send_all(b"0123456789")
        expect_same(await ours.receive_into(memoryview(buffer)[:2]), 2)
        expect_same(await receive_exactly(ours, 8), b"23456789")
        expect_same(buffer, b"01c--")
        await failure_of(ValueError, ours.receive_into(memoryview(b"")))
        await trio.aclose_forcefully(theirs)
        expect_same(await ours.receive_into(memoryview(buffer)), 0)
        await trio.aclose_forcefully(ours)
        await failure_of(trio.ClosedResourceError, ours.receive_into(memoryview(buffer)))


async def sending_at_once_never_waits(net: Net, address: Address) -> None:
    """`send_nowait`, where a stream has it, takes what there is room for, in order, and fails as `send_all` does."""
    async with open_door(net, address) as door:
        ours, theirs = await door.pair()
    async with ours, theirs:
        if not isinstance(ours, base.SendsNow):
            return
        sent = bytearray()
        while taken := ours.send_nowait(piece := len(sent).to_bytes(8, "big") * 1000):
            sent += piece[:taken]
            expect(len(sent) < TOO_MUCH, "bytes that nobody reads pile up")
        expect_same(await receive_exactly(theirs, len(sent)), sent)
        await ours.wait_send_all_might_not_block()
        expect_same(ours.send_nowait(b"x"), 1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ours.send_all, bytes(TOO_MUCH))
            await trio.testing.wait_all_tasks_blocked()
            refuses_to_send(ours, trio.BusyResourceError)
            nursery.cancel_scope.cancel()
        await trio.aclose_forcefully(theirs)
        await failure_of(trio.BrokenResourceError, send_for_ever(ours))
        refuses_to_send(ours, trio.BrokenResourceError)
        await trio.aclose_forcefully(ours)
        refuses_to_send(ours, trio.ClosedResourceError)


async def nothing_is_sent_after_the_end(net: Net, address: Address) -> None:
    """After `send_eof`, where a stream has it, `send_nowait` is as closed as `send_all`; the other way stays open."""
    async with open_door(net, address) as door:
        ours, theirs = await door.pair()
    async with ours, theirs:
        if not isinstance(ours, trio.abc.HalfCloseableStream):
            return
        await ours.send_eof()
        expect_same(await theirs.receive_some(), b"")
        if isinstance(ours, base.SendsNow):
            refuses_to_send(ours, trio.ClosedResourceError)
        await theirs.send_all(b"x")
        expect_same(await ours.receive_some(), b"x")


async def clog(stream: trio.abc.Stream) -> None:
    """Send on `stream`, whose other end is not read, until nothing more goes in."""

    async def stop_when_stuck() -> None:
        await trio.testing.wait_all_tasks_blocked(SETTLED)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stop_when_stuck)
        await send_for_ever(stream)


async def send_for_ever(stream: trio.abc.SendStream) -> None:
    """Send until something stops it, but not without any bound."""
    for _ in range(TOO_MUCH // CHUNK):
        await stream.send_all(bytes(CHUNK))
    raise AssertionError("bytes that nobody reads pile up")


def refuses_to_send(stream: base.SendsNow, error: type[BaseException]) -> None:
    """Check that `send_nowait` raises `error`."""
    try:
        stream.send_nowait(b"x")
    except error:
        return
    raise AssertionError(f"send_nowait did not raise {error.__name__}")
