"""One live byte stream to a peer: a task that reads, a task that writes, and the machine between them.

The machine (`protocol.connection`) judges bytes; the link's *owner* (first the greeting, then the session) decides what to
say. All of that is synchronous: between the arrival of bytes and the queueing of the answer nothing awaits, so wire order
is machine order. Only three places wait: the reader for bytes, the writer for the socket, the writer for something to do.

A link never raises for what the other side or the network does: it ends, and `end` says how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import trio

from p2pchat.protocol.connection import NEED_DATA
from p2pchat.protocol.events import EndOfStream, Failed, PingDue
from p2pchat.wire import frames
from p2pchat.wire.frames import CloseCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from p2pchat.address import Address
    from p2pchat.env import Env
    from p2pchat.node.stream import Bytes
    from p2pchat.protocol.connection import Connection
    from p2pchat.protocol.events import Event, Sendable

STALLED_AFTER = 30.0  # seconds in which the peer took none of `PIECE`: shut (docs/protocol.md 4.3)
LAST_CLOSE = 5.0  # seconds for our last CLOSE to leave
PIECE = 65536  # bytes handed to the stream at once, so that "no progress" is judged on a slow line too
INLINE_PAUSE = 30e-6  # seconds; sends that follow each other faster are left to the writer, which makes one record of them


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnd:
    """How a link ended. `clean` only if both sides had said goodbye; `code` is the CLOSE that ended it, if any did."""

    reason: str
    code: int | None = None
    clean: bool = False
    by_peer: bool = False
    silent: bool = False  # the handshake failed: whatever is over there, it is no p2pchat that wants to talk


class Owner(Protocol):
    """Who decides what a link says. Every method is synchronous and must not raise for a peer's sake."""

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""

    def next_frames(self) -> Sequence[frames.Frame]:
        """Return what should leave now (acks, then messages), or nothing."""

    def ended(self, end: LinkEnd) -> None:
        """Note that the link has ended; called once."""


