"""The story of one message: when it was composed, stored, sent on which link, acknowledged, read; or why not.

Everything is looked up in the log, by index; nothing is guessed. A message that still waits is told with the state of
the links to its peer, which is the reason why it waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from p2pchat.crypto.identity import PeerId

if TYPE_CHECKING:
    from p2pchat.store.database import Database

SHORTEST: Final = 4  # hexadecimal digits of an id that may stand for all of it
ID_DIGITS: Final = 32
_DIGITS: Final = frozenset("0123456789abcdef")


class Named(Struct, frozen=True, gc=False):
    """A message that an id, or the beginning of one, may mean."""

    id: bytes
    cursor: int
    mine: bool
    own: PeerId
    peer: PeerId


class OnLink(Struct, frozen=True, gc=False):
    """A link to the peer."""

    number: int  # these rise for each peer
    address: str  # empty where the transport knows none
    since_ms: int
    until_ms: int | None = None  # None: no end of it is recorded
    reason: str = ""  # why it ended


class Step(Struct, frozen=True, gc=False):
    """One thing that happened to a message."""

    what: str  # composed, stored, sent, delivered, read, failed; of a peer's message: composed, received, receipt
    at_ms: int  # Unix milliseconds by our clock, but for `composed` of a peer's message, which is its claim
    link: OnLink | None = None
    reason: str = ""


class Timeline(Struct, frozen=True, gc=False):
    """All that is known of one message."""

    named: Named
    name: str  # what the peer calls itself today
    guest: bool  # the peer keeps nothing: delivered means shown
    ref: str | None
    deleted: bool  # its content was deleted here
    state: str  # mine: queued, sent, delivered, read or failed; the peer's: received
    steps: list[Step]
    expires_ms: int | None  # when it will be withdrawn if nothing of it has left
    newest: OnLink | None  # the newest link to the peer; None: there never was one

    @property
    def waits(self) -> bool:
        """Whether it is still to arrive over there."""
        return self.state in {"queued", "sent"}

    @property
    def reason(self) -> str:
        """Why it will never arrive; empty for all others."""
        return self.steps[-1].reason


def prefix_of(text: str) -> str | None:
    """Return the hexadecimal digits of an id, or of the beginning of one, that somebody typed; None if it is none."""
    digits = text.strip().lower().replace("-", "")
    return digits if SHORTEST <= len(digits) <= ID_DIGITS and _DIGITS.issuperset(digits) else None


def find(db: Database, prefix: str, *, own: PeerId | None = None, limit: int = 8) -> list[Named]:
    """Return the messages whose ids begin with `prefix`, oldest first, at most `limit` of them for each peer.

    A whole id that a peer has copied from a message of mine means mine.

    Args:
      db: where to look.
      prefix: hexadecimal digits in lower case, 32 at the most.
      own: which identity of ours; None for any.
      limit: how many are enough to say that there are several.
    """
    first, last = (bytes.fromhex(prefix.ljust(ID_DIGITS, digit)) for digit in "0f")
    found = [
        Named(message_id, cursor, bool(mine), *sides)
        for pair, *sides in _pairs(db, own)
        for mine in (1, 0)
        for message_id, cursor in db.connection.execute(_BY_ID, (pair, mine, first, last, limit)).fetchall()
    ]
    if len(prefix) == ID_DIGITS:
        found = [named for named in found if named.mine] or found
    return sorted(found, key=lambda named: named.cursor)


def why(db: Database, own: PeerId | None, message_id: bytes) -> Timeline | None:
    """Return what became of the message with this id (16 bytes) of the identity `own`, None if there is none."""
    found = find(db, message_id.hex(), own=own, limit=1)
    return timeline(db, found[0]) if found else None


def timeline(db: Database, named: Named) -> Timeline:
    """Return what became of a message that was found."""
    facts = _Facts(*db.one(_FACTS, (named.cursor,)))
    story = _mine(db, named.cursor, facts) if named.mine else _theirs(db, named.cursor, facts)
    state = facts.state(named.cursor) if named.mine else "received"
    newest = _link_before(db, facts.pair, named.cursor if not named.mine else _EVER)
    return Timeline(
        named,
        facts.name,
        bool(facts.guest),
        facts.ref,
        bool(facts.deleted),
        state,
        [Step("composed", facts.sent_ms), *story],
        facts.expires_ms if state == "queued" else None,
        newest,
    )


# ---- looking up

_EVER: Final = 2**63 - 1  # above every cursor

_PAIRS: Final = "SELECT pair, own, peer FROM pairs WHERE ?1 IS NULL OR own = ?1"
_BY_ID: Final = """
    SELECT id, cursor FROM messages WHERE pair = ? AND mine = ? AND id BETWEEN ? AND ? ORDER BY id LIMIT ?"""
_FACTS: Final = """
    SELECT m.pair, p.name, p.guest, m.ref, m.body IS NULL, m.sent_ms, m.at_ms, m.read_ms, m.failed,
      p.sent_through, p.delivered_through,
      (SELECT expires_ms FROM outbox AS o WHERE o.pair = m.pair AND o.seq = m.seq AND o.cursor = m.cursor)
    FROM messages AS m JOIN pairs AS p USING (pair) WHERE m.cursor = ?"""
_COVERING: Final = """
    SELECT cursor, first, at_ms, gen FROM events WHERE pair = ? AND kind = ? AND last >= ? ORDER BY last LIMIT 1"""
_LINK_BEFORE: Final = """
    SELECT cursor, at_ms, gen, detail FROM events
    WHERE pair = ? AND kind = 'connected' AND last = 0 AND cursor < ? ORDER BY cursor DESC LIMIT 1"""
_LINK: Final = """
    SELECT cursor, at_ms, gen, detail FROM events
    WHERE pair = ? AND kind = 'connected' AND last = 0 AND gen = ? ORDER BY cursor DESC LIMIT 1"""
_LINK_END: Final = """
    SELECT at_ms, detail FROM events
    WHERE pair = ? AND kind = 'disconnected' AND last IN (0, 1) AND gen = ? AND cursor > ? ORDER BY cursor LIMIT 1"""


def newest_link(db: Database, pair: int) -> OnLink | None:
    """Return the newest link of the conversation `pair`, a number of the table of pairs; None: there never was one."""
    return _link_before(db, pair, _EVER)


class _Facts(Struct, frozen=True, gc=False):
    """What the tables hold of one message beside the log."""

    pair: int
    name: str
    guest: int
    ref: str | None
    deleted: int
    sent_ms: int
    at_ms: int
    read_ms: int | None
    failed: str | None
    sent_through: int
    delivered_through: int
    expires_ms: int | None

    def state(self, cursor: int) -> str:
        """Return how far a message of mine has come."""
        if self.failed is not None:
            return "failed"
        if self.read_ms is not None:
            return "read"
        if cursor <= self.delivered_through:
            return "delivered"
        return "sent" if cursor <= self.sent_through else "queued"


class _Covering(Struct, frozen=True, gc=False):
    """An event that is about a range of messages."""

    cursor: int
    first: int
    at_ms: int
    link: int


def _mine(db: Database, cursor: int, facts: _Facts) -> Iterator[Step]:
    yield Step("stored", facts.at_ms)
    end = _covering(db, facts.pair, "failed", cursor)
    for kind in ("sent", "delivered"):
        passage = _covering(db, facts.pair, kind, cursor)
        # What had failed before is inside of the range, but was left out.
        if passage and (end is None or passage.cursor < end.cursor):
            link = db.connection.execute(_LINK, (facts.pair, passage.link)).fetchone()
            yield Step(kind, passage.at_ms, _link(db, facts.pair, link))
    if facts.read_ms is not None:
        yield Step("read", facts.read_ms)
    if end:
        yield Step("failed", end.at_ms, reason=facts.failed or "")


def _theirs(db: Database, cursor: int, facts: _Facts) -> Iterator[Step]:
    yield Step("received", facts.at_ms, _link_before(db, facts.pair, cursor))
    if facts.read_ms is not None:
        yield Step("receipt", facts.read_ms)


def _covering(db: Database, pair: int, kind: str, cursor: int) -> _Covering | None:
    """Return the event of this kind about a message, if any: ranges never overlap, so the first that ends behind it."""
    row = db.connection.execute(_COVERING, (pair, kind, cursor)).fetchone()
    return _Covering(*row) if row is not None and row[1] <= cursor else None


def _link_before(db: Database, pair: int, cursor: int) -> OnLink | None:
    return _link(db, pair, db.connection.execute(_LINK_BEFORE, (pair, cursor)).fetchone())


def _link(db: Database, pair: int, row: tuple[int, int, int, str] | None) -> OnLink | None:
    """Return the link that began with this event, and its end, if that is known."""
    if row is None:
        return None
    cursor, since_ms, number, address = row
    end = db.connection.execute(_LINK_END, (pair, number, cursor)).fetchone()
    until_ms, reason = end or (None, "")
    return OnLink(number, address, since_ms, until_ms, reason)


def _pairs(db: Database, own: PeerId | None) -> list[tuple[int, PeerId, PeerId]]:
    rows = db.connection.execute(_PAIRS, (own.key if own else None,)).fetchall()
    return [(pair, PeerId(mine), PeerId(theirs)) for pair, mine, theirs in rows]
