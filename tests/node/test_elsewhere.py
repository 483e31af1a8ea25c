"""One identity in two programs: the newer one stays, and the older one says so in place of fighting for the link."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from p2pchat.crypto.identity import Identity
from p2pchat.node import events
from p2pchat.wire.close_codes import CloseCode
from tests.support.peers import HOME, Network, open_peer

BOB = Identity.from_seed(bytes([2]) * 32)


async def test_the_program_that_dials_later_has_the_link_and_the_other_one_does_not_dial_again(
    autojump_clock: MockClock,
) -> None:
    network = Network()
    async with (
        open_peer(network, seed=1) as ann,
        open_peer(network, seed=2, identity=BOB) as first,
        open_peer(network, seed=3, identity=BOB) as second,
    ):
        await ann.node.listen(HOME)
        session = await first.node.dial(HOME)
        await trio.sleep(60)
        await second.node.dial(HOME)
        gone = await first.wait_for(events.Disconnected)
        assert gone.code == CloseCode.DUPLICATE
        assert gone.redial is None
        assert session.over
        await trio.sleep(3600)
        assert len(network.dials) == 2
        assert len(second.node.sessions) == 1
