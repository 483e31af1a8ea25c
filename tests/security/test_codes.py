"""Codes between two nodes with stores of their own, and somebody who interferes: what is on both disks afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import CodeFailed, LinkLost, P2PChatError
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store import contacts, pins
from p2pchat.store.contacts import Trust
from p2pchat.store.database import Database
from tests.support.cable import Cable, Packet
from tests.support.middle import Middle
from tests.support.peers import HOME, Network, Peer, open_peer

ANN, BOB, EVE = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2, 3))
MALLORY = Identity.from_seed(bytes([66]) * 32)
REAL = Address("memory", "real")  # where Ann is; HOME is where others dial, and who is there differs
KNOWN = NodeSettings(accept=Accept.KNOWN)
LIFETIME = 600.0


class Disk:
    """What is in somebody's store."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "history.db"

    def trust(self, peer: PeerId) -> Trust:
        with closing(Database.open(self._path, wall=lambda: 0.0)) as db:
            contact = contacts.find(db, peer)
            return Trust.NEW if contact is None else contact.trust

    def pinned(self) -> PeerId | None:
        with closing(Database.open(self._path, wall=lambda: 0.0)) as db:
            return pins.peer_at(db, str(HOME))

    def attempts(self) -> list[int]:
        """How often each code that is there was tried."""
        with closing(Database.open(self._path, wall=lambda: 0.0)) as db:
            return [attempts for (attempts,) in db.connection.execute("SELECT attempts FROM invites")]

    def heard(self) -> list[bytes]:
        with closing(Database.open(self._path, wall=lambda: 0.0)) as db:
            return [body for (body,) in db.connection.execute("SELECT body FROM messages WHERE NOT mine")]

    @property
    def is_clean(self) -> bool:
        """Whether nobody is known, or expected anywhere, and nobody was heard."""
        with closing(Database.open(self._path, wall=lambda: 0.0)) as db:
            return not contacts.everyone(db) and self.pinned() is None and not self.heard()


class Scene:
    """Ann, who listens at `REAL` and lets in only whom she knows; Bob, who dials; and what their disks say."""

    def __init__(self, network: Network, ann: Peer, bob: Peer, directory: Path) -> None:
        self.network = network
        self.ann, self.bob = ann, bob
        self.anns_disk, self.bobs_disk = Disk(directory / "ann"), Disk(directory / "bob")

    async def code(self, *, for_peer: PeerId | None = None) -> Code:
        """Return a new code of Ann's."""
        invite = await self.ann.node.invite(LIFETIME, for_peer=for_peer)
        return invite.code

    def warned(self, peer: Peer) -> list[events.ClaimFailed]:
        return [event for event in peer.told if isinstance(event, events.ClaimFailed)]


@asynccontextmanager
async def scene(directory: Path, *, accept: NodeSettings = KNOWN) -> AsyncIterator[Scene]:
    network = Network()
    async with (
        open_peer(network, seed=1, directory=directory / "ann", settings=accept) as ann,
        open_peer(network, seed=2, directory=directory / "bob") as bob,
    ):
        await ann.node.listen(REAL)
        yield Scene(network, ann, bob, directory)


@asynccontextmanager
async def middle_at_home(network: Network) -> AsyncIterator[Middle]:
    async with trio.open_nursery() as nursery:
        middle = Middle(network, MALLORY, at=HOME, towards=REAL)
        await nursery.start(middle.run)
        yield middle
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def cable_at_home(network: Network) -> AsyncIterator[Cable]:
    async with trio.open_nursery() as nursery:
        cable = Cable(network, at=HOME, towards=REAL)
        await nursery.start(cable.run)
        yield cable
        nursery.cancel_scope.cancel()


def wrong(code: Code) -> Code:
    return Code(code.slot, f"wrong-{code.secret}")


# ---- somebody in the middle


