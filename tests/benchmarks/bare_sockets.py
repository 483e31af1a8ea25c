"""Plain blocking sockets: what the system itself takes."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from tests.benchmarks.meter import Meter, Spent
from tests.benchmarks.work import LENGTH, TEXTS


def bind(where: str) -> tuple[socket.socket, str]:
    """Return a listening socket and the address as bound."""
    scheme, _, rest = where.partition(":")
    if scheme == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(rest)
        listener.listen()
        return listener, where
    host, _, port = rest.rpartition(":")
    listener = socket.create_server((host, int(port)))
    return listener, f"tcp:{host}:{listener.getsockname()[1]}"


def reach(where: str) -> socket.socket:
    """Return a socket that is connected to `where`."""
    scheme, _, rest = where.partition(":")
    if scheme == "unix":
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(rest)
        return sock
    host, _, port = rest.rpartition(":")
    return send_at_once(socket.create_connection((host, int(port))))


def send_at_once(sock: socket.socket) -> socket.socket:
    """Switch Nagle's algorithm off, as Trio does."""
    if sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Echo:
    """Send, wait, send back."""

    @staticmethod
    def listen(where: str, count: int, ready: Callable[[str], None]) -> Spent:
        """Send back what comes."""
        listener, bound = bind(where)
        with listener:
            ready(bound)
            sock = send_at_once(listener.accept()[0])
            meter = Meter()
            with sock:
                for _ in range(count):
                    sock.sendall(_receive(sock))
            return meter.stop(count)

    @staticmethod
    def dial(where: str, count: int) -> Spent:
        """Send, and wait for it to come back."""
        message = TEXTS[0].encode()
        times = []
        with reach(where) as sock:
            meter = Meter()
            for _ in range(count):
                begin = time.perf_counter()
                sock.sendall(message)
                _receive(sock)
                times.append(time.perf_counter() - begin)
            return meter.stop(count, times)


def _receive(sock: socket.socket) -> bytes:
    data = b""
    while len(data) < LENGTH:
        data += sock.recv(65536)
    return data
