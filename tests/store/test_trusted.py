"""What is trusted is looked at when the database is opened: what cannot be read lets nobody in, and is named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.crypto.identity import Identity
from p2pchat.errors import StoreCorrupt
from p2pchat.store import contacts, history, invites, pins
from p2pchat.store.database import Database
from tests.support.stored import opened

ANN = Identity.from_seed(bytes([1]) * 32).peer_id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database with a row in each table."""
    path = tmp_path / "history.db"
    with closing(opened(path)) as db, db.transaction():
        contacts.know(db, ANN)
        pins.pin(db, "tcp:here:1", ANN)
        invites.create(db, "otter-amber-knife", lifetime_ms=600_000)
    return path


def spoil(path: Path, table: str) -> None:
    """Write over the page of a table, as a bad disk does."""
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_what_is_sound_is_opened(path: Path) -> None:
    opened(path).close()


@pytest.mark.parametrize("table", ["contacts", "pins", "invites"])
def test_a_table_that_cannot_be_read_is_named(path: Path, table: str) -> None:
    spoil(path, table)
    with pytest.raises(StoreCorrupt, match=f"its {table} cannot be read: .*malformed") as caught:
        opened(path)
    assert "put back a copy" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE contacts SET blocked = 2", "of the contact peer1.* makes no sense"),
        ("UPDATE pins SET address = 'nowhere'", "a pin of 'nowhere'"),
        ("UPDATE pins SET peer = x'00'", "the pin of tcp:here:1"),
        ("UPDATE invites SET secret = ''", "the code in slot 1"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(path: Path, change: str, told: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with pytest.raises(StoreCorrupt, match=told):
        opened(path)


def test_what_was_said_can_still_be_read(path: Path) -> None:
    spoil(path, "contacts")
    db = Database.open_to_read(path, wall=lambda: 0.0)
    assert db is not None
    with closing(db):
        assert list(history.between(db)) == []
        with pytest.raises(StoreCorrupt):
            contacts.everyone(db)
