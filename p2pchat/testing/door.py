"""An address that is listened on, and what the checks of a transport say when a promise is broken."""

from __future__ import annotations

import reprlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import trio

from p2pchat.transports import base

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.env import Net

E = TypeVar("E", bound=BaseException)


class Door:
    """An address that is listened on."""

    def __init__(self, net: Net, address: Address, listeners: Sequence[trio.abc.Listener[trio.abc.Stream]]) -> None:
        self.address: Address = base.bound_address(listeners[0], address)
        self.listeners = listeners
        self._net = net

    async def connect(self) -> trio.abc.Stream:
        """Return the dialer's end of a new connection."""
        return await self._net.connect(self.address)

    async def accept(self) -> trio.abc.Stream:
        """Return the next connection, whichever of the listeners it comes to."""
        accepted: list[trio.abc.Stream] = []

        async def accept(listener: trio.abc.Listener[trio.abc.Stream]) -> None:
            accepted.append(await listener.accept())
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for listener in self.listeners:
                nursery.start_soon(accept, listener)
        return accepted[0]

    async def pair(self) -> tuple[trio.abc.Stream, trio.abc.Stream]:
        """Return both ends of a new connection, the dialer's first."""
        dialed: list[trio.abc.Stream] = []

        async def connect() -> None:
            dialed.append(await self.connect())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(connect)
            accepted = await self.accept()
        return dialed[0], accepted


@asynccontextmanager
async def open_door(net: Net, address: Address) -> AsyncIterator[Door]:
    """Listen on `address` for as long as the context lasts."""
    listeners = await net.listen(address)
    try:
        yield Door(net, address, listeners)
    finally:
        for listener in listeners:
            await trio.aclose_forcefully(listener)


def expect(kept: object, otherwise: str) -> None:
    """Say `otherwise` unless a promise was `kept`; an `assert` that `python -O` leaves in."""
    if not kept:
        raise AssertionError(otherwise)


def expect_same(got: object, wanted: object) -> None:
    """Say what was got unless it is what was `wanted`."""
    expect(got == wanted, f"got {reprlib.repr(got)} instead of {reprlib.repr(wanted)}")


async def failure_of(error: type[E], attempt: Awaitable[object]) -> E:
    """Return the error that `attempt` raises, which has to be an `error`."""
    try:
        await attempt
    except error as exc:
        return exc
    raise AssertionError(f"{error.__name__} was not raised")


async def receive_exactly(stream: trio.abc.ReceiveStream, count: int) -> bytes:
    """Return the next `count` bytes; fewer if the stream ends before."""
    received = bytearray()
    while len(received) < count and (data := await stream.receive_some(count - len(received))):
        received += data
    return bytes(received)
