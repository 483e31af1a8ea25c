"""What the store remembers of one pair in one row: where both logs stand, and who the peer is.

It is read once and written once a job, however many rules look at it in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from p2pchat.protocol import chain
from p2pchat.protocol.assembly import NO_PARTS, Parts
from p2pchat.protocol.ledger import Fence, Held, Log, Seen

if TYPE_CHECKING:
    from p2pchat.store.database import Database


class Place(Struct, frozen=True, kw_only=True, gc=False):
    """Whose conversation it is."""

    own: bytes  # Ed25519 key of the identity that we are in it
    peer: bytes  # ... and of the other side
    epoch: bytes  # 8 random bytes: name the log, if this is the first time


class Head(Struct, kw_only=True):
    """One row of `pairs`; whoever changes it calls `save` before the transaction ends."""

    pair: int
    fence: Fence
    log: Log
    next: int
    seen: Seen
    name: str  # what the peer calls itself
    guest: bool  # whether the peer keeps nothing
    met_ms: int  # when the last link began or ended
    sent_through: int  # cursors of my messages
    delivered_through: int
    waiting: int  # how many of my messages are in the outbox
    stored_bytes: int  # what the peer made us keep


_COLUMNS: Final = (
    "gen, held_since, held_by_smaller, epoch, base, base_state, handed, next, "
    "peer_epoch, peer_seen, peer_state, part_conv, parts, "
    "name, guest, met_ms, sent_through, delivered_through, waiting, stored_bytes"
)
_SELECT: Final = f"SELECT pair, {_COLUMNS} FROM pairs WHERE own = ? AND peer = ?"  # noqa: S608  (constants)
_UPDATE: Final = f"UPDATE pairs SET ({_COLUMNS}) = ({', '.join('?' * 20)}) WHERE pair = ?"  # noqa: S608
_INSERT: Final = "INSERT INTO pairs (own, peer, epoch, base_state, peer_state) VALUES (?, ?, ?, ?, ?)"
_PARTS: Final = "SELECT body FROM parts WHERE pair = ? ORDER BY n"


def load(database: Database, place: Place) -> Head:
    """Return what is known of a pair; one that was never met begins a log."""
    row = database.connection.execute(_SELECT, (place.own, place.peer)).fetchone()
    if row is None:
        database.connection.execute(_INSERT, (place.own, place.peer, place.epoch, chain.EMPTY, chain.EMPTY))
        row = database.one(_SELECT, (place.own, place.peer))
    return _head(database, *row)


def _head(database: Database, pair: int, *columns: Any) -> Head:  # noqa: ANN401  (as the tables have them)
    gen, held_since, held_by_smaller, epoch, base, base_state, handed, next_, *rest = columns
    peer_epoch, peer_seen, peer_state, part_conv, parts, name, guest, met_ms, *counts = rest
    sent_through, delivered_through, waiting, stored_bytes = counts
    held = None if held_since is None else Held(since=held_since, dialed_by_smaller=bool(held_by_smaller))
    unfinished = NO_PARTS
    if parts:
        unfinished = Parts(part_conv, tuple(body for (body,) in database.connection.execute(_PARTS, (pair,))))
    return Head(
        pair=pair,
        fence=Fence(gen=gen, held=held),
        log=Log(epoch=epoch, base=base, base_state=base_state, handed=handed),
        next=next_,
        seen=Seen(epoch=peer_epoch, seq=peer_seen, state=peer_state, parts=unfinished),
        name=name,
        guest=bool(guest),
        met_ms=met_ms,
        sent_through=sent_through,
        delivered_through=delivered_through,
        waiting=waiting,
        stored_bytes=stored_bytes,
    )


def save(database: Database, head: Head) -> None:
    """Write `head` back, but for the bodies of unfinished parts: `keep_parts` has written those."""
    fence, log, seen = head.fence, head.log, head.seen
    held_since = fence.held and fence.held.since
    held_by_smaller = fence.held and fence.held.dialed_by_smaller
    database.connection.execute(
        _UPDATE,
        (
            *(fence.gen, held_since, held_by_smaller, log.epoch, log.base, log.base_state, log.handed, head.next),
            *(seen.epoch, seen.seq, seen.state, seen.parts.conv, len(seen.parts.bodies)),
            *(head.name, head.guest, head.met_ms, head.sent_through, head.delivered_through),
            *(head.waiting, head.stored_bytes, head.pair),
        ),
    )


def keep_parts(database: Database, pair: int, before: Parts, after: Parts) -> None:
    """Make the kept parts those of `after`, where those of `before` are kept."""
    if before is after:
        return
    known = len(before.bodies)
    if after.bodies[:known] != before.bodies:  # another message; one that goes on shares what it had, so this is quick
        database.connection.execute("DELETE FROM parts WHERE pair = ?", (pair,))
        known = 0
    database.connection.executemany(
        "INSERT INTO parts VALUES (?, ?, ?)",
        [(pair, n, body) for n, body in enumerate(after.bodies[known:], known)],
    )
