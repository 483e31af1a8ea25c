"""Nodes in one process, on virtual time, over a network that a test can cut, clog and count.

`Peer` is a node with a listener that keeps every event; the network hands out pairs of in-memory streams.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import trio
import trio.testing
from trio.testing import MemoryReceiveStream, MemorySendStream

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.env import Env
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.node import events
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.store import open_store
from p2pchat.wire.messages import Text

E = TypeVar("E")
T = TypeVar("T")

HOME = Address("memory", "home")
PATIENCE = 10_000.0  # virtual seconds until a test that waits in vain fails; they cost nothing


class Wire(trio.abc.HalfCloseableStream):
    """One end of a connection: in-memory, and broken, silent or stuck whenever the test wants it."""

    def __init__(self, inner: trio.StapledStream[MemorySendStream, MemoryReceiveStream]) -> None:
        self.remote: Address | None = None
        self._inner = inner
        self._broken = trio.Event()
        self._clogged = False
        self.closed = False
        self.sent = 0  # bytes that were said here

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return the next bytes; raises as soon as the wire is cut."""
        return await self._unless_broken(lambda: self._inner.receive_some(max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; waits for ever once the wire is clogged."""
        self.sent += len(data)
        await self._unless_broken(trio.sleep_forever if self._clogged else lambda: self._inner.send_all(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until sending could work."""
        await trio.lowlevel.checkpoint()

    async def send_eof(self) -> None:
        """End our direction."""
        await self._unless_broken(self._inner.send_eof)

    async def aclose(self) -> None:
        """Close both directions."""
        self.closed = True
        await self._inner.aclose()

    def cut(self) -> None:
        """Break the wire on this side; what the other side has already received is kept."""
        self._broken.set()

    def clog(self) -> None:
        """Let nothing more through, and say nothing about it: a frozen peer, or a network that drops."""
        self._clogged = True

    async def _unless_broken(self, action: Callable[[], Awaitable[T]]) -> T:
        result: list[T] = []
        async with trio.open_nursery() as nursery:

            async def act() -> None:
                with suppress(trio.BrokenResourceError):  # out of a nursery it would come in a group
                    result.append(await action())
                nursery.cancel_scope.cancel()

            if not self._broken.is_set():
                nursery.start_soon(act)
            await self._broken.wait()
            nursery.cancel_scope.cancel()
        if not result:
            raise trio.BrokenResourceError("the wire was cut")
        return result[0]


class Network:
    """All addresses of a test. `wires` has both ends of every connection, the dialer's first."""

    def __init__(self) -> None:
        self.wires: list[tuple[Wire, Wire]] = []
        self.up = True
        self.dials: list[float] = []
        self._doors: dict[str, trio.MemorySendChannel[Wire]] = {}

    async def connect(self, address: Address) -> Wire:
        """Return a stream to whoever listens there."""
        await trio.lowlevel.checkpoint()
        self.dials.append(trio.current_time())
        door = self._doors.get(address.rest)
        if door is None or not self.up:
            raise ConnectFailed(f"nobody listens on {address}")
        one, other = trio.testing.memory_stream_pair()
        ours, theirs = Wire(one), Wire(other)
        self.wires.append((ours, theirs))
        try:
            await door.send(theirs)
        except trio.BrokenResourceError:
            raise ConnectFailed(f"nobody listens on {address}") from None
        return ours

    async def listen(self, address: Address) -> Sequence[trio.abc.Listener[trio.abc.Stream]]:
        """Return a listener of that name."""
        await trio.lowlevel.checkpoint()
        if address.rest in self._doors:
            raise ListenFailed(f"{address} is in use")
        send, receive = trio.open_memory_channel[Wire](100)
        self._doors[address.rest] = send
        return [_Door(receive, lambda: self._doors.pop(address.rest, None))]

    def cut(self) -> None:
        """Cut every connection there is."""
        for ends in self.wires:
            for end in ends:
                end.cut()


class _Door(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self, arrivals: trio.MemoryReceiveChannel[Wire], forget: Callable[[], object]) -> None:
        self._arrivals = arrivals
        self._forget = forget

    async def accept(self) -> Wire:
        return await self._arrivals.receive()

    async def aclose(self) -> None:
        self._forget()
        await self._arrivals.aclose()


def virtual_env(network: Network, *, seed: int = 0) -> Env:
    """Return a world whose time is Trio's (let the test use `autojump_clock`) and whose dice are seeded."""
    rng = random.Random(seed)

    async def inline(function: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        return function()

    return Env(
        clock=trio.current_time,
        wall=lambda: 1_800_000_000.0 + trio.current_time(),
        rng=rng,
        urandom=rng.randbytes,
        run_sync=inline,
        net=network,
    )


class Peer:
    """A node and everything that it told, in order."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.told: list[events.Event] = []
        self.heard: list[str] = []  # texts, in the order in which they were shown
        self.paused = False  # while it is, events pile up and nothing is acknowledged
        self._more = trio.Event()

    async def listen_to_feed(self) -> None:
        """Take every event as it comes."""
        async for event in self.node.feed:
            self.told.append(event)
            if isinstance(event, events.MessagesReceived):
                self.heard += [message.body.text for message in event.messages if isinstance(message.body, Text)]
            self._more.set()
            self._more = trio.Event()
            while self.paused:
                await self._more.wait()

    def resume(self) -> None:
        """Go on taking events."""
        self.paused = False
        self._more.set()
        self._more = trio.Event()
        self._more = trio.Event()

    async def wait_for(self, kind: type[E], *, count: int = 1) -> E:
        """Return the `count`-th event of `kind`, once it was told."""
        with trio.fail_after(PATIENCE):
            while len(found := [event for event in self.told if isinstance(event, kind)]) < count:
                await self._more.wait()
        return found[count - 1]

    async def wait_state(self, state: str, message: UUID) -> events.StatesChanged:
        """Return the event that told that `message` has reached `state`, once it was told."""
        with trio.fail_after(PATIENCE):
            while True:
                for event in self.told:
                    if isinstance(event, events.StatesChanged) and message in getattr(event, state):
                        return event
                await self._more.wait()

    async def wait_heard(self, count: int) -> list[str]:
        """Return what was heard once it is `count` texts."""
        with trio.fail_after(PATIENCE):
            while len(self.heard) < count:
                await self._more.wait()
        return self.heard


@asynccontextmanager
async def open_peer(
    network: Network,
    *,
    seed: int = 1,
    identity: Identity | None = None,
    settings: NodeSettings | None = None,
    directory: Path | None = None,
) -> AsyncIterator[Peer]:
    """Open a node that accepts anyone (unless `settings` say otherwise) and somebody who listens to it.

    With a `directory` it keeps there what is said; without one it is a guest.
    """
    env = virtual_env(network, seed=seed)
    me = identity or Identity.from_seed(bytes([seed]) * 32)
    settings = settings or NodeSettings(accept=Accept.ANYONE)
    async with AsyncExitStack() as stack:
        store = None
        if directory is not None:
            directory.mkdir(exist_ok=True)
            store = await stack.enter_async_context(open_store(directory / "history.db", env=env))
        nursery = await stack.enter_async_context(trio.open_nursery())
        node = await stack.enter_async_context(open_node(me, env=env, settings=settings, store=store))
        peer = Peer(node)
        nursery.start_soon(peer.listen_to_feed)
        yield peer
