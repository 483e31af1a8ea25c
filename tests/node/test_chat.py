"""Two nodes chat: what arrives, in which order, and how they part."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import ConnectFailed, LocalProtocolError, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.messages import Data, Text
from tests.support.peers import HOME, Network, open_peer


@pytest.fixture
def network() -> Network:
    return Network()


async def test_both_sides_hear_everything_once_and_in_order(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        to_bob = (await ann.wait_for(events.Connected)).session
        for n in range(500):
            await to_ann.send(f"b{n}")
            await to_bob.send(f"a{n}")
        assert await ann.wait_heard(500) == [f"b{n}" for n in range(500)]
        assert await bob.wait_heard(500) == [f"a{n}" for n in range(500)]
        await to_ann.drained()
        assert not to_ann.has_unsaid
        assert await to_ann.unsaid() == 0


async def test_the_ack_of_one_message_waits_a_little_for_company(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        to_bob = (await ann.wait_for(events.Connected)).session
        began = trio.current_time()
        await to_ann.send("a question")
        await ann.wait_heard(1)
        await to_bob.send("an answer, and the ack with it")
        await to_ann.drained()
        assert trio.current_time() == began
        await to_bob.drained()
        assert trio.current_time() == pytest.approx(began + to_bob.limits.ack_delay)


async def test_a_message_of_a_mebibyte_arrives_whole(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.send("é" * 2**19)
        assert await ann.wait_heard(1) == ["é" * 2**19]
        with pytest.raises(LocalProtocolError):
            await session.send("é" * 2**19 + "!")


async def test_bytes_and_texts_keep_their_order_in_one_call(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.send_many([Text("a"), Data(b"\xff", more=True), Data(b"\xfe"), Text("b")])
        await session.drained()
        bodies = [m.body for e in ann.told if isinstance(e, events.MessagesReceived) for m in e.messages]
        assert bodies == [Text("a"), Data(b"\xff", more=True), Data(b"\xfe"), Text("b")]


async def test_goodbye_ends_the_chat_for_both_and_nobody_dials_again(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        to_bob = (await ann.wait_for(events.Connected)).session
        await to_ann.send("last words")
        to_ann.goodbye()
        leaving = await ann.wait_for(events.Leaving)
        assert ann.heard == ["last words"]
        assert not leaving.going_away
        assert await to_bob.leave() == 0
        for peer in ann, bob:
            gone = await peer.wait_for(events.Disconnected)
            assert gone.clean
            assert gone.redial is None
        await trio.sleep(3600)
        assert len(network.dials) == 1
        assert to_ann.over
        with pytest.raises(LocalProtocolError):
            await to_ann.send("too late")


async def test_a_goodbye_that_is_not_answered_is_a_clean_end_after_the_linger(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        began = trio.current_time()
        session.goodbye()
        gone = await bob.wait_for(events.Disconnected)
        assert gone.clean
        assert trio.current_time() - began == pytest.approx(bob.node.settings.limits.linger, abs=0.1)


async def test_a_node_that_stops_goes_away_and_is_dialed_again(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=2) as bob:
        async with open_peer(network, seed=1) as ann:
            await ann.node.listen(HOME)
            session = await bob.node.dial(HOME)
        leaving = await bob.wait_for(events.Leaving)
        assert leaving.going_away
        gone = await bob.wait_for(events.Disconnected)
        assert not gone.clean
        assert gone.redial is not None
        await session.send("are you back?")
        async with open_peer(network, seed=1) as ann_again:
            await ann_again.node.listen(HOME)
            assert await ann_again.wait_heard(1) == ["are you back?"]
            assert (await bob.wait_for(events.Connected, count=2)).resumed


async def test_leaving_a_peer_that_shows_nothing_takes_five_seconds_and_counts_what_is_unsaid(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        ann.paused = True
        await session.send("one")
        await session.send("two")
        began = trio.current_time()
        assert await session.leave() == 2
        assert trio.current_time() - began == pytest.approx(5.0, abs=0.1)
        ann.resume()
        gone = await ann.wait_for(events.Disconnected)
        assert not gone.clean


async def test_the_first_dial_that_fails_is_raised_and_with_retry_it_is_not(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        with pytest.raises(ConnectFailed):
            await bob.node.dial(HOME)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: bob.node.dial(HOME, retry=True))
            failed = await bob.wait_for(events.DialFailed, count=3)
            assert isinstance(failed.error, ConnectFailed)
            await ann.node.listen(HOME)
            await bob.wait_for(events.Connected)


async def test_names_are_told_to_those_we_let_in(network: Network, autojump_clock: MockClock) -> None:
    named = NodeSettings(accept=Accept.ANYONE, name="ann")
    async with open_peer(network, seed=1, settings=named) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        assert session.name == "ann"
        assert session.guest
        assert not session.vouched


async def test_who_leaves_while_the_link_is_lost_is_not_dragged_back(
    network: Network, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        network.up = False
        network.cut()
        await bob.wait_for(events.DialFailed)
        await session.send("nobody will hear this")
        began = trio.current_time()
        assert await session.leave() == 1
        assert trio.current_time() == began
        network.up = True
        await trio.sleep(3600)
        assert session.over
        assert not session.connected
        assert not ann.heard


async def test_a_peer_that_refuses_us_later_ends_the_session(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=2) as bob:
        async with open_peer(network, seed=1) as ann:
            await ann.node.listen(HOME)
            session = await bob.node.dial(HOME)
        async with open_peer(network, seed=1, settings=NodeSettings(accept=Accept.KNOWN)) as ann_again:
            await ann_again.node.listen(HOME)
            failed = await bob.wait_for(events.DialFailed)
            while failed.redial is not None:
                failed = await bob.wait_for(events.DialFailed, count=len(network.dials))
            assert isinstance(failed.error, UntrustedPeer)
            assert session.over
            await session.drained()


async def test_a_new_name_is_told_to_whoever_is_there_and_shown(network: Network, autojump_clock: MockClock) -> None:
    named = NodeSettings(accept=Accept.ANYONE, name="ann")
    async with open_peer(network, seed=1, settings=named) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        ann.node.rename("carol")
        await ann.node.sessions[0].send("it is me")
        await bob.wait_heard(1)
        assert session.name == "carol"
        told = await bob.wait_for(events.Renamed)
        assert (told.session, told.before) == (session, "ann")
        with pytest.raises(LocalProtocolError):
            ann.node.rename("x" * 65)
        assert ann.node.settings.name == "carol"


async def test_a_node_that_is_cancelled_says_that_it_goes_away(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=2) as bob:
        with trio.CancelScope() as scope:
            async with open_peer(network, seed=1) as ann:
                await ann.node.listen(HOME)
                await bob.node.dial(HOME)
                scope.cancel()
                await trio.sleep_forever()
        leaving = await bob.wait_for(events.Leaving)
        assert leaving.going_away
        gone = await bob.wait_for(events.Disconnected)
        assert gone.code == CloseCode.GOING_AWAY


async def test_a_node_for_one_peer_lets_in_the_first_and_no_other(network: Network, autojump_clock: MockClock) -> None:
    one = NodeSettings(accept=Accept.ANYONE, one_peer=True)
    async with (
        open_peer(network, seed=1, settings=one) as ann,
        open_peer(network, seed=2) as bob,
        open_peer(network, seed=3) as eve,
    ):
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        with pytest.raises(UntrustedPeer):
            await eve.node.dial(HOME)
        network.cut()
        await bob.wait_for(events.Connected, count=2)
        await session.send("it is me again")
        assert await ann.wait_heard(1) == ["it is me again"]
