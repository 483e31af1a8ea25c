"""Cancelled anywhere, a node leaves nothing behind: no stream, no task, no half of a message."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node import events
from tests.support.peers import HOME, Network, open_peer
from tests.support.steps import cancelled_at, steps_of

STEPS = 420  # of tasks, which the conversation below takes


async def converse(network: Network) -> None:
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        to_bob = (await ann.wait_for(events.Connected)).session
        await to_ann.send("hello")
        await to_bob.send("x" * 100_000)
        await to_ann.drained()
        await to_bob.drained()
        await to_ann.leave()


@pytest.mark.parametrize("start", range(10))
async def test_a_conversation_that_is_cancelled_anywhere_leaves_nothing_open(
    autojump_clock: MockClock, start: int
) -> None:
    for step in range(start + 1, STEPS, 10):
        network = Network()
        began = trio.current_time()
        with cancelled_at(step):
            await converse(network)
        assert all(end.closed for ends in network.wires for end in ends)
        assert trio.current_time() - began <= 11.0  # goodbyes have deadlines: two nodes, five seconds each


async def test_the_conversation_takes_about_as_many_steps_as_are_tried(autojump_clock: MockClock) -> None:
    assert STEPS * 0.5 < await steps_of(lambda: converse(Network())) < STEPS * 2
