"""Deleting what was said: the text is gone from the file, the fact that there was a message stays.

A row without a body stays behind, so that a peer that sends the message again (it may, until it knows that we have it)
is not believed to say something new. What still waits to be sent is not touched: it was promised to somebody.

Everything happens in small transactions, so that nobody has to wait long. Interrupted anywhere, the next deletion, or
whoever fills the index, finishes what was begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from p2pchat.crypto.identity import PeerId
from p2pchat.store import search

if TYPE_CHECKING:
    from p2pchat.store.database import Database

BATCH: Final = 500  # messages that one transaction deletes
BATCH_SIZE: Final = 2**22  # bytes of them that are enough


class Doomed(Struct, frozen=True, kw_only=True):
    """What to delete: messages for which all of this is true, of those that there are at the beginning."""

    through: int  # the newest cursor that may be deleted
    peer: PeerId | None = None
    id: bytes | None = None
    before_ms: int | None = None  # composed or received here before that, Unix milliseconds


class Deleted(Struct, frozen=True, kw_only=True):
    """What is deleted, or would be."""

    messages: int
    waiting: int  # so many of them are still waiting to be sent, and will be


def count(db: Database, doomed: Doomed) -> Deleted:
    """Return what `delete` would do."""
    where, values = _where(doomed)
    sql = f"SELECT count(*), ifnull(sum({_WAITS}), 0) FROM {_FROM} WHERE {where}"  # noqa: S608  (nothing was typed)
    messages, waiting = db.one(sql, values)
    return Deleted(messages=messages, waiting=waiting)


def delete(db: Database, doomed: Doomed) -> int:
    """Delete messages, in several transactions; returns how many there were.

    Raises:
      StoreError: if the disk refuses. What was deleted until then is deleted.
    """
    number, after = 0, 0
    while cursors := _delete_some(db, doomed, after):
        number += len(cursors)
        after = cursors[-1]
    while search.purge(db):
        pass
    db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what was there before is in the log of changes, too
    return number


def _delete_some(db: Database, doomed: Doomed, after: int) -> list[int]:
    """Delete the next messages after a cursor, in a transaction of its own; returns their cursors."""
    where, values = _where(doomed)
    some = f"{_FROM} WHERE m.cursor > ? AND {where} ORDER BY m.cursor LIMIT ?"
    sql = f"SELECT m.cursor, length(m.body) FROM {some}"  # noqa: S608  (nothing was typed)
    with db.transaction():
        cursors, size = [], 0
        for cursor, length in db.connection.execute(sql, (after, *values, BATCH)):
            cursors.append(cursor)
            size += length
            if size >= BATCH_SIZE:
                break
        if cursors:
            search.forget(db, cursors)
            marks = ", ".join("?" * len(cursors))
            db.connection.execute(_MAKE_ROOM.format(marks), cursors)
            db.connection.execute(_EMPTY.format(marks), cursors)
    return cursors


_FROM: Final = "messages AS m CROSS JOIN pairs AS p ON p.pair = m.pair"
_WAITS: Final = "m.mine = 1 AND m.failed IS NULL AND m.cursor > p.delivered_through"
_EMPTY: Final = "UPDATE messages SET body = NULL WHERE cursor IN ({})"
_MAKE_ROOM: Final = """
    UPDATE pairs SET stored_bytes = max(0, stored_bytes - gone.size)
    FROM (SELECT pair, sum(length(body)) AS size FROM messages WHERE mine = 0 AND cursor IN ({}) GROUP BY pair) AS gone
    WHERE gone.pair = pairs.pair"""


def _where(doomed: Doomed) -> tuple[str, Sequence[Any]]:
    """Return the condition for a message to be deleted, in SQL, and the values in it."""
    terms: list[tuple[str, Any]] = [("m.cursor <= ?", doomed.through)]
    if doomed.peer is not None:
        terms.append(("+m.pair IN (SELECT pair FROM pairs WHERE peer = ?)", doomed.peer.key))
    if doomed.id is not None:
        terms.append(
            ("m.pair IN (SELECT pair FROM pairs) AND m.mine IN (0, 1) AND m.id = ?", doomed.id)
        )  # as the index is
    if doomed.before_ms is not None:
        terms.append(("m.at_ms < ?", doomed.before_ms))
    conditions, values = zip(*terms, strict=True)
    return " AND ".join(["m.body IS NOT NULL", *conditions]), values
