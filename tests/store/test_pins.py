"""Pins: one key per place, whatever its spelling; and where anything is in doubt, an error and no new trust."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from p2pchat import address as addresses
from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import AddressError, StoreCorrupt
from p2pchat.store import pins
from p2pchat.store.database import Database

ANN, BOB, CID = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2, 3))
HERE = "tcp:localhost:7272"
PAGE_SIZE = "PRAGMA page_size"
PLACES = [
    HERE,
    "tcp:[::1]:7272",
    "unix:/run/a b",
    "memory:Demo",
    "exec:ssh box p2pchat stdio",
    "exec:nc -U /s",
    "toy:x",
]


def ticking() -> Callable[[], float]:
    """A wall clock by which no two things happen at once."""
    return map(float, count(1_700_000_000)).__next__


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    with closing(Database.open(path, wall=ticking())) as db:
        yield db


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with opened(tmp_path / "history.db") as db:
        yield db


def spoil(path: Path, change: str, *values: object) -> None:
    """Change the file behind everybody's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change, values)


# ---- the form in which addresses are kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Bobs-Box", "tcp:bobs-box:7272"),
        ("TCP://bobs-box:7272/", "tcp:bobs-box:7272"),
        ("bobs-box.", "tcp:bobs-box.:7272"),  # as typed: it is not for us to know that this is the same
        ("[::1]", "tcp:[::1]:7272"),
        ("unix:///run/../tmp//s", "unix:/tmp/s"),
        ("exec:ssh  'box' p2pchat   stdio", "exec:ssh box p2pchat stdio"),
        ("exec:sh -c 'a  b'", "exec:sh -c 'a  b'"),
        ("memory:Demo", "memory:Demo"),
    ],
)
def test_spellings_of_one_place_are_one(typed: str, kept: str) -> None:
    assert pins.canonical(addresses.parse(typed)) == kept


def test_a_relative_path_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert pins.canonical(addresses.parse("./s")) == pins.canonical(Address("unix", "s")) == f"unix:{tmp_path}/s"


def test_addresses_that_programs_put_together_are_no_other_places() -> None:
    assert pins.canonical(Address("tcp", "LOCALHOST")) == HERE
    assert pins.canonical(Address("TCP", "localhost:7272")) == HERE
    assert pins.canonical(Address("exec", "ssh   box")) == "exec:ssh box"
    assert pins.canonical(Address("Toy", "7272")) == "toy:7272"  # a plug-in, and no host of that name
    with pytest.raises(AddressError):
        pins.canonical(Address("tcp", "localhost:0x50"))


@given(
    scheme=st.sampled_from(["tcp", "unix", "exec", "memory", "toy"]),
    rest=st.text(st.characters(codec="utf-8")) | st.from_regex(r"[A-Za-z./~-]+(:[0-9]{1,5})?", fullmatch=True),
)
def test_the_canonical_form_is_its_own(scheme: str, rest: str) -> None:
    try:
        kept = pins.canonical(Address(scheme, rest))
    except AddressError:
        return
    assert pins.canonical(addresses.parse(kept, schemes=["toy"])) == kept


# ---- one key per place


def test_the_first_who_answers_is_pinned_and_stays(db: Database) -> None:
    assert pins.peer_at(db, HERE) is None
    with db.transaction():
        assert pins.pin(db, HERE, ANN)
    with db.transaction():
        assert not pins.pin(db, HERE, BOB)
        assert not pins.pin(db, HERE, ANN)
    assert pins.peer_at(db, HERE) == ANN
    assert pins.addresses_of(db, BOB) == ()


def test_a_pin_moves_only_when_it_is_told_to(db: Database) -> None:
    with db.transaction():
        assert pins.move(db, HERE, ANN) is None
        assert pins.move(db, HERE, BOB) == ANN
        assert pins.move(db, HERE, BOB) == BOB
    assert pins.peer_at(db, HERE) == BOB
    assert pins.addresses_of(db, ANN) == ()


def test_where_a_peer_is_newest_first_and_commands_last(db: Database) -> None:
    for place in ("exec:nc box 7", "tcp:old:1", "memory:a", "exec:ssh box", "tcp:new:2"):
        with db.transaction():
            pins.pin(db, place, ANN)
    with db.transaction():
        pins.move(db, "tcp:old:1", BOB)
        pins.move(db, "tcp:old:1", ANN)
        pins.pin(db, "tcp:new:2", ANN)  # which changes nothing, the time neither
    found = ["tcp:old:1", "tcp:new:2", "memory:a", "exec:ssh box", "exec:nc box 7"]
    assert [str(address) for address in pins.addresses_of(db, ANN)] == found


