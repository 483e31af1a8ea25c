"""What waits: my messages that their peers have not acknowledged; and how one of them is withdrawn.

Whatever waits goes out by itself when any process of the profile meets the peer; nobody has to look after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from p2pchat.crypto.identity import PeerId
from p2pchat.protocol import outbox
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store import quota
from p2pchat.store.heads import Place
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.transaction import SqlTransaction

if TYPE_CHECKING:
    from p2pchat.store.database import Database
    from p2pchat.store.timeline import Named

WITHDRAWN: Final = "withdrawn"  # why it failed
PAGE: Final = 256  # messages of one pair that are read at once


class Waiting(Struct, frozen=True, gc=False):
    """A message of mine that is not delivered."""

    cursor: int
    id: bytes
    own: PeerId
    peer: PeerId
    name: str  # what the peer calls itself today
    guest: bool  # the peer keeps nothing
    ref: str | None  # what a program calls the message
    is_sent: bool  # a link has had it; it may have arrived, and cannot be withdrawn
    since_ms: int  # Unix milliseconds
    size: int  # bytes, encoded
    expires_ms: int | None  # when it is withdrawn, if nothing of it has left by then


_PAIRS: Final = """
    SELECT pair, own, peer, name, guest, sent_through FROM pairs WHERE waiting > 0 AND (?1 IS NULL OR peer = ?1)"""
_WAITING: Final = """
    SELECT o.seq, o.cursor, o.id, m.ref, m.at_ms, ifnull(length(m.body), length(o.body)), o.expires_ms
    FROM outbox AS o CROSS JOIN messages AS m ON m.cursor = o.cursor
    WHERE o.pair = ? AND o.seq > ? ORDER BY o.seq LIMIT ?"""


def waiting(db: Database, peer: PeerId | None = None) -> Iterator[Waiting]:
    """Yield what waits for `peer`, or for anybody, oldest first; a page for each peer is in memory at a time."""
    pairs = db.connection.execute(_PAIRS, (peer.key if peer else None,)).fetchall()
    return merge(*(_of_pair(db, pair) for pair in pairs), key=lambda one: one.cursor)


def _of_pair(db: Database, row: tuple[int, bytes, bytes, str, int, int]) -> Iterator[Waiting]:
    pair, own, peer, name, guest, sent_through = row
    sides = PeerId(own), PeerId(peer), name, bool(guest)
    after = 0
    while rows := db.connection.execute(_WAITING, (pair, after, PAGE)).fetchall():
        for after, cursor, message_id, ref, *about in rows:  # noqa: B007  (the last one counts)
            yield Waiting(cursor, message_id, *sides, ref, cursor <= sent_through, *about)


def unsend(db: Database, named: Named) -> Withdrawal:
    """Withdraw a message of mine, unless a link has had a piece of it; in a transaction of its own. Blocks.

    Processes that hold the conversation learn of it from the log. Twice is as good as once.

    Raises:
      StoreError: if the disk refuses; nothing has changed.
    """
    with db.transaction():
        place = Place(own=named.own.key, peer=named.peer.key, epoch=b"")  # there is one: something waits there
        ledger = SqlLedger(db, place, opening=0, free_bytes=quota.free_bytes_beside(db.path))
        done = outbox.void(ledger, named.id)
        if done is Withdrawal.WITHDRAWN:
            SqlTransaction(db, ledger).failed([named.id], WITHDRAWN)
        ledger.flush()
    return done
