"""What went wrong with an address, said so that a person can act on it.

Each transport has a table from `errno` to a sentence and a hint, the most telling first: an attempt that tried several
hosts fails with several errors, and only one of them is told. In the texts `{address}` and `{host}` are filled in.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from p2pchat.errors import ConnectFailed, ListenFailed

if TYPE_CHECKING:
    from p2pchat.address import Address

Reasons = Mapping[int, tuple[str, str]]
Failure = TypeVar("Failure", ConnectFailed, ListenFailed)

# getaddrinfo has numbers of its own, which are negative on Linux and collide with errno's elsewhere.
_NO_SUCH_NAME = ("the host name {host} is not known", "check its spelling, or use its IP address")
_NAMES: Reasons = {
    socket.EAI_AGAIN: ("no name server answers for {host}", "is the network up? an IP address needs no name server"),
    socket.EAI_NONAME: _NO_SUCH_NAME,
    getattr(socket, "EAI_NODATA", socket.EAI_NONAME): _NO_SUCH_NAME,
}
_ANY: Reasons = {
    errno.EMFILE: ("no file descriptors are left for {address}", "close something, or raise `ulimit -n`"),
    errno.ENFILE: ("this machine has no file descriptors left for {address}", "close something"),
    errno.EACCES: ("no permission to use {address}", "does a firewall on this machine forbid it?"),
    errno.EPERM: ("no permission to use {address}", "does a firewall on this machine forbid it?"),
}


def explain(kind: type[Failure], exc: OSError | UnicodeError, address: Address, reasons: Reasons) -> Failure:
    """Return the error to raise `from exc`: one sentence that names the address or its host, and a hint."""
    host = address.rest.rpartition(":")[0]
    if isinstance(exc, UnicodeError):  # what IDNA cannot encode is the name of no host
        exc = socket.gaierror(socket.EAI_NONAME, str(exc))
    table = _NAMES if isinstance(exc, socket.gaierror) else {**reasons, **_ANY, **reasons}  # theirs first
    numbers = {leaf.errno for leaf in _leaves(exc)}
    for number, (sentence, hint) in table.items():
        if number in numbers:
            return kind(sentence.format(address=address, host=host), hint=hint.format(address=address, host=host))
    return kind(f"cannot use {address}: {(exc.strerror or str(exc)).lower()}")


def _leaves(exc: OSError) -> Iterator[OSError]:
    """Yield `exc`, or the failed attempts that it sums up (`trio.open_tcp_stream` makes them its cause)."""
    if isinstance(exc.__cause__, BaseExceptionGroup):
        yield from (leaf for leaf in exc.__cause__.exceptions if isinstance(leaf, OSError))
    else:
        yield exc
