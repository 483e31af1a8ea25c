"""What a transport is. It moves bytes between two peers and knows nothing about chat.

A transport is a class without constructor arguments under the entry-point group `p2pchat.transports`, named as its
scheme. One instance serves one `Transports` registry, so what it remembers (names in use, say) is never global.
Its streams and listeners are plain Trio: reliable, ordered bytes both ways and an end of stream. They may offer more,
and the layers above look for it: `ReceivesInto` and `SendsNow` spare copies and task switches on the hot path,
`HasProgram` lets a program between two peers speak to people, `TurnsAway` tells of visitors of this machine who have no
business here; `remote` and `address` say where a link leads, and `user` to whom of this machine. A transport itself may
have a loopback (`HasLoopback`), for `p2pchat selftest`.

The rules that cannot be written as types, each of which `p2pchat.testing.contract.check_transport` tries:

* Only `ConnectFailed` and `ListenFailed` leave; foreign errors are turned into them, `from` the original. The message
  is one sentence that names the address, lower case and without a full stop; the hint says what to do.
* A cancelled `connect` or `listen` leaves nothing open. A cancelled `accept` loses no connection.
* Whoever is not read from must not grow memory: a stream that nobody reads makes its sender wait.
* Listeners raise `OSError` with EMFILE and its like when the process is out of descriptors, for `trio.serve_listeners`
  tries again then; they end with `ClosedResourceError` once closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import trio

    from p2pchat.address import Address
    from p2pchat.transports.credentials import LocalUser


class Transport(Protocol):
    """A way to reach peers, and to be reached, by the addresses of one scheme."""

    scheme: str

    async def connect(self, address: Address) -> trio.abc.Stream:
        """Return a live stream to `address`. The caller sets the deadline.

        Raises:
          ConnectFailed: if nobody can be reached there.
        """
        ...

    async def listen(self, address: Address) -> Sequence[trio.abc.Listener[trio.abc.Stream]]:
        """Return listeners (at least one) that are bound to `address`; the caller closes them all.

        Raises:
          ListenFailed: if the address cannot be bound.
        """
        ...


@runtime_checkable
class HasLoopback(Protocol):
    """A transport that can be tried without leaving this machine; `p2pchat selftest` does so."""

    #: The rest of an address to listen on, and to dial from the same process, that no other machine can reach.
    loopback: str


@runtime_checkable
class ReceivesInto(Protocol):
    """A stream that fills the caller's buffer."""

    async def receive_into(self, buffer: memoryview) -> int:
        """Wait for bytes, put them at the start of `buffer`, return how many; 0 is the end of the stream.

        Errors and cancellation are those of `receive_some`. The buffer is filled after the last checkpoint before the
        return: one buffer may serve many streams, if each caller is done with it before its next await.
        """
        ...


@runtime_checkable
class SendsNow(Protocol):
    """A stream that can send without a task switch."""

    def send_nowait(self, data: bytes | bytearray | memoryview) -> int:
        """Return how many bytes from the start of `data` were taken: 0 if it would have to wait.

        Raises:
          BrokenResourceError: if the other side is gone.
          BusyResourceError: if a task is inside `send_all`: its bytes and these would mix.
          ClosedResourceError: after `aclose` or `send_eof`.
        """
        ...


@runtime_checkable
class HasProgram(Protocol):
    """A stream through a program of this machine, which may have something to say to people."""

    #: How the program ended, in words and once the stream is closed; empty if it did so because it was told to.
    ending: str

    async def next_remark(self) -> str | None:
        """Return the next line that the program says, unfiltered; None after the last one.

        After the end of `aclose` it does not wait any more.
        """
        ...


@runtime_checkable
class TurnsAway(Protocol):
    """A listener that sends some users of this machine away, before a byte of theirs is read."""

    #: Called for some of them with how often that user has come (the first time, the second, the fourth, …).
    tell_turned_away: Callable[[LocalUser, int], None]


def remote_of(stream: trio.abc.Stream) -> Address | None:
    """Return where the other end of `stream` is, if its transport knows: who answered, or who dialed.

    Where dialers have no address of their own, as on Unix sockets, it is the address at which both met.
    """
    return getattr(stream, "remote", None)


def user_of(stream: trio.abc.Stream) -> LocalUser | None:
    """Return whose process of this machine is at the other end of `stream`, if its transport knows."""
    return getattr(stream, "user", None)


def bound_address(listener: trio.abc.Listener[trio.abc.Stream], asked_for: Address) -> Address:
    """Return the address that reaches `listener`: `asked_for`, with port 0 replaced by the one that was chosen."""
    address: Address = getattr(listener, "address", asked_for)
    return address
