"""The ledger: what delivery must remember of one pair (my identity, one peer), as one transaction sees it.

The rules (`outbox.py`, `inbox.py`, `fence.py`) are written once, over this protocol; `store` keeps what they change.
All that a rule changes becomes durable together or not at all, and a rule that raises has changed nothing, so an
implementation never has to undo. Every operation costs at most what its arguments and results weigh, never what the
ledger holds; `renumber` and `find` may cost more, for they serve rare events.

*Shown and confirmed.* An ACK says what is committed. For a durable ledger a message is committed with the transaction
that takes it. A guest keeps nothing, so its ACK means *shown*: a message counts as committed once whoever shows it has
confirmed that. What was taken and not confirmed is undone by `rewind`, like a transaction that never came to its end;
only the ids of messages are never undone, so what comes again is not shown again.

The values in here are structs rather than dataclasses: each batch makes a few, and C makes them in a tenth of the time.

Source: docs/protocol.md, section 6.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from p2pchat.protocol import chain
from p2pchat.protocol.assembly import NO_PARTS, Parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from p2pchat.protocol.assembly import Messages
    from p2pchat.wire.frames import Entry


class Held(Struct, frozen=True, kw_only=True, gc=False):
    """A session holds the conversation, and has not let go of it."""

    since: float  # seconds since 1970
    dialed_by_smaller: bool  # its connection was dialed by the peer with the bytewise smaller key


class Fence(Struct, frozen=True, kw_only=True, gc=False):
    """Which session may change anything: the one that made `gen` what it is."""

    gen: int = 0
    held: Held | None = None


class Log(Struct, frozen=True, kw_only=True, gc=False):
    """My log: what I have to say to the peer. Its entries `base` … `Ledger.next` - 1 are kept in the ledger.

    `base` always begins a message, and up to `handed` an entry never changes: base - 1 <= handed <= next - 1.
    """

    epoch: bytes  # 8 random bytes that name the log
    base: int = 1
    base_state: bytes = chain.EMPTY  # after entry base - 1
    handed: int = 0  # no entry above it was ever given to a link


class Seen(Struct, frozen=True, kw_only=True, gc=False):
    """How far the peer's log was taken."""

    epoch: bytes = b""  # empty: none of its logs was ever met
    seq: int = 0
    state: bytes = chain.EMPTY  # after entry `seq`
    parts: Parts = NO_PARTS  # of a message that goes on after `seq`


class Ledger(Protocol):
    """One transaction's view of the delivery state of one pair."""

    fence: Fence

    # ---- my log

    @property
    def log(self) -> Log:
        """My log, but for its entries."""
        ...

    @property
    def next(self) -> int:
        """The number of the entry that will be appended next; `log.base` if none is kept."""
        ...

    def entries(self, first: int, last: int, *, enough: int | None = None, bodies: bool = True) -> Iterable[Entry]:
        """Return the entries numbered `first` … `last`, as far as there are any; `first` is at least `log.base`.

        Where reading costs something, it may stop once they cost more than `enough` bytes (`frames.entry_cost`) in all,
        and may leave out the `bodies` if nobody looks at them.
        """
        ...

    def find(self, entry_id: bytes) -> int | None:
        """Return the number of the kept entry with this id."""
        ...

    def append(self, entries: Sequence[Entry], *, expires_ms: int | None = None) -> int:
        """Append the entries of one message, or of several that do not expire; return the number of the first."""
        ...

    def replace(self, first: int, entries: Sequence[Entry]) -> None:
        """Put `entries` in the place of those numbered `first` and up; ids stay, and they expire no more."""
        ...

    def expired(self, now_ms: int) -> Sequence[int]:
        """Return the numbers, above `log.handed`, of final entries whose time was up by `now_ms`."""
        ...

    def hand(self, through: int) -> None:
        """Raise `log.handed` to `through`."""
        ...

    def drop(self, base: int, base_state: bytes) -> None:
        """Forget the entries below `base`, which becomes `log.base`."""
        ...

    def renumber(self, epoch: bytes) -> None:
        """Begin a new log: the kept entries become 1 and up, all of them count as handed."""
        ...

    # ---- the peer's log

    @property
    def seen(self) -> Seen:
        """How far the peer's log was taken."""
        ...

    @property
    def confirmed(self) -> int:
        """The number up to which an ACK may speak: `seen.seq`, or less in a guest's ledger."""
        ...

    def enter(self, ids: Sequence[bytes]) -> Sequence[bytes]:
        """Enter the ids of messages among the known ones; return those that were not known before, each once."""
        ...

    def take(self, seen: Seen, messages: Messages) -> int:
        """Move on to `seen`, and keep `messages`, whose ids were entered, to be shown.

        Returns a mark for `confirm`. Where nothing is to be shown, what was taken counts as confirmed as soon as all
        that was taken before it is.
        """
        ...

    def confirm(self, mark: int) -> None:
        """Note that all messages up to those of `take`'s `mark` were shown. It may come late, even after `rewind`."""
        ...

    def rewind(self) -> None:
        """Go back to what is confirmed: `seen.seq` becomes `confirmed`. A durable ledger has nothing to do."""
        ...

    def begin(self, seen: Seen) -> None:
        """Follow another log of the peer, or the same after a jump: `seen` is where it begins, and is confirmed."""
        ...
