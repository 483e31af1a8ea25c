"""One live byte stream to a peer: a task that reads, a task that writes, and the machine between them.

The machine (`protocol/connection.py`) judges bytes; the link's *owner* (first the greeting, then the exchange) decides
what to say. All of that is synchronous: between the arrival of bytes and the queueing of the answer nothing awaits, so
wire order is machine order. Three things wait: the reader for bytes, the writer for the socket, the writer for work.

A link never raises for what the other side or the network does: it ends, and its `LinkEnd` says how.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, final

import trio

from p2pchat.protocol.events import NEED_DATA, Decision, EndOfStream, Event, Failed, PingDue
from p2pchat.transports.base import ReceivesInto, SendsNow, remote_of, user_of
from p2pchat.wire import frames
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.env import Env
    from p2pchat.protocol.connection import Connection
    from p2pchat.protocol.limits import Limits
    from p2pchat.transports.credentials import LocalUser

PIECE = 65536  # bytes given to the stream, or asked from it, at once
HANG_UP = 1.0  # seconds to wait for the other side's end of stream, so that our last words are not lost to a reset


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnd:
    """How a link ended."""

    reason: str  # for people; may hold the peer's words, so unfiltered
    code: int | None = None  # of the CLOSE, or of the violation; None: lost without a word
    clean: bool = False  # both sides said goodbye
    by_peer: bool = False  # the other side ended it
    silent: bool = False  # the handshake failed: whatever is over there, it is no p2pchat that wants to talk
    hint: bool = False  # `reason` is a reject hint, which anybody can forge
    cure: str = ""  # what people can do about it
    claim: bool = False  # a code that was claimed has failed, and that is all: both sides are what they were


class Owner(Protocol):
    """Who decides what a link says. Its methods are synchronous, and raise nothing for a peer's sake."""

    @property
    def deadline(self) -> float:
        """When `tick` wants to be called, seconds of the env's clock."""
        ...

    def tick(self, now: float) -> None:
        """Let the time be `now`; called when `deadline` has passed, and sometimes before."""

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""

    def next_frames(self) -> Sequence[frames.Frame]:
        """Return what should leave now, or nothing."""
        ...

    def go_away(self) -> None:
        """Say that this program ends, and let the link end."""

    def ended(self, end: LinkEnd) -> None:
        """Note that the link has ended; called once."""


