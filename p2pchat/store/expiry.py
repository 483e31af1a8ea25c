"""What is out of date is withdrawn when its time comes, whether there is a link or not.

A link withdraws it before it hands anything over; in here whoever has the store open does, so that nobody is told of a
message that waits until a moment in the past. It is looked for often, so a look is cheap: an index holds what can
expire, and nothing else.

Source: docs/protocol.md, section 6.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from p2pchat.protocol import outbox
from p2pchat.store import quota
from p2pchat.store.heads import Place
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.transaction import SqlTransaction

if TYPE_CHECKING:
    from p2pchat.store.database import Database

EXPIRED: Final = "expired"  # why it failed

# From pair to pair by the index: what cannot expire costs nothing.
_DUE: Final = """
    WITH RECURSIVE mortal (pair) AS (
      SELECT min(pair) FROM outbox WHERE expires_ms IS NOT NULL
      UNION ALL
      SELECT (SELECT min(pair) FROM outbox WHERE expires_ms IS NOT NULL AND pair > mortal.pair)
      FROM mortal WHERE pair IS NOT NULL
    )
    SELECT pair, own, peer FROM mortal CROSS JOIN pairs USING (pair)
    WHERE EXISTS (SELECT 1 FROM outbox AS o WHERE o.pair = mortal.pair AND o.expires_ms <= ?)"""


def is_due(db: Database) -> bool:
    """Return whether there is something to do for `expire`; only reads."""
    return db.connection.execute(_DUE, (db.now_ms(),)).fetchone() is not None


def expire(db: Database) -> int:
    """Withdraw what is out of date and no link has had a piece of; return how many messages that were. Blocks.

    A transaction of its own, if there is something to do. Who holds the conversation learns of it from the log.

    Raises:
      StoreError: if the disk refuses; nothing has changed.
    """
    if not is_due(db):
        return 0
    with db.transaction():
        now_ms = db.now_ms()
        due = db.connection.execute(_DUE, (now_ms,)).fetchall()
        expired = sum(_expire(db, pair, Place(own=own, peer=peer, epoch=b""), now_ms) for pair, own, peer in due)
        db.forget()  # ledgers that are open do not know of it
    return expired


def _expire(db: Database, pair: int, place: Place, now_ms: int) -> int:
    ledger = SqlLedger(db, place, opening=0, free_bytes=quota.free_bytes_beside(db.path))
    ids = outbox.expire(ledger, now_ms)
    SqlTransaction(db, ledger).failed(ids, EXPIRED)
    ledger.flush()
    # A link has had the beginning of what is still due: it goes on its way, and is not to be found again.
    db.connection.execute("UPDATE outbox SET expires_ms = NULL WHERE pair = ? AND expires_ms <= ?", (pair, now_ms))
    return len(ids)
