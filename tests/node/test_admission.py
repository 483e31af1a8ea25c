"""Who gets in: nobody without consent, oneself as a guest, strangers when a person says so."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.crypto.identity import Identity
from p2pchat.errors import NotLetIn, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.limits import Limits
from tests.support.peers import HOME, Network, Peer, open_peer

ANN = Identity.from_seed(bytes([1]) * 32)
BOB = Identity.from_seed(bytes([2]) * 32)
ASK = NodeSettings(accept=Accept.ASK)
KNOWN = NodeSettings(accept=Accept.KNOWN)


@pytest.fixture
def network() -> Network:
    return Network()


async def test_a_stranger_is_refused_by_default_and_learns_only_that(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, settings=KNOWN) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        with pytest.raises(UntrustedPeer, match="did not let us in") as refused:
            await bob.node.dial(HOME)
        assert str(BOB.peer_id) in refused.value.hint
        stranger = await ann.wait_for(events.Stranger)
        assert stranger.peer == BOB.peer_id
        assert not stranger.waiting
        assert not ann.node.sessions


async def test_refused_strangers_are_told_of_once_in_ten_minutes(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1, settings=KNOWN) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        for _ in range(5):
            with pytest.raises(UntrustedPeer):
                await bob.node.dial(HOME)
        assert len([event for event in ann.told if isinstance(event, events.Stranger)]) == 1
        await trio.sleep(601)
        with pytest.raises(UntrustedPeer):
            await bob.node.dial(HOME)
        assert len([event for event in ann.told if isinstance(event, events.Stranger)]) == 2


async def test_a_stranger_waits_until_a_person_accepts(network: Network, autojump_clock: MockClock) -> None:
    asking = NodeSettings(accept=Accept.ASK, name="ann")
    named = NodeSettings(name="bob")
    async with open_peer(network, seed=1, settings=asking) as ann, open_peer(network, seed=2, settings=named) as bob:
        await ann.node.listen(HOME)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bob.node.dial, HOME)
            stranger = await ann.wait_for(events.Stranger)
            assert (stranger.peer, stranger.name, stranger.waiting) == (BOB.peer_id, "bob", True)
            assert (await bob.wait_for(events.WaitingToBeLetIn)).peer == ANN.peer_id
            await trio.sleep(200)
            assert not bob.node.sessions
            assert await ann.node.accept(BOB.peer_id)
        (session,) = bob.node.sessions
        await session.send("thanks")
        assert await ann.wait_heard(1) == ["thanks"]
        await trio.sleep(1)
        assert session.name == "ann"  # told now, and not before
        assert not await ann.node.accept(BOB.peer_id)


async def test_whoever_was_accepted_once_comes_back_without_a_question(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, settings=ASK) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        await ann.node.accept(BOB.peer_id)
        await bob.node.dial(HOME)
        network.cut()
        assert (await bob.wait_for(events.Connected, count=2)).resumed
        assert not [event for event in ann.told if isinstance(event, events.Stranger)]


async def test_a_rejected_stranger_is_told_so(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1, settings=ASK) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_reject_the_first, ann)
            with pytest.raises(UntrustedPeer):
                await bob.node.dial(HOME)
        assert not ann.node.reject(BOB.peer_id)


async def test_a_stranger_that_nobody_answers_is_sent_away_after_five_minutes(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1, settings=ASK) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        with pytest.raises(NotLetIn):
            await bob.node.dial(HOME)
        assert trio.current_time() == pytest.approx(300, abs=5)
        assert not await ann.node.accept(BOB.peer_id)


async def test_a_stranger_with_endless_patience_is_sent_away_too(network: Network, autojump_clock: MockClock) -> None:
    patient = NodeSettings(limits=Limits(resume=1e6))
    async with open_peer(network, seed=1, settings=ASK) as ann, open_peer(network, seed=2, settings=patient) as bob:
        await ann.node.listen(HOME)
        with pytest.raises(NotLetIn):
            await bob.node.dial(HOME)
        assert trio.current_time() == pytest.approx(300, abs=5)
        assert not len(ann.node.waiting_room)


async def test_a_redial_that_meets_another_key_ends_the_conversation(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=2) as bob:
        async with open_peer(network, seed=1) as ann:
            await ann.node.listen(HOME)
            session = await bob.node.dial(HOME)
        async with open_peer(network, seed=3) as mallory:
            await mallory.node.listen(HOME)
            failed = await bob.wait_for(events.DialFailed)
            while failed.redial is not None:
                failed = await bob.wait_for(events.DialFailed, count=len(network.dials) - 1)
            assert isinstance(failed.error, UntrustedPeer)
            assert session.over
            assert not mallory.node.sessions
            assert not [event for event in mallory.told if isinstance(event, events.Stranger)]


async def test_at_most_so_many_strangers_wait(network: Network, autojump_clock: MockClock) -> None:
    settings = NodeSettings(accept=Accept.ASK, limits=Limits(strangers=2))
    async with open_peer(network, seed=1, settings=settings) as ann, trio.open_nursery() as nursery:
        await ann.node.listen(HOME)
        for seed in 2, 3:
            nursery.start_soon(_knock, network, seed)
        await ann.wait_for(events.Stranger, count=2)
        async with open_peer(network, seed=4) as dave:
            with pytest.raises(UntrustedPeer):
                await dave.node.dial(HOME)
        nursery.cancel_scope.cancel()


async def test_listen_and_dial_of_one_identity_chat_through_a_guest(
    network: Network, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, identity=ANN, settings=KNOWN) as ann,
        open_peer(network, seed=2, identity=ANN) as again,
    ):
        await ann.node.listen(HOME)
        session = await again.node.dial(HOME)
        assert session.peer == ANN.peer_id
        await again.wait_for(events.Notice)
        inbound = (await ann.wait_for(events.Connected)).session
        assert inbound.vouched
        assert inbound.peer != ANN.peer_id
        await session.send("hello, me")
        assert await ann.wait_heard(1) == ["hello, me"]
        network.cut()
        assert (await again.wait_for(events.Connected, count=2)).resumed
        await session.send("still me")
        assert await ann.wait_heard(2) == ["hello, me", "still me"]


async def test_a_guest_of_ours_does_not_talk_to_somebody_else(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1, identity=ANN) as ann, open_peer(network, seed=2, identity=ANN) as again:
        await ann.node.listen(HOME)
        session = await again.node.dial(HOME)
        await ann.node.stop()
        network.cut()
        async with open_peer(network, seed=3, identity=BOB) as mallory:
            await mallory.node.listen(HOME)
            failed = await again.wait_for(events.DialFailed)
            assert isinstance(failed.error, UntrustedPeer)
            assert not mallory.node.sessions
            assert not session.connected


async def _reject_the_first(peer: Peer) -> None:
    stranger = await peer.wait_for(events.Stranger)
    assert peer.node.reject(stranger.peer)


async def _knock(network: Network, seed: int) -> None:
    async with open_peer(network, seed=seed) as peer:
        await peer.node.dial(HOME)
