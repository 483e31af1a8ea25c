"""Pins: which key answered at an address that was dialled here. It is expected there again, and nobody else is.

An address is looked up in its canonical form only: two spellings of one place must be one pin, since a place without a
pin trusts whoever answers first. For the same reason nothing here takes a damaged row for a missing one.

Who dials us is judged by key alone: addresses of visitors come here as little as what they call themselves.

Source: docs/protocol.md, section 5, "Admission".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat import address as addresses
from p2pchat.crypto.identity import PeerId, is_usable
from p2pchat.errors import AddressError
from p2pchat.store import failures

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.store.database import Database


def canonical(address: Address) -> str:
    """Return the text by which `address` is pinned, whoever put the address together.

    tcp: as it was typed, in lower case, with port, never resolved; unix: the absolute path; exec: its words; memory and
    the schemes of plug-ins: the name.

    Raises:
      AddressError: if no such address could have been typed.
    """
    return str(addresses.parse(str(address), schemes={address.scheme.lower()}))


def peer_at(db: Database, address: str) -> PeerId | None:
    """Return who is pinned at `address`, which is `canonical`; None if nobody is.

    Raises:
      StoreCorrupt: if what is kept there is not the key of a peer.
      StoreError: if it cannot be read.
    """
    with failures.naming(db.path):
        row = db.connection.execute("SELECT peer FROM pins WHERE address = ?", (address,)).fetchone()
    return None if row is None else _peer(db, address, row[0])


def pin(db: Database, address: str, peer: PeerId) -> bool:
    """Pin `peer` at `address`, which is `canonical`, unless somebody is pinned there; inside a transaction.

    Returns:
      Whether nobody was. Otherwise nothing has changed, whoever it is.

    Raises:
      StoreError: as `peer_at`.
    """
    is_new = peer_at(db, address) is None
    if is_new:
        _write(db, address, peer)
    return is_new


def move(db: Database, address: str, peer: PeerId) -> PeerId | None:
    """Pin `peer` at `address`, which is `canonical`, whoever was; inside a transaction.

    Returns:
      Who was pinned there before, if anybody was.

    Raises:
      StoreError: as `peer_at`; a damaged pin is not silently written over.
    """
    before = peer_at(db, address)
    if before != peer:
        _write(db, address, peer)
    return before


def addresses_of(db: Database, peer: PeerId) -> tuple[Address, ...]:
    """Return where `peer` has answered, in the order in which to try: newest pins first, commands after all others.

    Raises:
      StoreCorrupt: if what is kept is no address.
      StoreError: if it cannot be read.
    """
    with failures.naming(db.path):
        rows = db.connection.execute(
            "SELECT address FROM pins WHERE peer = ? ORDER BY since_ms DESC, address", (peer.key,)
        ).fetchall()
    found = [_address(db, text) for (text,) in rows]
    return tuple(sorted(found, key=lambda address: address.scheme == "exec"))


def everywhere(db: Database) -> dict[Address, PeerId]:
    """Return who is pinned where.

    Raises:
      StoreCorrupt: if one pin is damaged.
      StoreError: if they cannot be read.
    """
    with failures.naming(db.path):
        rows = db.connection.execute("SELECT address, peer FROM pins").fetchall()
    return {_address(db, text): _peer(db, text, key) for text, key in rows}


def _write(db: Database, address: str, peer: PeerId) -> None:
    with failures.naming(db.path):
        db.connection.execute("REPLACE INTO pins VALUES (?, ?, ?)", (address, peer.key, db.now_ms()))


def _peer(db: Database, address: str, key: object) -> PeerId:
    if not isinstance(key, bytes) or not is_usable(key):
        raise failures.corrupt(db.path, f"the pin of {address} is not the key of a peer")
    return PeerId(key)


def _address(db: Database, text: str) -> Address:
    scheme = text.partition(":")[0]
    try:
        address = addresses.parse(text, schemes={scheme})
    except AddressError as exc:
        raise failures.corrupt(db.path, f"it holds a pin of {text[:80]!a}, which is no address") from exc
    if str(address) != text:
        raise failures.corrupt(db.path, f"it holds a pin of {text[:80]!a}, which is no address as we keep them")
    return address
