"""p2pchat as a program would use it: two nodes, strangers to each other, one of which lets anybody in."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from p2pchat import Accept, Identity, Node, NodeSettings, Session, Transports, open_node, system_env
from p2pchat.address import parse
from p2pchat.node.events import Disconnected, Leaving, Listening, MessagesReceived
from p2pchat.protocol.limits import Limits
from p2pchat.store.store import open_store
from p2pchat.wire.messages import Text
from tests.benchmarks.meter import Meter, Spent
from tests.benchmarks.work import LENGTH, TEXTS, batches

Answer = Callable[[MessagesReceived], Awaitable[None]]
Talk = Callable[[Node, Session, int], Awaitable[Spent]]


@asynccontextmanager
async def fresh_node(*, keeps: bool = False) -> AsyncIterator[Node]:
    """Open a node that knows nobody, lets anybody in, and does not ration the visits from one address.

    It is a guest, unless it `keeps` on the disk what is said.
    """
    settings = NodeSettings(accept=Accept.ANYONE, limits=Limits(handshake_rate=1e6))
    me, env = Identity.generate(os.urandom), system_env(Transports())
    async with AsyncExitStack() as stack:
        store = None
        if keeps:
            directory = stack.enter_context(TemporaryDirectory(prefix="p2pchat-bench-"))
            store = await stack.enter_async_context(open_store(Path(directory) / "history.db", env=env))
        yield await stack.enter_async_context(open_node(me, env=env, settings=settings, store=store))


def listen_with(
    answer: Answer, where: str, count: int, ready: Callable[[str], None], *, visits: int = 1, keeps: bool = False
) -> Spent:
    """Listen at `where` and `answer` what comes until visitors have left `visits` times."""

    async def main() -> Spent:
        meter = Meter()
        left = 0
        async with fresh_node(keeps=keeps) as node:
            await node.listen(parse(where))
            async for event in node.feed:
                match event:
                    case Listening(address=address):
                        meter.start()
                        ready(str(address))
                    case MessagesReceived():
                        await answer(event)
                    case Leaving(session=session):
                        session.goodbye()
                    case Disconnected():
                        left += 1
                        if left == visits:
                            return meter.stop(count)
            raise AssertionError("the feed has ended")

    return trio.run(main)


def dial_with(talk: Talk, where: str, count: int, *, keeps: bool = False) -> Spent:
    """Dial `where` and `talk`, then say goodbye."""

    async def main() -> Spent:
        async with fresh_node(keeps=keeps) as node, trio.open_nursery() as nursery:
            session = await node.dial(parse(where))
            spent = await talk(node, session, count)
            nursery.start_soon(read_on, node)
            await session.leave()
            nursery.cancel_scope.cancel()
            return spent

    return trio.run(main)


async def read_on(node: Node) -> None:
    """Take what is still to come: nobody can say goodbye to a peer that does not listen."""
    async for _ in node.feed:
        pass


class Stream:
    """One side talks, the other one listens."""

    keeps = False

    @classmethod
    def listen(cls, where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Look at every message."""

        async def answer(event: MessagesReceived) -> None:
            for message in event.messages:
                body = message.body
                assert isinstance(body, Text)
                assert len(body.text) == LENGTH

        return listen_with(answer, where, count, ready, keeps=cls.keeps)


class Batches(Stream):
    """Many messages at a time, all of them acknowledged in the end."""

    @classmethod
    def dial(cls, where: str, count: int) -> Spent:
        """Send batches."""

        async def talk(_node: Node, session: Session, count: int) -> Spent:
            meter = Meter()
            for size in batches(count):
                await session.send_many([Text(text) for text in TEXTS[:size]])
            await session.drained()
            return meter.stop(count)

        return dial_with(talk, where, count, keeps=cls.keeps)


class KeptBatches(Batches):
    """The same between two who keep it: acknowledged means that it is on the disk over there."""

    keeps = True


class OneByOne(Stream):
    """One awaited call for each message, all of them acknowledged in the end."""

    @classmethod
    def dial(cls, where: str, count: int) -> Spent:
        """Send one after the other."""

        async def talk(_node: Node, session: Session, count: int) -> Spent:
            meter = Meter()
            for size in batches(count):
                for text in TEXTS[:size]:
                    await session.send(text)
            await session.drained()
            return meter.stop(count)

        return dial_with(talk, where, count, keeps=cls.keeps)


class Echo:
    """Send, wait, send back."""

    keeps = False

    @classmethod
    def listen(cls, where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Send back what comes."""

        async def answer(event: MessagesReceived) -> None:
            for message in event.messages:
                assert isinstance(message.body, Text)
                await event.session.send(message.body.text)

        return listen_with(answer, where, count, ready, keeps=cls.keeps)

    @classmethod
    def dial(cls, where: str, count: int) -> Spent:
        """Send, and wait for it to come back."""

        async def talk(node: Node, session: Session, count: int) -> Spent:
            times = []
            meter = Meter()
            for _ in range(count):
                begin = time.perf_counter()
                await session.send(TEXTS[0])
                while not isinstance(await anext(node.feed), MessagesReceived):
                    pass
                times.append(time.perf_counter() - begin)
            return meter.stop(count, times)

        return dial_with(talk, where, count, keeps=cls.keeps)


class KeptEcho(Echo):
    """The same between two who keep it: four commits for each round trip, two of them on its way."""

    keeps = True


class Setup:
    """Shake hands, let in, say goodbye."""

    @staticmethod
    def listen(where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Let in whoever comes."""

        async def answer(_event: MessagesReceived) -> None:
            raise AssertionError("nobody talks here")

        return listen_with(answer, where, count, ready, visits=count)

    @staticmethod
    def dial(where: str, count: int) -> Spent:
        """Come and go."""

        async def main() -> Spent:
            async with fresh_node() as node:
                meter = Meter()
                for _ in range(count):
                    session = await node.dial(parse(where))
                    await session.leave()
                return meter.stop(count)

        return trio.run(main)
