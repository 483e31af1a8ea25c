"""The local socket of a profile: where other programs of the same user reach the process that listens.

Only a process that listens owns it, the first one does, and no guest ever does. Who comes in through it is a visitor
like any other: the socket keeps other users out, and the handshake tells who it is. Beside it its owner notes where
else it listens, for programs that want to tell people; a note means nothing unless the socket answers.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports.unix import UnixTransport

if TYPE_CHECKING:
    from p2pchat.node.node import Node
    from p2pchat.transports.sockets import SocketStream

_log = logging.getLogger(__name__)


async def own(path: Path, node: Node) -> bool:
    """Let visitors in at `path` until `node` stops, and return True; False if that is another's, or not possible."""
    try:
        await node.listen(Address("unix", str(path)), quiet=True)
    except ListenFailed as exc:
        _log.info("no local socket: %s", exc)
        return False
    _remove(_note(path))  # that of an owner which was killed
    return True


async def reach(path: Path) -> SocketStream | None:
    """Return a stream to the process that owns the socket at `path`; None if there is none."""
    try:
        return await UnixTransport().connect(Address("unix", str(path)))
    except ConnectFailed as exc:
        _log.info("nobody to relay to: %s", exc)
        return None


@contextlib.contextmanager
def noting(path: Path) -> Iterator[Callable[[Sequence[Address]], None]]:
    """Yield what the owner of the socket at `path` notes its addresses with; the note is gone when the block is left.

    A note that cannot be written is no reason not to listen.
    """
    note = _note(path)
    written = False

    def write(where: Sequence[Address]) -> None:
        nonlocal written
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        try:
            with open(os.open(note, flags, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123  (has no mode)
                written = True
                file.writelines(f"{address}\n" for address in where)
        except OSError as exc:
            _log.info("cannot note where we listen in %s: %s", note, exc.strerror)

    try:
        yield write
    finally:
        if written:
            _remove(note)


async def addresses(path: Path) -> list[Address] | None:
    """Return where the owner of the socket at `path` says it listens; None if nobody owns it."""
    stream = await reach(path)
    if stream is None:
        return None
    await trio.aclose_forcefully(stream)
    with contextlib.suppress(OSError, UnicodeDecodeError):
        lines = _note(path).read_text(encoding="utf-8").splitlines()  # a few of them, in a directory of ours
        return [Address(scheme, rest) for scheme, _, rest in (line.partition(":") for line in lines)]
    return []


def _note(path: Path) -> Path:
    return path.with_suffix(".addresses")


def _remove(note: Path) -> None:
    with contextlib.suppress(OSError):
        note.unlink()
