"""What we have said in one session: counted, and appended to the log when somebody is about to send it.

Messages that are said in one millisecond go into the log together, which takes a fraction of one by one; nothing can be
seen of that, since nobody reads the log in between. Counts begin with the session, so message number n was delivered
once `delivered` has reached n.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import outbox
from p2pchat.protocol.assembly import SHOWS_NOTHING
from p2pchat.wire.frames import ENTRY_OVERHEAD

if TYPE_CHECKING:
    from p2pchat.protocol.ids import EntryIds
    from p2pchat.protocol.ledger import Ledger


@final
class Outgoing:
    """Our messages, from `say` to `acknowledged`."""

    def __init__(self, ledger: Ledger, ids: EntryIds, *, max_cost: int) -> None:
        """Begin with nothing said; more than `max_cost` bytes under way are too many."""
        self.queued: int = 0
        self.sent: int = 0
        self.delivered: int = 0
        self.room: int = max_cost  # bytes of cost that may still be said before it is time to wait
        self.last_id: bytes = b""  # of the newest message in the log
        self._ledger = ledger
        self._ids = ids
        self._said: list[bytes] = []  # bodies that are not in the log yet, all of one kind and one time
        self._kind = -1
        self._now_ms = 0
        self._marks: deque[tuple[int, int]] = deque()  # for each append to the log: `queued` after it, and its cost

    @property
    def unacknowledged(self) -> int:
        """How many messages the peer has not acknowledged."""
        return self.queued - self.delivered

    def say(self, kind: int, bodies: Sequence[bytes], *, now_ms: int) -> bool:
        """Queue messages of one kind; return whether the writer is to be told: it knows of those before these.

        Raises:
          LocalProtocolError: if the kind is one that delivery uses itself.
        """
        if kind != self._kind or now_ms != self._now_ms:
            if kind in SHOWS_NOTHING:
                raise LocalProtocolError(f"kind {kind} is not for messages")
            self.settle()
            self._kind, self._now_ms = kind, now_ms
        is_first = not self._said
        self._said += bodies
        self.queued += len(bodies)
        # One at a time is usual, and adding up would take longer than all the rest.
        self.room -= ENTRY_OVERHEAD + len(bodies[0]) if len(bodies) == 1 else _cost(bodies)
        return is_first

    def settle(self) -> None:
        """Append to the log what was said; whoever reads the log does this first."""
        if self._said:
            if len(self._said) == 1:
                message = self._kind, self._said[0]
                self.last_id = outbox.enqueue(self._ledger, self._ids, message, now_ms=self._now_ms).id
            else:
                ids = outbox.enqueue_many(self._ledger, self._ids, self._kind, self._said, now_ms=self._now_ms)
                self.last_id = ids[-1]
            self._marks.append((self.queued, _cost(self._said)))
            self._said = []

    def acknowledged(self, count: int) -> None:
        """Note that the oldest `count` of the unacknowledged messages came to the peer."""
        self.delivered += count
        self.sent = max(self.sent, self.delivered)
        while self._marks and self._marks[0][0] <= self.delivered:
            self.room += self._marks.popleft()[1]


def _cost(bodies: Sequence[bytes]) -> int:
    return ENTRY_OVERHEAD * len(bodies) + sum(map(len, bodies))
