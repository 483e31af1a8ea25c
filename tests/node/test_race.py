"""All addresses of a peer at once: the first that proves its key goes on, and nobody else learns who has dialed."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.errors import BadData, ConnectFailed, P2PChatError, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.backoff import Redial
from p2pchat.node.dialer import CONNECT_TIMEOUT
from p2pchat.node.greeting import Dialing
from p2pchat.node.race import STAGGER, Missed, Race
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.handshake import LENGTH_PREFIX, MESSAGE_A_LENGTHS, PREFACE
from tests.support.peers import Network, Peer, Wire, open_peer
from tests.support.steps import cancelled_at, steps_of

ANN, BOB, EVE = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2, 3))
ONE, TWO, THREE, NOBODY = (Address("memory", name) for name in ("one", "two", "three", "nobody"))
SSH = Address("exec", "ssh ann")

ASKED = len(PREFACE) + LENGTH_PREFIX + MESSAGE_A_LENGTHS.start  # bytes: we have dialed, and not said who we are


class Roads(Network):
    """A network of long and short ways, that counts who is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.takes: dict[Address, float] = {}  # seconds to get there
        self.holds: dict[Address, float] = {}  # seconds in which nobody can be called back
        self.begun: list[tuple[Address, float]] = []
        self.ways: dict[Address, Wire] = {}  # the newest to each place that was reached
        self.under_way = 0

    async def connect(self, address: Address) -> Wire:
        self.begun.append((address, trio.current_time()))
        self.under_way += 1
        try:
            await trio.sleep(self.takes.get(address, 0.0))
            self.ways[address] = wire = await super().connect(address)
            return wire
        finally:
            with trio.move_on_after(self.holds.get(address, 0.0), shield=True):
                await trio.sleep_forever()
            self.under_way -= 1


@pytest.fixture
def roads() -> Roads:
    return Roads()


async def listen(peer: Peer, *places: Address) -> None:
    for place in places:
        await peer.node.listen(place)


def met(peer: Peer) -> int:
    """How often it had a link."""
    return sum(isinstance(event, events.Connected) for event in peer.told)


async def test_the_fastest_goes_on_and_the_others_are_gone_by_then(roads: Roads, autojump_clock: MockClock) -> None:
    roads.takes = {ONE: 5.0, TWO: 1.0, THREE: 3.0}
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, ONE, TWO, THREE)
        session = await bob.node.dial(ONE, TWO, THREE, expected=ANN)
        assert trio.current_time() == STAGGER + 1.0
        assert [place for place, _ in roads.begun] == [ONE, TWO, THREE]
        assert roads.under_way == 0
        assert list(roads.ways) == [TWO]
        assert (session.peer, session.address) == (ANN, TWO)
        await ann.wait_for(events.Connected)
        await trio.sleep(60)
        assert (met(ann), met(bob)) == (1, 1)


async def test_each_begins_a_moment_after_the_one_before(roads: Roads, autojump_clock: MockClock) -> None:
    roads.takes = dict.fromkeys((ONE, TWO, THREE), 100.0)
    async with open_peer(roads, seed=2) as bob:
        with pytest.raises(ConnectFailed, match="cannot reach memory:one: no answer within 10 seconds") as told:
            await bob.node.dial(ONE, TWO, THREE, TWO, expected=ANN)
        assert told.value.hint.endswith("; nor did it work at memory:two, memory:three")
        assert roads.begun == [(ONE, 0.0), (TWO, STAGGER), (THREE, 2 * STAGGER)]
        assert trio.current_time() == 2 * STAGGER + CONNECT_TIMEOUT


async def test_where_nobody_is_the_next_one_is_not_kept_waiting(roads: Roads, autojump_clock: MockClock) -> None:
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, TWO)
        await bob.node.dial(ONE, TWO, THREE, expected=ANN)
        assert roads.begun == [(ONE, 0.0), (TWO, 0.0)]


async def test_of_two_that_answer_at_once_one_learns_who_we_are(roads: Roads, autojump_clock: MockClock) -> None:
    roads.takes = {ONE: 3 * STAGGER, TWO: 2 * STAGGER, THREE: STAGGER}
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, ONE, TWO, THREE)
        session = await bob.node.dial(ONE, TWO, THREE, expected=ANN)
        assert session.address in roads.ways
        assert set(roads.ways) == {ONE, TWO, THREE}
        others = [wire for place, wire in roads.ways.items() if place != session.address]
        assert [wire.closed for wire in others] == [True, True]
        assert max(wire.sent for wire in others) <= ASKED
        await trio.sleep(60)
        assert (met(ann), met(bob)) == (1, 1)
        assert not any(isinstance(event, events.Disconnected) for event in (*ann.told, *bob.told))


