"""Bare Trio: its socket streams with as little on top as the work allows, nothing encrypted, nothing acknowledged."""

from __future__ import annotations

import struct
import time
from collections.abc import Awaitable, Callable

import trio

from tests.benchmarks import bare_sockets
from tests.benchmarks.meter import Meter, Spent
from tests.benchmarks.work import LENGTH, TEXTS, batches

PREFIX = struct.Struct("!I")  # before each message of a stream: its length
CHUNK = 65536  # bytes to receive at once
DONE = b"."  # the listener's word that all has come

Serve = Callable[[trio.SocketListener, int], Awaitable[Spent]]


def listen_with(serve: Serve, where: str, count: int, ready: Callable[[str], None]) -> Spent:
    """Run `serve` with a listener at `where`."""

    async def main() -> Spent:
        sock, bound = bare_sockets.bind(where)
        async with trio.SocketListener(trio.socket.from_stdlib_socket(sock)) as listener:
            ready(bound)
            return await serve(listener, count)

    return trio.run(main)


def reach(where: str) -> trio.SocketStream:
    """Return a stream to `where`."""
    return trio.SocketStream(trio.socket.from_stdlib_socket(bare_sockets.reach(where)))


async def receive_exactly(stream: trio.SocketStream, length: int) -> bytes:
    """Return the next `length` bytes, when no more than these are to be expected."""
    data = await stream.receive_some(CHUNK)
    while len(data) < length:
        data += await stream.receive_some(CHUNK)
    return data


class Stream:
    """A length and the bytes of each message; as many as there are are joined by hand and sent at once."""

    @staticmethod
    def listen(where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Receive all, and say so."""
        return listen_with(Stream._receive, where, count, ready)

    @staticmethod
    def dial(where: str, count: int) -> Spent:
        """Send all, and wait for the word that it has come."""
        return trio.run(Stream._send, where, count)

    @staticmethod
    async def _receive(listener: trio.SocketListener, count: int) -> Spent:
        async with await listener.accept() as stream:
            meter = Meter()
            seen = 0
            data = b""
            while seen < count:
                data += await stream.receive_some(CHUNK)
                position, end = 0, len(data)
                while position + PREFIX.size <= end:
                    after = position + PREFIX.size + PREFIX.unpack_from(data, position)[0]
                    if after > end:
                        break
                    text = data[position + PREFIX.size : after].decode()
                    assert len(text) == LENGTH
                    position = after
                    seen += 1
                data = data[position:]
            await stream.send_all(DONE)
            return meter.stop(count)

    @staticmethod
    async def _send(where: str, count: int) -> Spent:
        async with reach(where) as stream:
            meter = Meter()
            for size in batches(count):
                messages = [text.encode() for text in TEXTS[:size]]
                await stream.send_all(b"".join([PREFIX.pack(len(message)) + message for message in messages]))
            await receive_exactly(stream, len(DONE))
            return meter.stop(count)


class Echo:
    """Send, wait, send back."""

    @staticmethod
    def listen(where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Send back what comes."""
        return listen_with(Echo._answer, where, count, ready)

    @staticmethod
    def dial(where: str, count: int) -> Spent:
        """Send, and wait for it to come back."""
        return trio.run(Echo._ask, where, count)

    @staticmethod
    async def _answer(listener: trio.SocketListener, count: int) -> Spent:
        async with await listener.accept() as stream:
            meter = Meter()
            for _ in range(count):
                await stream.send_all(await receive_exactly(stream, LENGTH))
            return meter.stop(count)

    @staticmethod
    async def _ask(where: str, count: int) -> Spent:
        message = TEXTS[0].encode()
        times = []
        async with reach(where) as stream:
            meter = Meter()
            for _ in range(count):
                begin = time.perf_counter()
                await stream.send_all(message)
                await receive_exactly(stream, LENGTH)
                times.append(time.perf_counter() - begin)
            return meter.stop(count, times)


class Setup:
    """Connect, say a byte each way, close."""

    @staticmethod
    def listen(where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Greet whoever comes."""
        return listen_with(Setup._greet, where, count, ready)

    @staticmethod
    def dial(where: str, count: int) -> Spent:
        """Come, be greeted, go; one after the other."""
        return trio.run(Setup._come, where, count)

    @staticmethod
    async def _greet(listener: trio.SocketListener, count: int) -> Spent:
        meter = Meter()
        for _ in range(count):
            async with await listener.accept() as stream:
                await stream.send_all(await receive_exactly(stream, 1))
        return meter.stop(count)

    @staticmethod
    async def _come(where: str, count: int) -> Spent:
        meter = Meter()
        for _ in range(count):
            async with reach(where) as stream:
                await stream.send_all(b"?")
                await receive_exactly(stream, 1)
        return meter.stop(count)
