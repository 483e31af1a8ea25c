"""Contacts: what was decided about a peer holds until somebody decides otherwise; damage is trusted by nobody."""

# ruff: noqa: RUF001  (lookalikes)

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import BadData, NameTaken, StoreCorrupt
from p2pchat.store import contacts, invites, pins
from p2pchat.store.contacts import Contact, How, Trust
from p2pchat.store.database import Database
from p2pchat.store.heads import Place
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.transaction import SqlTransaction
from tests.support.decided import ANN, BOB, CID, HERE, ME, dial, found, ticking


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "history.db", wall=ticking())) as db:
        yield db


# ---- one after the other


def test_a_stranger_is_nobody(db: Database) -> None:
    assert contacts.find(db, ANN) is None
    assert contacts.everyone(db) == []
    assert contacts.named(db, "") is None


def test_who_was_accepted_is_known_and_that_is_said_once(db: Database) -> None:
    with db.transaction():
        assert contacts.know(db, ANN)
        assert not contacts.know(db, ANN)
    assert found(db, ANN).trust is Trust.KNOWN
    assert contacts.everyone(db) == [found(db, ANN)]


@pytest.mark.parametrize("how", How)
def test_who_was_verified_is_let_in_and_it_is_kept_how_and_when(db: Database, how: How) -> None:
    with db.transaction():
        contacts.verify(db, ANN, How.CODE)
        first = found(db, ANN).verified_ms
        contacts.verify(db, ANN, how)
    contact = found(db, ANN)
    assert (contact.trust, contact.accepted, contact.how) == (Trust.VERIFIED, True, how)
    assert first is not None
    assert contact.verified_ms is not None
    assert first < contact.verified_ms


def test_a_block_is_lifted_and_everything_is_as_it_was(db: Database) -> None:
    with db.transaction():
        contacts.verify(db, ANN, How.FINGERPRINT)
        contacts.rename(db, ANN, "ann")
        pins.pin(db, HERE, ANN)
    before = found(db, ANN)
    with db.transaction():
        assert contacts.block(db, ANN)
        assert not contacts.block(db, ANN)
    assert found(db, ANN) == replace_blocked(before)
    assert found(db, ANN).trust is Trust.BLOCKED
    assert pins.peer_at(db, HERE) == ANN
    with db.transaction():
        assert contacts.unblock(db, ANN)
        assert not contacts.unblock(db, ANN)
    assert found(db, ANN) == before


def replace_blocked(contact: Contact) -> Contact:
    fields = {name: getattr(contact, name) for name in contact.__struct_fields__}
    return Contact(**fields | {"blocked": True})


def test_a_stranger_who_was_blocked_is_a_stranger_again(db: Database) -> None:
    with db.transaction():
        assert contacts.block(db, ANN)
        assert contacts.unblock(db, ANN)
        assert not contacts.unblock(db, BOB)
    assert contacts.everyone(db) == []


def test_nothing_but_unblock_lets_in_who_is_blocked(db: Database) -> None:
    with db.transaction():
        contacts.block(db, ANN)
        assert not contacts.know(db, ANN)
        contacts.rename(db, ANN, "ann")
        contacts.verify(db, ANN, How.CODE)
    assert not dial(db, ANN, HERE)
    assert found(db, ANN).trust is Trust.BLOCKED
    assert pins.addresses_of(db, ANN) == ()
    with db.transaction():
        contacts.unblock(db, ANN)
    assert found(db, ANN).trust is Trust.VERIFIED


def test_whoever_is_accepted_while_blocked_is_no_more_known_afterwards(db: Database) -> None:
    with db.transaction():
        contacts.block(db, ANN)
        contacts.know(db, ANN)
        contacts.unblock(db, ANN)
    assert contacts.find(db, ANN) is None


def test_codes_for_somebody_are_dead_once_it_is_blocked_or_removed(db: Database) -> None:
    for end in (contacts.block, contacts.remove):
        with db.transaction():
            contacts.know(db, ANN)
            for peer in (ANN, BOB, None):
                invites.create(db, "otter-amber-knife", lifetime_ms=60_000, for_peer=peer)
            assert end(db, ANN)
        assert [invite.for_peer for invite in invites.live(db)][-2:] == [BOB, None]
        assert ANN not in [invite.for_peer for invite in invites.live(db)]


def test_who_is_removed_is_a_stranger_and_expected_nowhere(db: Database) -> None:
    with db.transaction():
        contacts.know(db, ANN)
        contacts.rename(db, ANN, "ann")
        pins.pin(db, HERE, ANN)
        pins.pin(db, "tcp:there:1", BOB)
        assert contacts.remove(db, ANN)
        assert not contacts.remove(db, ANN)
        assert contacts.remove(db, BOB), "a pin alone is something"
    assert contacts.everyone(db) == []
    assert pins.everywhere(db) == {}


# ---- names


def test_a_name_is_kept_and_found_in_any_case(db: Database) -> None:
    with db.transaction():
        contacts.rename(db, ANN, "  Ann Smith ")
        contacts.rename(db, BOB, "bob")
    assert found(db, ANN).name == "Ann Smith"
    assert found(db, ANN).trust is Trust.NEW, "to name somebody is not to trust it"
    assert contacts.named(db, "ann smith") == found(db, ANN)
    assert contacts.named(db, "B0B") is None, "a name is called as it is, whatever else looks like it"


