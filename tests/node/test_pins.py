"""Whom we dial: the first key that lets us in is expected there from then on, and no other one learns who we are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import StoreCorrupt, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store import contacts, pins
from p2pchat.store.database import Database
from tests.support.peers import HOME, Network, Peer, open_peer

ANN, BOB, EVE = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2, 3))
OLD = Address("memory", "old")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    return tmp_path / "ann"


@pytest.fixture
def bob(tmp_path: Path) -> Path:
    return tmp_path / "bob"


def pinned(directory: Path, place: Address = HOME) -> PeerId | None:
    """Who is expected there."""
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return pins.peer_at(db, str(place))


def trust(directory: Path, peer: PeerId, place: Address = HOME) -> None:
    """Do what the verb does, while a node has the store open or not."""
    directory.mkdir(exist_ok=True)
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db, db.transaction():
        pins.move(db, str(place), peer)


def notices(peer: Peer) -> list[str]:
    """What it told people about keys."""
    return [event.text for event in peer.told if isinstance(event, events.Notice) and "this key" in event.text]


async def test_the_first_key_is_pinned_and_told_once(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        assert pinned(bob) == ANN
        assert pinned(ann) is None  # who dials us is judged by its key, wherever it came from
        network.cut()
        await other.wait_for(events.Connected, count=2)
        assert notices(other) == [
            f"this key is expected at memory:home from now on; compare its fingerprint by voice: {ANN.fingerprint}"
        ]
        assert notices(one) == []
        await session.leave()
        session = await other.node.dial(HOME)
        assert session.peer == ANN
    assert len(notices(other)) == 1


async def test_another_key_is_refused_before_it_knows_who_asks(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    trust(bob, ANN)
    async with open_peer(network, seed=3, directory=ann) as eve, open_peer(network, seed=2, directory=bob) as other:
        await eve.node.listen(HOME)
        for retry in (False, True):
            with pytest.raises(UntrustedPeer, match="somebody else answers at memory:home") as told:
                await other.node.dial(HOME, retry=retry)
            assert ANN.fingerprint in str(told.value)
            assert EVE.fingerprint in str(told.value)
            assert f"`p2pchat trust {EVE} memory:home`" in told.value.hint
        await trio.sleep(60)
        assert eve.told == [events.Listening(address=HOME)]
        assert pinned(bob) == ANN
        trust(bob, EVE)  # which counts at the next attempt
        assert (await other.node.dial(HOME)).peer == EVE


async def test_a_conversation_is_not_continued_with_another_key(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=2, directory=bob) as other:
        async with open_peer(network, seed=1, directory=ann) as one:
            await one.node.listen(HOME)
            session = await other.node.dial(HOME)
        async with open_peer(network, seed=3) as eve:
            await eve.node.listen(HOME)
            tries = count(1)
            while (failed := await other.wait_for(events.DialFailed, count=next(tries))).redial is not None:
                pass  # until Eve listens, nobody does
            assert isinstance(failed.error, UntrustedPeer)
            assert session.over
            assert eve.told == [events.Listening(address=HOME)]


async def test_a_refused_attempt_pins_nobody(network: Network, ann: Path, bob: Path, autojump_clock: MockClock) -> None:
    known = NodeSettings(accept=Accept.KNOWN)
    async with (
        open_peer(network, seed=1, directory=ann, settings=known) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        with pytest.raises(UntrustedPeer, match="did not let us in"):
            await other.node.dial(HOME)
    assert pinned(bob) is None


async def test_a_guest_is_never_pinned(network: Network, bob: Path, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as guest, open_peer(network, seed=2, directory=bob) as other:
        await guest.node.listen(HOME)
        await other.node.dial(HOME)
        assert notices(other) == []
    assert pinned(bob) is None


async def test_a_guest_refuses_by_the_pins_it_is_given_and_keeps_none(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async def pinned_there(address: Address) -> PeerId | None:
        return EVE if address == HOME else None

    settings = NodeSettings(pinned=pinned_there)
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, settings=settings) as guest:
        await one.node.listen(HOME)
        await one.node.listen(OLD)
        with pytest.raises(UntrustedPeer, match="somebody else answers") as told:
            await guest.node.dial(HOME)
        assert "p2pchat trust" not in told.value.hint  # that would move a pin of somebody else
        assert (await guest.node.dial(OLD)).peer == ANN
        assert notices(guest) == []


async def test_who_has_to_answer_is_looked_for_everywhere(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    """Of somebody whose id we have, each place is tried; where another one answers, nothing is pinned or changed."""
    trust(bob, EVE, OLD)
    async with (
        open_peer(network, seed=3) as eve,
        open_peer(network, seed=1, directory=ann) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await eve.node.listen(OLD)
        await one.node.listen(HOME)
        session = await other.node.dial(Address("memory", "nobody"), OLD, HOME, expected=ANN)
        assert session.peer == ANN
        assert eve.told == [events.Listening(address=OLD)]
    assert (pinned(bob), pinned(bob, OLD)) == (ANN, EVE)


async def test_a_damaged_pin_lets_nobody_answer(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    trust(bob, ANN)
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        with closing(Database.open(bob / "history.db", wall=lambda: 0.0)) as db:
            db.connection.execute("UPDATE pins SET peer = x'00'")
        await one.node.listen(HOME)
        with pytest.raises(StoreCorrupt, match="the pin of memory:home is not the key of a peer"):
            await other.node.dial(HOME)
        assert network.wires == []


def decide(directory: Path, change: Callable[[Database], object]) -> None:
    """Do what a verb does, in another process."""
    directory.mkdir(exist_ok=True)
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db, db.transaction():
        change(db)


async def test_the_name_of_whom_it_is_not_is_told(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    trust(bob, ANN)
    decide(bob, lambda db: contacts.rename(db, ANN, "ann"))
    async with open_peer(network, seed=3, directory=ann) as eve, open_peer(network, seed=2, directory=bob) as other:
        await eve.node.listen(HOME)
        with pytest.raises(UntrustedPeer) as told:
            await other.node.dial(HOME)
        what = "somebody else answers at memory:home, and not ann"
        assert str(told.value) == f"{what}: fingerprint {EVE.fingerprint}, and not {ANN.fingerprint}"


async def test_a_blocked_contact_is_not_dialed(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    trust(bob, ANN)
    async with open_peer(network, seed=1, directory=ann) as one, open_peer(network, seed=2, directory=bob) as other:
        await one.node.listen(HOME)
        decide(bob, lambda db: contacts.block(db, ANN))
        for places, expected in ((HOME,), None), ((OLD, HOME), ANN):
            with pytest.raises(UntrustedPeer, match="you have blocked") as told:
                await other.node.dial(*places, expected=expected, retry=True)
            assert f"`p2pchat unblock {ANN}`" in told.value.hint
        assert network.dials == []
        decide(bob, lambda db: contacts.unblock(db, ANN))
        assert (await other.node.dial(HOME)).peer == ANN
