"""From older tables to newer ones: with a copy that was looked at, all steps or none, whoever else does it too."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from p2pchat.errors import StoreCorrupt, StoreError, StoreFailed, StoreFull, StoreTooNew
from p2pchat.store import database, migrations
from p2pchat.store.database import Connection, Cursor, Database
from p2pchat.store.schema import FIRST

OLD = [FIRST]
NEW = [
    *OLD,
    ["ALTER TABLE pins ADD COLUMN note TEXT NOT NULL DEFAULT ''", "UPDATE pins SET note = 'old'"],
    ["CREATE TABLE more (x INTEGER) STRICT"],
]
BROKEN = [*NEW[:2], ["CREATE TABLE more (x INTEGER) STRICT", "UPDATE absent SET x = 1"]]


def wall() -> float:
    return 0.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an old database with something in it."""
    path = tmp_path / "history.db"
    db = Database.open(path, wall=wall, steps=OLD)
    with db.transaction():
        db.connection.execute("INSERT INTO pins VALUES ('tcp:here:1', x'00', 0)")
    db.close()
    return path


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return migrations.version_of(connection)
    finally:
        connection.close()


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


class Meddled:
    """A connection before one statement of which something happens."""

    def __init__(self, path: Path, statement: str, what: Any) -> None:
        self.inner = database.connect(path)
        self.statement = statement
        self.what = what

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        if sql.startswith(self.statement):
            what, self.what = self.what, lambda: None
            what()
        return self.inner.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor:
        return self.inner.executemany(sql, parameters)

    def close(self) -> None:
        self.inner.close()


def test_all_steps_are_taken_and_a_copy_is_left_behind(path: Path) -> None:
    db = Database.open(path, wall=wall, steps=NEW)
    assert db.connection.execute("SELECT address, note FROM pins").fetchall() == [("tcp:here:1", "old")]
    assert db.connection.execute("SELECT * FROM more").fetchall() == []
    db.close()
    assert version(path) == 3
    assert names(path) == ["history.db", "history.db.v1.bak"]
    copy = migrations.backup_path(path, 1)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    old = Database.open(copy, wall=wall, steps=OLD)
    assert old.connection.execute("SELECT * FROM pins").fetchall() == [("tcp:here:1", b"\0", 0)]
    old.close()


def test_a_new_database_takes_all_steps_and_needs_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    Database.open(path, wall=wall, steps=NEW).close()
    assert version(path) == 3
    assert names(path) == ["history.db"]


def test_a_step_that_fails_leaves_the_old_tables(path: Path) -> None:
    with pytest.raises(StoreFailed, match="no such table"):
        Database.open(path, wall=wall, steps=BROKEN)
    assert version(path) == 1
    db = Database.open(path, wall=wall, steps=OLD)
    assert db.connection.execute("SELECT * FROM pins").fetchall() == [("tcp:here:1", b"\0", 0)]
    db.close()


def damage(path: Path) -> None:
    """Write over the table of pins, in a way that opening the file does not show."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'pins'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


def test_what_is_damaged_is_not_migrated(path: Path) -> None:
    damage(path)
    with pytest.raises(StoreCorrupt, match="is damaged"):
        Database.open(path, wall=wall, steps=NEW)
    assert version(path) == 1
    assert names(path) == ["history.db"]


def test_without_a_sound_copy_nothing_is_migrated(path: Path) -> None:
    def connect(path: Path) -> Connection:
        if path.name.startswith("."):
            return Meddled(path, "PRAGMA integrity_check", lambda: damage(path))
        return database.connect(path)

    with pytest.raises(StoreCorrupt, match=r"\.history\.db\.v1\.bak\."):
        Database.open(path, wall=wall, steps=NEW, connect=connect)
    assert version(path) == 1
    assert names(path) == ["history.db"]


def test_without_room_for_a_copy_nothing_is_migrated(path: Path) -> None:
    def full() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with pytest.raises(StoreFull):
        Database.open(path, wall=wall, steps=NEW, connect=lambda path: Meddled(path, "VACUUM", full))
    assert version(path) == 1
    assert names(path) == ["history.db"]


def test_a_look_that_fails_for_another_reason_says_that_reason(path: Path) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    connection = Meddled(path, "PRAGMA integrity_check", fail)
    with pytest.raises(sqlite3.OperationalError, match="I/O"):
        migrations.damage(connection)
    connection.close()


def overtaken(steps: list[Sequence[str]]) -> Callable[[Path], Connection]:
    """Return a `Connect` with which another process is faster."""
    return lambda path: Meddled(path, "BEGIN", lambda: Database.open(path, wall=wall, steps=steps).close())


def test_another_process_may_be_faster(path: Path) -> None:
    db = Database.open(path, wall=wall, steps=NEW, connect=overtaken(NEW))
    assert db.connection.execute("SELECT address, note FROM pins").fetchall() == [("tcp:here:1", "old")]
    db.close()
    assert version(path) == 3


def test_another_process_may_be_faster_and_newer(path: Path) -> None:
    newer = [*NEW, ["CREATE TABLE yet_more (x INTEGER) STRICT"]]
    with pytest.raises(StoreTooNew):
        Database.open(path, wall=wall, steps=NEW, connect=overtaken(newer))
    assert version(path) == 4


def test_a_copy_that_was_left_half_made_is_in_nobodys_way(path: Path) -> None:
    with pytest.raises(StoreError):
        Database.open(path, wall=wall, steps=BROKEN)
    assert names(path) == ["history.db", "history.db.v1.bak"]
    Database.open(path, wall=wall, steps=NEW).close()
    assert version(path) == 3