@pytest.mark.parametrize("accept", [Accept.KNOWN, Accept.ASK, Accept.ANYONE], ids=lambda accept: accept.value)
async def test_a_code_finds_somebody_in_the_middle_on_both_sides(
    tmp_path: Path, accept: Accept, autojump_clock: MockClock
) -> None:
    async with scene(tmp_path, accept=NodeSettings(accept=accept)) as all_of, middle_at_home(all_of.network) as middle:
        code = await all_of.code()
        with pytest.raises(CodeFailed, match="somebody is in the middle"):
            await all_of.bob.node.dial(HOME, code=code)
        warned = await all_of.ann.wait_for(events.ClaimFailed)
        assert (warned.peer, warned.ours) == (MALLORY.peer_id, False)
        assert middle.frames["PakeClaim"] == middle.frames["PakeReply"] == 1  # it did pass on what both said
        assert middle.frames["Resume"] == middle.frames["Msg"] == 0
        assert all_of.anns_disk.is_clean
        assert all_of.bobs_disk.is_clean
        assert all_of.anns_disk.attempts() == [1]
        session = await all_of.bob.node.dial(REAL, code=code)  # past it, with the same code
        assert session.peer == ANN
    assert (all_of.anns_disk.trust(BOB), all_of.bobs_disk.trust(ANN)) == (Trust.VERIFIED, Trust.VERIFIED)
    assert (all_of.anns_disk.trust(MALLORY.peer_id), all_of.anns_disk.attempts()) == (Trust.NEW, [])


