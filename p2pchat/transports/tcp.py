"""Peers over TCP, on IPv4 and IPv6 alike: `tcp:host:port`.

Dialing a name tries its addresses in turn and side by side (RFC 8305, "happy eyeballs"); listening on a name takes all
of them, and `*` takes every interface of both families, on one port.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import trio

from p2pchat import address as addresses
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports import failures, sockets

if TYPE_CHECKING:
    from p2pchat.address import Address

Place = tuple[int, tuple[Any, ...]]  # an address family and one of its socket addresses: host, port, …

# A dead machine or a pulled cable is noticed by the system while nobody writes (keep-alive) and while somebody does
# (user timeout), near the 90 s after which docs/protocol.md, section 4.3, calls a silent peer dead. The protocol's own
# PING stays the judge: this is for links that no longer have a protocol, in a handshake or at their end.
_OPTIONS = (
    ("SOL_SOCKET", "SO_KEEPALIVE", 1),
    ("IPPROTO_TCP", "TCP_KEEPIDLE", 60),  # seconds of silence before the first probe
    ("IPPROTO_TCP", "TCP_KEEPALIVE", 60),  # the same on macOS
    ("IPPROTO_TCP", "TCP_KEEPINTVL", 10),  # seconds between probes
    ("IPPROTO_TCP", "TCP_KEEPCNT", 3),
    ("IPPROTO_TCP", "TCP_USER_TIMEOUT", 90_000),  # milliseconds that sent bytes may stay unacknowledged
    ("IPPROTO_TCP", "TCP_NODELAY", 1),  # records are filled by the link; waiting for more only adds delay
)

_PORT_TRIES = 10  # a port that the system found free on one address may be taken on the next

_CONNECT: failures.Reasons = {
    errno.ECONNREFUSED: ("nobody listens on {address}", "start `p2pchat listen` there first, and check host and port"),
    errno.ETIMEDOUT: ("{address} does not answer", "is the machine on? a firewall may drop what is sent to it"),
    errno.EHOSTUNREACH: ("there is no route to {address}", "check the address, and the network of this machine"),
    errno.ENETUNREACH: ("there is no route to {address}", "check the address, and the network of this machine"),
    errno.EADDRNOTAVAIL: (
        "{address} cannot be reached from here",
        "check the address, and the network of this machine",
    ),
    errno.ECONNRESET: ("{address} hung up at once", "is that a p2pchat?"),
}
_LISTEN: failures.Reasons = {
    errno.EADDRINUSE: ("{address} is in use already", "another p2pchat may listen there; or choose another port"),
    errno.EACCES: (
        "no permission to listen on {address}",
        "ports below 1024 are the administrator's; 7272 is free to use",
    ),
    errno.EADDRNOTAVAIL: ("{address} is not an address of this machine", "*:7272 listens on every address it has"),
    errno.EAFNOSUPPORT: ("this machine does not support the kind of address that {address} is", "try *:7272"),
}


class TcpTransport:
    """The `tcp:` scheme."""

    scheme = "tcp"

    async def connect(self, address: Address) -> sockets.SocketStream:
        """Return a stream to the first host that answers. Cancelled, it leaves no socket open.

        Raises:
          ConnectFailed: if none does.
        """
        host, port = addresses.host_and_port(address)
        if host == addresses.ANY_HOST or port == 0:
            raise ConnectFailed(f"{address} can only be listened on", hint="dial a host, such as tcp:localhost:7272")
        try:
            return _greet(await _open(host, port))
        except (OSError, UnicodeError) as exc:
            raise failures.explain(ConnectFailed, exc, address, _CONNECT) from exc

    async def listen(self, address: Address) -> Sequence[sockets.SocketListener]:
        """Return a listener for each address of the host, all on one port; a family the machine lacks is left out.

        Raises:
          ListenFailed: if the name is not known, or an address cannot be bound.
        """
        host, port = addresses.host_and_port(address)
        name = None if host == addresses.ANY_HOST else host
        try:
            found = await trio.socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            bound = _bind_all([(family, place) for family, _, _, _, place in found], tries=1 if port else _PORT_TRIES)
        except (OSError, UnicodeError) as exc:
            raise failures.explain(ListenFailed, exc, address, _LISTEN) from exc
        reached_by = addresses.tcp(host, bound[0].getsockname()[1])
        return [sockets.SocketListener(sock, reached_by, greet=_greet) for sock in bound]


async def _open(host: str, port: int) -> socket.socket:
    """Return a connected socket.

    Whoever redials a free port of this machine is one day given that very port to dial from, and TCP lets a connection
    be its own other end (RFC 9293 section 3.5). That is nobody listening.
    """
    sock = sockets.detach(await trio.open_tcp_stream(host, port))
    if _peer_name(sock) == sock.getsockname():
        sock.close()
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")
    return sock


def _greet(sock: socket.socket) -> sockets.SocketStream:
    """Return the tuned stream of a connected socket."""
    for level, name, value in _OPTIONS:
        if hasattr(socket, name):
            with suppress(OSError):  # macOS refuses once the other side is gone; the first read tells that better
                sock.setsockopt(getattr(socket, level), getattr(socket, name), value)
    peer = _peer_name(sock)
    if peer is None:
        return sockets.SocketStream(sock)
    host, service = socket.getnameinfo(peer, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)  # adds the zone of an IPv6
    return sockets.SocketStream(sock, remote=addresses.tcp(host, int(service)))


def _peer_name(sock: socket.socket) -> tuple[str, int] | None:
    """Return the socket address of the other end; None if the connection was reset already."""
    try:
        name: tuple[str, int] = sock.getpeername()
    except OSError:
        return None
    return name


def _bind_all(places: Iterable[Place], *, tries: int) -> list[socket.socket]:
    """Return sockets that listen on all `places`; if they ask for port 0, on one port that is free in all of them."""
    try:
        return _bind_on_one_port(places)
    except OSError as exc:
        if tries == 1 or exc.errno != errno.EADDRINUSE:
            raise
    return _bind_all(places, tries=tries - 1)


def _bind_on_one_port(places: Iterable[Place]) -> list[socket.socket]:
    """Return a listening socket for each of `places` that this machine has; those after the first on its port."""
    bound: list[socket.socket] = []
    missing: list[OSError] = []
    with ExitStack() as undo:
        for family, (host, asked, *rest) in dict.fromkeys(places):  # a name can have an address twice
            port = bound[0].getsockname()[1] if bound else asked
            try:
                bound.append(_bind(family, (host, port, *rest)))
            except OSError as exc:
                if exc.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
                    raise
                missing.append(exc)
            else:
                undo.callback(bound[-1].close)
        if not bound:
            raise missing[0]
        undo.pop_all()
    return bound


def _bind(family: int, place: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two programs share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # old connections must not block a restart
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has a socket of its own
        sock.bind(place)
        sock.listen(socket.SOMAXCONN)
    except OSError:
        sock.close()
        raise
    return sock