class Proof:
    """What a race sees of a greeting."""

    def __init__(self) -> None:
        self.revealed = trio.Event()

    def go_on(self) -> None:
        self.revealed.set()


async def test_in_one_moment_there_is_one_first(autojump_clock: MockClock) -> None:
    """Two prove themselves, and a third one fails, before the loop gets to tell any of them."""
    proofs = {ONE: Proof(), TWO: Proof()}
    proved_at: list[Address] = []
    start = trio.Event()

    async def attempt(address: Address, proved: Callable[[Dialing], None]) -> Missed | None:
        await start.wait()
        if address not in proofs:
            return Missed(address, ConnectFailed("nobody is there"), Redial.BACK_OFF)
        proved_at.append(address)
        proved(cast("Dialing", proofs[address]))
        await proofs[address].revealed.wait()
        return None

    async def let_them_go() -> None:
        await trio.sleep(10.0)
        start.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(let_them_go)
        assert await Race(attempt).run([ONE, TWO, THREE, NOBODY]) is None
    assert len(proved_at) == 2
    assert [address for address, proof in proofs.items() if proof.revealed.is_set()] == proved_at[:1]


async def test_nobody_learns_who_we_are_before_the_others_are_gone(roads: Roads, autojump_clock: MockClock) -> None:
    roads.takes, roads.holds = {ONE: 100.0}, {ONE: 5.0}
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob, trio.open_nursery() as nursery:
        await listen(ann, TWO)

        async def look() -> None:
            await trio.sleep(STAGGER + 4.0)
            assert (roads.under_way, roads.ways[TWO].sent, met(ann)) == (1, ASKED, 0)

        nursery.start_soon(look)
        assert (await bob.node.dial(ONE, TWO, expected=ANN)).address == TWO
        assert (roads.under_way, trio.current_time()) == (0, STAGGER + 5.0)


async def test_who_was_chosen_and_leaves_before_the_others_do_is_told_nothing(
    roads: Roads, autojump_clock: MockClock
) -> None:
    roads.takes, roads.holds = {ONE: 100.0}, {ONE: 5.0}
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob, trio.open_nursery() as nursery:
        await listen(ann, TWO)

        async def leave() -> None:
            await trio.sleep(STAGGER + 1.0)
            roads.cut()

        nursery.start_soon(leave)
        with pytest.raises(P2PChatError, match=r"was lost before|hung up"):
            await bob.node.dial(ONE, TWO, expected=ANN)
        assert roads.ways[TWO].sent == ASKED


async def test_another_key_does_not_stop_the_others(roads: Roads, autojump_clock: MockClock) -> None:
    roads.takes = {TWO: 2.0}
    async with (
        open_peer(roads, seed=3) as eve,
        open_peer(roads, seed=1) as ann,
        open_peer(roads, seed=2) as bob,
    ):
        await listen(eve, ONE)
        await listen(ann, TWO)
        assert (await bob.node.dial(ONE, TWO, expected=ANN)).address == TWO
        assert roads.ways[ONE].sent == ASKED
        assert eve.told == [events.Listening(address=ONE)]


@pytest.mark.parametrize("places", [(NOBODY, ONE), (ONE, NOBODY)])
@pytest.mark.parametrize("retry", [False, True])
async def test_another_key_is_told_where_nobody_else_answers(
    roads: Roads, autojump_clock: MockClock, places: tuple[Address, ...], *, retry: bool
) -> None:
    async with open_peer(roads, seed=3) as eve, open_peer(roads, seed=2) as bob:
        await listen(eve, ONE)
        with pytest.raises(UntrustedPeer, match="somebody else answers at memory:one"):
            await bob.node.dial(*places, expected=ANN, retry=retry)


async def test_of_many_addresses_few_are_named(roads: Roads, autojump_clock: MockClock) -> None:
    async with open_peer(roads, seed=2) as bob:
        with pytest.raises(ConnectFailed, match="nobody listens on memory:0") as told:
            await bob.node.dial(*(Address("memory", str(number)) for number in range(8)), expected=ANN)
        assert told.value.hint == "nor did it work at memory:1, memory:2, memory:3, memory:4 and 3 more"