class Link:
    """A stream and its machine, run by `run`."""

    def __init__(self, stream: Bytes, connection: Connection, *, env: Env, remote: Address | None) -> None:
        self.connection = connection
        self.remote = remote
        self.end: LinkEnd | None = None
        self.owner: Owner
        self._stream = stream
        self._env = env
        self._control: list[frames.Frame] = []
        self._out = bytearray()  # sealed, in wire order
        self._wake = trio.Event()
        self._nap = trio.CancelScope()
        self._sending = False
        self._sent_inline_at = float("-inf")
        self._resume_reading: Callable[[], Awaitable[None]] | None = None

    async def run(self) -> None:
        """Serve the link until it has ended; expected failures are in `end`, only bugs and cancellation come out."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read)
                await self._write()
                nursery.cancel_scope.cancel()
        finally:
            self.finish(LinkEnd(reason="cancelled"))
            await trio.aclose_forcefully(self._stream)

    # ---- what the owner may do, all of it synchronous

    def send(self, *events: Sendable) -> None:
        """Let the machine say `events` and queue its bytes; for handshake steps and CLOSE."""
        self._out += self.connection.send(*events, now=self._env.clock())
        self._wake.set()

    def control(self, frame: frames.Frame) -> None:
        """Queue a small frame that goes before acks and messages."""
        self._control.append(frame)
        self._wake.set()

    def wake(self) -> None:
        """Tell the writer that the owner has frames."""
        self._wake.set()

    def wake_at(self, deadline: float) -> None:
        """Make sure that the writer looks for frames at `deadline` (seconds of the env's clock) at the latest."""
        if deadline < self._nap.deadline:
            self._nap.deadline = deadline

    def flush(self) -> None:
        """Send what the owner has, at once if the line is idle: no task switch, no wait, no cancellation point.

        Sends in quick succession are left to the writer, which packs them into few records.
        """
        if self._wake.is_set() or self._sending or self._out:
            self._wake.set()
            return
        now = self._env.clock()
        if now - self._sent_inline_at < INLINE_PAUSE:
            self._wake.set()
            return
        self._sent_inline_at = now
        self._fill()
        if self._out:
            try:
                sent = self._stream.send_nowait(self._out)
            except trio.BrokenResourceError:
                sent = 0  # the writer will meet the same error and say so
            del self._out[:sent]
            if self._out:
                self._wake.set()

    def close(self, code: CloseCode, reason: str = "") -> None:
        """Say CLOSE. NORMAL and GOING_AWAY leave the link reading; any other code ends it once the bytes are out."""
        if self.end is None:
            self.send(frames.Close(code, reason))
            if code not in (CloseCode.NORMAL, CloseCode.GOING_AWAY):
                self.finish(LinkEnd(reason=reason or code.name.lower().replace("_", " "), code=code))

    def fail(self, code: CloseCode, reason: str) -> None:
        """End the link because of what the other side did; it learns the code and nothing more."""
        if self.end is None:
            self._out += self.connection.send(frames.Close(code), now=self._env.clock())
            self.finish(LinkEnd(reason=reason, code=code))

    def finish(self, end: LinkEnd) -> None:
        """End the link, once; what is queued still leaves, within `LAST_CLOSE` seconds."""
        if self.end is None:
            self.end = end
            self.owner.ended(end)
            self._wake.set()

    # ---- the reader

    async def _read(self) -> None:
        while self.end is None:
            try:
                data = await self._stream.receive()
            except trio.BrokenResourceError:
                data = memoryview(b"")
            self.connection.receive_data(data, self._env.clock())
            self._dispatch()
            if not data:
                return
            if self._resume_reading is not None:
                await self._resume_reading()
                self._resume_reading = None

    def pause_reading(self, until: Callable[[], Awaitable[None]]) -> None:
        """Read nothing more before `until` returns; for an owner whose listener is a whole window behind."""
        self._resume_reading = until

    def _dispatch(self) -> None:
        while self.end is None and (event := self.connection.next_event()) is not NEED_DATA:
            match event:
                case frames.Ping(n=n):
                    self._control = [f for f in self._control if type(f) is not frames.Pong]  # only the newest (3.1)
                    self.control(frames.Pong(n))
                case PingDue(n=n):
                    self.control(frames.Ping(n))
                case Failed(code=code, detail=detail, silent=silent):
                    if not silent:
                        self._out += self.connection.send(frames.Close(code), now=self._env.clock())
                    self.finish(LinkEnd(reason=detail, code=code, silent=silent))
                case EndOfStream(clean=clean):
                    self.finish(LinkEnd(reason="ended" if clean else "connection lost", clean=clean, by_peer=True))
                case _:
                    self.owner.handle(event)

    # ---- the writer

    async def _write(self) -> None:
        while True:
            if self.end is None:
                self._fill()
            if self._out:
                if not await self._send_all():
                    return
            elif self.end is not None:
                return
            else:
                await self._doze()

    def _fill(self) -> None:
        """Move the control frames and what the owner has into sealed bytes."""
        ready = [*self._control, *self.owner.next_frames()]
        self._control.clear()
        if ready:
            self._out += self.connection.send_frames(ready)

    async def _send_all(self) -> bool:
        """Send what is sealed; False if the link is over. Nothing else writes to the stream meanwhile."""
        data, self._out = self._out, bytearray()
        view = memoryview(data)
        self._sending = True
        limit = STALLED_AFTER if self.end is None else LAST_CLOSE
        try:
            for start in range(0, len(view), PIECE):
                with trio.move_on_after(limit) as scope:
                    await self._stream.send_all(view[start : start + PIECE])
                if scope.cancelled_caught:
                    self.finish(LinkEnd(reason="the other side stopped reading"))
                    return False
        except trio.BrokenResourceError:
            # The reader may still find the peer's last words in the socket; they say more than a failed write.
            with trio.move_on_after(LAST_CLOSE):
                await self._stop_sending()
            self.finish(LinkEnd(reason="connection lost"))
            return False
        finally:
            self._sending = False
        return True

    async def _stop_sending(self) -> None:
        while self.end is None:
            self._wake = trio.Event()
            await self._wake.wait()

    async def _doze(self) -> None:
        """Wait until woken, or until the machine or the owner wants a look at the clock."""
        self._wake = trio.Event()
        with trio.CancelScope(deadline=self.connection.deadline) as self._nap:
            await self._wake.wait()
        if self._nap.cancelled_caught:
            self._wake.set()  # an inline send must not slip in before the frames that are due
            self.connection.tick(self._env.clock())
            self._dispatch()
