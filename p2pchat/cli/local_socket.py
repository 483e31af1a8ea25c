"""The local socket of a profile: where other programs of the same user reach the process that listens.

Only a process that listens owns it, the first one does, and no guest ever does. Who comes in through it is a visitor
like any other: the socket keeps other users out, and the handshake tells who it is.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports.unix import UnixTransport

if TYPE_CHECKING:
    from p2pchat.node.node import Node
    from p2pchat.transports.sockets import SocketStream

_log = logging.getLogger(__name__)


async def own(path: Path, node: Node) -> None:
    """Let visitors in at `path` until `node` stops; without a word if that is another's already, or not possible."""
    try:
        await node.listen(Address("unix", str(path)), quiet=True)
    except ListenFailed as exc:
        _log.info("no local socket: %s", exc)


async def reach(path: Path) -> SocketStream | None:
    """Return a stream to the process that owns the socket at `path`; None if there is none."""
    try:
        return await UnixTransport().connect(Address("unix", str(path)))
    except ConnectFailed as exc:
        _log.info("nobody to relay to: %s", exc)
        return None
