"""What can be said after our own goodbye (nothing), and what cannot be said at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import LocalProtocolError
from p2pchat.node import events
from p2pchat.node.session import Session
from p2pchat.wire.messages import Text
from tests.support.peers import HOME, Network, Peer, open_peer


@asynccontextmanager
async def chatting(network: Network) -> AsyncIterator[tuple[Peer, Peer, Session]]:
    """Two peers, and the session of the second with the first."""
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        yield ann, bob, session
        ann.resume()


async def test_nothing_can_be_sent_after_our_goodbye_though_it_was_not_said_yet(autojump_clock: MockClock) -> None:
    async with chatting(Network()) as (ann, bob, session):
        ann.paused = True
        await session.send("last words")
        session.goodbye()
        with pytest.raises(LocalProtocolError, match="goodbye"):
            await session.send("one more")
        with pytest.raises(LocalProtocolError, match="goodbye"):
            await session.post(Text("one more"))
        with pytest.raises(LocalProtocolError, match="goodbye"):
            await session.send_many([Text("one more")])
        bob.node.rename("bob")  # is told to others only
        assert await session.unsaid() == 1
        ann.resume()
        await ann.wait_for(events.Leaving)
        assert ann.heard == ["last words"]


async def test_who_waits_for_room_is_told_of_the_goodbye(autojump_clock: MockClock) -> None:
    async with chatting(Network()) as (ann, _, session), trio.open_nursery() as nursery:
        ann.paused = True
        while session.outgoing.room > 0:
            await session.send("x" * 2**19)
        refused = trio.Event()

        async def say_more() -> None:
            with pytest.raises(LocalProtocolError, match="goodbye"):
                await session.send("more")
            refused.set()

        nursery.start_soon(say_more)
        await trio.sleep(1)
        assert not refused.is_set()
        session.goodbye()
        await refused.wait()


async def test_a_goodbye_that_was_lost_with_its_link_is_taken_back(autojump_clock: MockClock) -> None:
    network = Network()
    async with chatting(network) as (ann, bob, session):
        session.goodbye()
        network.cut()
        await bob.wait_for(events.Connected, count=2)
        await session.send("here I am again")
        assert await ann.wait_heard(1) == ["here I am again"]


@pytest.mark.parametrize("text", [5, b"q", None, ["a"]], ids=repr)
async def test_what_is_no_text_is_refused_with_what_would_be_accepted(autojump_clock: MockClock, text: Any) -> None:
    async with chatting(Network()) as (ann, _, session):
        with pytest.raises(LocalProtocolError, match="takes a str and not"):
            await session.send(text)
        with pytest.raises(LocalProtocolError, match="these are: Text"):
            await session.post(text)
        with pytest.raises(LocalProtocolError, match="these are: Text"):
            await session.send_many([text])
        with pytest.raises(LocalProtocolError, match="out of bounds"):
            await session.post(Text(text))
        with pytest.raises(LocalProtocolError, match="out of bounds"):
            await session.send_many([Text(text)])
        await session.send("fine")
        assert await ann.wait_heard(1) == ["fine"]