@final
class Link:
    """A stream and its machine; `owner` has to be set before `run`."""

    owner: Owner

    def __init__(
        self,
        stream: trio.abc.Stream,
        connection: Connection,
        *,
        env: Env,
        limits: Limits,
        buffer: memoryview,
    ) -> None:
        """Join `stream` and `connection`.

        Args:
          stream: closed when the link has run.
          connection: its machine, fresh.
          env: for its clock.
          limits: how long writes may stall and last words take.
          buffer: to read into; others may use it whenever we do not.
        """
        self.connection = connection
        self.remote: Address | None = remote_of(stream)
        self.user: LocalUser | None = user_of(stream)
        self.end: LinkEnd | None = None
        self._stream = stream
        self._env = env
        self._limits = limits
        self._buffer = buffer
        self._receiver = stream if isinstance(stream, ReceivesInto) else None
        self._sender = stream if isinstance(stream, SendsNow) else None
        self._control: list[frames.Frame] = []
        self._out = bytearray()  # sealed, in wire order
        self._wake = trio.Event()  # set while the writer is awake, or will be
        self._wake.set()
        self._nap = trio.CancelScope()
        self._dispatching = False
        self._said_goodbye = False
        self._may_read = trio.Event()
        self._may_read.set()
        self._at_end_of_stream = trio.Event()

    async def run(self, *, first: Callable[[], Awaitable[None]]) -> LinkEnd:
        """Serve the link to its end and return how it ended. The stream is closed afterwards, also when cancelled.

        `first` is awaited before anything is read or sent, unless the link has ended already.
        """
        try:
            if self.end is None:  # who is turned away does not wait, and costs nothing more
                await first()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                await self._write()
                await self._hang_up()
                nursery.cancel_scope.cancel()
        finally:
            self.finish(LinkEnd(reason="this program ends"))
            with suppress(trio.BrokenResourceError):  # some streams flush when they close, and find nobody there
                await trio.aclose_forcefully(self._stream)
        assert self.end is not None  # noqa: S101  (finish has set it)
        return self.end

    @property
    def speaks(self) -> bool:
        """Whether we may still say something else than acknowledgements: it has not ended, and we said no goodbye."""
        return self.end is None and not self._said_goodbye

    # ---- what the owner may do, all of it synchronous

    def decide(self, decision: Decision) -> None:
        """Go on with the handshake."""
        self._out += self.connection.send(decision, now=self._env.clock())
        self._wake.set()
        self._dispatch()

    def say(self, *said: frames.Frame) -> None:
        """Queue frames that go before acks and messages, sealed when they leave."""
        self._control += said
        self._wake.set()

    def wake(self) -> None:
        """Let the writer ask the owner for frames."""
        self._wake.set()

    def wake_at(self, deadline: float) -> None:
        """Let the writer look at clock and owner at `deadline` (seconds of the env's clock) at the latest."""
        if deadline < self._nap.deadline:  # noqa: PLR1730  (setting it, even to itself, makes Trio queue it anew)
            self._nap.deadline = deadline

    def flush(self) -> None:
        """Send what the owner has, at once if the writer sleeps: no task switch, no waiting, no cancellation.

        That is for a single message. Of many in a row the writer makes few records, so `wake` is better for them.
        """
        if not self._wake.is_set():
            self._fill()
            self._send_now()
            if self._out:
                self._wake.set()

    def close(self, code: CloseCode, reason: str = "", *, cure: str = "", claim: bool = False) -> None:
        """Say CLOSE, after what was queued. NORMAL and GOING_AWAY leave the link reading; any other code ends it."""
        if self.end is None:
            self._seal([*self._control, frames.Close(code)])
            self._control.clear()
            self._said_goodbye = True
            self._wake.set()
            if not code.is_goodbye:
                self.finish(LinkEnd(reason=reason, code=code, cure=cure, claim=claim))

    def refuse(self, reason: str, *, cure: str = "") -> None:
        """End the link for `reason`, which only we learn; a peer that knows who we are is told that it is refused."""
        if self.connection.binding:
            self.close(CloseCode.NOT_AUTHORIZED, reason, cure=cure)
        else:
            self.finish(LinkEnd(reason=reason, code=CloseCode.NOT_AUTHORIZED, cure=cure))

    def finish(self, end: LinkEnd) -> None:
        """End the link, once; what is sealed still leaves if it can do so within `Limits.last_close` seconds."""
        if self.end is None:
            self.end = end
            self.owner.ended(end)
            self._may_read.set()
            self._wake.set()

    def pause_reading(self) -> None:
        """Read nothing more until `go_on_reading`: the peer has filled what it was offered."""
        if self._may_read.is_set():
            self._may_read = trio.Event()

    def go_on_reading(self) -> None:
        """Undo `pause_reading`."""
        self._may_read.set()

    # ---- the reader

    async def _read(self) -> None:
        while True:
            data = await self._receive()
            if self.end is None:
                self.connection.receive_data(data, now=self._env.clock())
                self._dispatch()
                self.wake_at(self.connection.deadline)
            if not data:
                break
            if not self._may_read.is_set():  # to receive is a checkpoint, one is enough
                await self._may_read.wait()
        self._at_end_of_stream.set()

    async def _receive(self) -> memoryview | bytes | bytearray:
        """Return the next bytes, valid until the next await; none at the end of the stream, however it came about."""
        try:
            if self._receiver is None:
                return await self._stream.receive_some(PIECE)
            return self._buffer[: await self._receiver.receive_into(self._buffer)]
        except trio.BrokenResourceError:
            return b""

    def _dispatch(self) -> None:
        if self._dispatching:
            return  # whoever dispatches already gets to the new events too
        self._dispatching = True
        try:
            while self.end is None and (event := self.connection.next_event()) is not NEED_DATA:
                self._handle(event)
        finally:
            self._dispatching = False

    def _handle(self, event: Event) -> None:
        match event:
            case frames.Ping(n=n):
                self._control = [frame for frame in self._control if type(frame) is not frames.Pong]
                self.say(frames.Pong(n))  # only the newest has to be answered (3.1)
            case PingDue(n=n):
                self.say(frames.Ping(n))
            case Failed(code=code, detail=detail, silent=silent):
                self._out += self.connection.send(frames.Close(code), now=self._env.clock())
                self.finish(LinkEnd(reason=detail, code=code, silent=silent))
            case EndOfStream(clean=False):
                self.finish(LinkEnd(reason="connection lost"))
            case _:
                self.owner.handle(event)

    # ---- the writer

    async def _write(self) -> None:
        """Send until the link has ended and nothing is left to send."""
        while True:
            if self.end is None:
                self._fill()
            if self._out:
                if not await self._send():
                    return
            elif self.end is not None:
                return
            else:
                await self._doze()

    def _fill(self) -> None:
        """Seal the control frames and what the owner has."""
        ready = [*self._control, *self.owner.next_frames()]
        self._control.clear()
        self._seal(ready)

    def _seal(self, ready: Sequence[frames.Frame]) -> None:
        if not ready:
            return
        if self.connection.our_hello is None:
            self._out += self.connection.send(*ready, now=self._env.clock())
        else:
            self._out += self.connection.send_frames(ready)

    def _send_now(self) -> None:
        """Send of what is sealed as much as the stream takes without waiting."""
        if self._sender is not None:
            try:
                del self._out[: self._sender.send_nowait(self._out)]
            except trio.BrokenResourceError:
                return  # `_send` meets it too, and has the time to see what it means

    async def _send(self) -> bool:
        """Send what is sealed; False if nothing can be sent any more."""
        self._send_now()
        data, self._out = memoryview(self._out), bytearray()
        try:
            for start in range(0, len(data), PIECE):
                limit = self._limits.write_stall if self.end is None else self._limits.last_close
                with trio.move_on_after(limit) as scope:
                    await self._stream.send_all(data[start : start + PIECE])
                if scope.cancelled_caught:
                    self.finish(LinkEnd(reason="connection lost: the other side stopped reading"))
                    return False
        except trio.BrokenResourceError:
            # What the peer said last may still be unread, and says more than a write that failed.
            with trio.move_on_after(self._limits.last_close):
                await self._at_end_of_stream.wait()
            self.finish(LinkEnd(reason="connection lost"))
            return False
        return True

    async def _doze(self) -> None:
        """Wait until woken, or until the machine or the owner wants to look at the clock."""
        self._wake = trio.Event()
        with trio.CancelScope(deadline=min(self.connection.deadline, self.owner.deadline)) as self._nap:
            await self._wake.wait()
        self._wake.set()  # the writer is awake: an inline send would get in between
        now = self._env.clock()
        if now >= self.connection.deadline:
            self.connection.tick(now)
            self._dispatch()
        if self.end is None and now >= self.owner.deadline:
            self.owner.tick(now)

    async def _hang_up(self) -> None:
        """Let the other side read our last words: a socket that is closed with unread bytes in it is reset."""
        if self.end is None or self.end.silent or self._at_end_of_stream.is_set():
            return
        with trio.move_on_after(HANG_UP):
            if isinstance(self._stream, trio.abc.HalfCloseableStream):
                try:
                    await self._stream.send_eof()
                except trio.BrokenResourceError:
                    return
            await self._at_end_of_stream.wait()
