"""The id of a message is known when it is queued, and the peer may say that it was read."""

from __future__ import annotations

from uuid import UUID

import pytest
from trio.testing import MockClock

from p2pchat.errors import LocalProtocolError
from p2pchat.node import events
from p2pchat.wire.messages import Data, Profile, Read, Text
from tests.support.peers import HOME, Network, open_peer


async def test_both_sides_know_a_message_by_the_id_that_posting_returns(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        posted = [await session.post(body) for body in (Text("a"), Data(b"\xff"), Text("é" * 2**19))]
        await session.drained()
        heard = [m.id for e in ann.told if isinstance(e, events.MessagesReceived) for m in e.messages]
        assert heard == posted


async def test_a_receipt_is_told_and_never_shown(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        posted = await to_ann.post(Text("hi"))
        await ann.wait_heard(1)
        to_bob = ann.node.sessions[0]
        await to_bob.send_many([Text("before"), Read(posted.bytes), Profile("ann"), Text("after")])
        read = await bob.wait_state("read", posted)
        assert read.session is to_ann
        assert await bob.wait_heard(2) == ["before", "after"]
        assert to_ann.name == "ann"


async def test_receipts_alone_are_acknowledged(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.post(Read(UUID(int=1).bytes))
        await session.drained()
        await ann.wait_state("read", UUID(int=1))
        assert ann.heard == []


async def test_nothing_is_posted_after_the_end(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.leave()
        with pytest.raises(LocalProtocolError):
            await session.post(Text("too late"))