async def test_it_cannot_try_the_code_more_than_three_times(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Each dial of Bob's through it costs an attempt: then the code is dead, for everybody."""
    async with scene(tmp_path) as all_of, middle_at_home(all_of.network) as middle:
        code = await all_of.code()
        for _ in range(3):
            with pytest.raises(CodeFailed):
                await all_of.bob.node.dial(HOME, code=code)
        with pytest.raises(CodeFailed):
            await all_of.bob.node.dial(REAL, code=code)
        assert middle.frames["PakeReply"] == 3
    assert all_of.anns_disk.is_clean
    assert all_of.bobs_disk.is_clean


async def test_who_met_it_at_first_finds_it_later(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A plain first contact went through it, and read it was; verifying the running chat shows that, to both."""
    anyone = NodeSettings(accept=Accept.ANYONE)
    async with scene(tmp_path, accept=anyone) as all_of, middle_at_home(all_of.network) as middle:
        session = await all_of.bob.node.dial(HOME)
        await session.send("read by somebody else")
        await all_of.ann.wait_heard(1)
        assert middle.read == ["read by somebody else"]
        code = await all_of.code(for_peer=MALLORY.peer_id)  # whom Ann's screen shows as the one she talks to
        all_of.bob.node.verify(session, code)
        for peer, ours in ((all_of.ann, False), (all_of.bob, True)):
            assert (await peer.wait_for(events.ClaimFailed)).ours is ours
        assert all_of.bobs_disk.trust(MALLORY.peer_id) is Trust.KNOWN  # dialed, and never verified
        assert all_of.anns_disk.trust(MALLORY.peer_id) is Trust.NEW
        assert not [event for event in all_of.bob.told if isinstance(event, events.Verified)]


# ---- wrong, late, repeated, concurrent


async def test_three_wrong_ones_burn_it_and_nothing_is_kept_of_who_tried(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with scene(tmp_path) as all_of:
        code = await all_of.code()
        for attempt in range(3):
            with pytest.raises(CodeFailed):
                await all_of.bob.node.dial(REAL, code=wrong(code))
            assert all_of.anns_disk.attempts() == [attempt + 1]
        with pytest.raises(CodeFailed):
            await all_of.bob.node.dial(REAL, code=code)
        await trio.sleep(LIFETIME)
        await all_of.code()  # whose slot may be the same
        assert all_of.anns_disk.attempts() == [0]
        with pytest.raises(CodeFailed):
            await all_of.bob.node.dial(REAL, code=code)
    assert all_of.anns_disk.is_clean
    assert all_of.bobs_disk.is_clean


async def test_one_that_comes_too_late_is_a_wrong_one(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with scene(tmp_path) as all_of:
        code = await all_of.code()
        await trio.sleep(LIFETIME + 1)
        with pytest.raises(CodeFailed):
            await all_of.bob.node.dial(REAL, code=code)
    assert all_of.anns_disk.is_clean
    assert all_of.bobs_disk.is_clean
    assert all_of.anns_disk.attempts() == []


async def test_many_at_once_share_three_attempts(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Eight guess at the same moment, at two programs of one profile: no more than three of them cost it anything."""
    async with (
        scene(tmp_path) as all_of,
        open_peer(
            all_of.network, seed=8, identity=all_of.ann.node.identity, directory=tmp_path / "ann", settings=KNOWN
        ) as second,
    ):
        await second.node.listen(HOME)
        code = await all_of.code()
        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(_guess, all_of.network, wrong(code), number, tmp_path)
        await trio.sleep(1)
        guesses = all_of.warned(all_of.ann) + all_of.warned(second)
        assert len([event for event in guesses if "did not know it" in event.reason]) == 3
        for place in (REAL, HOME):
            with pytest.raises(CodeFailed):
                await all_of.bob.node.dial(place, code=code)
    assert all_of.anns_disk.is_clean


async def _guess(network: Network, code: Code, number: int, directory: Path) -> None:
    async with open_peer(network, seed=20 + number, directory=directory / f"{number}") as guesser:
        with pytest.raises(CodeFailed):
            await guesser.node.dial((REAL, HOME)[number % 2], code=code)


async def test_of_two_who_know_it_one_gets_in(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The first is verified, the other is told that it failed, and Ann that somebody else knew it, too."""
    async with scene(tmp_path) as all_of, open_peer(all_of.network, seed=3, directory=tmp_path / "eve") as eve:
        code = await all_of.code()
        got_in: list[Peer] = []

        async def claim(peer: Peer) -> None:
            try:
                await peer.node.dial(REAL, code=code)
            except CodeFailed:
                return
            got_in.append(peer)

        async with trio.open_nursery() as nursery:
            for peer in (all_of.bob, eve):
                nursery.start_soon(claim, peer)
        (first,) = got_in
        other = EVE if first is all_of.bob else BOB
        assert (await all_of.ann.wait_for(events.ClaimFailed)).peer == other
        trust = [all_of.anns_disk.trust(peer) for peer in (first.node.id, other)]
        assert trust == [Trust.VERIFIED, Trust.NEW]
        assert all_of.anns_disk.attempts() == []


# ---- lost in the middle

CUTS = [(way, number) for number in range(1, 5) for way in ("to Ann", "to Bob")]


@pytest.mark.parametrize(("way", "number"), CUTS)
async def test_whatever_is_lost_both_find_together_again(
    tmp_path: Path, way: str, number: int, autojump_clock: MockClock
) -> None:
    """The wire is cut instead of any packet of a claim: nobody is trusted by half, and trying again is all it takes."""
    async with scene(tmp_path) as all_of, cable_at_home(all_of.network) as cable:
        code = await all_of.code()

        def cut(packet: Packet) -> Sequence[Packet]:
            if len(cable.seen) == 1 and (packet.there, packet.number) == (way == "to Ann", number):
                all_of.network.cut()
                return []
            return [packet]

        cable.meddle = cut
        try:
            await all_of.bob.node.dial(HOME, code=code)
        except LinkLost:
            await trio.sleep(60)  # until Ann knows, too
            is_burnt = all_of.anns_disk.attempts() == []
            assert is_burnt == (all_of.anns_disk.trust(BOB) is Trust.VERIFIED)
            if is_burnt:
                assert all_of.bobs_disk.trust(ANN) is Trust.VERIFIED  # who proved itself first was kept first
            await all_of.bob.node.dial(HOME, code=None if is_burnt else code)
        session = all_of.bob.node.session(ANN)
        await session.send("hello")
        assert await all_of.ann.wait_heard(1) == ["hello"]
    assert (all_of.anns_disk.trust(BOB), all_of.bobs_disk.trust(ANN)) == (Trust.VERIFIED, Trust.VERIFIED)
    assert all_of.bobs_disk.pinned() == ANN
    assert all_of.anns_disk.attempts() == []


# ---- what a guesser can see


async def test_unknown_spent_and_wrong_ones_look_the_same_on_the_wire(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with scene(tmp_path) as all_of, cable_at_home(all_of.network) as cable:
        spent = await all_of.code()
        for _ in range(3):
            with pytest.raises(P2PChatError):
                await all_of.bob.node.dial(REAL, code=wrong(spent))
        live, bound = await all_of.code(), await all_of.code(for_peer=EVE)
        told: set[str] = set()
        for guess in (wrong(live), wrong(spent), spent, bound, Code(4711, live.secret)):
            with pytest.raises(CodeFailed) as failed:
                await all_of.bob.node.dial(HOME, code=guess)
            told.add(str(failed.value))
        assert len(told) == 1
        heard = [sorted((not one.there, one.number, len(one.data)) for one in seen) for seen in cable.seen]
        assert all(seen == heard[0] for seen in heard)
    assert all_of.bobs_disk.is_clean
