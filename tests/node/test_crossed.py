"""Two profiles, in each a program that listens and one that dials: both dial at once, and one link stays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.node import events
from tests.support.peers import Network, Peer, Wire, open_peer

SMALL, LARGE = sorted((Identity.from_seed(bytes([n]) * 32) for n in (1, 2)), key=lambda one: one.peer_id)
TO_SMALL, TO_LARGE = Address("memory", "small"), Address("memory", "large")
FLIGHT = 0.1  # seconds on the slow way

Open = Callable[[Identity], AbstractAsyncContextManager[Peer]]


class OneSlowWay(Network):
    """Who dials `SMALL` arrives when the link that it has dialed itself runs already."""

    async def connect(self, address: Address) -> Wire:
        if address == TO_SMALL:
            await trio.sleep(FLIGHT)
        return await super().connect(address)


@pytest.fixture
def network() -> Network:
    return OneSlowWay()


@pytest.fixture
def program(network: Network, tmp_path: Path) -> Open:
    """Return what opens one more program of a profile."""
    seeds = count(1)

    def program(identity: Identity) -> AbstractAsyncContextManager[Peer]:
        directory = tmp_path / str(identity.peer_id)
        return open_peer(network, seed=next(seeds), identity=identity, directory=directory)

    return program


async def test_a_dial_that_crossed_a_visit_leaves_it_alone(
    network: Network, program: Open, autojump_clock: MockClock
) -> None:
    async with program(SMALL) as listens, program(LARGE) as visited:
        await listens.node.listen(TO_SMALL)
        await visited.node.listen(TO_LARGE)
        async with program(LARGE) as before:  # who knows who has to be there has the lock before it dials
            await (await before.node.dial(TO_SMALL)).leave()
        await trio.sleep(60)
        began = trio.current_time()
        async with program(SMALL) as stays, program(LARGE) as gives_way, trio.open_nursery() as nursery:
            nursery.start_soon(stays.node.dial, TO_LARGE)
            nursery.start_soon(partial(gives_way.node.dial, TO_SMALL, retry=True))
            await gives_way.wait_for(events.Elsewhere)
            assert trio.current_time() < began + FLIGHT + 1
            (session,) = visited.node.sessions
            assert session.lock.is_ours
            await trio.sleep(600)
            assert session.connected
            assert not [event for event in stays.told if isinstance(event, events.Disconnected)]