@pytest.mark.parametrize("name", ["bob", "BOB", "b0b", "bоb", "b\u00f3b"])
def test_no_two_have_names_that_look_alike(db: Database, name: str) -> None:
    with db.transaction():
        contacts.rename(db, ANN, "Bob")
    with pytest.raises(NameTaken, match="'Bob'") as caught, db.transaction():
        contacts.rename(db, BOB, name)
    assert str(ANN) in caught.value.hint
    assert contacts.find(db, BOB) is None
    with db.transaction():
        contacts.rename(db, ANN, name)
    assert found(db, ANN).name == name, "one's own name is free"


@pytest.mark.parametrize("name", [" ", "me", "peer1abc", "7", "a/b", "b\u202eob", "x" * 65])
def test_a_name_that_would_mislead_is_refused(db: Database, name: str) -> None:
    with pytest.raises(BadData), db.transaction():
        contacts.rename(db, ANN, name)
    assert contacts.find(db, ANN) is None


def test_a_name_is_taken_away(db: Database) -> None:
    with db.transaction():
        contacts.rename(db, ANN, "ann")
        contacts.know(db, BOB)
        contacts.rename(db, BOB, "bob")
        for peer in (ANN, BOB, CID):
            contacts.rename(db, peer, "")
    assert [(contact.peer, contact.name) for contact in contacts.everyone(db)] == [(BOB, "")]


# ---- to dial is to accept


def test_who_answers_where_it_was_dialled_is_expected_there_and_known(db: Database) -> None:
    assert dial(db, ANN, HERE)
    assert pins.peer_at(db, HERE) == ANN
    assert found(db, ANN).trust is Trust.KNOWN
    with db.transaction():
        db.connection.execute("DELETE FROM contacts")
    assert not dial(db, ANN, HERE)
    assert found(db, ANN).trust is Trust.KNOWN, "also where it was expected before"


def test_who_answers_where_somebody_else_is_expected_is_not(db: Database) -> None:
    with db.transaction():
        pins.pin(db, HERE, ANN)
    assert not dial(db, BOB, HERE)
    assert pins.peer_at(db, HERE) == ANN
    assert contacts.find(db, BOB) is None


def test_a_guest_is_neither_expected_nor_known(db: Database) -> None:
    assert not dial(db, ANN, HERE, guest=True)
    assert pins.everywhere(db) == {}
    assert contacts.everyone(db) == []


def test_pin_and_contact_are_one_change(db: Database) -> None:
    with suppress(ZeroDivisionError), db.transaction():
        dial_inside(db, ANN, HERE)
        raise ZeroDivisionError
    assert (pins.everywhere(db), contacts.everyone(db)) == ({}, [])


def dial_inside(db: Database, peer: PeerId, address: str) -> None:
    ledger = SqlLedger(db, Place(own=ME.key, peer=peer.key, epoch=b"an epoch"), opening=0, free_bytes=lambda: 2**50)
    assert SqlTransaction(db, ledger).pin(address)


# ---- damage


SPOILT = [
    ("peer = x'00'", "a contact that is not the key of a peer"),
    ("accepted = 2", "makes no sense"),
    ("blocked = -1", "makes no sense"),
    ("verified_ms = NULL", "makes no sense"),
    ("how = NULL", "makes no sense"),
    ("how = 'hope'", "makes no sense"),
]
BAD_NAMES = ["b\x1b[2Job", "bob\n-- on", "x" * 65, "b\u202eob", " bob", "me", "tcp:bob", "\u2501\u2501 x", "Zoe\u0308"]


@pytest.mark.parametrize(("change", "told"), SPOILT)
def test_one_damaged_contact_and_none_counts(db: Database, change: str, told: str) -> None:
    with db.transaction():
        contacts.verify(db, ANN, How.CODE)
        contacts.know(db, BOB)
    with closing(sqlite3.connect(db.path)) as connection, connection:
        connection.execute(f"UPDATE contacts SET {change} WHERE how IS NOT NULL")
    with pytest.raises(StoreCorrupt, match=told):
        contacts.everyone(db)
    with pytest.raises(StoreCorrupt, match=told):
        Database.open(db.path, wall=ticking())


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_damaged_name_is_damage_like_any_other(db: Database, name: str) -> None:
    with db.transaction():
        contacts.know(db, ANN)
        contacts.rename(db, BOB, "bob")
    with closing(sqlite3.connect(db.path)) as connection, connection:
        connection.execute("UPDATE contacts SET name = ? WHERE name != ''", (name,))
    with pytest.raises(StoreCorrupt, match="makes no sense"):
        contacts.find(db, BOB)
    with pytest.raises(StoreCorrupt, match="makes no sense"):
        Database.open(db.path, wall=ticking())


@pytest.mark.parametrize("change", [contacts.know, contacts.block, contacts.unblock])
def test_what_is_damaged_is_not_written_over(db: Database, change: Callable[[Database, PeerId], bool]) -> None:
    with db.transaction():
        contacts.verify(db, ANN, How.CODE)
    with closing(sqlite3.connect(db.path)) as connection, connection:
        connection.execute("UPDATE contacts SET blocked = 7")
    with pytest.raises(StoreCorrupt), db.transaction():
        change(db, ANN)
    with pytest.raises(StoreCorrupt), db.transaction():
        contacts.verify(db, ANN, How.LINK)
    with pytest.raises(StoreCorrupt), db.transaction():
        contacts.rename(db, BOB, "bob")
    with closing(sqlite3.connect(db.path)) as connection:
        assert connection.execute("SELECT peer, blocked, how FROM contacts").fetchall() == [(ANN.key, 7, "code")]
