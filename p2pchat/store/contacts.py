"""Contacts: whom I know, by key, and how well. A guest is never one: its key ends with its process.

What is trusted is a row in here and nothing else, so a row that is damaged is nobody's: everything fails closed.
Whoever writes does so inside `Database.transaction`.

Source: docs/protocol.md, section 5, "Admission".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from p2pchat.crypto.identity import PeerId, is_usable
from p2pchat.errors import BadData, NameTaken
from p2pchat.store import failures, names

if TYPE_CHECKING:
    from p2pchat.store.database import Database


class Trust(StrEnum):
    """How well a peer is known."""

    NEW = "new"  # it was never accepted
    KNOWN = "known"  # somebody here accepted it, or dialled it
    VERIFIED = "verified"  # ... and made sure whose key it is
    BLOCKED = "blocked"


class How(StrEnum):
    """By what a key was verified."""

    CODE = "code"  # both sides had the same words
    FINGERPRINT = "fingerprint"  # the digits were compared
    LINK = "link"  # the key came, with a secret, in a link or a picture


class Contact(Struct, frozen=True, kw_only=True, gc=False):
    """What is kept of one peer."""

    peer: PeerId
    name: str  # what I call it; empty if nothing
    accepted: bool
    blocked: bool
    verified_ms: int | None  # when its key was verified last, in Unix milliseconds
    how: How | None
    since_ms: int

    @property
    def trust(self) -> Trust:
        """How well it is known; blocked before all else."""
        if self.blocked:
            return Trust.BLOCKED
        if self.verified_ms is not None:
            return Trust.VERIFIED
        return Trust.KNOWN if self.accepted else Trust.NEW


_COLUMNS: Final = "peer, name, accepted, blocked, verified_ms, how, since_ms"
_ALL: Final = f"SELECT {_COLUMNS} FROM contacts ORDER BY since_ms, peer"  # noqa: S608  (constants)
_ONE: Final = f"SELECT {_COLUMNS} FROM contacts WHERE peer = ?"  # noqa: S608
_ADD: Final = "INSERT OR IGNORE INTO contacts VALUES (?, '', 0, 0, NULL, NULL, ?)"
_FORGET: Final = """
    DELETE FROM contacts
    WHERE peer = ? AND name = '' AND accepted = 0 AND blocked = 0 AND verified_ms IS NULL"""


def find(db: Database, peer: PeerId) -> Contact | None:
    """Return what is kept of `peer`; None if nothing is.

    Raises:
      StoreCorrupt: if it is damaged.
      StoreError: if it cannot be read.
    """
    with failures.naming(db.path):
        row = db.connection.execute(_ONE, (peer.key,)).fetchone()
    return None if row is None else _contact(db, *row)


def named(db: Database, name: str) -> Contact | None:
    """Return whom I call `name`, in whatever case; None if nobody.

    Raises:
      StoreError: as `everyone`.
    """
    wanted = names.folded(name)
    return next((contact for contact in everyone(db) if contact.name and names.folded(contact.name) == wanted), None)


def everyone(db: Database) -> list[Contact]:
    """Return all contacts, the oldest first.

    Raises:
      StoreCorrupt: if one of them is damaged: then none of them counts.
      StoreError: if they cannot be read.
    """
    with failures.naming(db.path):
        rows = db.connection.execute(_ALL).fetchall()
    return [_contact(db, *row) for row in rows]


def know(db: Database, peer: PeerId) -> bool:
    """Let `peer` in from now on. One who is blocked stays as it is.

    Returns:
      Whether anything has changed.

    Raises:
      StoreError: as `find`.
    """
    contact = find(db, peer)
    if contact is not None and (contact.accepted or contact.blocked):
        return False
    _set(db, peer, "accepted = 1")
    return True


def verify(db: Database, peer: PeerId, how: How) -> None:
    """Note that the key of `peer` is the key of who it should be, which lets it in. One who is blocked stays so.

    Raises:
      StoreError: as `find`.
    """
    find(db, peer)
    _set(db, peer, "accepted = 1, verified_ms = ?, how = ?", db.now_ms(), how)


def block(db: Database, peer: PeerId) -> bool:
    """Let `peer` in no more; all else that is known of it stays. Codes that were for it alone are dead.

    Returns:
      Whether anything has changed.

    Raises:
      StoreError: as `find`.
    """
    contact = find(db, peer)
    if contact is not None and contact.blocked:
        return False
    _set(db, peer, "blocked = 1")
    _burn_invites(db, peer)
    return True


def unblock(db: Database, peer: PeerId) -> bool:
    """Let `peer` be what it was before it was blocked.

    Returns:
      Whether it was blocked.

    Raises:
      StoreError: as `find`.
    """
    contact = find(db, peer)
    if contact is None or not contact.blocked:
        return False
    _set(db, peer, "blocked = 0")
    return True


def rename(db: Database, peer: PeerId, name: str) -> None:
    """Call `peer` `name` from now on, or nothing if that is empty. It trusts nobody.

    Raises:
      BadData: if it is no name that a contact may have.
      NameTaken: if another contact is called that, or something that looks like it.
      StoreError: as `everyone`.
    """
    name = names.check_petname(name) if name else ""
    for contact in everyone(db):
        if name and contact.name and contact.peer != peer and names.alike(contact.name, name):
            raise NameTaken(
                f"another contact is called {contact.name!r} already, which looks like {name!r}",
                hint=f"that one is {contact.peer}",
            )
    _set(db, peer, "name = ?", name)


def remove(db: Database, peer: PeerId) -> bool:
    """Forget `peer`: its name, how well it is known, where it is expected. What was said stays.

    Returns:
      Whether anything was known.

    Raises:
      StoreError: if the disk refuses.
    """
    with failures.naming(db.path):
        run = db.connection.execute
        found = run("DELETE FROM contacts WHERE peer = ? RETURNING 1", (peer.key,)).fetchall()
        found += run("DELETE FROM pins WHERE peer = ? RETURNING 1", (peer.key,)).fetchall()
    _burn_invites(db, peer)
    return bool(found)


def _set(db: Database, peer: PeerId, change: str, *values: object) -> None:
    """Change the row of `peer`, which is made if there is none, and goes if it says nothing any more."""
    with failures.naming(db.path):
        run = db.connection.execute
        run(_ADD, (peer.key, db.now_ms()))
        run(f"UPDATE contacts SET {change} WHERE peer = ?", (*values, peer.key))  # noqa: S608  (never a value)
        run(_FORGET, (peer.key,))


def _burn_invites(db: Database, peer: PeerId) -> None:
    with failures.naming(db.path):
        db.connection.execute("DELETE FROM invites WHERE for_peer = ?", (peer.key,))


def _may_be(name: str) -> bool:
    try:
        return not name or names.check_petname(name) == name
    except BadData:
        return False


def _contact(db: Database, key: bytes, name: str, *rest: Any) -> Contact:  # noqa: ANN401  (as the tables have them)
    accepted, blocked, verified_ms, how, since_ms = rest
    if not is_usable(key):
        raise failures.corrupt(db.path, "it holds a contact that is not the key of a peer")
    peer = PeerId(key)
    is_sound = {accepted, blocked} <= {0, 1} and (verified_ms is None) == (how is None) and how in {None, *How}
    if not (is_sound and _may_be(name)):
        raise failures.corrupt(db.path, f"what it holds of the contact {peer} makes no sense")
    return Contact(
        peer=peer,
        name=name,
        accepted=bool(accepted),
        blocked=bool(blocked),
        verified_ms=verified_ms,
        how=None if how is None else How(how),
        since_ms=since_ms,
    )
