"""Links that break, freeze, double: nothing is lost, doubled or taken for a goodbye."""

from __future__ import annotations

import itertools
from functools import partial

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.errors import RemoteProtocolError
from p2pchat.node import events
from p2pchat.node.settings import NodeSettings
from p2pchat.protocol.limits import Limits
from p2pchat.wire.close_codes import CloseCode
from tests.support.peers import HOME, Network, open_peer

AWAY = Address("memory", "away")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_said_while_links_break_is_heard_once_and_in_order(
    network: Network, autojump_clock: MockClock, seed: int
) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2 + seed) as bob:
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        to_bob = (await ann.wait_for(events.Connected)).session
        for n in range(300):
            await to_ann.send(f"b{n}")
            await to_bob.send(f"a{n}")
            if n % 60 == seed:
                network.cut()
            if n % 7 == 0:
                await trio.sleep(0.1 * (n % 11))
        assert await ann.wait_heard(300) == [f"b{n}" for n in range(300)]
        assert await bob.wait_heard(300) == [f"a{n}" for n in range(300)]
        await to_ann.drained()
        await to_bob.drained()
        assert len(network.wires) > 4


async def test_a_lost_link_is_never_a_goodbye(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        network.cut()
        for peer in ann, bob:
            gone = await peer.wait_for(events.Disconnected)
            assert not gone.clean
            assert gone.reason == "connection lost"
        assert (await bob.wait_for(events.Disconnected)).redial is not None
        assert (await ann.wait_for(events.Disconnected)).redial is None  # whoever was dialed does not dial
        assert not [event for event in ann.told + bob.told if isinstance(event, events.Leaving)]
        assert (await bob.wait_for(events.Connected, count=2)).session is session


async def test_redials_back_off_and_never_give_up(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.send("before")
        network.up = False
        network.cut()
        await bob.wait_for(events.DialFailed, count=20)
        pauses = [later - earlier for earlier, later in itertools.pairwise(network.dials)]
        assert max(pauses) <= Limits().redial_cap
        assert max(pauses[:3]) <= 4
        assert max(pauses) > 60
        await session.send("meanwhile")
        network.up = True
        await ann.wait_heard(2)
        assert ann.heard == ["before", "meanwhile"]


@pytest.mark.parametrize(("limits", "longest"), [(Limits(redial_reset=0.0), 1.0), (Limits(redial_cap=2.0), 2.0)])
async def test_pauses_are_what_the_limits_say(
    network: Network, autojump_clock: MockClock, limits: Limits, longest: float
) -> None:
    settings = NodeSettings(limits=limits)
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2, settings=settings) as bob:
        await ann.node.listen(HOME)
        await bob.node.dial(HOME)
        for count in range(1, 9):
            await ann.wait_for(events.Connected, count=count)
            network.cut()
            await bob.wait_for(events.Disconnected, count=count)
        pauses = [event.redial or 0.0 for event in bob.told if isinstance(event, events.Disconnected)]
        assert longest / 2 < max(pauses) <= longest


async def test_a_peer_that_freezes_is_found_by_pings(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        began = trio.current_time()
        for end in network.wires[0]:
            end.clog()
        gone = await bob.wait_for(events.Disconnected)
        assert not gone.clean
        assert trio.current_time() - began <= 95.0
        await session.send("still there?")
        assert await ann.wait_heard(1) == ["still there?"]


async def test_a_write_that_stalls_for_half_a_minute_ends_the_link(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        began = trio.current_time()
        network.wires[0][0].clog()
        await session.send("into the void")
        gone = await bob.wait_for(events.Disconnected)
        assert "stopped reading" in gone.reason
        assert trio.current_time() - began == pytest.approx(30.0, abs=0.1)
        assert await ann.wait_heard(1) == ["into the void"]


async def test_an_idle_link_is_kept_by_pings(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await trio.sleep(3600)
        assert session.connected
        await session.send("after an hour")
        assert await ann.wait_heard(1) == ["after an hour"]
        assert len(network.dials) == 1


async def test_two_who_dial_each_other_at_once_end_with_one_link(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        await bob.node.listen(AWAY)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.node.dial, AWAY)
            nursery.start_soon(bob.node.dial, HOME)
        (to_bob,), (to_ann,) = ann.node.sessions, bob.node.sessions
        for n in range(100):
            await to_ann.send(f"b{n}")
            await to_bob.send(f"a{n}")
        assert await ann.wait_heard(100) == [f"b{n}" for n in range(100)]
        assert await bob.wait_heard(100) == [f"a{n}" for n in range(100)]
        await trio.sleep(3600)
        assert to_ann.connected
        assert to_bob.connected
        assert len(network.wires) <= 4


async def test_a_second_dial_takes_over_without_losing_a_message(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        first = await bob.node.dial(HOME)
        for n in range(10):
            await first.send(f"{n}")
        await trio.sleep(60)
        second = await bob.node.dial(HOME)
        assert second is first
        for n in range(10, 20):
            await second.send(f"{n}")
        assert await ann.wait_heard(20) == [f"{n}" for n in range(20)]
        await trio.sleep(600)
        assert len(network.wires) == 2


async def test_nothing_is_acknowledged_that_was_not_shown(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        await session.send("zero")
        await session.drained()
        ann.paused = True
        await session.send("one")  # the pause is in force after the next event
        await trio.sleep(1)
        await session.send("two")
        await trio.sleep(50)
        assert await session.unsaid() == 2
        assert ann.heard == ["zero", "one"]
        network.cut()
        await bob.wait_for(events.Connected, count=2)
        await trio.sleep(50)
        assert await session.unsaid() == 2
        ann.resume()
        await session.drained()
        assert ann.heard == ["zero", "one", "two"]


async def test_a_sender_waits_for_a_listener_that_is_behind(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        ann.paused = True
        sent = 0
        with trio.move_on_after(60):
            while True:
                await session.send("x" * 10_000)
                sent += 1
        assert 20 < sent < 300
        ann.resume()
        await ann.wait_heard(sent)
        await session.drained()
        assert session.connected


async def test_a_dial_that_is_cancelled_leaves_nothing(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        for patience in range(200):
            with trio.move_on_after(patience / 1000) as scope:
                await bob.node.dial(HOME)
            if not scope.cancelled_caught:
                break
        await trio.sleep(1)
        assert len(bob.node.sessions) == 1


async def test_whoever_hangs_up_in_the_handshake_is_taken_for_no_p2pchat(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=2) as bob:
        (door,) = await network.listen(HOME)
        async with door, trio.open_nursery() as nursery:
            nursery.start_soon(door.accept)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(_cut_when_dialed, network)
            with pytest.raises(RemoteProtocolError, match="hung up"):
                await bob.node.dial(HOME)


async def _cut_when_dialed(network: Network) -> None:
    while not network.wires:
        await trio.lowlevel.checkpoint()
    network.cut()


async def test_a_forged_hint_is_shown_and_never_acted_upon(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=2) as bob:
        async with open_peer(network, seed=1) as ann:
            await ann.node.listen(HOME)
            session = await bob.node.dial(HOME)
        (door,) = await network.listen(HOME)
        async with door, trio.open_nursery() as nursery:
            nursery.start_soon(_say_to_everybody, door, bytes([0, 0, 1, CloseCode.NOT_AUTHORIZED]))
            failed = await bob.wait_for(events.DialFailed, count=3)
            assert failed.redial is not None
            assert not session.over
            nursery.cancel_scope.cancel()


async def _say_to_everybody(door: trio.abc.Listener[trio.abc.Stream], words: bytes) -> None:
    while True:
        async with await door.accept() as stream:
            await stream.send_all(words)
            await stream.receive_some()


async def test_reconnect_cuts_the_pause_short(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        assert bob.node.reconnect() == 0
        await bob.node.dial(HOME)
        network.up = False
        network.cut()
        await bob.wait_for(events.DialFailed, count=10)
        network.up = True
        began = trio.current_time()
        assert bob.node.reconnect() == 1
        await bob.wait_for(events.Connected, count=2)
        assert trio.current_time() == began
        assert bob.node.reconnect() == 0


async def test_reconnect_helps_who_was_never_reached_too(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob, trio.open_nursery() as nursery:
        nursery.start_soon(partial(bob.node.dial, HOME, retry=True))
        await bob.wait_for(events.DialFailed, count=10)
        await ann.node.listen(HOME)
        began = trio.current_time()
        assert bob.node.reconnect() == 1
        await bob.wait_for(events.Connected)
        assert trio.current_time() == began
