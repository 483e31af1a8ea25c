"""The simulated network keeps the contract of every transport, and breaks what it is told to break, when it is told."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from p2pchat.address import Address
from p2pchat.env import dice
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.contract import check_transport
from p2pchat.testing.lanes import Pace, SimStream
from p2pchat.testing.seeded import VirtualClock, seeded_run
from p2pchat.testing.simnet import BACKLOG, SimNetwork, Wire

BOB = Address("tcp", "10.0.0.2:7272")


class Pair:
    """Alice dials Bob: both machines, both processes, both ends."""

    def __init__(self, clock: Callable[[], float], *, seed: int = 1, pace: Pace | None = None) -> None:
        self.network = SimNetwork(clock, dice(seed))
        self.network.pace = pace or Pace(latency=0.01)
        self.alice = self.network.machine("alice").start()
        self.bob = self.network.machine("bob").start()

    async def connect(self) -> tuple[SimStream, SimStream, Wire]:
        if BOB not in self.network.doors:
            await self.bob.listen(BOB)
        dialed = await self.alice.connect(BOB)
        return dialed, await self.network.doors[BOB].accept(), self.network.wires[-1]


def virtually(test: Callable[[Pair], Awaitable[None]]) -> Callable[[], None]:
    """Run `test` in virtual time."""

    async def main(clock: VirtualClock) -> None:
        await test(Pair(clock.current_time))

    def run() -> None:  # without `functools.wraps`: pytest would take `pair` for a fixture
        seeded_run(main, seed=test.__name__, limit=100_000)

    return run


async def read_to_the_end(stream: SimStream) -> bytes:
    data = b""
    while piece := await stream.receive_some():
        data += piece
    return data


async def gone_at(stream: SimStream, clock: Callable[[], float]) -> tuple[float, bytes]:
    """Return when a reader learns that the connection broke, and what it read before."""
    data = b""
    while True:
        try:
            piece = await stream.receive_some()
        except trio.BrokenResourceError:
            return clock(), data
        assert piece, "this was to be a reset"
        data += piece


@pytest.mark.slow
@pytest.mark.parametrize("splits", [0.0, 0.5])
async def test_it_keeps_the_contract_of_transports(splits: float) -> None:
    network = SimNetwork(trio.current_time, dice(1))
    network.pace = Pace(splits=splits, buffer=2**18)
    await check_transport(network.machine("here").start(), BOB)


@virtually
async def test_bytes_take_their_time(pair: Pair) -> None:
    """A round trip to connect, one latency for bytes, and more for many of them."""
    pair.network.pace = Pace(latency=0.05, bandwidth=1000)
    dialed, accepted, _ = await pair.connect()
    assert pair.network.clock() == 0.1
    await dialed.send_all(b"x" * 100)
    assert await accepted.receive_some() == b"x" * 100
    assert pair.network.clock() == 0.25
    await dialed.send_all(b"y" * 100)
    await dialed.send_all(b"z" * 100)
    assert await accepted.receive_some() == b"y" * 100
    assert await accepted.receive_some() == b"z" * 100
    assert pair.network.clock() == 0.5


@virtually
async def test_nobody_listens_is_told_after_a_round_trip(pair: Pair) -> None:
    with pytest.raises(ConnectFailed, match=r"nobody listens on tcp:10\.0\.0\.2:7272"):
        await pair.alice.connect(BOB)
    await pair.bob.listen(BOB)
    with pytest.raises(ListenFailed, match="in use"):
        await pair.alice.listen(BOB)


@virtually
async def test_a_full_queue_makes_the_next_dialer_wait(pair: Pair) -> None:
    (door,) = await pair.bob.listen(BOB)
    for _ in range(BACKLOG):
        await pair.alice.connect(BOB)
    with trio.move_on_after(5) as gave_up:
        await pair.alice.connect(BOB)
    assert gave_up.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pair.alice.connect, BOB)
        await door.accept()
    for _ in range(BACKLOG):
        await door.accept()


@virtually
async def test_a_dialer_is_told_when_the_listener_goes_before_it_was_accepted(pair: Pair) -> None:
    (door,) = await pair.bob.listen(BOB)

    async def leave() -> None:
        await trio.sleep(0.015)
        await door.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave)
        with pytest.raises(ConnectFailed, match="stopped listening"):
            await pair.alice.connect(BOB)


@virtually
async def test_a_cut_lets_exactly_so_many_bytes_through(pair: Pair) -> None:
    dialed, accepted, wire = await pair.connect()
    await dialed.send_all(b"before ")
    wire.cut_after(4, there=True)
    await dialed.send_all(b"and after")
    assert await gone_at(accepted, pair.network.clock) == (0.03, b"before and ")
    assert await gone_at(dialed, pair.network.clock) == (0.03, b"")
    with pytest.raises(trio.BrokenResourceError):
        await dialed.send_all(b"x")


@virtually
async def test_a_clog_delays_one_direction_and_heals(pair: Pair) -> None:
    dialed, accepted, wire = await pair.connect()
    wire.clog(1000, there=True)
    await dialed.send_all(b"ping")
    await accepted.send_all(b"pong")
    assert await dialed.receive_some() == b"pong"
    with trio.move_on_after(100):
        await accepted.receive_some()
    pair.network.heal()
    assert (await accepted.receive_some(), pair.network.clock()) == (b"ping", 100.03)


@virtually
async def test_what_is_forgotten_on_its_way_does_not_heal(pair: Pair) -> None:
    dialed, accepted, wire = await pair.connect()
    wire.clog(math.inf, there=False)
    pair.network.heal()
    await accepted.send_all(b"x")
    with trio.move_on_after(1000) as silence:
        await dialed.receive_some()
    assert silence.cancelled_caught


@virtually
async def test_a_partition_stalls_connections_and_dials_until_it_ends(pair: Pair) -> None:
    dialed, accepted, _ = await pair.connect()
    pair.network.cut_off("bob", "alice", until=50)
    await dialed.send_all(b"x")
    again = await pair.alice.connect(BOB)
    assert pair.network.clock() == 50.01
    assert await accepted.receive_some() == b"x"
    await again.aclose()


@virtually
async def test_old_bytes_arrive_while_the_dialer_is_back_already(pair: Pair) -> None:
    dialed, accepted, wire = await pair.connect()
    await dialed.send_all(b"old")
    wire.lose_dialer(late=2)
    assert (await gone_at(dialed, pair.network.clock))[0] < 0.1
    new, also_accepted, _ = await pair.connect()
    await new.send_all(b"new")
    assert await also_accepted.receive_some() == b"new"
    assert await gone_at(accepted, pair.network.clock) == (2.02, b"old")


@virtually
async def test_what_a_killed_process_had_sent_arrives_and_then_the_end(pair: Pair) -> None:
    ends = []
    for _ in range(8):
        dialed, accepted, _ = await pair.connect()
        await dialed.send_all(b"last words")
        pair.alice.kill()
        assert dialed.send_nowait(b"from beyond") == 0
        with trio.move_on_after(1000) as waits_for_ever:
            await dialed.receive_some()
        assert waits_for_ever.cancelled_caught
        try:
            assert await read_to_the_end(accepted) == b"last words"
            ends.append("end of stream")
        except trio.BrokenResourceError:
            ends.append("reset")
        with pytest.raises(trio.BrokenResourceError):
            await accepted.send_all(b"x")
        await accepted.aclose()
        pair.alice = pair.network.machine("alice").start()
    assert set(ends) == {"end of stream", "reset"}
    assert pair.network.wires == []


@virtually
async def test_a_killed_listener_refuses_until_the_next_one_listens(pair: Pair) -> None:
    (door,) = await pair.bob.listen(BOB)
    pair.bob.kill()
    with pytest.raises(ConnectFailed):
        await pair.alice.connect(BOB)
    pair.bob = pair.network.machine("bob").start()
    dialed, _, _ = await pair.connect()
    await door.aclose()
    assert pair.network.doors[BOB] is not door
    await dialed.aclose()


@virtually
async def test_power_loss_is_told_to_nobody(pair: Pair) -> None:
    dialed, accepted, _ = await pair.connect()
    await accepted.send_all(b"0123456789")
    pair.network.machine("bob").lose_power()
    with trio.move_on_after(500) as silence:
        data = await dialed.receive_some()
        assert b"0123456789".startswith(data)
        await dialed.receive_some()
    assert silence.cancelled_caught
    with trio.move_on_after(500) as silence:
        await pair.alice.connect(BOB)
    assert silence.cancelled_caught


@virtually
async def test_a_machine_that_is_up_again_resets_its_old_connections(pair: Pair) -> None:
    quiet, _, _ = await pair.connect()
    full, _, _ = await pair.connect()
    pair.network.machine("bob").lose_power()
    with trio.move_on_after(60) as stuck:
        await full.send_all(bytes(10**6))
    assert stuck.cancelled_caught
    pair.bob = pair.network.machine("bob").start()
    assert (await gone_at(full, pair.network.clock))[0] < 61
    with pytest.raises(ConnectFailed):
        await pair.alice.connect(BOB)
    await quiet.send_all(b"hello?")
    assert (await gone_at(quiet, pair.network.clock))[0] < 61


@virtually
async def test_a_stream_closed_with_unread_bytes_is_reset(pair: Pair) -> None:
    dialed, accepted, _ = await pair.connect()
    await dialed.send_all(b"unread")
    await accepted.send_all(b"last words")
    await accepted.aclose()
    assert (await gone_at(dialed, pair.network.clock))[1] == b"last words"


@virtually
async def test_who_dies_while_its_machine_is_frozen_neither_listens_nor_dials_afterwards(pair: Pair) -> None:
    pair.network.machine("bob").frozen_until = 1.0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pair.bob.listen, BOB)
        nursery.start_soon(pair.bob.connect, BOB)
        await trio.sleep(0.5)
        pair.bob.kill()
        await trio.sleep(1.0)
        assert pair.network.doors == {}
        assert pair.network.wires == []
        nursery.cancel_scope.cancel()
