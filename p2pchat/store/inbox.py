"""What the peer says, on its way into the database: which of it is known, what is kept, and what is only heeded.

Source: docs/protocol.md, section 6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from p2pchat.store import events, quota
from p2pchat.store.base import UNSAID
from p2pchat.store.events import Event
from p2pchat.store.rows import Insertion
from p2pchat.wire import messages as wire

if TYPE_CHECKING:
    from p2pchat.protocol.assembly import Messages
    from p2pchat.store.database import Database
    from p2pchat.store.heads import Head
    from p2pchat.wire.frames import Entry

_AT_ONCE: Final = 64  # ids in one question; a statement of one length stays compiled
_KNOWN: Final = f"""
    SELECT id FROM messages WHERE pair = ? AND mine = 0 AND id IN ({", ".join("?" * _AT_ONCE)})"""  # noqa: S608
_NEWER: Final = "SELECT 1 FROM messages WHERE pair = ? AND mine = 0 AND id >= ? LIMIT 1"
_INTO_MESSAGES: Final = "INSERT INTO messages (pair, at_ms, opening, cursor, mine, id, seq, kind, sent_ms, body)"
# Shared: pair, when they came, the opening, the first cursor.
_KEEP: Final = Insertion(_INTO_MESSAGES, "(?1, ?2, ?3, ?4 + #, 0, ?, ?, ?, ?, ?)", shared=4)
# Shared: the same, and the first number, kind, time.
_KEEP_ALIKE: Final = Insertion(_INTO_MESSAGES, "(?1, ?2, ?3, ?4 + #, 0, ?, ?5 + #, ?6, ?7, ?)", shared=7)


def known(database: Database, pair: int, ids: Sequence[bytes]) -> set[bytes]:
    """Return those of `ids` that are ids of messages of the peer which are here already."""
    found: set[bytes] = set()
    if not ids or database.connection.execute(_NEWER, (pair, min(ids))).fetchone() is None:
        return found  # ids begin with the time, so this is the rule
    for start in range(0, len(ids), _AT_ONCE):
        some = list(ids[start : start + _AT_ONCE])
        some += some[-1:] * (_AT_ONCE - len(some))
        found.update(message_id for (message_id,) in database.connection.execute(_KNOWN, (pair, *some)))
    return found


def weight(messages: Messages) -> int:
    """Return how many bytes `keep` will add, for the quota."""
    return sum([len(entry.body) + quota.ROW_BYTES for entry in messages.entries if entry.kind not in UNSAID])


def keep(database: Database, head: Head, messages: Messages, *, opening: int) -> None:
    """Keep what is said to be read, in order; do what the rest is for."""
    if not messages:
        return
    now_ms = database.now_ms()
    unsaid = [entry for entry in messages.entries if entry.kind in UNSAID]
    first = database.take_cursors(len(messages) - len(unsaid))
    shared = (head.pair, now_ms, opening, first)
    alike = {(entry.kind, entry.sent_ms) for entry in messages.entries}
    start = messages.seqs[0]
    if len(alike) == 1 and not unsaid and messages.seqs[-1] - start == len(messages) - 1:  # said by one call
        own = [each for entry in messages.entries for each in (entry.id, entry.body)]
        _KEEP_ALIKE.run(database.connection, (*shared, start, *alike.pop()), own)
        return
    mixed: list[Any] = []
    for seq, entry in zip(messages.seqs, messages.entries, strict=True):
        if entry.kind not in UNSAID:
            mixed += (entry.id, seq, entry.kind, entry.sent_ms, entry.body)
    _KEEP.run(database.connection, shared, mixed)
    for entry in unsaid:
        _heed(database, head, entry, now_ms=now_ms)


def _heed(database: Database, head: Head, entry: Entry, *, now_ms: int) -> None:
    """Do what an entry is for that is no message; one that cannot be read is for nothing."""
    match wire.decode_body(entry.kind, entry.body):
        case wire.Profile(name):
            head.name = name
        case wire.Read(message_id):
            _read(database, head, message_id, now_ms=now_ms)
        case _:
            pass


def _read(database: Database, head: Head, message_id: bytes, *, now_ms: int) -> None:
    """Note that the peer has read a message of mine; the first time counts."""
    row = database.connection.execute(
        "UPDATE messages SET read_ms = ? WHERE pair = ? AND mine = 1 AND id = ? AND read_ms IS NULL AND failed IS NULL"
        " RETURNING cursor",
        (now_ms, head.pair, message_id),
    ).fetchone()
    if row is not None:
        (cursor,) = row
        events.write(database, Event("read", head.pair, first=cursor, last=cursor))
