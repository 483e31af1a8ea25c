"""Somebody with our own key: a copy of the profile, or a thief. It is told so, and is never a peer."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.crypto.identity import Identity
from p2pchat.errors import BadData
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Close
from tests.support.framing import HELLO
from tests.support.peers import HOME, Network, open_peer
from tests.support.visitors import Host, Visitor

ANN = Identity.from_seed(bytes([1]) * 32)


async def test_who_dials_with_our_own_key_is_not_let_in(autojump_clock: MockClock) -> None:
    """Whatever it says next; and without a word about strangers, for it is none."""
    network = Network()
    async with open_peer(network, seed=1) as ann:
        await ann.node.listen(HOME)
        visitor = Visitor(await network.connect(HOME), ANN)
        await visitor.shake_hands()
        await visitor.say(HELLO)
        assert await visitor.hear(lambda event: isinstance(event, Close)) == Close(CloseCode.SELF)
        await trio.sleep(60)
        assert ann.told == [events.Listening(address=HOME)]
        assert not ann.node.sessions


async def test_who_answers_with_our_own_key_learns_no_more_than_that_somebody_called(autojump_clock: MockClock) -> None:
    network = Network()
    alone = NodeSettings(accept=Accept.ANYONE, own_guest=False)
    async with open_peer(network, seed=1, settings=alone) as ann, trio.open_nursery() as nursery:
        (door,) = await network.listen(HOME)
        proved: list[bool] = []

        async def answer() -> None:
            host = Host(await door.accept(), ANN)
            try:
                await host.shake_hands()
                proved.append(True)
            except trio.BrokenResourceError:
                proved.append(False)

        nursery.start_soon(answer)
        with pytest.raises(BadData, match="this is you"):
            await ann.node.dial(HOME)
        await trio.sleep(1)
        assert proved == [False]
