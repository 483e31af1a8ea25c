"""The transport of a plug-in, as somebody else would write it: `toy:name`, Trio's own streams over socket pairs.

Beside it lies what an installer leaves for a distribution: `entry_points.txt` is all that p2pchat needs to find it.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed


class ToyTransport:
    scheme = "toy"

    def __init__(self) -> None:
        self.listeners: dict[str, ToyListener] = {}

    async def connect(self, address: Address) -> trio.SocketStream:
        await trio.lowlevel.checkpoint()
        if address.rest not in self.listeners:
            raise ConnectFailed(f"nobody plays at {address}", hint="bring a friend")
        ours, theirs = (trio.SocketStream(end) for end in trio.socket.socketpair())
        self.listeners[address.rest].arrivals.send_nowait(theirs)
        return ours

    async def listen(self, address: Address) -> Sequence[ToyListener]:
        await trio.lowlevel.checkpoint()
        if address.rest in self.listeners:
            raise ListenFailed(f"somebody plays at {address}", hint="join them")
        self.listeners[address.rest] = ToyListener(self.listeners, address.rest)
        return [self.listeners[address.rest]]


class ToyListener(trio.abc.Listener[trio.SocketStream]):
    def __init__(self, listeners: dict[str, ToyListener], name: str) -> None:
        self.listeners = listeners
        self.name = name
        self.arrivals, self.queue = trio.open_memory_channel[trio.SocketStream](10)

    async def accept(self) -> trio.SocketStream:
        return await self.queue.receive()

    async def aclose(self) -> None:
        if self.listeners.get(self.name) is self:
            del self.listeners[self.name]
        await self.queue.aclose()
