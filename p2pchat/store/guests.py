"""What waits for a guest that is gone: its key was in its memory alone, so nobody will ever come for it.

Source: docs/protocol.md, section 1.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from p2pchat.protocol import chain
from p2pchat.store import heads
from p2pchat.store.heads import Place

if TYPE_CHECKING:
    from p2pchat.store.database import Database

GONE_AFTER: Final = 24 * 3600 * 1000  # milliseconds without a link after which a guest is not expected any more
REASON: Final = "the guest is gone"

_GONE: Final = "SELECT own, peer FROM pairs WHERE guest = 1 AND met_ms < ? AND next > base"
_FAIL: Final = """
    UPDATE messages SET failed = ? WHERE cursor IN
    (SELECT cursor FROM outbox WHERE pair = ? AND cursor IS NOT NULL)"""
_NOTE: Final = """
    INSERT INTO events (cursor, count, at_ms, kind, pair, first, last, detail)
    SELECT ? + row_number() OVER (ORDER BY cursor), 1, ?, 'failed', pair, cursor, cursor, ?
    FROM outbox WHERE pair = ? AND cursor IS NOT NULL"""


def expire(database: Database) -> int:
    """Let what waits for guests that are gone be *failed*; return how many messages that were. A transaction.

    The history stays. Should the guest be back after all, it is told that messages are missing.

    Raises:
      StoreError: if the disk refuses; nothing was changed.
    """
    with database.transaction():
        gone = database.connection.execute(_GONE, (database.now_ms() - GONE_AFTER,)).fetchall()
        failed = sum(_expire(database, Place(own=own, peer=peer, epoch=b"")) for own, peer in gone)
        database.forget()  # ledgers that are open do not know of it
        return failed


def _expire(database: Database, place: Place) -> int:
    head = heads.load(database, place)
    failed = head.waiting
    first = database.take_cursors(failed)
    run = database.connection.execute
    run(_FAIL, (REASON, head.pair))
    run(_NOTE, (first - 1, database.now_ms(), REASON, head.pair))
    ids = b"".join([entry_id for (entry_id,) in run("SELECT id FROM outbox WHERE pair = ? ORDER BY seq", (head.pair,))])
    run("DELETE FROM outbox WHERE pair = ?", (head.pair,))
    state = chain.extend(head.log.epoch, head.log.base_state, ids)
    head.log = replace(head.log, base=head.next, base_state=state, handed=head.next - 1)
    head.waiting = 0
    heads.save(database, head)
    return failed
