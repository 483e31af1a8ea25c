"""Cancelled anywhere, a node leaves nothing behind: no stream, no task, no half of a message."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node import events
from tests.support.peers import HOME, Network, open_peer

STEPS = 420  # of tasks, which the conversation below takes


class CancelAtStep(trio.abc.Instrument):
    """Cancels `scope` when the loop takes its `step`-th step."""

    def __init__(self, step: int, scope: trio.CancelScope) -> None:
        self.left = step
        self._scope = scope

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.left -= 1
        if self.left == 0:
            self._scope.cancel()


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
        with trio.CancelScope() as scope:
            instrument = CancelAtStep(step, scope)
            trio.lowlevel.add_instrument(instrument)
            began = trio.current_time()
            await converse(network)
        trio.lowlevel.remove_instrument(instrument)
        assert all(end.closed for ends in network.wires for end in ends)
        assert trio.current_time() - began <= 11.0  # goodbyes have deadlines: two nodes, five seconds each


async def test_the_conversation_takes_about_as_many_steps_as_are_tried(autojump_clock: MockClock) -> None:
    instrument = CancelAtStep(10**9, trio.CancelScope())
    trio.lowlevel.add_instrument(instrument)
    await converse(Network())
    trio.lowlevel.remove_instrument(instrument)
    assert STEPS * 0.5 < 10**9 - instrument.left < STEPS * 2
