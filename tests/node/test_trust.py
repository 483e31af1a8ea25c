"""Whom a node knows, while it runs: decisions of other processes count at the next link, and a block at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import BadData, StoreCorrupt, StoreFull, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.contacts import someone
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.node.strangers import MAX_TOLD, WaitingRoom
from p2pchat.store import contacts
from p2pchat.store.contacts import How, Trust
from p2pchat.store.database import Database
from p2pchat.wire.close_codes import CloseCode
from tests.support.peers import HOME, Network, open_peer

ANN, BOB = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2))
KNOWN = NodeSettings(accept=Accept.KNOWN)
ASK = NodeSettings(accept=Accept.ASK)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    return tmp_path / "ann"


@pytest.fixture
def bob(tmp_path: Path) -> Path:
    return tmp_path / "bob"


def decide(directory: Path, change: Callable[[Database], object]) -> None:
    """Do what a verb does, in a process of its own."""
    directory.mkdir(exist_ok=True)
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db, db.transaction():
        change(db)


def trust(directory: Path, peer: PeerId) -> Trust:
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        contact = contacts.find(db, peer)
        return Trust.NEW if contact is None else contact.trust


async def test_trust_counts_at_the_next_visit(network: Network, ann: Path, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1, directory=ann, settings=KNOWN) as one, open_peer(network, seed=2) as other:
        await one.node.listen(HOME)
        with pytest.raises(UntrustedPeer):
            await other.node.dial(HOME)
        decide(ann, partial(contacts.know, peer=BOB))
        session = await other.node.dial(HOME)  # in the same moment: nobody has looked meanwhile
        await session.send("hello")
        assert await one.wait_heard(1) == ["hello"]
        assert (await one.wait_for(events.Connected)).session.known


@pytest.mark.parametrize("accept", list(Accept), ids=lambda accept: accept.value)
async def test_a_block_ends_a_link_within_a_second_and_keeps_out(
    network: Network, ann: Path, bob: Path, accept: Accept, autojump_clock: MockClock
) -> None:
    settings = NodeSettings(accept=accept)
    decide(ann, partial(contacts.verify, peer=BOB, how=How.FINGERPRINT))
    async with (
        open_peer(network, seed=1, directory=ann, settings=settings) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        began = trio.current_time()
        decide(ann, partial(contacts.block, peer=BOB))
        gone = await one.wait_for(events.Disconnected)
        assert trio.current_time() - began < 1
        assert (gone.reason, gone.code, gone.redial) == ("you have blocked this peer", CloseCode.NOT_AUTHORIZED, None)
        theirs = await other.wait_for(events.Disconnected)
        assert (theirs.reason, theirs.redial) == ("the other side does not let us in", None)
        assert session.over
        before = len(one.told)
        with pytest.raises(UntrustedPeer, match="did not let us in"):
            await other.node.dial(HOME)
        await trio.sleep(700)
        assert one.told[before:] == []
        await one.node.unblock(BOB)
        await other.node.dial(HOME)
    assert trust(ann, BOB) is Trust.VERIFIED  # as before


async def test_a_dialer_that_blocks_does_not_dial_again(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        network.up = False
        network.cut()
        await other.wait_for(events.Disconnected)
        await other.node.block(ANN)
        assert session.over
        network.up = True
        dials = len(network.dials)
        await trio.sleep(600)
        assert len(network.dials) == dials


@pytest.mark.parametrize("by", ["address", "id"])
async def test_a_blocked_contact_is_not_dialed(
    network: Network, ann: Path, bob: Path, by: str, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann) as one,
        open_peer(network, seed=2, directory=bob, settings=NodeSettings(flags=" --profile b")) as other,
    ):
        await one.node.listen(HOME)
        if by == "address":
            await (await other.node.dial(HOME)).leave()
            await one.wait_for(events.Disconnected)
        await other.node.block(ANN)
        dials, events_before = len(network.dials), len(one.told)
        for retry in (False, True):
            with pytest.raises(UntrustedPeer, match=f"you have blocked {ANN}") as told:
                await other.node.dial(HOME, expected=ANN if by == "id" else None, retry=retry)
            assert f"p2pchat unblock {ANN} --profile b" in told.value.hint
        assert len(network.dials) == dials
        assert one.told[events_before:] == []


async def test_a_blocked_contact_elsewhere_does_not_learn_who_dialed(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    """Nobody is expected at the address, so its key shows only in the handshake, before we have said who we are."""
    decide(bob, partial(contacts.block, peer=ANN))
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        await one.node.listen(HOME)
        with pytest.raises(UntrustedPeer, match="you have blocked"):
            await other.node.dial(HOME)
        assert one.told == [events.Listening(address=HOME)]
        assert await other.node.pinned(HOME) is None


async def test_whoever_was_accepted_is_known_from_then_on(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    for _ in range(2):
        async with (
            open_peer(network, seed=1, directory=ann, settings=ASK) as one,
            open_peer(network, seed=2, directory=bob) as other,
            trio.open_nursery() as nursery,
        ):
            await one.node.listen(HOME)
            nursery.start_soon(other.node.dial, HOME)
            if trust(ann, BOB) is Trust.NEW:
                await one.wait_for(events.Stranger)
                assert await one.node.accept(BOB)
            assert (await one.wait_for(events.Connected)).session.trust is Trust.KNOWN
            assert len([event for event in one.told if isinstance(event, events.Stranger)]) <= 1
    assert (trust(ann, BOB), trust(bob, ANN)) == (Trust.KNOWN, Trust.KNOWN)


async def test_anyone_is_let_in_and_nobody_is_known_by_that(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        await one.node.listen(HOME)
        await other.node.dial(HOME)
        session = (await one.wait_for(events.Connected)).session
        assert (session.known, session.trust) == (False, Trust.NEW)
        await one.node.accept(BOB)
        assert session.known
    assert trust(ann, BOB) is Trust.KNOWN


async def test_a_guest_is_accepted_for_this_run(network: Network, ann: Path, autojump_clock: MockClock) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ASK) as one,
        open_peer(network, seed=2) as guest,
        trio.open_nursery() as nursery,
    ):
        await one.node.listen(HOME)
        nursery.start_soon(guest.node.dial, HOME)
        await one.wait_for(events.Stranger)
        await one.node.accept(BOB)
        assert (await one.wait_for(events.Connected)).session.known
        network.cut()
        await guest.wait_for(events.Connected, count=2)
    assert trust(ann, BOB) is Trust.NEW


@pytest.mark.parametrize("accept", [Accept.ASK, Accept.KNOWN], ids=lambda accept: accept.value)
@pytest.mark.parametrize("decision", ["accept", "block"])
async def test_of_a_guest_that_has_hung_up_nothing_is_kept(
    network: Network, ann: Path, decision: str, accept: Accept, autojump_clock: MockClock
) -> None:
    settings = NodeSettings(accept=accept)
    async with (
        open_peer(network, seed=1, directory=ann, settings=settings) as one,
        open_peer(network, seed=2) as guest,
    ):
        await one.node.listen(HOME)
        with trio.move_on_after(5), suppress(UntrustedPeer):
            await guest.node.dial(HOME)
        await one.wait_for(events.Stranger)
        assert not len(one.node.waiting_room)
        if decision == "accept":
            assert not await one.node.accept(BOB)
            await guest.node.dial(HOME)
            assert one.node.contacts.trust(BOB) is Trust.KNOWN
        else:
            await one.node.block(BOB)
            with pytest.raises(UntrustedPeer):
                await guest.node.dial(HOME)
            assert one.node.contacts.trust(BOB) is Trust.BLOCKED
        assert not one.node.contacts.keeps(BOB)
    with closing(Database.open(ann / "history.db", wall=lambda: 0.0)) as db:
        assert contacts.everyone(db) == []


async def test_a_guest_in_the_chat_is_blocked_for_this_run(
    network: Network, ann: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2) as guest:
        await one.node.listen(HOME)
        await guest.node.dial(HOME)
        await one.wait_for(events.Connected)
        await one.node.block(BOB)
        await one.wait_for(events.Disconnected)
        await one.node.contacts.rename(BOB, "pest")  # which is kept, and lets nobody in
        with pytest.raises(UntrustedPeer):
            await guest.node.dial(HOME)
        assert trust(ann, BOB) is Trust.NEW
        await one.node.unblock(BOB)
        await guest.node.dial(HOME)


async def test_a_contact_that_comes_as_a_guest_is_blocked_for_good(
    network: Network, ann: Path, autojump_clock: MockClock
) -> None:
    decide(ann, partial(contacts.know, peer=BOB))
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2) as guest:
        await one.node.listen(HOME)
        await guest.node.dial(HOME)
        await one.wait_for(events.Connected)
        await one.node.block(BOB)
        await one.wait_for(events.Disconnected)
    assert trust(ann, BOB) is Trust.BLOCKED


def test_of_guests_as_many_are_remembered_as_of_others() -> None:
    room = WaitingRoom(16)
    peers = [Identity.from_seed(n.to_bytes(32, "big")).peer_id for n in range(MAX_TOLD + 1)]
    for peer in peers:
        room.introduce(peer, guest=True)
    assert [room.is_guest(peer) for peer in (peers[0], peers[1], peers[-1])] == [False, True, True]
    room.introduce(peers[1], guest=False)
    assert not room.is_guest(peers[1])


async def test_a_waiting_stranger_that_is_blocked_is_sent_away(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ASK) as one,
        open_peer(network, seed=2, directory=bob) as other,
        trio.open_nursery() as nursery,
    ):
        await one.node.listen(HOME)

        async def dial() -> None:
            with pytest.raises(UntrustedPeer, match="did not let us in"):
                await other.node.dial(HOME)

        nursery.start_soon(dial)
        await one.wait_for(events.Stranger)
        await one.node.block(BOB)
        assert not len(one.node.waiting_room)
        with pytest.raises(UntrustedPeer, match="you have blocked"):
            await one.node.accept(BOB)


async def test_a_guest_keeps_out_whom_its_profile_has_blocked(network: Network, autojump_clock: MockClock) -> None:
    settings = NodeSettings(accept=Accept.ANYONE, contacts=(someone(BOB, blocked=True),))
    async with open_peer(network, seed=1, settings=settings) as guest, open_peer(network, seed=2) as other:
        await guest.node.listen(HOME)
        await other.node.listen(Address("memory", "bob"))
        with pytest.raises(UntrustedPeer, match="did not let us in"):
            await other.node.dial(HOME)
        with pytest.raises(UntrustedPeer, match="you have blocked"):
            await guest.node.dial(Address("memory", "bob"))
        await guest.node.unblock(BOB)  # in memory
        session = await other.node.dial(HOME)
        await guest.node.contacts.verify(BOB, How.FINGERPRINT)
        assert guest.node.contacts.trust(BOB) is Trust.VERIFIED
        await guest.node.block(BOB)
        await other.wait_for(events.Disconnected)
        assert session.over


async def test_a_contact_has_the_name_that_it_was_given(network: Network, ann: Path, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=3) as guest:
        for node in one.node, guest.node:
            await node.contacts.rename(BOB, "Bob")
            contact = node.contacts.of(BOB)
            assert contact is not None
            assert (contact.name, contact.trust) == ("Bob", Trust.NEW)
            with pytest.raises(BadData):
                await node.contacts.rename(BOB, "me")
            await node.contacts.rename(BOB, "")
            assert [known.name for known in node.contacts.everyone()] == [""] * (node is guest.node)
    assert trust(ann, BOB) is Trust.NEW


async def test_with_damaged_contacts_nobody_is_let_in(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    """Who might be blocked cannot be told, so not even where anyone is let in; and people are told once."""
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        await one.node.listen(HOME)
        decide(ann, partial(contacts.know, peer=BOB))
        decide(ann, lambda db: db.connection.execute("UPDATE contacts SET how = 'code'"))
        for _ in range(3):
            with pytest.raises(UntrustedPeer):
                await other.node.dial(HOME)
        notices = [event for event in one.told if isinstance(event, events.Notice)]
        assert [event.text.partition(":")[0] for event in notices] == ["nobody is let in"]
        with pytest.raises(StoreCorrupt, match="makes no sense"):
            await one.node.dial(Address("memory", "bob"), expected=BOB)
        with closing(sqlite3.connect(ann / "history.db")) as repair, repair:
            repair.execute("UPDATE contacts SET how = NULL")
        await other.node.dial(HOME)


async def test_what_cannot_be_kept_is_not_decided(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ASK) as one,
        open_peer(network, seed=2, directory=bob) as other,
        trio.open_nursery() as nursery,
    ):
        await one.node.listen(HOME)
        nursery.start_soon(other.node.dial, HOME)
        await one.wait_for(events.Stranger)

        async def refuse(change: object) -> None:
            await trio.lowlevel.checkpoint()
            raise StoreFull("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(one.node.contacts, "write", refuse)
            with pytest.raises(StoreFull):
                await one.node.accept(BOB)
        assert len(one.node.waiting_room) == 1
        assert await one.node.accept(BOB)


async def test_a_node_does_not_open_with_damaged_contacts(
    network: Network, ann: Path, autojump_clock: MockClock
) -> None:
    decide(ann, partial(contacts.know, peer=BOB))
    with closing(Database.open(ann / "history.db", wall=lambda: 0.0)) as db:
        db.connection.execute("UPDATE contacts SET how = 'code'")
    with pytest.raises(StoreCorrupt):
        async with open_peer(network, seed=1, directory=ann):
            pass


async def test_many_visits_at_once_share_their_looks(
    network: Network, ann: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_peer(network, seed=1, directory=ann) as one, trio.open_nursery() as nursery:
        store = one.node.store
        assert store is not None
        read, looks = store.read, 0

        async def count(function: Callable[[Database], object]) -> object:
            nonlocal looks
            looks += 1
            return await read(function)

        monkeypatch.setattr(store, "read", count)
        for _ in range(100):
            nursery.start_soon(one.node.contacts.refresh)
        await trio.testing.wait_all_tasks_blocked()
        assert looks <= 2
