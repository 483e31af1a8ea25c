"""Who may put a Unix socket at a path. Nothing here awaits: these are a few calls on a local directory.

A socket that a killed process left behind looks like one that is listened on, and must go before the path can be bound
again. The rules:

* Whoever binds a path holds an exclusive `flock` on `<path>.lock` for as long; the kernel drops it with the process.
* Under the lock, a socket at the path is tried: only one that refuses connections is removed. What answers, what is not
  a socket, and what belongs to another user is never touched.
* A missing directory is made for its user alone (0700). One that everybody may write to has to be sticky, for in any
  other the socket could be replaced. The socket itself is 0600, or 0666 if others are let in, too, before anybody can
  connect to it.
* At the end the socket is removed if it still is the one that was bound here, and the lock with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from p2pchat.errors import ListenFailed

if TYPE_CHECKING:
    from p2pchat.address import Address

MAX_PATH = 107 if sys.platform == "linux" else 103  # bytes; sun_path of sockaddr_un, without its final zero

_ELSEWHERE = "choose another path, or `listen` on tcp"


class SocketFile:
    """A path that is ours, and the listening socket at it; made by `claim`, given back by `release`."""

    def __init__(self, path: Path, lock: int) -> None:
        self._path = path
        self._lock: int | None = lock  # descriptor; None once released
        self._bound: os.stat_result | None = None

    @classmethod
    def claim(cls, address: Address) -> SocketFile:
        """Return the claim to the path of a unix address, where nothing is left.

        Raises:
          ListenFailed: if it is in use, or is not for us to use.
          OSError: if the system forbids it.
        """
        path = Path(address.rest)
        _prepare_directory(path.parent, address)
        claim = cls(path, _take_lock(_lock_path(path), address))
        with ExitStack() as undo:
            undo.callback(claim.release)
            _remove_stale(path, address)
            undo.pop_all()
        return claim

    def bind(self, sock: socket.socket, *, shared: bool = False) -> None:
        """Bind `sock` to the path, for this user only; `shared`: for everybody who comes as far as that."""
        sock.bind(str(self._path))
        self._path.chmod(0o666 if shared else 0o600)  # in time: nobody can connect before listen()
        self._bound = self._path.lstat()

    def release(self) -> None:
        """Give the path back. A second time it does nothing."""
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        with suppress(OSError):  # the directory was removed or closed to us: nothing is left to tidy
            if self._bound and os.path.samestat(self._bound, self._path.lstat()):
                self._path.unlink()
        with suppress(OSError):
            lock_path = _lock_path(self._path)
            if os.path.samestat(os.fstat(lock), lock_path.lstat()):
                lock_path.unlink()
        os.close(lock)


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _prepare_directory(directory: Path, address: Address) -> None:
    for missing in reversed([place for place in (directory, *directory.parents) if not place.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    mode = directory.stat().st_mode
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(directory))
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise ListenFailed(
            f"{address} would not be safe: everybody can write to {directory}, which has no sticky bit",
            hint=f"use a directory of your own, or `chmod o-w {directory}`",
        )


def _take_lock(path: Path, address: Address) -> int:
    """Return the descriptor of the lock file, locked."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        with ExitStack() as undo:
            undo.callback(os.close, lock)
            _check_ours(os.fstat(lock), stat.S_ISREG, path, address)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise _in_use(address) from exc
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), path.lstat()):
                    undo.pop_all()
                    return lock
        # Its last holder removed the file between our open and our lock. We hold a lock on nothing: take the new one.


def _remove_stale(path: Path, address: Address) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    _check_ours(found, stat.S_ISSOCK, path, address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its queue is full: very much alive
    raise _in_use(address)


def _check_ours(found: os.stat_result, right_kind: Callable[[int], bool], path: Path, address: Address) -> None:
    if not right_kind(found.st_mode):
        raise ListenFailed(f"cannot listen on {address}: {path} is something else, and was left alone", hint=_ELSEWHERE)
    if found.st_uid != os.geteuid():
        raise ListenFailed(f"cannot listen on {address}: {path} belongs to another user", hint=_ELSEWHERE)


def _in_use(address: Address) -> ListenFailed:
    return ListenFailed(f"{address} is in use already", hint=f"`p2pchat dial {address}` reaches who listens there")
