"""PEER: which word is whose name, and where that leads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat import address as addresses
from p2pchat.address import Address
from p2pchat.cli import links, peers
from p2pchat.crypto.identity import Identity
from p2pchat.errors import AddressError, NoContact
from p2pchat.store import contacts, pins
from p2pchat.store.database import Database

ANN, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2))
PINS = {"tcp:ann:7272": ANN, "exec:ssh ann": ANN, "tcp:bob:1": BOB}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "history.db", wall=lambda: 1.0)) as db:
        with db.transaction():
            for place, peer in PINS.items():
                pins.pin(db, place, peer)
        yield db


def at(*words: str) -> tuple[Address, ...]:
    return tuple(map(addresses.parse, words))


def test_an_id_leads_where_its_peer_has_answered(db: Database) -> None:
    for word in (str(ANN), str(ANN).upper(), f" {ANN} "):
        target = peers.resolve(word, db)
        assert (target.peer, target.addresses, target.typed) == (ANN, at("ann", "exec:ssh ann"), False)
        assert target.network == at("ann")  # a command is run where somebody asked for it
    assert peers.resolve(str(ANN), None).addresses == ()


def test_an_id_with_a_mistake_is_not_a_host(db: Database) -> None:
    for word in (str(ANN)[:-1] + "q", str(ANN)[:-1]):
        with pytest.raises(AddressError, match="is not a peer id"):
            peers.resolve(word, db, hosts=True)


def test_a_link_leads_first_where_it_says_and_expects_its_id(db: Database) -> None:
    target = peers.resolve(links.write(ANN, at("new:1", "ann")), db)
    assert (target.peer, target.addresses, target.typed) == (ANN, at("new:1", "ann", "exec:ssh ann"), False)
    target = peers.resolve(links.write(ANN, at("new:1")), None)
    assert (target.peer, target.network) == (ANN, at("new:1"))


@pytest.mark.parametrize(
    ("word", "where", "peer"),
    [
        ("ANN:7272", "ann", ANN),
        ("tcp:ann", "ann", ANN),
        ("ann:7273", "ann:7273", None),
        ("exec:ssh  'ann'", "exec:ssh ann", ANN),
        ("./s", "./s", None),
        ("peer1:7", "peer1:7", None),
        ("toy:garden", None, None),
    ],
)
def test_an_address_is_whose_it_was(db: Database, word: str, where: str | None, peer: object) -> None:
    target = peers.resolve(word, db, schemes=["toy"])
    assert (target.peer, target.typed) == (peer, True)
    assert target.network == target.addresses == (at(where) if where else (Address("toy", "garden"),))


def test_a_name_of_mine_leads_to_its_contact_and_to_no_host(db: Database) -> None:
    with db.transaction():
        contacts.rename(db, ANN, "Ann Smith")
        contacts.rename(db, BOB, "bob")
    for word in ("ann smith", "ANN SMITH", " Ann Smith "):
        target = peers.resolve(word, db)
        assert (target.peer, target.addresses, target.typed) == (ANN, at("ann", "exec:ssh ann"), False)
    assert peers.resolve("bob", db, hosts=True).addresses == at("tcp:bob:1")  # and not bob:7272
    assert peers.resolve("bob:7272", db, hosts=True).peer is None
    with pytest.raises(NoContact, match="nobody here is called 'BOBB'") as told:
        peers.resolve("BOBB", db)
    assert told.value.hint == "did you mean bob?"
    with db.transaction():
        contacts.rename(db, BOB, "")
    with pytest.raises(NoContact):
        peers.resolve("bob", db)


def test_a_bare_word_is_a_contact_and_for_those_who_dial_a_host(db: Database) -> None:
    for word in ("ann", "127.0.0.1", "peer1", ""):
        with pytest.raises(NoContact) as told:
            peers.resolve(word, db)
        assert told.value.hint.startswith("to give somebody that name: `p2pchat contacts rename ID ")
        assert "; to reach a host of that name: tcp:" in told.value.hint
    with pytest.raises(AddressError, match="'peer1zzz' is not a peer id: its checksum does not fit"):
        peers.resolve("peer1zzz", db)
    assert peers.resolve("peer1zzz", db, hosts=True).addresses == at("peer1zzz")
    assert peers.resolve("ann", db, hosts=True).peer == ANN
    assert peers.resolve("peer1", db, hosts=True).addresses == at("peer1")
    assert peers.resolve("ann", None, hosts=True).peer is None
