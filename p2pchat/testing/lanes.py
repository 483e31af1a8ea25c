"""Bytes on their way through a simulated network: lanes (one direction each), and the streams at their ends.

A lane delivers what is put into it in order, in pieces of its own choosing, each at its own time. It holds a bounded
number of bytes, it can be clogged for a while or for ever, and it ends like TCP: with an end of stream, with a reset
that comes after what was sent before, or with nothing at all.

Times lie on a grid of one millisecond. With continuous delays no two tasks are ever ready at once, and then the order
in which a seed wakes them decides nothing; ties are where the races are.
"""

from __future__ import annotations

import math
import operator
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import trio

from p2pchat.transports import turns

if TYPE_CHECKING:
    import random

    from p2pchat.address import Address

GRID = 1000  # points in a second
BUFFER = 2**16  # bytes that are sent and not received; small, so that senders do wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast and how evenly a direction delivers."""

    latency: float = 0.001  # seconds for one byte at the least
    jitter: float = 0.0  # seconds on top, at most, for each piece
    bandwidth: float = math.inf  # bytes per second
    splits: float = 0.0  # how likely a piece arrives in two
    buffer: int = BUFFER


class End(Enum):
    """How a lane ends for its receiver."""

    EOF = "end of stream"
    RESET = "connection reset"


def on_grid(seconds: float) -> float:
    """Return the first point of the grid that is not before `seconds`."""
    return math.ceil(seconds * GRID - 1e-6) / GRID


class Lane:
    """One direction of a connection. One task puts bytes in, one takes them out; faults come from anywhere."""

    def __init__(self, clock: Callable[[], float], dice: random.Random, pace: Pace) -> None:
        self.passed: int = 0  # bytes that were ever put in
        self.cut_after: float = math.inf  # bytes; the one after them makes `on_cut` be called, and is lost
        self.on_cut: Callable[[], object] = lambda: None
        self.on_bytes: Callable[[Lane, bytes], object] = lambda lane, data: None  # noqa: ARG005  (all that travels)
        self.pace = pace
        self._clock = clock
        self._dice = dice
        self._pieces: deque[tuple[float, memoryview]] = deque()  # each with its time of arrival
        self._room = pace.buffer
        self._newest = 0.0  # when the last piece arrives
        self.held_until: float = 0.0  # nothing arrives before
        self._end: tuple[float, End] | None = None  # when and how it ends, after the last piece
        self._abandoned = False  # nobody receives
        self._refuses_at = math.inf  # when the sender learns of it
        self._waiting = trio.lowlevel.ParkingLot()

    # ---- the sender's side

    def put(self, data: bytes | bytearray | memoryview) -> int:
        """Take what there is room for from the start of `data` and return how much that was.

        Raises:
          BrokenResourceError: if nobody receives it, and word of that is back.
        """
        if self._clock() >= self._refuses_at:
            raise trio.BrokenResourceError("the other side is gone")
        if self._end is not None:
            return len(data)  # lost, and nobody knows yet
        taken = min(len(data), self._room) if self._has_room else 0
        self.passed += taken
        cut = self.passed > self.cut_after
        kept = taken - int(self.passed - self.cut_after) if cut else taken
        travels = bytes(data[:kept])
        self._enqueue(memoryview(travels))
        self.on_bytes(self, travels)
        if cut:
            self.cut_after = math.inf
            self.on_cut()
        return taken

    async def wait_room(self) -> None:
        """Wait until `put` takes something, or raises."""
        while not self._has_room and self._clock() < self._refuses_at and self._end is None:
            with trio.CancelScope(deadline=self._refuses_at):
                await self._waiting.park()

    @property
    def _has_room(self) -> bool:
        """Whether sending is worth while: like TCP, a full lane opens again when a good part of it is free."""
        return self._room >= self.pace.buffer // 4

    def finish(self, end: End) -> None:
        """Let the lane end after what is in it. What is put in from now on is lost; only the first end counts."""
        if self._end is None:
            self._end = self._arrival(0), end
            self._waiting.unpark_all()

    # ---- the receiver's side

    async def wait_bytes(self) -> None:
        """Wait until `take` has something to say, or until this end is closed."""
        while (due := self._due()) > self._clock():
            with trio.CancelScope(deadline=due):
                await self._waiting.park()

    def take(self, max_bytes: int) -> bytes:
        """Return at most `max_bytes` that have arrived; b"" is the end of the stream.

        Raises:
          BrokenResourceError: if the connection was reset.
        """
        now, taken = self._clock(), bytearray()
        while self._pieces and len(taken) < max_bytes and max(self._pieces[0][0], self.held_until) <= now:
            arrived, piece = self._pieces.popleft()
            wanted = max_bytes - len(taken)
            taken += piece[:wanted]
            if len(piece) > wanted:
                self._pieces.appendleft((arrived, piece[wanted:]))
        if taken:
            self._room += len(taken)
            self._waiting.unpark_all()
        elif self._end is not None and self._end[1] is End.RESET:
            raise trio.BrokenResourceError("connection reset")
        return bytes(taken)

    @property
    def unread(self) -> int:
        """Bytes that were put in and not taken out."""
        return sum(len(piece) for _, piece in self._pieces)

    def abandon(self) -> None:
        """Receive nothing more; the sender learns of it one latency later."""
        self._pieces.clear()
        self._abandoned = True
        self.refuse_after(self.pace.latency)

    # ---- what networks do

    def hold(self, until: float) -> None:
        """Let nothing arrive before `until`; infinity is a black hole, and an earlier time than now heals it."""
        self.held_until = until
        self._waiting.unpark_all()

    def stall(self, until: float) -> None:
        """Let what is put in from now on arrive after `until`, as if it were sent then."""
        self._newest = max(self._newest, on_grid(until))

    def refuse_after(self, seconds: float) -> None:
        """Break the sender's side in `seconds`."""
        self._refuses_at = min(self._refuses_at, on_grid(self._clock() + seconds))
        self._waiting.unpark_all()

    def lose_all_but(self, count: int) -> None:
        """Lose what is under way but for the first `count` bytes, as the death of a machine does."""
        kept: deque[tuple[float, memoryview]] = deque()
        for arrival, piece in self._pieces:
            if count > 0:
                kept.append((arrival, piece[:count]))
                count -= len(piece)
        self._pieces = kept

    def _enqueue(self, data: memoryview) -> None:
        self._room -= len(data)
        if len(data) > 1 and self._dice.random() < self.pace.splits:
            first = self._dice.randint(1, len(data) - 1)
            self._pieces.append((self._arrival(first), data[:first]))
            data = data[first:]
        if data:
            self._pieces.append((self._arrival(len(data)), data))
        self._waiting.unpark_all()

    def _arrival(self, size: int) -> float:
        """Return when the next piece, of `size` bytes, arrives: never before the ones that were sent before it."""
        delay = self.pace.latency + size / self.pace.bandwidth
        if self.pace.jitter:
            delay += self._dice.random() * self.pace.jitter
        self._newest = max(self._newest + size / self.pace.bandwidth, on_grid(self._clock() + delay))
        return self._newest

    def _due(self) -> float:
        """Return when waiting for bytes is over, as far as is known now."""
        if self._abandoned:
            return -math.inf
        if self._pieces:
            return max(self._pieces[0][0], self.held_until)
        return math.inf if self._end is None else max(self._end[0], self.held_until)


