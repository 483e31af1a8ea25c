"""What is known of a peer: all that the tables have of it, in one record."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2pchat import address as addresses
from p2pchat.errors import StoreCorrupt
from p2pchat.store import contacts, known, pins
from p2pchat.store.contacts import Trust
from tests.support.logbook import ANN, BOB, ME, START, open_logbook


def test_of_somebody_new_nothing_is_known(tmp_path: Path) -> None:
    with open_logbook(tmp_path) as book:
        assert known.of(book.db, ANN) == known.Known(
            peer=ANN, contact=None, claim="", guest=False, link=None, addresses=(), waiting=0
        )
        assert (known.of(book.db, ANN).name, known.of(book.db, ANN).trust) == ("", Trust.NEW)
        assert list(known.everyone(book.db)) == []


def test_all_that_is_kept_is_told(tmp_path: Path) -> None:
    with open_logbook(tmp_path) as book:
        with book.db.transaction():
            contacts.know(book.db, ANN)
            contacts.rename(book.db, ANN, "ann")
            pins.pin(book.db, "tcp:box:7272", ANN)
        book.pair(ANN, name="Ann")
        book.connected(ANN)
        book.say(ANN, "one")
        book.say(ANN, "two")
        book.pair(BOB, guest=True)
        book.waits()
        ann, bob = known.of(book.db, ANN), known.of(book.db, BOB)
        assert list(known.everyone(book.db)) == [ann]
    assert (ann.name, ann.trust, ann.claim, ann.guest, ann.waiting) == ("ann", Trust.KNOWN, "Ann", False, 2)
    assert ann.addresses == (addresses.parse("box"),)
    assert ann.link is not None
    assert (ann.link.address, ann.link.since_ms, ann.link.until_ms) == ("tcp:box:7272", START + 1000, None)
    assert (bob.contact, bob.guest, bob.link) == (None, True, None)


def test_who_has_been_talked_to_by_two_of_our_keys_is_one_peer(tmp_path: Path) -> None:
    """With a new identity the old conversations stay; what was said last counts."""
    with open_logbook(tmp_path) as book:
        book.pair(ANN, own=BOB, name="Annie")
        book.db.connection.execute("UPDATE pairs SET own = ?", (BOB.key,))
        book.pair(ANN, own=ME)
        book.connected(ANN, "tcp:new:1")
        assert known.of(book.db, ANN).claim == "Annie"
        link = known.of(book.db, ANN).link
        assert link is not None
        assert link.address == "tcp:new:1"


def test_what_is_damaged_is_not_told(tmp_path: Path) -> None:
    with open_logbook(tmp_path) as book:
        with book.db.transaction():
            contacts.know(book.db, ANN)
        book.db.connection.execute("UPDATE contacts SET accepted = 2")
        for ask in (lambda: known.of(book.db, ANN), lambda: list(known.everyone(book.db))):
            with pytest.raises(StoreCorrupt):
                ask()
