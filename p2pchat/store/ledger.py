"""The ledger that outlives everything: the delivery state of one pair, in the database.

The outbox and what people see of it, the messages and their states, are written by the same calls, so they never
disagree. Nothing in here decides anything: the rules are in `p2pchat/protocol/`.

What is one row, the head, is kept in memory for as long as nobody else wrote, and so are the newest entries: most are
handed over and acknowledged soon after they were appended, and need not be read for that. `flush` writes what waits at
the end of each job: the head, and the events that tell what became of my messages. They come last so that what fails
in a job, for its time is up, has failed before the rest was sent.

Source: docs/protocol.md, section 6.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, final

from msgspec.structs import replace

from p2pchat.protocol.ledger import Fence, Log, Seen
from p2pchat.store import events, heads, inbox, outbox, quota
from p2pchat.store.events import Event

if TYPE_CHECKING:
    from p2pchat.protocol.assembly import Messages
    from p2pchat.store.database import Database
    from p2pchat.store.heads import Head, Place
    from p2pchat.store.quota import FreeBytes
    from p2pchat.wire.frames import Entry


TAIL_BYTES: Final = 1 << 20  # of entries that are kept in memory too: what the window lets go at once


@final
class SqlLedger:
    """A `Ledger` in a database. Whoever calls it has a transaction open, and calls `flush` before the commit."""

    def __init__(self, database: Database, place: Place, *, opening: int, free_bytes: FreeBytes) -> None:
        """Go on where the two sides of `place` stopped.

        Args:
          database: where it is kept.
          place: whose conversation it is.
          opening: a random number that tells this process from others.
          free_bytes: tells how much room the disk has.
        """
        self._database = database
        self.place = place
        self._opening = opening
        self._free_bytes = free_bytes
        self._stamp = -1
        self._known_head: Head | None = None
        self._changed = False
        self._events: list[Event] = []
        self._tail: list[Entry] = []  # the newest entries, up to the newest one
        self._tail_bytes = 0
        self._entered: set[bytes] = set()  # ids in this job that `take` has not kept yet

    @property
    def head(self) -> Head:
        """The row of the pair, for reading; `change` is for writing."""
        if self._known_head is None or self._stamp != self._database.stamp:
            self._known_head = heads.load(self._database, self.place)
            self._stamp = self._database.stamp
            self._changed = False
            self._events.clear()
            self._entered.clear()
            self._forget_tail()
        return self._known_head

    def change(self) -> Head:
        """Return the row of the pair, to be changed: `flush` will write it."""
        head = self.head
        self._changed = True
        return head

    def flush_events(self) -> None:
        """Write what became of messages of mine, so that it has its cursors."""
        for event in self._events:
            events.write(self._database, event)
        self._events.clear()

    def flush(self) -> None:
        """Write all that was changed, at the end of a job."""
        head = self.head
        self.flush_events()
        if self._changed:
            heads.save(self._database, head)
        self._entered.clear()
        self._changed = False

    @property
    def fence(self) -> Fence:
        """Which session may change anything."""
        return self.head.fence

    @fence.setter
    def fence(self, fence: Fence) -> None:
        self.change().fence = fence

    # ---- my log

    @property
    def log(self) -> Log:
        """My log, but for its entries."""
        return self.head.log

    @property
    def next(self) -> int:
        """The number of the entry that will be appended next."""
        return self.head.next

    def entries(self, first: int, last: int, *, enough: int | None = None, bodies: bool = True) -> Iterable[Entry]:
        """Return the entries numbered `first` … `last`, as far as there are any."""
        tail = self.head.next - len(self._tail)
        if first >= tail:
            return self._tail[first - tail : last + 1 - tail] if last >= first else []
        return outbox.entries(self._database, self.head.pair, (first, last), enough=enough, bodies=bodies)

    def find(self, entry_id: bytes) -> int | None:
        """Return the number of the kept entry with this id."""
        return outbox.find(self._database, self.head.pair, entry_id)

    def append(self, entries: Sequence[Entry], *, expires_ms: int | None = None) -> int:
        """Append entries, and keep the messages that they end; return the number of the first."""
        head = self.change()
        first = head.next
        outbox.append(self._database, head, entries, expires_ms=expires_ms, opening=self._opening)
        self._tail_bytes += sum(map(len, [entry.body for entry in entries]))
        self._tail += entries
        if self._tail_bytes > TAIL_BYTES:
            self._forget_tail()
        return first

    def _forget_tail(self) -> None:
        self._tail = []
        self._tail_bytes = 0

    def replace(self, first: int, entries: Sequence[Entry]) -> None:
        """Put `entries` in the place of those numbered `first` and up."""
        outbox.replace(self._database, self.change(), first, entries)
        self._forget_tail()

    def expired(self, now_ms: int) -> Sequence[int]:
        """Return the numbers of final entries, never handed, whose time was up by `now_ms`."""
        return outbox.expired(self._database, self.head.pair, now_ms)

    def hand(self, through: int) -> None:
        """Raise `log.handed` to `through`: the messages up to there are *sent*."""
        head = self.change()
        outbox.forget_expiry(self._database, head, through)
        self._sent(head, through)
        head.log = replace(head.log, handed=through)

    def _sent(self, head: Head, through: int) -> None:
        covered = outbox.cover(self._database, head.pair, head.log.handed + 1, through)
        if covered.size:
            head.sent_through = covered.last
            self._events.append(Event("sent", head.pair, head.fence.gen, *covered))

    def drop(self, base: int, base_state: bytes) -> None:
        """Forget the entries below `base`: the messages among them are *delivered*."""
        head = self.change()
        covered = outbox.cover(self._database, head.pair, head.log.base, base - 1)
        outbox.drop(self._database, head.pair, base)
        if covered.size:
            head.delivered_through = covered.last
            head.waiting -= covered.size
            self._events.append(Event("delivered", head.pair, head.fence.gen, *covered))
        self._shorten_tail(head.next - base)
        head.log = replace(head.log, base=base, base_state=base_state)

    def _shorten_tail(self, length: int) -> None:
        surplus = max(len(self._tail) - length, 0)
        self._tail_bytes -= sum(map(len, [entry.body for entry in self._tail[:surplus]]))
        del self._tail[:surplus]

    def renumber(self, epoch: bytes) -> None:
        """Begin a new log with what is kept. Any of it may have been sent in the past that the backup lost."""
        head = self.change()
        kept = head.next - head.log.base
        self._sent(head, head.next - 1)
        outbox.renumber(self._database, head.pair, by=head.log.base - 1)
        head.log = Log(epoch=epoch, handed=kept)
        head.next = kept + 1
        self._forget_tail()

    # ---- the peer's log

    @property
    def seen(self) -> Seen:
        """How far the peer's log was taken."""
        return self.head.seen

    @property
    def confirmed(self) -> int:
        """The number up to which an ACK may speak: what is taken is durable with the transaction."""
        return self.head.seen.seq

    def enter(self, ids: Sequence[bytes]) -> Sequence[bytes]:
        """Return those of `ids` that were not known before, each once; `take` keeps them."""
        head = self.head
        known = inbox.known(self._database, head.pair, ids) | self._entered.intersection(ids)
        new = [each for each in dict.fromkeys(ids) if each not in known] if known or len(set(ids)) < len(ids) else ids
        self._entered.update(new)
        return new

    def take(self, seen: Seen, messages: Messages) -> int:
        """Move on to `seen`, and keep `messages`.

        Raises:
          QuotaExceeded: if the peer has made us keep as much as it may; nothing was changed.
        """
        self._entered.difference_update([entry.id for entry in messages.entries])
        head = self.head
        more = inbox.weight(messages)
        if more:
            quota.check(head.stored_bytes, more, self._free_bytes)
            head.stored_bytes += more
        self.flush_events()  # what the same transaction delivered comes before the receipts for it
        inbox.keep(self._database, head, messages, opening=self._opening)
        self.begin(seen)
        return 0

    def confirm(self, mark: int) -> None:
        """Nothing to do: what was taken is confirmed."""

    def rewind(self) -> None:
        """Nothing to do: what was taken is confirmed."""

    def begin(self, seen: Seen) -> None:
        """Follow the peer's log from `seen` on."""
        head = self.change()
        heads.keep_parts(self._database, head.pair, head.seen.parts, seen.parts)
        head.seen = seen