async def test_a_conversation_goes_on_while_there_is_hope_anywhere(roads: Roads, autojump_clock: MockClock) -> None:
    async with open_peer(roads, seed=2) as bob, open_peer(roads, seed=3) as eve:
        async with open_peer(roads, seed=1) as ann:
            await listen(ann, ONE)
            session = await bob.node.dial(ONE, TWO, expected=ANN)
        await listen(eve, TWO)
        failed = await bob.wait_for(events.DialFailed)
        assert isinstance(failed.error, UntrustedPeer)
        assert failed.redial is not None
        async with open_peer(roads, seed=1) as ann:
            await listen(ann, ONE)
            await bob.wait_for(events.Connected, count=2)
            assert (session.connected, session.address) == (True, ONE)
        assert eve.told == [events.Listening(address=TWO)]


async def test_a_lost_link_is_looked_for_at_all_addresses(roads: Roads, autojump_clock: MockClock) -> None:
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, ONE, TWO)
        session = await bob.node.dial(ONE, TWO, expected=ANN)
        assert session.address == ONE
        roads.takes[ONE] = 100.0
        roads.cut()
        await bob.wait_for(events.Connected, count=2)
        assert session.address == TWO
        assert roads.under_way == 0


async def test_a_command_is_run_alone_and_last(roads: Roads, autojump_clock: MockClock) -> None:
    roads.takes = {ONE: 2.0, TWO: 1.0}
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, SSH)
        assert (await bob.node.dial(SSH, ONE, TWO, expected=ANN)).address == SSH
        assert [place for place, _ in roads.begun] == [ONE, TWO, SSH]
        assert roads.begun[-1][1] == 2.0
    async with open_peer(roads, seed=1) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, TWO, SSH)
        roads.begun.clear()
        assert (await bob.node.dial(SSH, TWO, expected=ANN)).address == TWO
        assert [place for place, _ in roads.begun] == [TWO]
        roads.begun.clear()
        with pytest.raises(ConnectFailed):
            await bob.node.dial(Address("exec", "a"), Address("exec", "b"), expected=EVE)
        assert [place.rest for place, _ in roads.begun] == ["a", "b"]


async def test_a_refusal_of_the_peer_itself_is_what_is_told(roads: Roads, autojump_clock: MockClock) -> None:
    known = NodeSettings(accept=Accept.KNOWN)
    async with open_peer(roads, seed=1, settings=known) as ann, open_peer(roads, seed=2) as bob:
        await listen(ann, ONE, TWO)
        with pytest.raises(UntrustedPeer, match="memory:one did not let us in") as told:
            await bob.node.dial(ONE, TWO, expected=ANN)
        assert "nor did it" not in told.value.hint
        assert roads.begun == [(ONE, 0.0)]


async def test_who_looks_for_somebody_else_is_no_guest_of_itself(roads: Roads, autojump_clock: MockClock) -> None:
    async with (
        open_peer(roads, seed=2) as mine,
        open_peer(roads, seed=1) as ann,
        open_peer(roads, seed=2) as bob,
    ):
        await listen(mine, ONE)
        with pytest.raises(BadData, match="this is you: your own key answers at memory:one"):
            await bob.node.dial(ONE, NOBODY, expected=ANN)
        await listen(ann, TWO)
        assert (await bob.node.dial(ONE, TWO, expected=ANN)).address == TWO
        guest = await bob.node.dial(NOBODY, ONE, expected=BOB)  # but who looks for itself is
        assert (guest.peer, guest.own != BOB) == (BOB, True)


async def race(roads: Roads) -> None:
    roads.takes = {ONE: 0.5, TWO: 0.1, THREE: 0.1}
    async with (
        open_peer(roads, seed=3) as eve,
        open_peer(roads, seed=1) as ann,
        open_peer(roads, seed=2) as bob,
    ):
        await listen(eve, TWO)
        await listen(ann, ONE, THREE)
        await bob.node.dial(ONE, TWO, THREE, expected=ANN)
        assert roads.under_way == 0


async def test_a_race_that_is_cancelled_anywhere_leaves_nothing_open(autojump_clock: MockClock) -> None:
    for step in range(1, await steps_of(lambda: race(Roads())), 3):
        roads = Roads()
        with cancelled_at(step):
            await race(roads)
        assert roads.under_way == 0
        assert all(end.closed for ends in roads.wires for end in ends)
