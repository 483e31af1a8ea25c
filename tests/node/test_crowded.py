"""More is said than a window, a connection or a transaction takes: all of it arrives, in the order of saying."""

from __future__ import annotations

import trio

from p2pchat import Accept, Limits, Message, MessagesReceived, Node, NodeSettings, Session, Text, open_node
from p2pchat.testing import Simulation, simulate
from p2pchat.testing.lanes import Pace

SAID = [f"{number} " + "x" * (30_000 if number % 10 == 9 else 10) for number in range(60)]


def narrow(window: int) -> NodeSettings:
    return NodeSettings(accept=Accept.ANYONE, limits=Limits(max_unacked=window))


async def hear(node: Node, heard: list[str]) -> None:
    async for event in node.feed:
        if isinstance(event, MessagesReceived):
            heard += [text_of(message) for message in event.messages]


def text_of(message: Message) -> str:
    assert isinstance(message.body, Text)
    return message.body.text


async def say_together(session: Session) -> None:
    """Say all of it, each a little before the one before is said for sure."""
    async with trio.open_nursery() as nursery:
        for text in SAID:
            nursery.start_soon(session.post, Text(text))
            await trio.sleep(0.002)


async def crowd(world: Simulation, window: int) -> None:
    """Let one of two who keep what they say talk to the other."""
    world.network.pace = Pace(latency=0.01, splits=0.5, buffer=4096)
    one, two = world.host("one"), world.host("two")
    one.work = two.work = 0.02
    heard: list[str] = []
    async with (
        one.open_store() as my_store,
        two.open_store() as your_store,
        open_node(one.identity, env=one.env, settings=narrow(window), store=my_store) as node,
        open_node(two.identity, env=two.env, settings=narrow(window), store=your_store) as other,
        trio.open_nursery() as nursery,
    ):
        await other.listen(two.address)
        nursery.start_soon(hear, other, heard)
        session = await node.dial(two.address)
        await say_together(session)
        await world.until(lambda: len(heard) == len(SAID), within=60)
        nursery.cancel_scope.cancel()
    assert heard == SAID


def test_a_window_of_two_lets_everything_through() -> None:
    simulate(lambda world: crowd(world, 2), seed=1)


def test_a_connection_that_holds_little_lets_everything_through() -> None:
    simulate(lambda world: crowd(world, 4096), seed=2)


def test_what_is_said_during_a_transaction_leaves_with_the_next_one() -> None:
    async def alone(world: Simulation) -> None:
        """Say the last thing while nothing else will ever ask for a transaction."""
        one, two = world.host("one"), world.host("two")
        one.work = 0.05
        heard: list[str] = []
        async with (
            one.open_store() as my_store,
            open_node(one.identity, env=one.env, store=my_store) as node,
            open_node(two.identity, env=two.env, settings=narrow(4096)) as other,
            trio.open_nursery() as nursery,
        ):
            await other.listen(two.address)
            nursery.start_soon(hear, other, heard)
            session = await node.dial(two.address)
            await trio.sleep(1)
            nursery.start_soon(session.post, Text("first"))
            await trio.sleep(world.dice("pause").uniform(0.0, 0.05))
            nursery.start_soon(session.post, Text("last"))
            await world.until(lambda: heard == ["first", "last"], within=5)
            nursery.cancel_scope.cancel()

    for seed in range(8):
        simulate(alone, seed=seed)
