"""Who is at the other end of a Unix socket, as the kernel tells: it cannot be lied to, and it knows nothing of keys.

Of who dialed it tells the process that did; of who listens, the one that began to. A process may end, or pass the
socket on, and its number may be given to another one, so the user is what counts. Users of another user namespace
(a container) that have no number here are all shown as one, the kernel's overflow user: most often `nobody`.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final, final

UCRED: Final = struct.Struct("=iII")  # of Linux: pid, uid, gid
XUCRED: Final = struct.Struct("=II68x")  # of macOS: version, uid; then the groups
PID: Final = struct.Struct("=i")

# <sys/un.h> of macOS; Python has no names for them.
SOL_LOCAL: Final = 0
LOCAL_PEERCRED: Final = 1
LOCAL_PEERPID: Final = 2

#: Whether the kernel can be asked here.
TELLS: Final = sys.platform in {"linux", "darwin"}


@final
@dataclass(frozen=True, slots=True)
class LocalUser:
    """A user of this machine, by a process of theirs; `str` gives words for people: ``user ann (uid 1001), pid 42``."""

    uid: int
    pid: int  # 0 if the process is in another world (a container)

    @property
    def is_ours(self) -> bool:
        """Whether it is the user of this very process."""
        return self.uid == os.geteuid()

    @property
    def name(self) -> str:
        """What the system calls the user; empty if there is no such user (any more). Asks the system each time."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return ""

    def __str__(self) -> str:
        name = self.name
        who = f"user {name} (uid {self.uid})" if name else f"uid {self.uid}"
        return f"{who}, pid {self.pid}" if self.pid else who


def of(sock: socket.socket) -> LocalUser | None:
    """Return who is at the other end of a connected Unix socket; None if the system does not tell.

    Raises:
      OSError: if the connection is gone.
    """
    if sys.platform == "linux":
        user = from_ucred(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size))
    elif sys.platform == "darwin":
        whose = sock.getsockopt(SOL_LOCAL, LOCAL_PEERCRED, XUCRED.size)
        user = from_xucred(whose, sock.getsockopt(SOL_LOCAL, LOCAL_PEERPID, PID.size))
    else:
        user = None
    return user


def from_ucred(data: bytes) -> LocalUser:
    """Return what Linux says with SO_PEERCRED."""
    pid, uid, _ = UCRED.unpack(data)
    return LocalUser(uid, pid)


def from_xucred(user: bytes, process: bytes) -> LocalUser:
    """Return what macOS says with LOCAL_PEERCRED and LOCAL_PEERPID."""
    _, uid = XUCRED.unpack(user)
    (pid,) = PID.unpack(process)
    return LocalUser(uid, pid)


def uid_of(name: str) -> int | None:
    """Return the number of the user called `name`, or whose number it is; None if there is no such user."""
    try:
        return pwd.getpwuid(int(name)).pw_uid if name.isascii() and name.isdigit() else pwd.getpwnam(name).pw_uid
    except (KeyError, OverflowError):
        return None
