"""What we have said in one session, on its way into the log: counted, and appended together with what else was said.

In memory, messages of one millisecond go into the log when somebody is about to read it, which takes a fraction of one
by one. With a store they go there at once: all that is said while one transaction is written is in the next one, and
whoever said it can wait for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, final

import trio

from p2pchat.errors import LocalProtocolError, P2PChatError
from p2pchat.protocol import outbox
from p2pchat.protocol.assembly import SHOWS_NOTHING
from p2pchat.wire.frames import ENTRY_OVERHEAD

if TYPE_CHECKING:
    from outcome import Outcome

    from p2pchat.protocol.ids import EntryIds
    from p2pchat.store.base import Pair, Transaction


class Extent(NamedTuple):
    """How far things have come, as one transaction sees it."""

    base: int  # where our log begins
    entries: int  # how many it has, which are those that the peer has not acknowledged
    cursor: int  # of the newest event in the store

    @classmethod
    def of(cls, transaction: Transaction) -> Extent:
        """Return what `transaction` sees."""
        base = transaction.ledger.log.base
        return cls(base, transaction.ledger.next - base, transaction.cursor)


NOTHING_YET: Final = Extent(0, 0, 0)


class Settled(NamedTuple):
    """What came of one transaction with sayings."""

    before: int  # the newest event in the store before them
    extent: Extent | None
    error: P2PChatError | None = None


@final
class Saying:
    """Messages of one kind that were said at one time, or one that has a key, or an end."""

    def __init__(
        self, kind: int, now_ms: int, *, expires_ms: int | None = None, key: str | None = None, ref: str | None = None
    ) -> None:
        self.kind = kind
        self.now_ms = now_ms
        self.bodies: list[bytes] = []
        self.expires_ms = expires_ms
        self.key = key
        self.ref = ref
        self.ids: list[bytes] = []  # of the messages, once they are in the log
        self.last: int = 0  # number of the last entry
        self.error: P2PChatError | None = None  # why they are not in the log, and never will be
        self.settled: bool = False
        self._waiter: trio.Event | None = None

    @property
    def is_plain(self) -> bool:
        """Whether more may be said together with this."""
        return self.expires_ms is None and self.key is None and self.ref is None

    @property
    def cost(self) -> int:
        """What it takes of the room."""
        return ENTRY_OVERHEAD * len(self.bodies) + sum(map(len, self.bodies))

    def append(self, transaction: Transaction, ids: EntryIds) -> None:
        """Append it to the log, unless a message with its key is there already."""
        ledger = transaction.ledger
        if self.key is not None and (found := transaction.keyed(self.key)) is not None:
            self.ids = [found]
            return
        if len(self.bodies) == 1:
            message = self.kind, self.bodies[0]
            self.ids = [outbox.enqueue(ledger, ids, message, now_ms=self.now_ms, expires_ms=self.expires_ms).id]
        else:
            self.ids = outbox.enqueue_many(ledger, ids, self.kind, self.bodies, now_ms=self.now_ms)
        if self.key is not None or self.ref is not None:
            transaction.tag(self.ids[0], key=self.key, ref=self.ref)
        self.last = ledger.next - 1

    def settle(self, error: P2PChatError | None) -> None:
        """Note that it is in the log now, or will not be for `error`."""
        self.settled, self.error = True, error
        if self._waiter is not None:
            self._waiter.set()

    async def wait(self) -> None:
        """Wait until it is in the log, for which a cancellation has to wait, too: nothing is queued by half.

        Raises:
          StoreError: if it was not accepted; nothing of it is kept.
        """
        if not self.settled:
            self._waiter = self._waiter or trio.Event()
            with trio.CancelScope(shield=True):  # one transaction, and the disk bounds that
                await self._waiter.wait()
        if self.error is not None:
            raise self.error


@final
class Outgoing:
    """Our messages, from `say` until the log of the peer has them."""

    def __init__(self, pair: Pair, ids: EntryIds, *, max_cost: int, settled: Callable[[Settled], None]) -> None:
        """Begin with nothing said.

        Args:
          pair: where the log is.
          ids: names for what is said.
          max_cost: how many bytes under way are too many.
          settled: called after each transaction in which something was, or was not, appended; what was said meanwhile
            is on its way then.
        """
        self.room: int = max_cost  # bytes of cost that may still be said before it is time to wait
        self.said: int = 0  # messages, ever
        self._max_cost = max_cost
        self._pair = pair
        self._ids = ids
        self._note_settled = settled
        self._is_busy = False
        self._said: list[Saying] = []  # not in the log yet
        self._writing: list[Saying] = []  # in the transaction that runs
        self._marks: deque[tuple[int, int]] = deque()  # what was appended: the number of its last entry, and its cost

    @property
    def is_unsettled(self) -> bool:
        """Whether something that was said is not in the log yet."""
        return bool(self._said or self._writing)

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for the next transaction, and whoever has to know of it does."""
        return bool(self._said)

    def say(self, kind: int, bodies: Sequence[bytes], *, now_ms: int) -> Saying:
        """Queue messages of one kind.

        Raises:
          LocalProtocolError: if the kind is one that delivery uses itself.
        """
        saying = self._said[-1] if self._said else None
        if saying is None or saying.kind != kind or saying.now_ms != now_ms or not saying.is_plain:
            saying = Saying(kind, now_ms)
            self.add(saying)
        saying.bodies += bodies
        self.said += len(bodies)
        # One at a time is usual, and adding up would take longer than all the rest.
        self.room -= ENTRY_OVERHEAD + len(bodies[0]) if len(bodies) == 1 else _cost(bodies)
        return saying

    def add(self, saying: Saying) -> None:
        """Queue something that is said by itself; `say` fills it, or its maker has.

        Raises:
          LocalProtocolError: if its kind is one that delivery uses itself.
        """
        if saying.kind in SHOWS_NOTHING:
            raise LocalProtocolError(f"kind {saying.kind} is not for messages")
        self._said.append(saying)
        if saying.bodies:
            self.said += len(saying.bodies)
            self.room -= saying.cost

    def settle(self) -> None:
        """Let what was said go into the log; in memory that is done when this returns."""
        if self._said and not self._is_busy:
            self._is_busy = True
            self._pair.submit(self._gather, self._settled)

    def _gather(self) -> Callable[[Transaction], Settled]:
        self._writing, self._said = self._said, []
        return self._append

    def _append(self, transaction: Transaction) -> Settled:
        before = transaction.cursor
        for saying in self._writing:
            saying.append(transaction, self._ids)
        return Settled(before, Extent.of(transaction))

    def _settled(self, result: Outcome[Settled]) -> None:
        self._is_busy = False
        try:
            settled = result.unwrap()
        except P2PChatError as error:
            settled = Settled(0, None, error)
            if not self._writing:  # the store was closed before it asked for them: nobody ever will
                self._writing, self._said = self._said, []
        for saying in self._writing:
            if settled.error is None and saying.last:
                self._marks.append((saying.last, saying.cost))
            else:
                self.room += saying.cost
            saying.settle(settled.error)
        self._writing = []
        self.settle()  # what was said meanwhile
        self._note_settled(settled)

    def dropped(self, base: int) -> bool:
        """Note that the peer has everything before entry `base`; return whether there is more room now."""
        had = self.room
        while self._marks and self._marks[0][0] < base:
            self.room += self._marks.popleft()[1]
        return self.room > had

    def renumbered(self) -> None:
        """Forget which entries were ours: their numbers have changed."""
        self._marks.clear()
        self.room = self._max_cost


def _cost(bodies: Sequence[bytes]) -> int:
    return ENTRY_OVERHEAD * len(bodies) + sum(map(len, bodies))


def standing(transaction: Transaction) -> tuple[Extent, str, bool]:
    """Return how far things have come, what the peer calls itself, and whether it is a guest."""
    return Extent.of(transaction), transaction.name, transaction.guest
