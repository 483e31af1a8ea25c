"""What a profile knows of its peers, as tests bring it about and look at it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.store import contacts, quota
from p2pchat.store.contacts import Contact
from p2pchat.store.database import Database
from p2pchat.store.heads import Place
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.transaction import SqlTransaction

ME, ANN, BOB, CID = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (9, 1, 2, 3))
HERE = "tcp:localhost:7272"


def ticking() -> Callable[[], float]:
    """A wall clock by which no two things happen at once."""
    return map(float, count(1_700_000_000)).__next__


def found(db: Database, peer: PeerId) -> Contact:
    contact = contacts.find(db, peer)
    assert contact is not None
    return contact


def dial(db: Database, peer: PeerId, address: str, *, guest: bool = False) -> bool:
    """Do what the first working session of a dial does."""
    place = Place(own=ME.key, peer=peer.key, epoch=b"an epoch")
    ledger = SqlLedger(db, place, opening=0, free_bytes=quota.free_bytes_beside(db.path))
    with db.transaction():
        transaction = SqlTransaction(db, ledger)
        transaction.connected(address, name="", guest=guest)
        is_new = transaction.pin(address)
        ledger.flush()
    return is_new
