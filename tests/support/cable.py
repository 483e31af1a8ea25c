"""Somebody who holds the wire between two peers and has no key: sees packets, and may do with them what it likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import trio

from p2pchat.address import Address
from p2pchat.protocol.handshake import PREFACE
from tests.support.peers import Network, Wire

LENGTH = 2  # bytes before each message of the handshake and before each record


class Packet(NamedTuple):
    """What goes over the wire in one piece: a message of the handshake or a record, with its length."""

    there: bool  # from the dialer to the listener
    number: int  # in this direction: 0 is message A or B, 1 there is message C
    data: bytes


Meddle = Callable[[Packet], Sequence[Packet]]


def pass_on(packet: Packet) -> Sequence[Packet]:
    """Do nothing to it."""
    return [packet]


class Cable:
    """The way from `at` to `towards`; `meddle` says what goes on instead of each packet, and may say nothing."""

    def __init__(self, network: Network, *, at: Address, towards: Address) -> None:
        self.seen: list[list[Packet]] = []  # of each connection, as it was sent
        self.meddle: Meddle = pass_on
        self._network = network
        self._at, self._towards = at, towards

    async def run(self, *, task_status: trio.TaskStatus[object]) -> None:
        """Carry every connection until cancelled."""
        await trio.serve_listeners(self._carry, list(await self._network.listen(self._at)), task_status=task_status)

    async def _carry(self, dialer: trio.abc.Stream) -> None:
        assert isinstance(dialer, Wire)
        seen: list[Packet] = []
        self.seen.append(seen)
        async with dialer, await self._network.connect(self._towards) as listener, trio.open_nursery() as nursery:
            ends = {False: dialer, True: listener}
            for there in ends:
                nursery.start_soon(self._carry_one_way, ends, seen, there)

    async def _carry_one_way(self, ends: dict[bool, Wire], seen: list[Packet], there: bool) -> None:  # noqa: FBT001  (a task)
        with suppress(trio.BrokenResourceError):
            buffer, number = bytearray(), 0
            while data := await ends[not there].receive_some(65536):
                buffer += data
                while packet := _take(buffer, preface=there and number == 0):
                    seen.append(Packet(there, number, packet))
                    number += 1
                    for one in self.meddle(seen[-1]):
                        await ends[one.there].send_all(one.data)
        with suppress(trio.BrokenResourceError):
            await ends[there].send_eof()


def _take(buffer: bytearray, *, preface: bool) -> bytes:
    """Take a whole packet from the start of `buffer`; b"" if there is none yet."""
    start = len(PREFACE) * preface
    body = start + LENGTH
    end = body + int.from_bytes(buffer[start:body])
    if len(buffer) < body or len(buffer) < end:
        return b""
    packet = bytes(buffer[:end])
    del buffer[:end]
    return packet
