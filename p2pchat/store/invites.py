"""Invites: the codes that were given out here and still work.

An attempt at a code is counted, durably and for all processes of the profile, before the one who tries learns anything:
the reply tells whether the guess was right, so three replies are all that anybody ever gets. What was tried in vain,
because no such code is there, is counted too, with as much work: the time until the reply tells nobody which codes are.
What is dead is deleted, and its secret with it. Whoever writes does so inside `Database.transaction`; only a commit
counts.

Source: docs/protocol.md, section 5, "Invites".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import PeerId, is_usable
from p2pchat.store import failures

if TYPE_CHECKING:
    from p2pchat.store.database import Database

MAX_ATTEMPTS: Final = 3
LAST_ATTEMPT: Final = 60_000  # milliseconds in which the last attempt is over, whatever came of it

_COLUMNS: Final = "slot, attempts, expires_ms, invitation, for_peer, secret"
_FREE: Final = """
    SELECT min(slot) FROM (SELECT 1 AS slot UNION ALL SELECT slot + 1 FROM invites)
    WHERE slot NOT IN (SELECT slot FROM invites)"""
_ONE: Final = f"SELECT {_COLUMNS} FROM invites WHERE slot = ?"  # noqa: S608  (constants)
_ADD: Final = """
    INSERT INTO invites VALUES (?, 0, 0, ?, coalesce(
      (SELECT invitation FROM invites WHERE slot = ?), (SELECT max(invitation) + 1 FROM invites), 1), ?, ?)"""
_COUNT: Final = "UPDATE invites SET attempts = attempts + 1, tried_ms = ? WHERE slot = ?"
_MISS: Final = "UPDATE misses SET attempts = attempts + 1, tried_ms = ?"
_BURN: Final = """
    DELETE FROM invites WHERE invitation = (SELECT invitation FROM invites WHERE slot = ? AND secret = ?)
    RETURNING 1"""
_DEAD: Final = "FROM invites WHERE expires_ms <= ? OR (attempts >= ? AND tried_ms <= ?)"


class Invite(Struct, frozen=True, kw_only=True, gc=False):
    """A code that works; its secret is in no `repr`."""

    slot: int  # the number that it begins with
    secret: str  # the words, or the token, that come behind
    expires_ms: int  # Unix milliseconds
    for_peer: PeerId | None  # the one contact that may claim it; None: whoever has it
    attempts: int  # how many were made

    @property
    def code(self) -> Code:
        """What to say, or to put into a link."""
        return Code(self.slot, self.secret)

    def __repr__(self) -> str:
        return f"Invite(slot={self.slot}, expires_ms={self.expires_ms}, for_peer={self.for_peer})"


def create(
    db: Database, secret: str, *, lifetime_ms: int, for_peer: PeerId | None = None, twin: int | None = None
) -> Invite:
    """Give out the smallest slot that is free to `secret`.

    Args:
      db: where.
      secret: what has to be known.
      lifetime_ms: until it dies by itself, in milliseconds.
      for_peer: the only one that may claim it; None: whoever knows it.
      twin: the slot of a code that was made for the same person: who burns one of them burns both.

    Raises:
      StoreError: if the disk refuses.
    """
    _bury(db)
    expires_ms = db.now_ms() + lifetime_ms
    key = None if for_peer is None else for_peer.key
    with failures.naming(db.path):
        (slot,) = db.one(_FREE)
        db.connection.execute(_ADD, (slot, expires_ms, twin, key, secret))
    return Invite(slot=slot, secret=secret, expires_ms=expires_ms, for_peer=for_peer, attempts=0)


def attempt(db: Database, slot: int, peer: PeerId) -> str | None:
    """Count an attempt of `peer` at the code in `slot`.

    Nothing may be sent to the peer before this is committed. It costs the same whatever is there.

    Returns:
      The secret; None if no code is there, or it has expired, was tried as often as it may be, or is for somebody else.

    Raises:
      StoreCorrupt: if what is kept of the code is damaged.
      StoreError: if the disk refuses; then nobody may get a reply.
    """
    _bury(db)
    with failures.naming(db.path):
        row = db.connection.execute(_ONE, (slot,)).fetchone()
        invite = None if row is None else _invite(db, *row)
        if invite is None or invite.attempts >= MAX_ATTEMPTS or invite.for_peer not in {None, peer}:
            db.connection.execute(_MISS, (db.now_ms(),))
            return None
        db.connection.execute(_COUNT, (db.now_ms(), slot))
    return invite.secret


def tries_left(db: Database, slot: int) -> int | None:
    """Return how often the code in `slot` can still be tried; None if there is none, or it is gone for good.

    Raises:
      StoreError: if it cannot be read.
    """
    with failures.naming(db.path):
        row = db.connection.execute("SELECT ? - attempts FROM invites WHERE slot = ?", (MAX_ATTEMPTS, slot)).fetchone()
    return None if row is None else int(row[0])


def burn(db: Database, slot: int, secret: str) -> bool:
    """Let the code in `slot` with this `secret`, which an attempt has returned, never work again, nor its twin.

    Returns:
      Whether it could be burnt. False: somebody else has claimed it meanwhile, or it was withdrawn, or its slot was
      given to another code. A code works once, so then the claim must not count.

    Raises:
      StoreError: if the disk refuses.
    """
    with failures.naming(db.path):
        return bool(db.connection.execute(_BURN, (slot, secret)).fetchall())


def live(db: Database) -> list[Invite]:
    """Return the codes that can still be claimed, by slot; only reads.

    Raises:
      StoreCorrupt: if what is kept of one is damaged.
      StoreError: if they cannot be read.
    """
    now_ms = db.now_ms()
    with failures.naming(db.path):
        rows = db.connection.execute(f"SELECT {_COLUMNS} FROM invites ORDER BY slot").fetchall()  # noqa: S608
    found = [_invite(db, *row) for row in rows]
    return [invite for invite in found if invite.attempts < MAX_ATTEMPTS and invite.expires_ms > now_ms]


def expire(db: Database) -> None:
    """Delete what can never be claimed again: it has expired, or its last attempt is over.

    A transaction of its own, if there is something to do.

    Raises:
      StoreError: if the disk refuses.
    """
    with failures.naming(db.path):
        is_due = db.connection.execute(f"SELECT 1 {_DEAD} LIMIT 1", _dead(db)).fetchone() is not None
    if is_due:
        with db.transaction():
            _bury(db)


def _bury(db: Database) -> None:
    with failures.naming(db.path):
        db.connection.execute(f"DELETE {_DEAD}", _dead(db))


def _dead(db: Database) -> tuple[int, int, int]:
    now_ms = db.now_ms()
    return (now_ms, MAX_ATTEMPTS, now_ms - LAST_ATTEMPT)


def _invite(db: Database, slot: int, attempts: int, *rest: Any) -> Invite:  # noqa: ANN401  (as the tables have them)
    expires_ms, invitation, for_peer, secret = rest
    if min(slot, invitation) < 1 or attempts < 0 or not secret or not (for_peer is None or is_usable(for_peer)):
        raise failures.corrupt(db.path, f"what it holds of the code in slot {slot} makes no sense")
    peer = None if for_peer is None else PeerId(for_peer)
    return Invite(slot=slot, secret=secret, expires_ms=expires_ms, for_peer=peer, attempts=attempts)
