"""What was said, read in the order of the log, oldest first, a page at a time.

A page costs what is on it, however long the whole history is. Clocks decide nothing: a time is only looked for where
the clock of this machine first passed it. What was deleted here has left a row without a body, which nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from p2pchat.crypto.identity import PeerId
from p2pchat.protocol.assembly import Message
from p2pchat.wire import messages
from p2pchat.wire.frames import Entry

if TYPE_CHECKING:
    from p2pchat.store.database import Database

PAGE: Final = 256  # messages that are read at once
ENOUGH: Final = 2**22  # bytes of bodies that end a page earlier
COUNTED: Final = 1000  # unread messages; nobody needs to know more exactly


class Row(Struct, frozen=True, gc=False):
    """A message, and what became of it."""

    cursor: int
    pair: int  # the number of both sides in this store
    peer: PeerId
    name: str  # what the peer calls itself today
    guest: bool  # the peer keeps nothing: what it acknowledged was shown there and is kept nowhere
    mine: bool
    id: bytes
    seq: int
    kind: int
    sent_ms: int  # Unix milliseconds: the claim of who said it
    at_ms: int  # when it was composed, or received, by the clock of this machine
    state: str  # queued, sent, delivered, read or failed; of the peer's: received, or read by a person here
    reason: str  # why it failed
    ref: str | None  # what a program calls it
    body: bytes

    @property
    def message(self) -> Message:
        """The same as it is shown while it arrives."""
        entry = Entry(id=self.id, kind=self.kind, sent_ms=self.sent_ms, conv=b"", body=self.body)
        return Message(self.seq, entry, messages.decode_body(self.kind, self.body))


class Break(Struct, frozen=True, gc=False):
    """A place where messages with a peer may be missing: one of the two sides has lost a part of its past."""

    cursor: int
    peer: PeerId


class Unread(Struct, frozen=True, gc=False):
    """What the peer said and nobody here has seen."""

    count: int  # at most as many as were to be counted, which stands for more as well
    first: int  # the cursor of the first of them; 0 if there is none


# ---- what is there


def page(
    db: Database, *, peer: PeerId | None = None, after: int = 0, before: int | None = None, limit: int = PAGE
) -> list[Row]:
    """Return the oldest messages between two cursors, neither included, oldest first; none if there is nothing.

    There are at most `limit`, and fewer if they are long: go on after the last one.

    Args:
      db: where they are kept.
      peer: only what was said with this peer, whoever we were then.
      after: the cursor of the message before the first one.
      before: the cursor of the message after the last one; None for the newest.
      limit: how many at most.
    """
    whose = _said_with(db, peer)
    found = db.connection.execute(
        f"{_ROWS} WHERE {whose} AND m.cursor > ? AND m.cursor < ? AND m.body IS NOT NULL ORDER BY m.cursor LIMIT ?",
        (after, LAST if before is None else before, limit),
    )
    rows, size = [], 0
    for columns in found:
        rows.append(_row(columns))
        size += len(rows[-1].body)
        if size >= ENOUGH:
            break
    return rows


def between(db: Database, *, peer: PeerId | None = None, after: int = 0, before: int | None = None) -> Iterator[Row]:
    """Yield all messages between two cursors as `page`, of which one is kept in memory at a time."""
    while rows := page(db, peer=peer, after=after, before=before):
        yield from rows
        after = rows[-1].cursor


def last(db: Database, count: int, *, peer: PeerId | None = None, before: int | None = None) -> Iterator[Row]:
    """Yield the newest `count` messages before a cursor, oldest first."""
    first = first_of_last(db, count, peer=peer, before=before)
    return between(db, peer=peer, after=first - 1, before=before)


def first_of_last(db: Database, count: int, *, peer: PeerId | None = None, before: int | None = None) -> int:
    """Return the cursor of the first of the newest `count` messages before a cursor; LAST if there is none."""
    newest = f"{_CURSORS} WHERE {_said_with(db, peer)} AND m.cursor < ? AND m.body IS NOT NULL ORDER BY m.cursor DESC"
    sql = f"SELECT min(cursor) FROM ({newest} LIMIT ?)"  # noqa: S608  (nothing in it was typed)
    (cursor,) = db.one(sql, (LAST if before is None else before, count))
    return LAST if cursor is None else int(cursor)


def around(db: Database, row: Row, count: int) -> tuple[list[Row], list[Row]]:
    """Return up to `count` messages before and after `row` in the same conversation, oldest first."""
    first = first_of_last(db, count, peer=row.peer, before=row.cursor)
    before = list(between(db, peer=row.peer, after=first - 1, before=row.cursor))
    return before, page(db, peer=row.peer, after=row.cursor, limit=count) if count else []


def at(db: Database, cursor: int) -> Row | None:
    """Return the message at `cursor`, None if there is none, or no more."""
    rows = page(db, after=cursor - 1, before=cursor + 1, limit=1)
    return rows[0] if rows else None


def breaks(db: Database, *, peer: PeerId | None = None, after: int = 0, before: int | None = None) -> Iterator[Break]:
    """Yield the places between two cursors, neither included, where messages may be missing, oldest first."""
    key, end = None if peer is None else peer.key, LAST if before is None else before
    for cursor, whose in db.connection.execute(_BREAKS, (key, after, end)):
        yield Break(cursor, PeerId(whose))


def since(db: Database, ms: int) -> int:
    """Return the cursor from which on messages are from `ms` (Unix milliseconds) or later.

    It looks at as many messages as a cursor has bits. Where the clock was set back meanwhile there are several such
    places, of which this is one.
    """
    low, high = 0, LAST
    while low < high:
        middle = (low + high) // 2
        sql = "SELECT cursor, at_ms FROM messages WHERE cursor >= ? ORDER BY cursor LIMIT 1"
        row = db.connection.execute(sql, (middle,)).fetchone()
        if row is None or row[1] >= ms:
            high = middle
        else:
            low = row[0] + 1
    return low


def claims(db: Database) -> dict[PeerId, str]:
    """Return everybody there is anything about, and what they call themselves today."""
    rows = db.connection.execute("SELECT peer, name FROM pairs ORDER BY pair").fetchall()
    return {PeerId(peer): name for peer, name in rows}


# ---- what was shown to a person, or written for a program


def unread(db: Database, peer: PeerId, *, before: int | None = None, most: int = COUNTED) -> Unread:
    """Return what `peer` said before a cursor and nobody was shown here; it is not counted beyond `most`."""
    sql = """
        SELECT count(*), min(cursor) FROM (
          SELECT cursor FROM messages WHERE pair = ? AND cursor > ? AND cursor < ? AND mine = 0 AND body IS NOT NULL
          ORDER BY cursor LIMIT ?)"""
    seen = db.connection.execute("SELECT pair, read_through FROM pairs WHERE peer = ?", (peer.key,)).fetchall()
    end = LAST if before is None else before
    counts, firsts = zip(*[(0, None), *(db.one(sql, (*one, end, most)) for one in seen)], strict=True)
    return Unread(min(sum(counts), most), min(filter(None, firsts), default=0))


def mark_read(db: Database, peer: PeerId, through: int) -> None:
    """Note that what `peer` said was shown here, up to the cursor `through`; in a transaction of its own.

    Raises:
      StoreError: if it cannot be noted.
    """
    with db.transaction():
        sql = "UPDATE pairs SET read_through = ?2 WHERE peer = ?1 AND read_through < ?2"
        db.connection.execute(sql, (peer.key, through))


# ---- how it is found

#: A cursor that no message ever has.
LAST: Final = 2**63 - 1

# By index: these events are about no message of mine, so `last` is 0 in all of them.
_BREAKS: Final = """
    SELECT e.cursor, p.peer FROM pairs AS p CROSS JOIN events AS e ON e.pair = p.pair
    WHERE (?1 IS NULL OR p.peer = ?1) AND e.kind IN ('gap', 'rolled_back') AND e.last = 0
      AND e.cursor > ?2 AND e.cursor < ?3 ORDER BY e.cursor"""

_CURSORS: Final = "SELECT m.cursor FROM messages AS m"
_ROWS: Final = """
    SELECT m.cursor, m.pair, p.peer, p.name, p.guest, m.mine, m.id, m.seq, m.kind, m.sent_ms, m.at_ms,
      CASE WHEN m.mine = 0 THEN iif(m.read_ms IS NOT NULL OR m.cursor <= p.read_through, 'shown', 'received')
        WHEN m.failed IS NOT NULL THEN 'failed' WHEN m.read_ms IS NOT NULL THEN 'read'
        WHEN m.cursor <= p.delivered_through THEN 'delivered' WHEN m.cursor <= p.sent_through THEN 'sent'
        ELSE 'queued' END,
      ifnull(m.failed, ''), m.ref, m.body
    FROM messages AS m CROSS JOIN pairs AS p ON p.pair = m.pair"""


def _said_with(db: Database, peer: PeerId | None) -> str:
    """Return the condition that a message was said with `peer`, in SQL."""
    if peer is None:
        return "1"
    pairs = [pair for (pair,) in db.connection.execute("SELECT pair FROM pairs WHERE peer = ?", (peer.key,)).fetchall()]
    if len(pairs) == 1:
        return f"m.pair = {pairs[0]}"
    # There are several where we were somebody else before. The plus forbids the index: rows come in the order of the
    # log, and nothing has to be sorted.
    return f"+m.pair IN ({', '.join(map(str, pairs))})"


def _row(columns: tuple[object, ...]) -> Row:
    cursor, pair, peer, name, guest, mine, *more = columns
    return Row(cursor, pair, PeerId(peer), name, bool(guest), bool(mine), *more)  # type: ignore[arg-type]  # as selected
