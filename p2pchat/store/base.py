"""What the node asks of a store: a place for each pair of identities, and transactions over it.

A *job* is a function that runs inside one transaction: the rules of delivery and what is to be remembered beside them.
All that one job changes becomes durable together. A durable store runs jobs in a worker thread, and commits those that
wait as a group; a guest's memory runs them where they are submitted. Whoever submits one need not know which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from p2pchat.protocol.assembly import SHOWS_NOTHING
from p2pchat.wire.messages import Kind

if TYPE_CHECKING:
    from outcome import Outcome

    from p2pchat.protocol.ledger import Ledger

T = TypeVar("T")

#: Kinds that are no messages: pieces of one, and what tells about other things.
UNSAID: Final = SHOWS_NOTHING | {int(Kind.READ), int(Kind.PROFILE)}


class Transaction(Protocol):
    """One transaction's view of a pair: the ledger of delivery, and the log of what happened."""

    @property
    def ledger(self) -> Ledger:
        """The delivery state of the pair."""
        ...

    @property
    def cursor(self) -> int:
        """The cursor of the newest event of the whole store; 0 if there is none, or if nothing keeps them."""
        ...

    @property
    def name(self) -> str:
        """What the peer calls itself; empty if that is not known."""
        ...

    @property
    def guest(self) -> bool:
        """Whether the peer was a guest on its newest link: it keeps nothing."""
        ...

    def connected(self, address: str, *, name: str, guest: bool) -> None:
        """Note a link by way of `address` to the peer, which calls itself `name` and may be a guest."""

    def disconnected(self, reason: str, *, clean: bool) -> None:
        """Note the end of the newest link."""

    def gap(self) -> None:
        """Note that messages of the peer may be missing before what comes next."""

    def rolled_back(self) -> None:
        """Note that this store turned out to be an old backup."""

    def failed(self, ids: Sequence[bytes], reason: str) -> None:
        """Note that these messages of mine will never arrive, and why."""

    def pin(self, address: str) -> bool:
        """Expect the peer at `address`, as `store.pins` spells it, from now on, and know it: to dial is to accept.

        False if somebody was expected there already. Nothing is done about a guest, nor about who is blocked.
        """
        ...

    def tag(self, message_id: bytes, *, key: str | None, ref: str | None) -> None:
        """Remember what a program calls a message of mine: its idempotency `key`, and its own `ref`."""

    def keyed(self, key: str) -> bytes | None:
        """Return the id of my message with this key."""
        ...

    def unsaid(self) -> int:
        """Return how many of my messages the peer has not acknowledged."""
        ...


class Pair(Protocol):
    """Where the conversation of one identity of ours with one peer is kept."""

    @property
    def durable(self) -> bool:
        """Whether it outlives the process."""
        ...

    def submit(self, gather: Callable[[], Callable[[Transaction], T]], done: Callable[[Outcome[T]], None]) -> None:
        """Run a job in a transaction of its own, or of a group.

        Args:
          gather: called in the task of the store just before the transaction; returns the job. The job may run in
            another thread, so it gets all that it needs from here, and nothing else may touch that until `done`.
          done: called once the transaction is durable, or has failed: with what the job returned; with what it raised
            (a `P2PChatError`: it changed nothing, and the rest of the group was committed); or with a `StoreError`:
            nothing of the group was kept. A store in memory calls all three before `submit` returns.
        """
        ...
