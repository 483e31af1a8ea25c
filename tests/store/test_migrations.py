"""From older tables to newer ones: with a copy that was looked at, all steps or none, whoever else does it too."""

from __future__ import annotations

import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from p2pchat.crypto.identity import Identity
from p2pchat.errors import StoreCorrupt, StoreError, StoreFailed, StoreFull, StoreTooNew
from p2pchat.store import contacts, database, migrations
from p2pchat.store.contacts import Contact, Trust
from p2pchat.store.database import Connection, Cursor, Database
from p2pchat.store.schema import APPLICATION_ID, FIRST, MIGRATIONS

OLD = [*MIGRATIONS]
NEW = [
    *OLD,
    ["ALTER TABLE pins ADD COLUMN note TEXT NOT NULL DEFAULT ''", "UPDATE pins SET note = 'old'"],
    ["CREATE TABLE more (x INTEGER) STRICT"],
]
COPY = f"history.db.v{len(OLD)}.bak"
BROKEN = [*NEW[:-1], ["CREATE TABLE more (x INTEGER) STRICT", "UPDATE absent SET x = 1"]]

ANN, BOB, CID = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2, 3))
ROOT = Path(__file__).parent.parent.parent


def wall() -> float:
    return 0.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return an old database with something in it."""
    path = tmp_path / "history.db"
    db = Database.open(path, wall=wall, steps=OLD)
    with db.transaction():
        db.connection.execute("INSERT INTO pins VALUES ('tcp:here:1', ?, 0)", (ANN.key,))
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
    assert version(path) == len(NEW)
    assert names(path) == ["history.db", COPY]
    copy = migrations.backup_path(path, len(OLD))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    old = Database.open(copy, wall=wall, steps=OLD)
    assert old.connection.execute("SELECT * FROM pins").fetchall() == [("tcp:here:1", ANN.key, 0)]
    old.close()


def test_a_new_database_takes_all_steps_and_needs_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    Database.open(path, wall=wall, steps=NEW).close()
    assert version(path) == len(NEW)
    assert names(path) == ["history.db"]


def test_a_step_that_fails_leaves_the_old_tables(path: Path) -> None:
    with pytest.raises(StoreFailed, match="no such table"):
        Database.open(path, wall=wall, steps=BROKEN)
    assert version(path) == len(OLD)
    db = Database.open(path, wall=wall, steps=OLD)
    assert db.connection.execute("SELECT * FROM pins").fetchall() == [("tcp:here:1", ANN.key, 0)]
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
    assert version(path) == len(OLD)
    assert names(path) == ["history.db"]


def test_without_a_sound_copy_nothing_is_migrated(path: Path) -> None:
    def connect(path: Path) -> Connection:
        if path.name.startswith("."):
            return Meddled(path, "PRAGMA integrity_check", lambda: damage(path))
        return database.connect(path)

    with pytest.raises(StoreCorrupt, match=re.escape(f".{COPY}.")):
        Database.open(path, wall=wall, steps=NEW, connect=connect)
    assert version(path) == len(OLD)
    assert names(path) == ["history.db"]


def test_without_room_for_a_copy_nothing_is_migrated(path: Path) -> None:
    def full() -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    with pytest.raises(StoreFull):
        Database.open(path, wall=wall, steps=NEW, connect=lambda path: Meddled(path, "VACUUM", full))
    assert version(path) == len(OLD)
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
    assert version(path) == len(NEW)


def test_another_process_may_be_faster_and_newer(path: Path) -> None:
    newer = [*NEW, ["CREATE TABLE yet_more (x INTEGER) STRICT"]]
    with pytest.raises(StoreTooNew):
        Database.open(path, wall=wall, steps=NEW, connect=overtaken(newer))
    assert version(path) == len(newer)


def test_a_copy_that_was_left_half_made_is_in_nobodys_way(path: Path) -> None:
    with pytest.raises(StoreError):
        Database.open(path, wall=wall, steps=BROKEN)
    assert names(path) == ["history.db", COPY]
    Database.open(path, wall=wall, steps=NEW).close()
    assert version(path) == len(NEW)


# ---- version 2: contacts and invites


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """Return a database of version 1, with Ann pinned at two places, Bob, who is a guest, and Cid."""
    path = tmp_path / "history.db"
    connection = sqlite3.connect(path)
    with connection:
        for statement in (*FIRST, f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1"):
            connection.execute(statement)
        pair = "INSERT INTO pairs (own, peer, guest, epoch, base_state, peer_state) VALUES (?, ?, ?, x'', x'', x'')"
        connection.executemany(pair, [(CID.key, ANN.key, 0), (CID.key, BOB.key, 1), (ANN.key, BOB.key, 0)])
        pins = [("tcp:a:1", ANN, 20), ("tcp:b:1", ANN, 10), ("tcp:c:1", BOB, 30), ("tcp:d:1", CID, 40)]
        connection.executemany("INSERT INTO pins VALUES (?, ?, ?)", [(at, peer.key, ms) for at, peer, ms in pins])
    connection.close()
    return path


def everyone(path: Path) -> list[Contact]:
    db = Database.open(path, wall=wall)
    try:
        return contacts.everyone(db)
    finally:
        db.close()


def test_whoever_was_pinned_is_known_but_for_guests(first: Path) -> None:
    found = everyone(first)
    assert [(contact.peer, contact.trust, contact.name, contact.since_ms) for contact in found] == [
        (ANN, Trust.KNOWN, "", 10),
        (CID, Trust.KNOWN, "", 40),
    ]
    assert names(first) == ["history.db", "history.db.v1.bak"]
    db = Database.open(first, wall=wall)
    assert len(db.connection.execute("SELECT * FROM pins").fetchall()) == 4, "pins stay"
    assert db.connection.execute("SELECT * FROM invites").fetchall() == []
    db.close()


def test_who_only_reads_finds_them_too(first: Path) -> None:
    db = Database.open_to_read(first, wall=wall)
    assert db is not None
    assert [contact.peer for contact in contacts.everyone(db)] == [ANN, CID]
    db.close()


def test_a_pin_that_was_damaged_before_is_found_and_nobody_becomes_known(first: Path) -> None:
    connection = sqlite3.connect(first)
    with connection:
        connection.execute("UPDATE pins SET peer = x'0102' WHERE address = 'tcp:a:1'")
    connection.close()
    for _ in range(2):
        with pytest.raises(StoreCorrupt, match="not the key of a peer"):
            everyone(first)
    assert "history.db.v1.bak" in names(first)


OPENING = """
import sys
from contextlib import closing
from pathlib import Path
from p2pchat.store import contacts
from p2pchat.store.database import Database

print("ready", flush=True)
sys.stdin.readline()
with closing(Database.open(Path(sys.argv[1]), wall=lambda: 0.0)) as db:
    print(*[contact.peer for contact in contacts.everyone(db)])
"""


@pytest.mark.slow
def test_several_processes_may_meet_an_old_database_at_once(first: Path) -> None:
    command = [sys.executable, "-c", OPENING, str(first)]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == [f"{ANN} {CID}\n"] * 4
    assert [process.returncode for process in processes] == [0] * 4
    assert [contact.peer for contact in everyone(first)] == [ANN, CID], "once each"
    assert names(first) == ["history.db", "history.db.v1.bak"]
