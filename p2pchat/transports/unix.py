"""Peers on the same machine over a Unix socket: `unix:/path`.

The file system keeps strangers out: the socket is for one user (mode 0600), and the kernel is asked who connects, once
more. Where other users are let in, too, the mode lets everybody knock and the kernel's word alone decides. Nobody else
gets in, root neither: it could read our memory, but a program of root has no business here unless somebody says so.
`transports.socket_file` guards the path, `transports.credentials` asks the kernel. Who is let in still has to prove its
key: that is the business of the layers above, as everywhere.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import trio

from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports import credentials, failures, socket_file, sockets

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.transports.credentials import LocalUser

MAX_COUNTED = 256  # users whose vain visits are counted one by one
ALL_OTHERS = -1  # the number under which those of the rest are
ON_TCP = "use another path, or `listen` on tcp"
FULL_QUEUE_PAUSE = 0.05  # seconds between tries while a listener's queue is full; the kernel offers no way to wait

_CONNECT: failures.Reasons = {
    errno.ENOENT: ("there is no socket at {address}", "start `p2pchat listen {address}` first"),
    errno.ENOTDIR: ("there is no socket at {address}", "start `p2pchat listen {address}` first"),
    errno.ECONNREFUSED: ("nobody listens on {address}", "start `p2pchat listen {address}` first"),
    errno.EPROTOTYPE: ("what is at {address} is a socket of another kind", "is that a p2pchat?"),
    errno.EACCES: (
        "no permission to connect to {address}",
        "only the user who listens there may, and whom `listen --allow-user` names",
    ),
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

    def __init__(self, *, shared: Mapping[str, frozenset[int]] | None = None) -> None:
        """Let further users, by their numbers, in at some paths: at those of `shared`."""
        self._shared = shared or {}

    async def connect(self, address: Address) -> sockets.SocketStream:
        """Return a stream to whoever listens at that path; waits while the queue there is full.

        Raises:
          ConnectFailed: if nobody does.
        """
        _check_length(ConnectFailed, address)
        try:
            sock, user = await _open(address.rest)
            return sockets.SocketStream(sock, remote=address, user=user)
        except OSError as exc:
            raise failures.explain(ConnectFailed, exc, address, _CONNECT) from exc

    async def listen(self, address: Address) -> Sequence[UnixListener]:
        """Return the listener at that path; it admits the user of this process, and those with whom it is shared.

        Raises:
          ListenFailed: if the path is in use, not ours to use, or too long.
        """
        _check_length(ListenFailed, address)
        await trio.lowlevel.checkpoint()
        others = self._shared.get(address.rest, frozenset())
        if others and not credentials.TELLS:
            raise ListenFailed(
                f"{address} cannot be for other users, too: this system does not tell who connects", hint=ON_TCP
            )
        try:
            return [UnixListener(address, admit=others | {os.geteuid()})]
        except OSError as exc:
            raise failures.explain(ListenFailed, exc, address, _LISTEN) from exc


class UnixListener(sockets.SocketListener):
    """Accepts connections at the path of `address` from the users of `admit`, others it turns away without a word.

    Of them it tells now and then (`transports.base.TurnsAway`), and the log: the rarer, the more often they come.
    """

    def __init__(self, address: Address, *, admit: frozenset[int]) -> None:
        with ExitStack() as undo:
            self._file = socket_file.SocketFile.claim(address)
            undo.callback(self._file.release)
            sock = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            self._file.bind(sock, shared=admit != {os.geteuid()})
            sock.listen(socket.SOMAXCONN)
            super().__init__(sock, address, greet=self._greet_admitted)
            undo.pop_all()
        self._admit = admit
        self._turned_away: Counter[int] = Counter()  # by user
        self.tell_turned_away: Callable[[LocalUser, int], None] = _say_nothing

    async def aclose(self) -> None:
        """Stop listening and remove the socket from the disk."""
        self._file.release()
        await super().aclose()

    def _greet_admitted(self, sock: socket.socket) -> sockets.SocketStream | None:
        try:
            user = credentials.of(sock)
        except OSError:  # it has gone already
            sock.close()
            return None
        if user is None or user.uid in self._admit:
            return sockets.SocketStream(sock, remote=self.address, user=user)
        sock.close()
        self._note(user)
        return None

    def _note(self, user: LocalUser) -> None:
        """Count a visit, and tell of it if it is the first, second, fourth, eighth, … of that user."""
        counted = user.uid if user.uid in self._turned_away or len(self._turned_away) < MAX_COUNTED else ALL_OTHERS
        self._turned_away[counted] += 1
        times = self._turned_away[counted]
        if times.bit_count() == 1:
            _log.info("%s was turned away from %s, %d times so far", user, self.address, times)
            self.tell_turned_away(user, times)


def _say_nothing(user: LocalUser, times: int) -> None:
    """Be told by a listener that nobody listens to."""


async def _open(path: str) -> tuple[socket.socket, LocalUser | None]:
    """Return a socket that is connected to the one at `path`, and who listens there."""
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
        user = credentials.of(sock)
        undo.pop_all()
    return sock, user


def _check_length(kind: type[failures.Failure], address: Address) -> None:
    length = len(os.fsencode(address.rest))
    if length > socket_file.MAX_PATH:
        raise kind(
            f"the path of {address} is too long: {length} bytes, and a socket can have {socket_file.MAX_PATH}",
            hint="choose a shorter one, such as unix:/tmp/p2pchat.sock",
        )