def test_pins_survive_and_others_see_them(tmp_path: Path) -> None:
    with opened(tmp_path / "history.db") as one, opened(tmp_path / "history.db") as other:
        with one.transaction():
            pins.pin(one, HERE, ANN)
        with other.transaction():
            assert not pins.pin(other, HERE, BOB)
    with opened(tmp_path / "history.db") as later:
        assert pins.peer_at(later, HERE) == ANN


def test_what_is_rolled_back_was_never_pinned(db: Database) -> None:
    with suppress(ZeroDivisionError), db.transaction():
        pins.pin(db, HERE, ANN)
        raise ZeroDivisionError
    assert pins.peer_at(db, HERE) is None


class OneKeyPerPlace(RuleBasedStateMachine):
    """Against a dictionary."""

    peers = st.sampled_from([ANN, BOB, CID])
    places = st.sampled_from(PLACES)

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name, "history.db")
        self.db = Database.open(self.path, wall=ticking())
        self.expected: dict[str, PeerId] = {}

    def teardown(self) -> None:
        self.db.close()
        self.directory.cleanup()

    @rule(place=places, peer=peers)
    def answer(self, place: str, peer: PeerId) -> None:
        with self.db.transaction():
            assert pins.pin(self.db, place, peer) is (place not in self.expected)
        self.expected.setdefault(place, peer)

    @rule(place=places, peer=peers)
    def trust(self, place: str, peer: PeerId) -> None:
        with self.db.transaction():
            assert pins.move(self.db, place, peer) == self.expected.get(place)
        self.expected[place] = peer

    @rule()
    def begin_again(self) -> None:
        self.db.close()
        self.db = Database.open(self.path, wall=ticking())

    @invariant()
    def each_place_has_its_peer_and_each_peer_its_places(self) -> None:
        for place in PLACES:
            assert pins.peer_at(self.db, place) == self.expected.get(place)
        for peer in (ANN, BOB, CID):
            found = [str(address) for address in pins.addresses_of(self.db, peer)]
            assert sorted(found) == sorted(place for place, pinned in self.expected.items() if pinned == peer)
            assert sorted(found, key=lambda place: place.startswith("exec:")) == found


TestOneKeyPerPlace = pytest.mark.slow(OneKeyPerPlace.TestCase)  # the disk is asked to keep each change
TestOneKeyPerPlace.settings = settings(max_examples=max(1, settings().max_examples // 4), stateful_step_count=30)


# ---- damage


@pytest.mark.parametrize("key", [b"", b"\0" * 32, ANN.key + b"\0", b"\xff" * 32])
def test_a_damaged_key_is_nobody_and_nobody_takes_its_place(db: Database, key: bytes) -> None:
    with db.transaction():
        pins.pin(db, HERE, ANN)
    spoil(db.path, "UPDATE pins SET peer = ?", key)
    with pytest.raises(StoreCorrupt, match="the pin of tcp:localhost:7272 is not the key of a peer"):
        pins.peer_at(db, HERE)
    for change in (pins.pin, pins.move):
        with pytest.raises(StoreCorrupt), db.transaction():
            change(db, HERE, BOB)


@pytest.mark.parametrize("place", ["", "tcp:", "tcp:Host:1", "host", "exec:'", "unix:s", "tcp:a\nb:1"])
def test_a_damaged_address_is_not_dialled(db: Database, place: str) -> None:
    with db.transaction():
        pins.pin(db, HERE, ANN)
    spoil(db.path, "UPDATE pins SET address = ?", place)
    with pytest.raises(StoreCorrupt, match=r"it holds a pin of .* which is no address"):
        pins.addresses_of(db, ANN)


def test_a_file_that_cannot_be_read_is_not_a_file_without_pins(db: Database) -> None:
    with db.transaction():
        pins.pin(db, HERE, ANN)
    db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    page, size = (db.one(query)[0] for query in ("SELECT rootpage FROM sqlite_schema WHERE name = 'pins'", PAGE_SIZE))
    with db.path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    reader = Database.open_to_read(db.path, wall=ticking())
    assert reader is not None
    with closing(reader):
        for read in (lambda: pins.peer_at(reader, HERE), lambda: pins.addresses_of(reader, ANN)):
            with pytest.raises(StoreCorrupt):
                read()
        for change in (pins.pin, pins.move):
            with pytest.raises(StoreCorrupt), reader.transaction():
                change(reader, HERE, BOB)
