"""Descriptors 0 and 1 as one stream to a peer, for `p2pchat stdio`.

The rules of `ui.stdio` hold: both may be shared with others (under sshd they are one socket), so nothing of them is
changed, `O_NONBLOCK` least of all.
"""

from __future__ import annotations

import operator
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

from p2pchat import errors
from p2pchat.transports import turns
from p2pchat.ui import stdio


def take_over() -> StandardStream:
    """Return descriptors 0 and 1 as a stream that nothing else can write into or take from.

    From now on 0 is empty and 1 is where 2 is, for this process and for whatever it starts: what is printed by mistake
    is read by people, and is no end of the protocol.
    """
    stream = StandardStream(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return stream


class StandardStream(trio.abc.HalfCloseableStream):
    """What comes from descriptor `source` and goes to descriptor `sink`, both of which it owns from now on."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = stdio.Input(source)
        self._sink = stdio.Output(sink)
        self._sending = turns.Turn("sending on")
        self._receiving = turns.Turn("receiving from")
        self._open = {source, sink}

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data`. Cancelled, it has written nobody knows how much."""
        with self._sending, _broken():
            await trio.lowlevel.checkpoint()
            self._check(self._sink.fd)
            await self._sink.send_all(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Return at once: how much fits can only be found out by sending."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check(self._sink.fd)

    async def send_eof(self) -> None:
        """End our output; receiving goes on. Doing it twice does no harm."""
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._check(self._source.fd)
            self._end_output()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them; b"" is the end of our input."""
        size = stdio.READ_SIZE if max_bytes is None else operator.index(max_bytes)  # a TypeError before the wait
        if size < 1:
            raise ValueError("max_bytes must be at least 1")
        with self._receiving, _broken():
            await trio.lowlevel.checkpoint()
            self._check(self._source.fd)
            return await self._source.receive_some(size)

    async def aclose(self) -> None:
        """Close both descriptors. Cancelled or not, they are closed, once."""
        self._end_output()
        self._close(self._source.fd)
        await trio.lowlevel.checkpoint()

    def _end_output(self) -> None:
        fd = self._sink.fd
        if fd in self._open and stat.S_ISSOCK(os.fstat(fd).st_mode):
            _shut(fd)
        self._close(fd)

    def _close(self, fd: int) -> None:
        if fd in self._open:
            self._open.remove(fd)
            trio.lowlevel.notify_closing(fd)
            os.close(fd)

    def _check(self, fd: int) -> None:
        if fd not in self._open:
            raise trio.ClosedResourceError("this stream was closed")


def _shut(fd: int) -> None:
    """Tell the other end of a socket that no more bytes come; closing is not enough where input has the same one."""
    with socket.socket(fileno=os.dup(fd)) as sock, suppress(OSError):  # it is gone already
        sock.shutdown(socket.SHUT_WR)


@contextmanager
def _broken() -> Iterator[None]:
    """Turn what is wrong with a descriptor into what is wrong with a stream."""
    try:
        yield
    except (errors.StdioFailed, errors.StdoutClosed, errors.TerminalGone) as exc:
        raise trio.BrokenResourceError(str(exc)) from exc
