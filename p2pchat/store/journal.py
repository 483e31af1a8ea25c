"""The log of everything that happened, read in the order in which it was written.

Messages and events share one sequence of cursors, and the log is both tables merged by it; clocks decide nothing. A
message is its own first event. What became of a whole range of my messages is kept as one row, and told message by
message: a row that covers n of them has the n cursors up to its own, so a reader may stop anywhere and go on there.

Reading changes nothing, costs what the page holds, and needs no transaction: rows are only added, at the end. The one
thing that may go is the content of a message, if somebody deletes it here; then the message is told without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct

from p2pchat.crypto.identity import PeerId
from p2pchat.protocol.assembly import Message
from p2pchat.wire import messages
from p2pchat.wire.frames import Entry

if TYPE_CHECKING:
    from p2pchat.store.database import Database

PAGE: Final = 256  # what one page tells, counted in messages and events
ENOUGH: Final = 1 << 20  # bytes of content after which a page ends early: one message, if it is as long as any may be

Row: TypeAlias = tuple[Any, ...]


class Said(Struct, frozen=True, gc=False):
    """A message: mine, queued now; or the peer's, received now."""

    mine: bool
    id: bytes  # 16 bytes
    seq: int  # the number of its final entry in the log of whoever said it
    kind: int
    body: bytes | None  # of the whole message, for `messages.decode_body`; None: deleted here
    sent_ms: int  # Unix milliseconds, as its sender claims
    ref: str | None  # what the program that queued it calls it
    opening: int  # names the opening of the store that wrote it: that of this process, or another's

    @property
    def message(self) -> Message:
        """The same as it is shown while it arrives; of a kind that nobody can show, if it was deleted here."""
        entry = Entry(id=self.id, kind=self.kind, sent_ms=self.sent_ms, conv=b"", body=self.body or b"")
        if self.body is None:
            return Message(self.seq, entry, messages.Unsupported(self.kind, b""))
        return Message(self.seq, entry, messages.decode_body(self.kind, self.body))


class Became(Struct, frozen=True, gc=False):
    """Messages of mine reached another state; the last of them at the cursor of the record, the others just before."""

    state: str  # sent, delivered, read or failed
    ids: Sequence[bytes]  # 16 bytes each, oldest first
    refs: Sequence[str | None]  # what programs call them
    reason: str  # why they failed
    link: int  # on which link; 0 where none had to do with it


class LinkUp(Struct, frozen=True, gc=False):
    """A link to the peer began."""

    address: str  # empty where the transport knows none
    link: int  # which one: these numbers rise for each peer


class LinkDown(Struct, frozen=True, gc=False):
    """A link to the peer ended."""

    reason: str
    clean: bool  # both sides had said goodbye
    link: int


class Gap(Struct, frozen=True, gc=False):
    """Messages of the peer may be missing before what comes next."""


class RolledBack(Struct, frozen=True, gc=False):
    """Our store turned out to be an old backup: what was said since it was made may be missing here."""


What: TypeAlias = Said | Became | LinkUp | LinkDown | Gap | RolledBack


class Record(Struct, frozen=True, gc=False):
    """Something that happened between one identity of ours and one peer."""

    cursor: int
    at_ms: int  # Unix milliseconds, by the clock of this machine
    own: PeerId
    peer: PeerId
    name: str  # what the peer calls itself today
    guest: bool  # it keeps nothing: what it acknowledged was shown and is kept nowhere
    what: What


def newest(db: Database) -> int:
    """Return the cursor of the newest record, 0 if there is none."""
    sql = "SELECT max(ifnull((SELECT max(cursor) FROM messages), 0), ifnull((SELECT max(cursor) FROM events), 0))"
    (cursor,) = db.one(sql)
    return int(cursor)


def since(  # noqa: PLR0913  (each narrows what is told, by name)
    db: Database,
    cursor: int,
    *,
    through: int | None = None,
    peer: PeerId | None = None,
    besides: int | None = None,
    limit: int = PAGE,
) -> list[Record]:
    """Return the oldest records after `cursor`, at most `limit` messages and events in all; none if there is nothing.

    The cursor of the last one continues the log, in the middle of a range as well.

    Args:
      db: where it is kept.
      cursor: what the reader has seen, 0 for nothing.
      through: tell nothing after it.
      peer: tell only of this peer.
      besides: leave out the messages of mine that this opening of the store wrote: whoever did knows them.
      limit: how much to tell; long messages end a page earlier.
    """
    # The end is looked up first, in one statement: a message that is committed while we read one table can then not be
    # overtaken by what became of it, read from the other.
    newer = newest(db)
    span = _Span(cursor, newer if through is None else min(through, newer), limit, besides)
    whom = Whom(db)
    pairs = (None,) if peer is None else whom.pairs_with(peer)
    rows = [row for pair in pairs for row in chain(_messages(db, span, pair), _events(db, span, pair))]
    return list(_records(db, whom, sorted(rows, key=_CURSOR), span))


