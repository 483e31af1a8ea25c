"""Memory: names of one registry, bounded buffers, and the same failures as anywhere else."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed
from p2pchat.testing.door import Door, open_door
from p2pchat.transports.memory import BACKLOG, PIPE_SIZE, MemoryStream, MemoryTransport

HERE = Address("memory", "here")


async def test_names_of_one_registry_are_unknown_to_another() -> None:
    async with open_door(MemoryTransport(), HERE):
        with pytest.raises(ConnectFailed, match=r"^nobody listens on memory:here$"):
            await MemoryTransport().connect(HERE)


async def test_only_the_dialed_end_has_an_address() -> None:
    async with open_door(MemoryTransport(), HERE) as door:
        dialed, accepted = await door.pair()
    assert isinstance(dialed, MemoryStream)
    assert isinstance(accepted, MemoryStream)
    assert (dialed.remote, accepted.remote) == (HERE, None)


async def test_a_connection_holds_so_many_bytes_and_no_more() -> None:
    async with open_door(MemoryTransport(), HERE) as door:
        dialed, accepted = await door.pair()
    assert isinstance(dialed, MemoryStream)
    assert dialed.send_nowait(bytes(3 * PIPE_SIZE)) == PIPE_SIZE
    assert dialed.send_nowait(b"x") == 0
    assert len(await accepted.receive_some(10)) == 10
    assert dialed.send_nowait(bytes(20)) == 10


async def test_closing_wakes_who_waits_to_send() -> None:
    async with open_door(MemoryTransport(), HERE) as door:
        dialed, accepted = await door.pair()

    async def send_too_much() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await dialed.send_all(bytes(2 * PIPE_SIZE))

    async with accepted, trio.open_nursery() as nursery:
        nursery.start_soon(send_too_much)
        await trio.testing.wait_all_tasks_blocked()
        await dialed.aclose()


async def fill_queue(door: Door) -> None:
    for _ in range(BACKLOG):
        await door.connect()


async def test_who_finds_the_queue_full_waits_for_room() -> None:
    async with open_door(MemoryTransport(), HERE) as door, trio.open_nursery() as nursery:
        await fill_queue(door)
        nursery.start_soon(door.connect)
        await trio.testing.wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        await door.accept()


async def test_who_waits_for_room_is_told_when_the_listener_goes() -> None:
    async def connect() -> None:
        with pytest.raises(ConnectFailed, match="nobody listens"):
            await door.connect()

    async with trio.open_nursery() as nursery, open_door(MemoryTransport(), HERE) as door:
        await fill_queue(door)
        for _ in range(3):
            nursery.start_soon(connect)
        await trio.testing.wait_all_tasks_blocked()


async def test_who_was_never_accepted_is_cut_off_when_the_listener_goes() -> None:
    async with open_door(MemoryTransport(), HERE) as door:
        dialed = await door.connect()
    assert await dialed.receive_some() == b""
    with pytest.raises(trio.BrokenResourceError):
        await dialed.send_all(b"x")
