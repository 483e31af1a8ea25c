"""Somebody in the middle of two peers, with a key of its own: it holds both ends of two real handshakes.

To the dialer it is the listener and to the listener the dialer; what one says it says to the other, changed or not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import trio

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.crypto.noise import Role
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import (
    NEED_DATA,
    Answer,
    Begin,
    EndOfStream,
    Event,
    Failed,
    HandshakeAsked,
    PeerProved,
    PingDue,
    RejectHint,
    Reveal,
    WaitingToBeLetIn,
)
from p2pchat.wire.frames import Frame, Msg
from p2pchat.wire.messages import Text, decode_body
from tests.support.entropy import seeded
from tests.support.peers import Network, Wire

NOT_SAID = (HandshakeAsked, PeerProved, RejectHint, WaitingToBeLetIn, PingDue, Failed, EndOfStream)


class Half:
    """One of the two handshakes of a `Middle`, and what is said after it."""

    def __init__(self, stream: Wire, role: Role, identity: Identity, *, seed: int) -> None:
        self.stream = stream
        self.peer: PeerId | None = None
        self.received = 0  # bytes
        self._role = role
        self._connection = Connection(role, identity, entropy=seeded(seed), now=trio.current_time())

    async def shake_hands(self) -> bool:
        """Whether the other side has gone through with it."""
        if self._role is Role.INITIATOR:
            await self._say(Begin())
        while (event := await self._next()) is not None and not isinstance(event, Failed | EndOfStream):
            if isinstance(event, HandshakeAsked):
                await self._say(Answer())
            elif isinstance(event, PeerProved):
                self.peer = event.peer
                if self._role is Role.INITIATOR:
                    await self._say(Reveal())
                return True
        return False

    async def pass_on_to(self, other: Half, *, told: Callable[[Frame], Frame]) -> None:
        """Say to `other` whatever is said here, as `told` has it, until the end."""
        while (event := await self._next()) is not None and not isinstance(event, Failed | EndOfStream):
            if not isinstance(event, NOT_SAID):
                await other._say(told(event))
        with suppress(trio.BrokenResourceError):
            await other.stream.send_eof()

    async def _say(self, said: Begin | Answer | Reveal | Frame) -> None:
        # Where it is over already, what comes next says so.
        with suppress(trio.BrokenResourceError, LocalProtocolError):
            await self.stream.send_all(self._connection.send(said, now=trio.current_time()))

    async def _next(self) -> Event | None:
        while (event := self._connection.next_event()) is NEED_DATA:
            try:
                data = await self.stream.receive_some(65536)
            except trio.BrokenResourceError:
                return None
            self.received += len(data)
            self._connection.receive_data(data, trio.current_time())
        return event


class Middle:
    """Somebody with a key who answers at `at`, dials `towards`, and stands between whoever meets there."""

    def __init__(self, network: Network, identity: Identity, *, at: Address, towards: Address) -> None:
        self.read: list[str] = []  # texts that came through, both ways
        self.met: list[PeerId] = []  # who proved to it who they are
        self.frames: Counter[str] = Counter()  # by type, both ways
        self.said_to_it: list[int] = []  # bytes of each dialer, up to the end of its handshake
        self.alter: Callable[[Frame], Frame] = lambda frame: frame
        self._network = network
        self._identity = identity
        self._at, self._towards = at, towards

    async def run(self, *, task_status: trio.TaskStatus[object]) -> None:
        """Stand there until cancelled."""
        await trio.serve_listeners(
            self._stand_between, list(await self._network.listen(self._at)), task_status=task_status
        )

    async def _stand_between(self, stream: trio.abc.Stream) -> None:
        assert isinstance(stream, Wire)
        seed = len(self._network.wires)
        dialer = Half(stream, Role.RESPONDER, self._identity, seed=2 * seed)
        async with stream:
            has_proved = await dialer.shake_hands()
            self.said_to_it.append(dialer.received)
            if not has_proved or dialer.peer is None:
                return
            self.met.append(dialer.peer)
            async with await self._network.connect(self._towards) as other:
                listener = Half(other, Role.INITIATOR, self._identity, seed=2 * seed + 1)
                await listener.shake_hands()
                async with trio.open_nursery() as nursery:
                    for one, another in ((dialer, listener), (listener, dialer)):
                        nursery.start_soon(lambda a, b: a.pass_on_to(b, told=self._read), one, another)

    def _read(self, frame: Frame) -> Frame:
        self.frames[type(frame).__name__] += 1
        if isinstance(frame, Msg):
            bodies = [decode_body(entry.kind, entry.body) for entry in frame.entries]
            self.read += [body.text for body in bodies if isinstance(body, Text)]
        return self.alter(frame)