class SimStream(trio.abc.HalfCloseableStream):
    """One end of a simulated connection; also `ReceivesInto` and `SendsNow` of `transports.base`."""

    def __init__(self, incoming: Lane, outgoing: Lane, *, remote: Address | None) -> None:
        self.remote = remote
        self.incoming = incoming
        self.outgoing = outgoing
        self._sending = turns.Turn("sending on")
        self._receiving = turns.Turn("receiving from")
        self._eof_sent = False
        self._closed = False
        self._dead = False
        self.on_gone: Callable[[], object] = lambda: None
        self.on_sent: Callable[[int], object] = lambda count: None  # noqa: ARG005  (how many bytes have left)

    @property
    def gone(self) -> bool:
        """Whether nobody holds this end any more."""
        return self._closed or self._dead

    def die(self) -> None:
        """Be the descriptor of a process that is no more: nothing happens on this end, whoever still tries."""
        self._dead = True
        self.on_gone()

    def send_nowait(self, data: bytes | bytearray | memoryview) -> int:
        """Return how many bytes from the start of `data` were taken: 0 if there is no room.

        Raises:
          BrokenResourceError: if the other side is gone.
          BusyResourceError: if a task is inside `send_all`: its bytes and these would mix.
          ClosedResourceError: after `aclose` or `send_eof`.
        """
        self._sending.check()
        self._check_may_send()
        return 0 if self._dead else self._put(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`, waiting for the other side to make room. Cancelled, some of it was sent."""
        with self._sending:
            await self._checkpoint()
            self._check_may_send()
            with memoryview(data) as view:
                sent = self._put(view)
                while sent < len(view):
                    await self.outgoing.wait_room()
                    await self._stay_dead()
                    self._check_may_send()
                    sent += self._put(view[sent:])

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes, or until sending would fail."""
        with self._sending:
            await self._checkpoint()
            self._check_open()
            await self.outgoing.wait_room()
            self._check_open()

    async def send_eof(self) -> None:
        """Tell the other side that no more bytes come; receiving goes on. Doing it twice does no harm."""
        with self._sending:
            await self._checkpoint()
            self._check_open()
            self._eof_sent = True
            self.outgoing.finish(End.EOF)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them; b"" is the end of the stream."""
        max_bytes = BUFFER if max_bytes is None else operator.index(max_bytes)  # a TypeError before the wait
        if max_bytes < 1:
            raise ValueError("max_bytes must be at least 1")
        await self._wait_bytes()
        return self.incoming.take(max_bytes)

    async def receive_into(self, buffer: memoryview) -> int:
        """Wait for bytes, put them at the start of `buffer`, return how many; 0 is the end of the stream."""
        if not buffer:
            raise ValueError("an empty buffer cannot tell bytes from the end of the stream")
        await self._wait_bytes()
        received = self.incoming.take(len(buffer))
        buffer[: len(received)] = received
        return len(received)

    def close(self) -> None:
        """Do what `aclose` does, at once. Like a socket, a stream that is closed with unread bytes is reset."""
        if not (self._closed or self._dead):
            self.outgoing.finish(End.RESET if self.incoming.unread else End.EOF)
            self.incoming.abandon()
        self._closed = True
        self.on_gone()

    async def aclose(self) -> None:
        """Close this end: the other side still receives what was sent, and nothing it sends arrives any more."""
        self.close()
        await trio.lowlevel.checkpoint()

    def _put(self, data: bytes | bytearray | memoryview) -> int:
        if count := self.outgoing.put(data):
            self.on_sent(count)
        return count

    async def _wait_bytes(self) -> None:
        with self._receiving:
            await self._checkpoint()
            self._check_open()
            await self.incoming.wait_bytes()
            await self._stay_dead()
            self._check_open()

    async def _checkpoint(self) -> None:
        await trio.lowlevel.checkpoint()
        await self._stay_dead()

    async def _stay_dead(self) -> None:
        if self._dead:
            await trio.sleep_forever()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this stream was closed")

    def _check_may_send(self) -> None:
        self._check_open()
        if self._eof_sent:
            raise trio.ClosedResourceError("nothing can be sent after the end of the stream")
