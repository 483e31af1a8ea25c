"""Somebody who holds the wire, and no key: whatever it does with the bytes, it gets nothing in and nothing out.

After each attack the two have to find together again by themselves, and all that was said has arrived once, in order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.errors import P2PChatError, RemoteProtocolError
from p2pchat.node import events
from p2pchat.node.session import Session
from tests.support.cable import Cable, Packet
from tests.support.peers import HOME, Network, Peer, open_peer

REAL = Address("memory", "real")  # where Ann is; a cable leads there from HOME
MESSAGE_B = 1299  # bytes, with its length
Attack = Callable[[Packet], Sequence[Packet]]


class Scene:
    """Bob, who dials HOME; Ann; and who holds the cable."""

    def __init__(self, network: Network, ann: Peer, bob: Peer, cable: Cable) -> None:
        self.network = network
        self.ann = ann
        self.bob = bob
        self.cable = cable

    async def talk(self, count: int) -> Session:
        """Let each say something so many times, one after the other."""
        ours = await self.bob.node.dial(HOME)
        theirs = self.ann.node.session(self.bob.node.id)
        for number in range(count):
            await ours.send(f"bob {number}")
            await self.ann.wait_heard(number + 1)
            await theirs.send(f"ann {number}")
            await self.bob.wait_heard(number + 1)
        return ours

    async def said_to(self, place: Address, pieces: Sequence[bytes]) -> bytes:
        """Return what is answered there to bytes, each piece said when the one before had an answer, or all at once."""
        stream = await self.network.connect(place)
        answer = bytearray()
        with suppress(trio.BrokenResourceError):
            for piece in pieces:
                await stream.send_all(piece)
                answer += await stream.receive_some(65536)
            while data := await stream.receive_some(65536):
                answer += data
        await stream.aclose()
        return bytes(answer)


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    network = Network()
    async with (
        open_peer(network, seed=1, directory=directory / "ann") as ann,
        open_peer(network, seed=2, directory=directory / "bob") as bob,
        trio.open_nursery() as nursery,
    ):
        await ann.node.listen(REAL)
        cable = Cable(network, at=HOME, towards=REAL)
        await nursery.start(cable.run)
        yield Scene(network, ann, bob, cable)
        nursery.cancel_scope.cancel()


def visits(peer: Peer) -> int:
    """How often somebody came in, or stood at the door."""
    return len([event for event in peer.told if isinstance(event, events.Connected | events.Stranger)])


def there(packets: Sequence[Packet]) -> list[bytes]:
    return [packet.data for packet in packets if packet.there]


@pytest.mark.parametrize("how", ["at once", "in turns"])
async def test_what_a_dialer_has_said_is_worth_nothing_to_who_says_it_again(
    tmp_path: Path, how: str, autojump_clock: MockClock
) -> None:
    async with scene(tmp_path) as all_of:
        await all_of.talk(3)
        recorded = there(all_of.cable.seen[0])
        answer = await all_of.said_to(REAL, [b"".join(recorded)] if how == "at once" else recorded)
        assert len(answer) == (0 if how == "at once" else MESSAGE_B)  # who speaks before its turn is not even answered
        assert visits(all_of.ann) == 1
        assert all_of.ann.heard == ["bob 0", "bob 1", "bob 2"]


async def test_what_a_listener_has_said_is_worth_nothing_to_who_says_it_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with scene(tmp_path) as all_of:
        await all_of.talk(3)
        recorded = [packet for packet in all_of.cable.seen[0] if not packet.there]
        all_of.cable.meddle = lambda packet: recorded if packet.there and packet.number == 0 else []
        await (all_of.bob.node.session(all_of.ann.node.id)).leave()
        with pytest.raises(RemoteProtocolError):
            await all_of.bob.node.dial(HOME)
        assert all_of.bob.heard == ["ann 0", "ann 1", "ann 2"]
        assert len(there(all_of.cable.seen[-1])) == 1  # message A, and nothing about who asks


async def test_who_says_everything_back_is_nobody(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Reflection of a whole handshake: to whoever dials, and to whoever listens."""
    async with scene(tmp_path) as all_of:
        all_of.cable.meddle = lambda packet: [packet._replace(there=False)]
        with pytest.raises(P2PChatError):
            await all_of.bob.node.dial(HOME)
        assert there(all_of.cable.seen[0]) == [packet.data for packet in all_of.cable.seen[0]]
        assert len(there(all_of.cable.seen[0])) == 1
        message_b = await all_of.said_to(REAL, there(all_of.cable.seen[0]))
        assert message_b == b"" or len(message_b) == MESSAGE_B
        answer = await all_of.said_to(REAL, [*there(all_of.cable.seen[0]), message_b])
        assert len(answer) in {0, MESSAGE_B}
        assert not all_of.ann.node.sessions


