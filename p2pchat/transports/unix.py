"""Peers on the same machine over a Unix socket: `unix:/path`.

The file system keeps strangers out: the socket is for one user (mode 0600), and the kernel is asked who connects, once
more. `transports.socket_file` guards the path.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import trio

from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports import failures, socket_file, sockets

if TYPE_CHECKING:
    from p2pchat.address import Address

FULL_QUEUE_PAUSE = 0.05  # seconds between tries while a listener's queue is full; the kernel offers no way to wait

_CONNECT: failures.Reasons = {
    errno.ENOENT: ("there is no socket at {address}", "start `p2pchat listen {address}` first"),
    errno.ENOTDIR: ("there is no socket at {address}", "start `p2pchat listen {address}` first"),
    errno.ECONNREFUSED: ("nobody listens on {address}", "start `p2pchat listen {address}` first"),
    errno.EPROTOTYPE: ("what is at {address} is a socket of another kind", "is that a p2pchat?"),
    errno.EACCES: ("no permission to connect to {address}", "only the user who listens there may"),
}
_LISTEN: failures.Reasons = {
    errno.EADDRINUSE: (
        "{address} is in use already",
        "another program made a socket there just now; choose another path",
    ),
    errno.EACCES: ("no permission to make a socket at {address}", "choose a path in a directory of your own"),
    errno.EROFS: ("{address} is on a disk that cannot be written to", "choose a path in a directory of your own"),
    errno.ENOTDIR: ("{address} leads through something that is not a directory", "check the path"),
    errno.ELOOP: ("the lock file beside {address} is a link", "remove it, or choose another path"),
    errno.ENAMETOOLONG: ("a name in {address} is too long", "choose a shorter path"),
    errno.EPROTOTYPE: ("what is at {address} is a socket of another kind", "it was left alone; choose another path"),
    errno.ENOSPC: ("there is no space left to make {address}", "free some, or choose another path"),
}

_log = logging.getLogger(__name__)


class UnixTransport:
    """The `unix:` scheme."""

    scheme = "unix"

    async def connect(self, address: Address) -> sockets.SocketStream:
        """Return a stream to whoever listens at that path; waits while the queue there is full.

        Raises:
          ConnectFailed: if nobody does.
        """
        _check_length(ConnectFailed, address)
        try:
            return sockets.SocketStream(await _open(address.rest), remote=address)
        except OSError as exc:
            raise failures.explain(ConnectFailed, exc, address, _CONNECT) from exc

    async def listen(self, address: Address) -> Sequence[UnixListener]:
        """Return the listener at that path; it admits the user of this process and nobody else.

        Raises:
          ListenFailed: if the path is in use, not ours to use, or too long.
        """
        _check_length(ListenFailed, address)
        await trio.lowlevel.checkpoint()
        try:
            return [UnixListener(address, admit=frozenset({os.geteuid()}))]
        except OSError as exc:
            raise failures.explain(ListenFailed, exc, address, _LISTEN) from exc


class UnixListener(sockets.SocketListener):
    """Accepts connections at the path of `address` from the users of `admit`, others it turns away without a word."""

    def __init__(self, address: Address, *, admit: frozenset[int]) -> None:
        with ExitStack() as undo:
            self._file = socket_file.SocketFile.claim(address)
            undo.callback(self._file.release)
            sock = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            self._file.bind(sock)
            sock.listen(socket.SOMAXCONN)
            super().__init__(sock, address, greet=self._greet_admitted)
            undo.pop_all()
        self._admit = admit

    async def aclose(self) -> None:
        """Stop listening and remove the socket from the disk."""
        self._file.release()
        await super().aclose()

    def _greet_admitted(self, sock: socket.socket) -> sockets.SocketStream | None:
        user = peer_user(sock)
        if user is None or user in self._admit:
            return sockets.SocketStream(sock)
        _log.info("user %d was turned away from %s", user, self.address)
        sock.close()
        return None


def peer_user(sock: socket.socket) -> int | None:
    """Return the user id of the process that connected `sock`; None where only the mode of the socket guards it."""
    if sys.platform != "linux":
        return None
    credentials = struct.Struct("iII")  # struct ucred: pid, uid, gid
    _, user, _ = credentials.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size))
    return int(user)


async def _open(path: str) -> socket.socket:
    """Return a socket that is connected to the one at `path`."""
    await trio.lowlevel.checkpoint()
    with ExitStack() as undo:
        sock = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        sock.settimeout(0)
        while True:
            try:
                sock.connect(path)
                break
            except BlockingIOError:  # the listener's queue is full; `trio.open_unix_socket` would call this success
                await trio.sleep(FULL_QUEUE_PAUSE)
        undo.pop_all()
    return sock


def _check_length(kind: type[failures.Failure], address: Address) -> None:
    length = len(os.fsencode(address.rest))
    if length > socket_file.MAX_PATH:
        raise kind(
            f"the path of {address} is too long: {length} bytes, and a socket can have {socket_file.MAX_PATH}",
            hint="choose a shorter one, such as unix:/tmp/p2pchat.sock",
        )
