"""Codes on links: both sides prove that they know the same one, and only then anything else happens."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.errors import CodeFailed, LocalProtocolError, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.contacts import How, Trust
from tests.support.acquainted import invited, kept, pinned, trust, wrong
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
        theirs = (await one.wait_for(events.Connected)).session
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
            "it claimed a code that is dead, because it was tried three times",
        ]
        assert [event.tries_left for event in told(one)] == [2, 1, 0, 0]
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


# ---- over a link that runs


@pytest.mark.parametrize("claimant", ["dialer", "listener"])
async def test_who_is_there_already_is_verified_with_a_code(
    network: Network, ann: Path, bob: Path, claimant: str, autojump_clock: MockClock
) -> None:
    by_dialer = claimant == "dialer"
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        theirs = (await one.wait_for(events.Connected)).session
        assert (session.trust, theirs.trust) == (Trust.KNOWN, Trust.NEW)
        if by_dialer:
            other.node.verify(session, await invited(one.node, for_peer=BOB))
        else:
            one.node.verify(theirs, await invited(other.node, for_peer=ANN))
        assert (await one.wait_for(events.Verified)).by_us is not by_dialer
        assert (await other.wait_for(events.Verified)).by_us is by_dialer
        assert (session.trust, theirs.trust) == (Trust.VERIFIED, Trust.VERIFIED)
        await session.send("it went on")
        assert await one.wait_heard(1) == ["it went on"]
        assert not [event for event in one.told if isinstance(event, events.Disconnected)]
    assert (trust(ann, BOB), trust(bob, ANN)) == (Trust.VERIFIED, Trust.VERIFIED)


async def test_both_may_claim_over_one_link_each_once(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        theirs = (await one.wait_for(events.Connected)).session
        codes = [await invited(one.node), await invited(one.node), await invited(other.node)]
        other.node.verify(session, codes[0])
        one.node.verify(theirs, codes[2])
        await one.wait_for(events.Verified, count=2)
        await other.wait_for(events.Verified, count=2)
        with pytest.raises(LocalProtocolError, match="this connection has had its code"):
            other.node.verify(session, codes[1])
        network.cut()
        await other.wait_for(events.Connected, count=2)
        other.node.verify(session, codes[1])
        await other.wait_for(events.Verified, count=3)


async def test_a_wrong_code_ends_the_link_and_both_are_warned(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        code = await invited(one.node)
        other.node.verify(session, wrong(code))
        mine, theirs = await other.wait_for(events.ClaimFailed), await one.wait_for(events.ClaimFailed)
        assert (mine.peer, mine.ours, theirs.peer, theirs.ours) == (ANN, True, BOB, False)
        gone = await other.wait_for(events.Disconnected)
        assert (gone.reason, gone.claim, gone.by_peer) == (mine.reason, True, False)
        assert gone.redial is not None
        with pytest.raises(LocalProtocolError, match="none to that peer now"):
            other.node.verify(session, await invited(one.node))
        assert (trust(ann, BOB), trust(bob, ANN)) == (Trust.NEW, Trust.KNOWN)  # as before
        await other.wait_for(events.Connected, count=2)
        other.node.verify(session, code)
        await other.wait_for(events.Verified)
    assert (trust(ann, BOB), trust(bob, ANN)) == (Trust.VERIFIED, Trust.VERIFIED)


async def test_who_dialed_and_gave_the_code_dials_again_after_a_slip(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        one.node.verify((await one.wait_for(events.Connected)).session, wrong(await invited(other.node)))
        await other.wait_for(events.Connected, count=2)
        await session.send("it went on")
        assert await one.wait_heard(1) == ["it went on"]


async def test_after_a_goodbye_nothing_is_claimed(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        session = await other.node.dial(HOME)
        code = await invited(one.node)
        session.goodbye()
        with pytest.raises(LocalProtocolError, match="about to end"):
            other.node.verify(session, code)
        theirs = (await one.wait_for(events.Connected)).session
        one.node.verify(theirs, await invited(other.node))  # whom we said goodbye to may ask, and gets no answer
        await one.wait_for(events.Leaving)
        theirs.goodbye()
        await other.wait_for(events.Disconnected)
        assert not [event for event in (*one.told, *other.told) if isinstance(event, events.Verified)]


# ---- who is who


async def test_a_code_for_one_contact_is_for_nobody_else(
    network: Network, ann: Path, bob: Path, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=2, directory=bob) as other,
        open_peer(network, seed=3, directory=tmp_path / "eve") as eve,
    ):
        await one.node.listen(HOME)
        code = await invited(one.node, for_peer=BOB)
        for _ in range(3):  # which cost nothing
            with pytest.raises(CodeFailed):
                await eve.node.dial(HOME, code=code)
        await other.node.dial(HOME, code=code)
    assert (trust(ann, BOB), trust(ann, EVE)) == (Trust.VERIFIED, Trust.NEW)


async def test_a_known_contact_that_claims_a_wrong_code_stays_one(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        await one.node.contacts.know(BOB)
        code = await invited(one.node)
        with pytest.raises(CodeFailed):
            await other.node.dial(HOME, code=wrong(code))
        session = await other.node.dial(HOME)
        assert session.trust is Trust.KNOWN
        await session.leave()
        await other.node.dial(HOME, code=code)
    assert (trust(ann, BOB), trust(bob, ANN)) == (Trust.VERIFIED, Trust.VERIFIED)


async def test_a_guest_with_a_code_is_let_in_and_kept_nowhere(
    network: Network, ann: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=2) as guest,
    ):
        await one.node.listen(HOME)
        session = await guest.node.dial(HOME, code=await invited(one.node))
        assert not (await one.wait_for(events.Verified)).kept
        assert not (await guest.wait_for(events.Verified)).kept
        theirs = (await one.wait_for(events.Connected)).session
        assert (session.trust, theirs.trust) == (Trust.VERIFIED, Trust.VERIFIED)
        network.cut()  # for this run it is known
        await guest.wait_for(events.Connected, count=2)
        await session.send("back")
        assert await one.wait_heard(1) == ["back"]
    assert kept(ann, BOB) is None


async def test_a_blocked_contact_cannot_claim_its_way_back(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=2, directory=bob) as other,
    ):
        await one.node.listen(HOME)
        await one.node.block(BOB)
        with pytest.raises(UntrustedPeer, match="did not let us in"):
            await other.node.dial(HOME, code=await invited(one.node))
    assert trust(ann, BOB) is Trust.BLOCKED


async def test_of_two_processes_either_honours_a_code_once(
    network: Network, ann: Path, bob: Path, tmp_path: Path, autojump_clock: MockClock
) -> None:
    elsewhere = Address("memory", "elsewhere")
    me = Identity.from_seed(bytes([1]) * 32)
    async with (
        open_peer(network, seed=1, identity=me, directory=ann, settings=KNOWN) as one,
        open_peer(network, seed=4, identity=me, directory=ann, settings=KNOWN) as same,
        open_peer(network, seed=2, directory=bob) as other,
        open_peer(network, seed=3, directory=tmp_path / "eve") as eve,
    ):
        await one.node.listen(HOME)
        await same.node.listen(elsewhere)
        code = await invited(one.node)
        await other.node.dial(elsewhere, code=code)
        with pytest.raises(CodeFailed):
            await eve.node.dial(HOME, code=code)
        await trio.sleep(1)
        assert one.node.contacts.trust(BOB) is Trust.VERIFIED  # it has looked


async def test_where_another_process_has_the_link_the_code_is_not_tried(
    network: Network, ann: Path, bob: Path, autojump_clock: MockClock
) -> None:
    me = Identity.from_seed(bytes([2]) * 32)
    async with (
        open_peer(network, seed=1, directory=ann, settings=ANYONE) as one,
        open_peer(network, seed=2, identity=me, directory=bob) as other,
        open_peer(network, seed=4, identity=me, directory=bob) as same,
    ):
        await one.node.listen(HOME)
        await other.node.dial(HOME)
        session = await same.node.dial(HOME, code=await invited(one.node))
        assert session.elsewhere
        assert "the code was not tried" in (await same.wait_for(events.Notice)).text
        with pytest.raises(LocalProtocolError, match="this program has none"):
            same.node.verify(session, await invited(one.node))
        assert not [event for event in one.told if isinstance(event, events.ClaimFailed | events.Verified)]
