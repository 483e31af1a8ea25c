"""All that the store knows of a peer: the contact, and what its conversations and pins have left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from p2pchat.address import Address
from p2pchat.crypto.identity import PeerId
from p2pchat.store import contacts, failures, pins, timeline
from p2pchat.store.contacts import Contact, Trust
from p2pchat.store.timeline import OnLink

if TYPE_CHECKING:
    from p2pchat.store.database import Database

_PAIRS: Final = "SELECT pair, name, guest, waiting FROM pairs WHERE peer = ? ORDER BY pair"


class Known(Struct, frozen=True, kw_only=True, gc=False):
    """One peer."""

    peer: PeerId
    contact: Contact | None  # None: nobody here has ever decided about it
    claim: str  # what it calls itself today, unfiltered
    guest: bool  # it keeps nothing, and its key ends with its process
    link: OnLink | None  # the newest one with it
    addresses: tuple[Address, ...]  # where it is expected, in the order in which to try
    waiting: int  # messages for it that were not acknowledged

    @property
    def name(self) -> str:
        """What I call it; empty if nothing."""
        return "" if self.contact is None else self.contact.name

    @property
    def trust(self) -> Trust:
        """How well it is known."""
        return Trust.NEW if self.contact is None else self.contact.trust


def of(db: Database, peer: PeerId) -> Known:
    """Return what is known of `peer`, which may be nothing.

    Raises:
      StoreCorrupt: if something of it is damaged.
      StoreError: if it cannot be read.
    """
    return _known(db, peer, contacts.find(db, peer))


def everyone(db: Database) -> Iterator[Known]:
    """Return what is known of each contact, the oldest first.

    Raises:
      StoreError: as `of`.
    """
    return (_known(db, contact.peer, contact) for contact in contacts.everyone(db))


def _known(db: Database, peer: PeerId, contact: Contact | None) -> Known:
    with failures.naming(db.path):
        pairs = db.connection.execute(_PAIRS, (peer.key,)).fetchall()
        links = [link for pair, *_ in pairs if (link := timeline.newest_link(db, pair)) is not None]
    return Known(
        peer=peer,
        contact=contact,
        claim=next((name for _, name, *_ in reversed(pairs) if name), ""),
        guest=any(guest for _, _, guest, _ in pairs),
        link=max(links, key=lambda link: link.since_ms, default=None),
        addresses=pins.addresses_of(db, peer),
        waiting=sum(waiting for *_, waiting in pairs),
    )
