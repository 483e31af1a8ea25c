"""My log in the database: the entries that wait for an ACK, and beside each final one the message that people see.

Source: docs/protocol.md, section 6.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from p2pchat.protocol import assembly
from p2pchat.store.base import UNSAID
from p2pchat.store.rows import Insertion
from p2pchat.wire.frames import ENTRY_OVERHEAD, Entry

if TYPE_CHECKING:
    from p2pchat.store.database import Database
    from p2pchat.store.heads import Head

_INTO_OUTBOX: Final = "INSERT INTO outbox (pair, seq, id, kind, sent_ms, conv, cursor, body)"
# Shared: pair, number of the first.
_QUEUE: Final = Insertion(_INTO_OUTBOX, "(?1, ?2 + #, ?, ?, ?, ?, ?, ?)", shared=2)
# Shared: pair, number of the first, kind, time, conversation, cursor of the first.
_QUEUE_ALIKE: Final = Insertion(_INTO_OUTBOX, "(?1, ?2 + #, ?, ?3, ?4, ?5, ?6 + #, ?)", shared=6)
_KEEP: Final = """
    INSERT INTO messages (cursor, pair, mine, id, seq, kind, sent_ms, at_ms, opening, body)
    SELECT cursor, pair, 1, id, seq, kind, sent_ms, sent_ms, ?, body
    FROM outbox WHERE pair = ? AND seq >= ? AND cursor IS NOT NULL"""


class Covered(NamedTuple):
    """Messages of mine: how many, and the cursors of the first and the last of them."""

    size: int
    first: int
    last: int


def append(database: Database, head: Head, entries: Sequence[Entry], *, expires_ms: int | None, opening: int) -> None:
    """Append `entries`, and keep the messages that they end."""
    alike = {(entry.kind, entry.sent_ms, entry.conv) for entry in entries}
    long: list[tuple[bytes, int]] = []
    if len(alike) == 1 and entries[0].kind not in UNSAID:  # what people and programs say, nearly always
        said = len(entries)
        shared = (head.pair, head.next, *alike.pop(), database.take_cursors(said))
        _QUEUE_ALIKE.run(database.connection, shared, [each for entry in entries for each in (entry.id, entry.body)])
    else:
        said, long = _queue(database, head, entries)
    database.connection.execute(_KEEP, (opening, head.pair, head.next))
    database.connection.executemany("UPDATE messages SET body = ? WHERE cursor = ?", long)
    head.next += len(entries)
    head.waiting += said
    if expires_ms is not None:
        sql = "UPDATE outbox SET expires_ms = ? WHERE pair = ? AND seq = ?"
        database.connection.execute(sql, (expires_ms, head.pair, head.next - 1))


def _queue(database: Database, head: Head, entries: Sequence[Entry]) -> tuple[int, list[tuple[bytes, int]]]:
    """Write entries of any kinds; return how many messages they end, and bodies and cursors of those that are long."""
    said = sum(entry.kind not in UNSAID for entry in entries)
    cursor = database.take_cursors(said)
    own: list[Any] = []
    long: list[tuple[bytes, int]] = []
    parts: list[bytes] = []
    for entry in entries:
        if entry.kind in UNSAID:
            own += (entry.id, entry.kind, entry.sent_ms, entry.conv, None, entry.body)
            if entry.kind == assembly.PART:
                parts.append(entry.body)
            continue
        own += (entry.id, entry.kind, entry.sent_ms, entry.conv, cursor, entry.body)
        if parts:
            long.append((b"".join([*parts, entry.body]), cursor))
            parts = []
        cursor += 1
    _QUEUE.run(database.connection, (head.pair, head.next), own)
    return said, long


_READ: Final = "SELECT id, kind, sent_ms, conv, body FROM outbox WHERE pair = ? AND seq BETWEEN ? AND ? ORDER BY seq"
_READ_OUTLINES: Final = _READ.replace("body", "x''")


def entries(
    database: Database, pair: int, span: tuple[int, int], *, enough: int | None, bodies: bool
) -> Iterable[Entry]:
    """Return the entries from the first to the last of `span`; with `enough` and `bodies` as `Ledger.entries`."""
    first, last = span
    if last < first:
        return ()
    rows = database.connection.execute(_READ if bodies else _READ_OUTLINES, (pair, first, last))
    if enough is None:
        return list(starmap(Entry, rows))
    found = []
    for entry in starmap(Entry, rows):
        found.append(entry)
        enough -= ENTRY_OVERHEAD + len(entry.conv) + len(entry.body)  # `frames.entry_cost`, for a third of its price
        if enough < 0:
            break
    return found


def find(database: Database, pair: int, entry_id: bytes) -> int | None:
    """Return the number of the entry with this id: at once if it ends a message, else by a walk through all."""
    sql = "SELECT seq FROM messages WHERE pair = ? AND mine = 1 AND id = ?"
    row = database.connection.execute(sql, (pair, entry_id)).fetchone()
    if row is None:
        sql = "SELECT seq FROM outbox WHERE pair = ? AND id = ?"
        row = database.connection.execute(sql, (pair, entry_id)).fetchone()
        return None if row is None else int(row[0])
    sql = "SELECT id FROM outbox WHERE pair = ? AND seq = ?"
    return row[0] if database.connection.execute(sql, (pair, *row)).fetchone() == (entry_id,) else None


def replace(database: Database, head: Head, first: int, new: Sequence[Entry]) -> None:
    """Put `new` in the place of the entries from `first` on; what shows nothing now is no message any more."""
    last = first + len(new) - 1
    before = cover(database, head.pair, first, last).size
    database.connection.executemany(
        "UPDATE outbox SET kind = ?, sent_ms = ?, conv = ?, body = ?, cursor = iif(?, NULL, cursor), expires_ms = NULL"
        " WHERE pair = ? AND seq = ?",
        [
            (entry.kind, entry.sent_ms, entry.conv, entry.body, entry.kind in UNSAID, head.pair, seq)
            for seq, entry in enumerate(new, first)
        ],
    )
    head.waiting -= before - cover(database, head.pair, first, last).size


def expired(database: Database, pair: int, now_ms: int) -> Sequence[int]:
    """Return the numbers of final entries, never handed over, whose time was up by `now_ms`."""
    sql = "SELECT seq FROM outbox WHERE pair = ? AND expires_ms <= ?"
    return [seq for (seq,) in database.connection.execute(sql, (pair, now_ms))]


def forget_expiry(database: Database, head: Head, through: int) -> None:
    """Let nothing up to `through` expire, of what was not handed over before."""
    sql = "SELECT 1 FROM outbox WHERE pair = ? AND expires_ms IS NOT NULL LIMIT 1"
    if database.connection.execute(sql, (head.pair,)).fetchone() is not None:
        # By number, not by expiry: what is handed over is little, what may expire may be much.
        database.connection.execute(
            "UPDATE outbox NOT INDEXED SET expires_ms = NULL"
            " WHERE pair = ? AND seq BETWEEN ? AND ? AND expires_ms IS NOT NULL",
            (head.pair, head.log.handed + 1, through),
        )


def cover(database: Database, pair: int, first: int, last: int) -> Covered:
    """Return which messages the entries `first` … `last` end."""
    sql = "SELECT count(cursor), min(cursor), max(cursor) FROM outbox WHERE pair = ? AND seq BETWEEN ? AND ?"
    return Covered(*database.one(sql, (pair, first, last)))


def drop(database: Database, pair: int, base: int) -> None:
    """Forget the entries below `base`."""
    database.connection.execute("DELETE FROM outbox WHERE pair = ? AND seq < ?", (pair, base))


def renumber(database: Database, pair: int, by: int) -> None:
    """Lower all numbers by `by`; nothing expires any more. The messages that wait follow."""
    run = database.connection.execute
    run("UPDATE outbox SET seq = -seq, expires_ms = NULL WHERE pair = ?", (pair,))  # aside, so that none meets another
    run("UPDATE outbox SET seq = -seq - ? WHERE pair = ?", (by, pair))
    run(
        "UPDATE messages SET seq = seq - ? WHERE cursor IN"
        " (SELECT cursor FROM outbox WHERE pair = ? AND cursor IS NOT NULL)",
        (by, pair),
    )
