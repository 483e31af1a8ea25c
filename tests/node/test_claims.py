"""Codes on links: both sides prove that they know the same one, and only then anything else happens."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import CodeFailed
from p2pchat.node import events
from p2pchat.node.node import Node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store import contacts, pins
from p2pchat.store.contacts import Contact, How, Trust
from p2pchat.store.database import Database
from p2pchat.store.invites import Invite
from tests.support.peers import HOME, Network, Peer, open_peer

ANN, BOB, EVE = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2, 3))
KNOWN = NodeSettings(accept=Accept.KNOWN, name="ann")
ASK = NodeSettings(accept=Accept.ASK, name="ann")
ANYONE = NodeSettings(accept=Accept.ANYONE, name="ann")


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def ann(tmp_path: Path) -> Path:
    return tmp_path / "ann"


@pytest.fixture
def bob(tmp_path: Path) -> Path:
    return tmp_path / "bob"


def kept(directory: Path, peer: PeerId) -> Contact | None:
    """What the store in `directory` has of `peer`."""
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return contacts.find(db, peer)


def trust(directory: Path, peer: PeerId) -> Trust:
    contact = kept(directory, peer)
    return Trust.NEW if contact is None else contact.trust


def pinned(directory: Path) -> PeerId | None:
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return pins.peer_at(db, str(HOME))


async def invited(node: Node, *, link: bool = False, for_peer: PeerId | None = None) -> Code:
    """A code that `node` has given out."""
    invite: Invite = await node.invite(600, link=link, for_peer=for_peer)
    return Code(invite.slot, invite.secret)


def wrong(code: Code) -> Code:
    """A guess at it."""
    return Code(code.slot, "wrong-" + code.secret)


def told(peer: Peer) -> list[events.ClaimFailed]:
    return [event for event in peer.told if isinstance(event, events.ClaimFailed)]


@pytest.mark.parametrize("settings", [KNOWN, ASK, ANYONE], ids=["known", "ask", "anyone"])
async def test_who_knows_the_code_is_let_in_and_both_are_verified(
    network: Network, ann: Path, bob: Path, settings: NodeSettings, autojump_clock: MockClock
) -> None:
    link = settings is ASK
    async with (
        open_peer(network, seed=1, directory=ann, settings=settings) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        code = await invited(one.node, link=link)
        session = await other.node.dial(HOME, code=code)
        await session.send("hello")
        assert await one.wait_heard(1) == ["hello"]
        assert session.trust is Trust.VERIFIED
        (theirs,) = one.node.sessions
        assert theirs.trust is Trust.VERIFIED
        how = How.LINK if link else How.CODE
        assert await one.wait_for(events.Verified) == events.Verified(peer=BOB, how=how, by_us=False, kept=True)
        assert await other.wait_for(events.Verified) == events.Verified(peer=ANN, how=how, by_us=True, kept=True)
        assert (trust(ann, BOB), trust(bob, ANN)) == (Trust.VERIFIED, Trust.VERIFIED)
        assert pinned(bob) == ANN
        await trio.sleep(5)
        assert session.name == "ann"
        assert not [event for event in one.told if isinstance(event, events.Stranger)]
        assert not [event for event in other.told if isinstance(event, events.WaitingToBeLetIn)]


async def test_a_wrong_code_lets_nobody_in_and_pins_nobody(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        code = await invited(one.node)
        for _ in range(3):
            with pytest.raises(CodeFailed, match="the code was wrong, or is spent, or somebody is in the middle"):
                await other.node.dial(HOME, code=wrong(code), retry=True)
        with pytest.raises(CodeFailed):
            await other.node.dial(HOME, code=code)
        await trio.sleep(1)
        assert [event.reason.split(":")[0] for event in told(one)] == [
            "it claimed a code of yours and did not know it",
            "it claimed a code of yours and did not know it",
            "it claimed a code of yours and did not know it",
            "it claimed a code that is not there",
        ]
        assert told(other) == []  # the error says it
        assert not one.node.sessions
        assert not [event for event in one.told if isinstance(event, events.Connected)]
    assert (kept(ann, BOB), kept(bob, ANN), pinned(bob)) == (None, None, None)


async def test_a_code_works_once(
    network: Network, ann: Path, bob: Path, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=2, directory=bob) as other,
        open_peer(network, seed=3, directory=tmp_path / "eve") as eve,
    ):
        await one.node.listen(HOME)
        code = await invited(one.node)
        await other.node.dial(HOME, code=code)
        with pytest.raises(CodeFailed):
            await eve.node.dial(HOME, code=code)
        assert trust(ann, EVE) is Trust.NEW


async def test_the_code_is_forgotten_once_it_has_worked(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME, code=await invited(one.node))
        network.cut()
        await other.wait_for(events.Connected, count=2)
        await session.send("again")
        assert await one.wait_heard(1) == ["again"]
        assert told(one) == []
