"""Visitors with bad manners, and a host: each speaks as much of the protocol as it needs to do harm."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import trio

from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import NEED_DATA, Answer, Begin, EndOfStream, Event, HandshakeAsked, PeerProved, Reveal
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Close, Frame, Hello, Resume
from tests.support.framing import HELLO, RESUME


class Visitor:
    """A client with a handshake, and no conscience after it."""

    def __init__(self, stream: trio.abc.Stream, identity: Identity) -> None:
        self.stream = stream
        self.told: list[Event] = []
        self.connection = Connection(Role.INITIATOR, identity, entropy=os.urandom, now=0.0)

    @classmethod
    async def dial(cls, port: int, *, identity: Identity | None = None) -> Visitor:
        """Return a visitor that has connected and said nothing."""
        return cls(await trio.open_tcp_stream("127.0.0.1", port), identity or Identity.generate(os.urandom))

    async def shake_hands(self) -> None:
        """Go through the handshake."""
        await self.stream.send_all(self.connection.send(Begin(), now=0.0))
        await self.hear(lambda event: isinstance(event, PeerProved))
        await self.stream.send_all(self.connection.send(Reveal(), now=0.0))

    async def greet(self) -> None:
        """Say HELLO and RESUME, and wait until a peer that accepts us has said its own."""
        await self.say(HELLO)
        await self.hear(lambda event: isinstance(event, Hello))
        await self.say(RESUME)
        await self.hear(lambda event: isinstance(event, Resume))

    async def begin_to_greet(self) -> None:
        """Say HELLO and RESUME, and wait for the HELLO of the other side only."""
        await self.say(HELLO)
        await self.hear(lambda event: isinstance(event, Hello))
        await self.say(RESUME)

    async def greet_and_be_refused(self) -> None:
        """Greet, and wait to be told to go."""
        await self.begin_to_greet()
        closed = await self.hear(lambda event: isinstance(event, Close))
        assert closed == Close(CloseCode.NOT_AUTHORIZED)

    async def flood(self, frame: Frame, times: int) -> None:
        """Say `frame` so many times, whatever our machine thinks of it."""
        channel = self.connection._channel
        assert channel is not None
        for _ in range(times):
            sealed = channel.seal([frame])
            with suppress(trio.BrokenResourceError):
                await self.stream.send_all(sealed)

    async def say(self, *frames: Frame) -> None:
        """Send frames that our machine still lets us send."""
        await self.stream.send_all(self.connection.send(*frames, now=0.0))

    async def hear(self, wanted: Callable[[Event], bool]) -> Event:
        """Return the first event that is `wanted`.

        Raises:
          BrokenResourceError: if the other side hangs up before.
        """
        while True:
            while (event := self.connection.next_event()) is not NEED_DATA:
                self.told.append(event)
                if wanted(event):
                    return event
                if isinstance(event, EndOfStream):
                    raise trio.BrokenResourceError("the other side has hung up")
            self.connection.receive_data(await self.stream.receive_some(65536), 0.0)


class Host(Visitor):
    """Whoever is dialed, as far as the handshake; then it says what it likes."""

    def __init__(self, stream: trio.abc.Stream, identity: Identity) -> None:
        super().__init__(stream, identity)
        self.connection = Connection(Role.RESPONDER, identity, entropy=os.urandom, now=0.0)

    async def shake_hands(self) -> None:
        """Go through the handshake."""
        await self.hear(lambda event: isinstance(event, HandshakeAsked))
        await self.stream.send_all(self.connection.send(Answer(), now=0.0))
        await self.hear(lambda event: isinstance(event, PeerProved))


async def what_is_answered(stream: trio.abc.Stream) -> bytes:
    """Return all bytes until the other side hangs up."""
    heard = bytearray()
    try:
        while data := await stream.receive_some(65536):
            heard += data
    except trio.BrokenResourceError:
        pass  # reset, since it did not read all that we said
    return bytes(heard)
