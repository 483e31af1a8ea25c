"""What happens here to bytes that somebody changes on the way: both sides have to refuse them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, final

import trio

from p2pchat.errors import P2PChatError
from p2pchat.testing.soundness.finding import Subject, Unsound
from p2pchat.testing.soundness.meeting import LOOPBACK, REINSTALL, SAID, Heard, opened, refused
from p2pchat.transports.base import bound_address

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.env import Net
    from p2pchat.node.node import Node

Way = Literal["there", "back"]  # from the dialer, or to it

HANDSHAKE: Final[tuple[tuple[Way, int], ...]] = (("there", 0), ("back", 0), ("there", 1))  # its three messages
WAYS: Final[tuple[Way, ...]] = ("there", "back")


@final
class Wire:
    """A relay on the way to `towards`, which can turn one bit of what passes. Afterwards nobody else gets through."""

    def __init__(self, net: Net, towards: Address) -> None:
        self.aim: tuple[Way, int] | None = None  # in which direction, and how many pieces go unchanged before
        self.turned: bool = False
        self._net = net
        self._towards = towards

    async def run(self, *, task_status: trio.TaskStatus[Address]) -> None:
        """Stand there until cancelled; starts with the address."""
        listeners = list(await self._net.listen(LOOPBACK))
        task_status.started(bound_address(listeners[0], LOOPBACK))
        await trio.serve_listeners(self._pass_on, listeners)

    async def _pass_on(self, dialed: trio.abc.Stream) -> None:
        async with dialed:
            if self.turned:
                return
            async with await self._net.connect(self._towards) as other, trio.open_nursery() as nursery:
                nursery.start_soon(self._pump, dialed, other, "there")
                nursery.start_soon(self._pump, other, dialed, "back")

    async def _pump(self, source: trio.abc.Stream, sink: trio.abc.Stream, way: Way) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while piece := await source.receive_some():
                await sink.send_all(self._passed(piece, way))
        await trio.aclose_forcefully(sink)

    def _passed(self, piece: bytes | bytearray, way: Way) -> bytes | bytearray:
        if self.aim is None or self.aim[0] != way:
            return piece
        _, more = self.aim
        if more:
            self.aim = (way, more - 1)
            return piece
        self.aim, self.turned = None, True
        changed = bytearray(piece)
        changed[len(changed) // 2] ^= 1
        return changed


async def tampering(subject: Subject) -> str:
    """Check that a handshake and a message of which one bit was turned are refused, and nothing of it is delivered."""
    for way, piece in HANDSHAKE:
        async with _two_and_a_wire(subject, Heard()) as (listener, dialer, wire, address):
            wire.aim = (way, piece)
            if not await refused(partial(dialer.dial, address), P2PChatError) or listener.sessions:
                raise Unsound("a handshake was accepted although a bit of it was changed", cure=REINSTALL)
            _must_have_turned(wire)
    for way in WAYS:
        await _tamper_with_message(subject, way)
    return "a bit turned in each message of a handshake, and in a record each way: refused, and nothing was delivered"


async def _tamper_with_message(subject: Subject, way: Way) -> None:
    heard = Heard()
    async with _two_and_a_wire(subject, heard) as (listener, dialer, wire, address):
        session = await dialer.dial(address)
        await heard.until(lambda: listener.sessions)
        if way == "back":
            session = listener.session_with(dialer.id, listener.identity)
        wire.aim = (way, 0)
        await session.send(SAID)
        await heard.until(lambda: heard.texts or heard.ends == 2)
        if heard.texts:
            raise Unsound("a message was delivered although a bit of it was changed", cure=REINSTALL)
        _must_have_turned(wire)


def _must_have_turned(wire: Wire) -> None:
    if not wire.turned:
        raise AssertionError("the link ended before anything could be changed")


@asynccontextmanager
async def _two_and_a_wire(subject: Subject, heard: Heard) -> AsyncIterator[tuple[Node, Node, Wire, Address]]:
    """Open a listener, a dialer and a wire between them; also yields where the wire is reached."""
    async with (
        opened(subject, heard=heard) as (listener, _),
        opened(subject, heard=heard) as (dialer, _),
        trio.open_nursery() as nursery,
    ):
        [towards] = await listener.listen(LOOPBACK)
        wire = Wire(subject.make_net(), towards)
        yield listener, dialer, wire, await nursery.start(wire.run)
        nursery.cancel_scope.cancel()
