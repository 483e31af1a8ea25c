"""Streams and listeners over connected sockets of the system; tcp and unix make the sockets.

Trio's own `SocketStream` cannot fill a buffer of ours or send without a task switch, and it is final. This one does
both on a plain socket and keeps every other promise. The listener has Trio's inside, which knows all that `accept` can
say.
"""

from __future__ import annotations

import errno
import operator
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import trio

from p2pchat.transports import turns

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.transports.credentials import LocalUser

# Never more in one recv: from 128 KiB on the C library maps and unmaps the buffer each time, which costs seven times
# as much as the call itself.
MAX_RECEIVE = 65536

_CLOSED_ERRNOS = frozenset({errno.EBADF, errno.ENOTSOCK})  # ENOTSOCK: Windows

A = TypeVar("A")
R = TypeVar("R")


class SocketStream(trio.abc.HalfCloseableStream):
    """A stream over `sock`, which it owns from now on; also `ReceivesInto` and `SendsNow` of `transports.base`.

    Args:
      sock: connected, of type SOCK_STREAM.
      remote: where the other end is, if it has an address.
      user: whose process the other end is, if it is one of this machine and the system tells.
    """

    def __init__(self, sock: socket.socket, *, remote: Address | None = None, user: LocalUser | None = None) -> None:
        sock.settimeout(0)
        self.remote = remote
        self.user = user
        self._socket = sock
        self._sending = turns.Turn("sending on")
        self._eof_sent = False

    def send_nowait(self, data: bytes | bytearray | memoryview) -> int:
        """Return how many bytes from the start of `data` the system took: 0 if it has no room.

        Raises:
          BrokenResourceError: if the other side is gone.
          BusyResourceError: if a task is inside `send_all`: its bytes and these would mix.
          ClosedResourceError: after `aclose` or `send_eof`.
        """
        self._sending.check()
        self._check_may_send()
        return self._send(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`. Cancelled, it has sent nobody knows how much."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_may_send()
            with memoryview(data) as view:
                sent = self._send(view) if view else 0
                while sent < len(view):
                    await trio.lowlevel.wait_writable(self._socket)
                    sent += self._send(view[sent:])

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes, or until sending would fail."""
        with self._sending:
            self._check_open()
            await trio.lowlevel.wait_writable(self._socket)

    async def send_eof(self) -> None:
        """Tell the other side that no more bytes come; receiving goes on. Doing it twice does no harm."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check_open()
            if not self._eof_sent:
                self._eof_sent = True
                try:
                    self._socket.shutdown(socket.SHUT_WR)
                except OSError as exc:
                    raise _stream_error(exc) from exc

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them; b"" is the end of the stream."""
        max_bytes = MAX_RECEIVE if max_bytes is None else operator.index(max_bytes)  # a TypeError before the wait
        if max_bytes < 1:
            raise ValueError("max_bytes must be at least 1")
        return await self._receive(self._socket.recv, min(max_bytes, MAX_RECEIVE))

    async def receive_into(self, buffer: memoryview) -> int:
        """Wait for bytes, put them at the start of `buffer`, return how many; 0 is the end of the stream."""
        if not buffer:
            raise ValueError("an empty buffer cannot tell bytes from the end of the stream")
        return await self._receive(self._socket.recv_into, buffer)

    async def aclose(self) -> None:
        """Close the socket, whatever was not received or sent. Cancelled or not, it is closed, once."""
        if self._socket.fileno() != -1:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
        await trio.lowlevel.checkpoint()

    async def _receive(self, receive: Callable[[A], R], argument: A) -> R:
        while True:
            self._check_open()
            await trio.lowlevel.wait_readable(self._socket)  # tells a second receiver that the stream is busy
            try:
                return receive(argument)
            except BlockingIOError:
                continue  # readable was a hint: the segment may have had a wrong checksum (select(2), BUGS)
            except OSError as exc:
                raise _stream_error(exc) from exc

    def _send(self, data: bytes | bytearray | memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as exc:
            raise _stream_error(exc) from exc

    def _check_open(self) -> None:
        if self._socket.fileno() == -1:
            raise trio.ClosedResourceError("this stream was closed")

    def _check_may_send(self) -> None:
        self._check_open()
        if self._eof_sent:
            raise trio.ClosedResourceError("nothing can be sent after the end of the stream")


class SocketListener(trio.abc.Listener[SocketStream]):
    """Accepts connections on `sock`, which it owns from now on.

    `accept` goes past connections that died in the queue. When the process has no descriptors left it raises `OSError`
    (EMFILE, ENFILE, ENOBUFS, ENOMEM) and stays usable: `trio.serve_listeners` waits a little and tries again.

    Args:
      sock: bound and listening, of type SOCK_STREAM.
      address: what reaches it.
      greet: makes the stream of an accepted socket, or closes that socket and returns None to turn it away.
    """

    def __init__(
        self, sock: socket.socket, address: Address, *, greet: Callable[[socket.socket], SocketStream | None]
    ) -> None:
        self.address = address
        self._listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        self._greet = greet

    async def accept(self) -> SocketStream:
        """Return the next connection that is welcome. Cancelled, it has taken none."""
        while True:
            stream = self._greet(detach(await self._listener.accept()))
            if stream is not None:
                return stream

    async def aclose(self) -> None:
        """Stop listening; those in the queue are cut off."""
        await self._listener.aclose()


def detach(stream: trio.SocketStream) -> socket.socket:
    """Return the socket of `stream`, which is an empty shell from now on."""
    sock = stream.socket
    return socket.socket(sock.family, sock.type, sock.proto, fileno=sock.detach())


def _stream_error(exc: OSError) -> trio.ClosedResourceError | trio.BrokenResourceError:
    if exc.errno in _CLOSED_ERRNOS:
        return trio.ClosedResourceError("this stream was closed")
    return trio.BrokenResourceError(f"the connection broke: {exc.strerror}")
