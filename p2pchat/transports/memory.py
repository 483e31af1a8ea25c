"""Peers in the same process: `memory:name`. No network, no files; for the demo, tests and programs with two nodes.

Names are those of one `MemoryTransport`, so two registries never meet. Bytes wait in bounded buffers: whoever is not
read from makes its sender wait, as with sockets.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import trio

from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports import turns

if TYPE_CHECKING:
    from p2pchat.address import Address

PIPE_SIZE = 2**18  # bytes on their way in one direction; about the buffer of a Unix socket on Linux, and four records
BACKLOG = 16  # connections that wait to be accepted; further ones wait in `connect`


class MemoryTransport:
    """The `memory:` scheme."""

    scheme = "memory"

    def __init__(self) -> None:
        self._listeners: dict[str, MemoryListener] = {}

    async def connect(self, address: Address) -> MemoryStream:
        """Return a stream to whoever listens on that name; waits while too many wait there already.

        Raises:
          ConnectFailed: if nobody does, or stops doing so.
        """
        ours, theirs = _stream_pair(address)
        try:
            await self._listeners[address.rest].queue(theirs)
        except (KeyError, trio.BrokenResourceError) as exc:
            ours.close()
            raise ConnectFailed(
                f"nobody listens on {address}", hint="memory: names are known in one process only; listen there first"
            ) from exc
        return ours

    async def listen(self, address: Address) -> Sequence[MemoryListener]:
        """Return the listener of that name.

        Raises:
          ListenFailed: if there is one already.
        """
        await trio.lowlevel.checkpoint()
        if address.rest in self._listeners:
            raise ListenFailed(f"{address} is in use already", hint="choose another name")
        listener = MemoryListener(address, self._listeners)
        self._listeners[address.rest] = listener
        return [listener]


class MemoryListener(trio.abc.Listener["MemoryStream"]):
    """Accepts what `connect` queues; in `names` until it is closed."""

    def __init__(self, address: Address, names: dict[str, MemoryListener]) -> None:
        self.address = address
        self._names = names
        self._closed = False
        self._queue, self._arrivals = trio.open_memory_channel[MemoryStream](BACKLOG)

    async def queue(self, stream: MemoryStream) -> None:
        """Put `stream` in the queue; raises `BrokenResourceError` if the listener is closed before there is room."""
        await self._queue.send(stream)
        if self._closed:  # closing emptied the queue, which made room
            raise trio.BrokenResourceError

    async def accept(self) -> MemoryStream:
        """Return the next connection. Cancelled, it has taken none."""
        return await self._arrivals.receive()

    async def aclose(self) -> None:
        """Give the name back; those in the queue are cut off."""
        if not self._closed:
            self._closed = True
            del self._names[self.address.rest]
            while True:
                try:
                    self._arrivals.receive_nowait().close()
                except trio.WouldBlock:
                    break
            self._arrivals.close()
        await trio.lowlevel.checkpoint()


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of a connection; also `ReceivesInto` and `SendsNow` of `transports.base`."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe, *, remote: Address | None) -> None:
        self.remote = remote
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = turns.Turn("sending on")
        self._receiving = turns.Turn("receiving from")
        self._eof_sent = False
        self._closed = False

    def send_nowait(self, data: bytes | bytearray | memoryview) -> int:
        """Return how many bytes from the start of `data` were taken: 0 if there is no room.

        Raises:
          BrokenResourceError: if the other side is gone.
          BusyResourceError: if a task is inside `send_all`: its bytes and these would mix.
          ClosedResourceError: after `aclose` or `send_eof`.
        """
        self._sending.check()
        self._check_may_send()
        return self._outgoing.put(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`, waiting for the other side to make room. Cancelled, some of it was sent."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_may_send()
            with memoryview(data) as view:
                sent = self._outgoing.put(view)
                while sent < len(view):
                    await self._outgoing.wait_room()
                    self._check_may_send()
                    sent += self._outgoing.put(view[sent:])

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes, or until sending would fail."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_open()
            await self._outgoing.wait_room()
            self._check_open()

    async def send_eof(self) -> None:
        """Tell the other side that no more bytes come; receiving goes on. Doing it twice does no harm."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_open()
            self._eof_sent = True
            self._outgoing.end()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them; b"" is the end of the stream."""
        max_bytes = PIPE_SIZE if max_bytes is None else operator.index(max_bytes)  # a TypeError before the wait
        if max_bytes < 1:
            raise ValueError("max_bytes must be at least 1")
        await self._wait_bytes()
        return self._incoming.take(max_bytes)

    async def receive_into(self, buffer: memoryview) -> int:
        """Wait for bytes, put them at the start of `buffer`, return how many; 0 is the end of the stream."""
        if not buffer:
            raise ValueError("an empty buffer cannot tell bytes from the end of the stream")
        await self._wait_bytes()
        received = self._incoming.take(len(buffer))
        buffer[: len(received)] = received
        return len(received)

    def close(self) -> None:
        """Do what `aclose` does, at once."""
        self._closed = True
        self._outgoing.end()
        self._incoming.abandon()

    async def aclose(self) -> None:
        """Close this end: the other side still receives what was sent, and nothing it sends arrives any more."""
        self.close()
        await trio.lowlevel.checkpoint()

    async def _wait_bytes(self) -> None:
        with self._receiving:
            await trio.lowlevel.checkpoint()
            self._check_open()
            await self._incoming.wait_bytes()
            self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError("this stream was closed")

    def _check_may_send(self) -> None:
        self._check_open()
        if self._eof_sent:
            raise trio.ClosedResourceError("nothing can be sent after the end of the stream")


class _Pipe:
    """Bytes on their way in one direction. One task puts them in, one takes them out, and never do both wait."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ended = False  # nothing more comes in
        self._abandoned = False  # nothing more is taken out
        self._waiting = trio.lowlevel.ParkingLot()

    def put(self, data: bytes | bytearray | memoryview) -> int:
        """Take what there is room for from the start of `data` and return how much that was."""
        if self._abandoned:
            raise trio.BrokenResourceError("the other side closed the connection")
        taken = min(len(data), PIPE_SIZE - len(self._bytes))
        self._bytes += data[:taken]
        self._waiting.unpark_all()
        return taken

    def take(self, max_bytes: int) -> bytes:
        """Return at most `max_bytes` from the front; b"" if there are none."""
        taken = bytes(self._bytes[:max_bytes])
        del self._bytes[:max_bytes]
        self._waiting.unpark_all()
        return taken

    async def wait_room(self) -> None:
        """Wait until `put` takes something or fails."""
        while len(self._bytes) == PIPE_SIZE and not (self._ended or self._abandoned):
            await self._waiting.park()

    async def wait_bytes(self) -> None:
        """Wait until `take` has something, or never will."""
        while not (self._bytes or self._ended or self._abandoned):
            await self._waiting.park()

    def end(self) -> None:
        """Say that nothing more comes in."""
        self._ended = True
        self._waiting.unpark_all()

    def abandon(self) -> None:
        """Say that nothing more is taken out, and forget what is in there."""
        self._abandoned = True
        self._bytes.clear()
        self._waiting.unpark_all()


def _stream_pair(address: Address) -> tuple[MemoryStream, MemoryStream]:
    """Return both ends of a connection to `address`: the dialer's and the listener's."""
    there, back = _Pipe(), _Pipe()
    return MemoryStream(back, there, remote=address), MemoryStream(there, back, remote=None)