class Meddler:
    """An attack on the records of one connection; those that come after it are left alone."""

    def __init__(self, attack: Attack) -> None:
        self.done = 0
        self._attack = attack

    def __call__(self, packet: Packet) -> Sequence[Packet]:
        """Strike at the third record that goes there, once."""
        if self.done or not packet.there or packet.number != 4:
            return [packet]
        self.done += 1
        return self._attack(packet)


def flipped(packet: Packet) -> Sequence[Packet]:
    return [packet._replace(data=packet.data[:-1] + bytes([packet.data[-1] ^ 1]))]


def shortened(packet: Packet) -> Sequence[Packet]:
    length = len(packet.data) - 3
    return [packet._replace(data=length.to_bytes(2) + packet.data[2 : length + 2])]


ATTACKS: dict[str, Attack] = {
    "flipped": flipped,
    "shortened": shortened,
    "left out": lambda packet: [],
    "repeated": lambda packet: [packet, packet],
    "reflected": lambda packet: [packet._replace(there=False)],
    "delivered and reflected": lambda packet: [packet, packet._replace(there=False)],
    "zeros instead": lambda packet: [packet._replace(data=packet.data[:2] + bytes(len(packet.data) - 2))],
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=list(ATTACKS))
async def test_whatever_is_done_to_a_record_the_link_ends_and_nothing_else_happens(
    tmp_path: Path, attack: Attack, autojump_clock: MockClock
) -> None:
    async with scene(tmp_path) as all_of:
        all_of.cable.meddle = meddler = Meddler(attack)
        await all_of.talk(5)
        assert meddler.done == 1
        assert all_of.ann.heard == [f"bob {number}" for number in range(5)]
        assert all_of.bob.heard == [f"ann {number}" for number in range(5)]
        lost = await all_of.bob.wait_for(events.Disconnected)
        assert not lost.clean


async def test_records_of_another_connection_fit_nowhere(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A splice: both connections are of the same two, and both records were sealed by Bob."""
    async with scene(tmp_path) as all_of:
        await all_of.talk(3)
        stolen = next(packet for packet in all_of.cable.seen[0] if packet.there and packet.number == 4)
        all_of.network.cut()
        all_of.cable.meddle = Meddler(lambda packet: [stolen])
        await all_of.bob.wait_for(events.Connected, count=2)
        session = all_of.bob.node.session(all_of.ann.node.id)
        for number in range(3, 6):
            await session.send(f"bob {number}")
        assert await all_of.ann.wait_heard(6) == [f"bob {number}" for number in range(6)]
        assert len(all_of.cable.seen) >= 3  # the spliced one was given up, too


async def test_a_proof_of_another_connection_proves_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Message C of one connection in the place of another's: it is Bob's, it is whole, and it fits nowhere else."""
    async with scene(tmp_path) as all_of:
        await all_of.talk(1)
        stolen = next(packet for packet in all_of.cable.seen[0] if packet.there and packet.number == 1)
        all_of.network.cut()
        spliced: list[Packet] = []

        def splice(packet: Packet) -> Sequence[Packet]:
            if spliced or not packet.there or packet.number != 1:
                return [packet]
            spliced.append(packet)
            return [stolen]

        all_of.cable.meddle = splice
        await all_of.bob.node.session(all_of.ann.node.id).send("again")
        await all_of.ann.wait_heard(2)
        assert spliced
        assert (len(all_of.cable.seen), visits(all_of.ann)) == (3, 2)  # the one in between came to nothing