class Whom:
    """Who the two sides of a pair are; each is read once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[int, tuple[PeerId, PeerId, str, bool]] = {}

    def __getitem__(self, pair: int) -> tuple[PeerId, PeerId, str, bool]:
        """Return who we are there, who the peer is, what it calls itself, and whether it is a guest."""
        known = self._known.get(pair)
        if known is None:
            sql = "SELECT own, peer, name, guest FROM pairs WHERE pair = ?"
            own, peer, name, guest = self._db.one(sql, (pair,))
            known = self._known[pair] = PeerId(own), PeerId(peer), name, bool(guest)
        return known

    def pairs_with(self, peer: PeerId) -> list[int]:
        """Return the pairs that have `peer` on the other side: several if we were somebody else before."""
        rows = self._db.connection.execute("SELECT pair FROM pairs WHERE peer = ?", (peer.key,)).fetchall()
        return [pair for (pair,) in rows]


# ---- one page


class _Span(Struct, frozen=True, gc=False):
    """What to tell: cursors above `after`, up to `through`, `limit` of them."""

    after: int
    through: int
    limit: int
    besides: int | None  # an opening whose messages are known


_CURSOR: Final = itemgetter(0)
_INLINE: Final = 4096  # bytes of a body that are read before it is known whether the page has room for them

# Both kinds of rows begin with cursor, time, pair, and the kind of event, which a message has none of.
_MESSAGES: Final = f"""
    SELECT cursor, at_ms, pair, NULL, mine, id, seq, kind, length(body), sent_ms, ref, opening,
      CASE WHEN length(body) <= {_INLINE} THEN body END
    FROM messages WHERE cursor > ? AND cursor <= ? ORDER BY cursor LIMIT ?"""  # noqa: S608  (a constant)
_BODY: Final = "SELECT body FROM messages WHERE cursor = ?"
_EVENTS: Final = """
    SELECT cursor, at_ms, pair, kind, count, gen, first, last, detail
    FROM events WHERE cursor > ? AND cursor <= ? ORDER BY cursor LIMIT ?"""
#: Of a range, those whose story had not ended before: what had failed was neither sent nor delivered.
_COVERED: Final = """
    SELECT id, ref FROM messages
    WHERE pair = ?1 AND mine = 1 AND cursor BETWEEN ?2 AND ?3 AND (failed IS NULL OR NOT EXISTS (
      SELECT 1 FROM events AS f WHERE f.pair = ?1 AND f.kind = 'failed' AND f.last = messages.cursor AND f.cursor < ?4))
    ORDER BY cursor LIMIT ?5 OFFSET ?6"""


def _messages(db: Database, span: _Span, pair: int | None) -> list[Row]:
    wanted: tuple[int, ...] = (span.after, span.through, span.limit)
    statement = _MESSAGES
    if span.besides is not None:
        statement, wanted = statement.replace("WHERE", "WHERE NOT (mine AND opening = ?) AND"), (span.besides, *wanted)
    if pair is not None:
        statement, wanted = statement.replace("WHERE", "WHERE pair = ? AND"), (pair, *wanted)
    return db.connection.execute(statement, wanted).fetchall()


def _events(db: Database, span: _Span, pair: int | None) -> list[Row]:
    wanted = (span.after, span.through, span.limit)
    if pair is None:
        return db.connection.execute(_EVENTS, wanted).fetchall()
    # The plus forbids an index whose order is another: for each page, all that the pair has would be sorted.
    return db.connection.execute(_EVENTS.replace("WHERE", "WHERE +pair = ? AND"), (pair, *wanted)).fetchall()


def _records(db: Database, whom: Whom, rows: Sequence[Row], span: _Span) -> Iterator[Record]:
    """Yield records from `rows`, in order, until the page is full."""
    room, size = span.limit, 0
    for row in rows:
        if room <= 0 or size >= ENOUGH:
            return
        cursor, at_ms, pair, kind, *more = row
        what: What
        if kind is None:
            room, size, what = room - 1, size + (more[4] or 0), _said(db, cursor, more)
        elif kind in _STATES:
            cursor, what = _became(db, row, span.after, room)
            room -= max(len(what.ids), 1)
        else:
            room, what = room - 1, _happened(kind, more)
        yield Record(cursor, at_ms, *whom[pair], what)


def _said(db: Database, cursor: int, row: Sequence[Any]) -> Said:
    mine, message_id, seq, kind, length, sent_ms, ref, opening, body = row
    if body is None and length is not None:
        (body,) = db.one(_BODY, (cursor,))
    return Said(bool(mine), message_id, seq, kind, body, sent_ms, ref, opening)


_STATES: Final = frozenset({"sent", "delivered", "read", "failed"})


def _became(db: Database, row: Row, after: int, room: int) -> tuple[int, Became]:
    """Return of a range what lies above `after`, at most `room` messages, and the cursor of the last of them."""
    cursor, _, pair, state, count, link, first, last, detail = row
    before = cursor - count  # the cursor just below the range
    skipped = max(after - before, 0)
    # Where nothing lies between the messages, as in a large queue, the first one is known; else SQLite walks there.
    start, walk = (first + skipped, 0) if last - first + 1 == count else (first, skipped)
    covered = db.connection.execute(_COVERED, (pair, start, last, cursor, min(room, count), walk)).fetchall()
    ids, refs = [message_id for message_id, _ in covered], [ref for _, ref in covered]
    if skipped + len(ids) < count and len(ids) == room:
        cursor = before + skipped + room
    return cursor, Became(state, ids, refs, detail if state == "failed" else "", link)


def _happened(kind: str, row: Sequence[Any]) -> LinkUp | LinkDown | Gap | RolledBack:
    _, link, _, last, detail = row
    match kind:
        case "connected":
            return LinkUp(detail, link)
        case "disconnected":
            return LinkDown(detail, bool(last), link)
        case "gap":
            return Gap()
        case _:
            return RolledBack()
