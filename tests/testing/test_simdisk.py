"""The simulated disk loses what was not synced, and nothing else; the real store on it loses no commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from p2pchat.env import dice
from p2pchat.errors import StoreCorrupt, StoreError, StoreFailed, StoreFull
from p2pchat.store.database import Database
from p2pchat.testing.simdisk import Access, Loss, Mount, SimDisk, disk_broken, disk_full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SimDisk]:
    disk = SimDisk(tmp_path, dice("test"))
    yield disk
    disk.close()


PINS = [("memory:a", b"k" * 32), ("memory:b", b"k" * 32)]


def open_on(mount: Mount, access: Access | None = None) -> Database:
    connect = (access or mount.start()).connect
    return Database.open(mount.path / "history.db", connect=connect, wall=lambda: 1_800_000_000.0)


def keep(database: Database, number: int) -> None:
    """Write something that is sound, for that is looked at, and so long that a few of them fill a page."""
    pin = f"memory:{number}-{'x' * 500}", b"k" * 32, 0
    with database.transaction():
        database.connection.execute("INSERT INTO pins VALUES (?, ?, ?)", pin)


def kept(database: Database) -> set[int]:
    found = database.connection.execute("SELECT address FROM pins")
    return {int(text.removeprefix("memory:").partition("-")[0]) for (text,) in found}


def one_life(disk: SimDisk, loss: Loss, *, synchronous: str, seed: int) -> set[int]:
    """Commit a few things, lose power, and return which of them are gone; raises if the file is."""
    mount = disk.mount()
    database = open_on(mount)
    database.connection.execute(f"PRAGMA synchronous = {synchronous}")
    database.connection.execute("PRAGMA wal_autocheckpoint = 10")
    committed = set(range(dice("life", seed).randint(1, 30)))
    for number in sorted(committed):
        keep(database, number)
    database.connection.execute("BEGIN IMMEDIATE")
    database.connection.execute("INSERT INTO pins VALUES ('tcp:h:999', x'', 0)")
    mount.lose_power(loss)
    again = open_on(disk.mount())
    assert again.damage() == []
    survived = kept(again)
    assert survived <= committed
    return committed - survived


def lives(tmp_path: Path, synchronous: str, loss: Loss) -> Iterator[str]:
    for seed in range(25):
        disk = SimDisk(tmp_path / f"{synchronous}-{loss.name}-{seed}", dice(seed, "disk"))
        try:
            yield "lost" if one_life(disk, loss, synchronous=synchronous, seed=seed) else "kept"
        except (StoreError, sqlite3.Error):
            yield "unreadable"
        disk.close()


@pytest.mark.slow
@pytest.mark.parametrize("loss", list(Loss), ids=lambda loss: loss.name.lower())
def test_what_was_committed_survives(loss: Loss, tmp_path: Path) -> None:
    assert set(lives(tmp_path, "FULL", loss)) == {"kept"}


@pytest.mark.slow
@pytest.mark.parametrize("loss", [Loss.DROP, Loss.TORN], ids=lambda loss: loss.name.lower())
def test_with_less_care_it_does_not_survive(loss: Loss, tmp_path: Path) -> None:
    """Or else this disk is not one that a store could be tested on."""
    assert "lost" in set(lives(tmp_path, "NORMAL", loss))
    assert set(lives(tmp_path, "OFF", loss)) & {"lost", "unreadable"}


def test_the_death_of_a_process_loses_nothing_that_was_written(disk: SimDisk) -> None:
    mount = disk.mount()
    process = mount.start()
    database = open_on(mount, process)
    database.connection.execute("PRAGMA synchronous = OFF")
    keep(database, 1)
    process.close()
    again = open_on(mount)
    assert kept(again) == {1}
    mount.lose_power(Loss.DROP)  # what the dead process had not synced is still not synced
    with suppress(StoreError):
        assert kept(open_on(disk.mount())) == set()


def test_a_dead_process_changes_nothing_and_leaves_no_lock(disk: SimDisk) -> None:
    mount = disk.mount()
    process, other = mount.start(), open_on(mount)
    database = open_on(mount, process)
    keep(database, 1)
    database.connection.execute("BEGIN IMMEDIATE")
    database.connection.execute("DELETE FROM pins")
    process.dead = True
    with pytest.raises(sqlite3.OperationalError, match="is gone"):
        database.connection.execute("COMMIT")
    process.close()
    keep(other, 2)
    assert kept(other) == {1, 2}


def test_a_backup_is_what_was_there(disk: SimDisk) -> None:
    mount = disk.mount()
    database = open_on(mount)
    keep(database, 1)
    backup = disk.image()
    keep(database, 2)
    disk.restore(backup)
    mount = disk.mount()
    database = open_on(mount)
    assert kept(database) == {1}
    mount.lose_power(Loss.DROP)  # a restored file was copied and synced
    assert kept(open_on(disk.mount())) == {1}


@pytest.mark.parametrize("failure", [StoreFull, StoreFailed])
def test_a_disk_that_fails_at_any_operation_leaves_the_old_or_the_new(failure: type[StoreError], disk: SimDisk) -> None:
    """Fail the n-th write or sync of a transaction, for every n that there is."""
    mount = disk.mount()
    process = mount.start()
    database = open_on(mount, process)
    keep(database, 0)
    failed = 0
    for number in range(1, 100):
        fail_at = process.operations + number

        def fail(kind: str, name: str, at: int = fail_at) -> None:
            if process.operations >= at:
                raise disk_full() if failure is StoreFull else disk_broken()

        process.before = fail
        try:
            keep(database, number)
        except failure:
            failed += 1
            process.before = lambda kind, name: None
            assert kept(database) == {0}
            with database.transaction():
                pass
        else:
            break
    assert failed >= 2
    assert kept(database) == {0, failed + 1}


def test_rows_and_errors_are_those_of_the_standard_library(disk: SimDisk) -> None:
    mount = disk.mount()
    connection = open_on(mount).connection
    assert connection.execute("SELECT 1, 'two', x'03', NULL").fetchone() == (1, "two", b"\x03", None)
    assert connection.executemany("INSERT INTO pins VALUES (?, ?, 0)", PINS).fetchall() == []
    assert list(connection.execute("SELECT address FROM pins ORDER BY 1")) == [("memory:a",), ("memory:b",)]
    assert connection.execute("SELECT 1 WHERE 0").fetchone() is None
    with pytest.raises(sqlite3.IntegrityError) as broken:
        connection.execute("INSERT INTO pins VALUES ('memory:a', x'', 0)")
    assert broken.value.sqlite_errorname == "SQLITE_CONSTRAINT_PRIMARYKEY"
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.execute("SELECT 1 FROM absent")
    other = open_on(mount).connection
    other.execute("PRAGMA busy_timeout = 0")
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError) as busy:
        other.execute("BEGIN IMMEDIATE")
    assert busy.value.sqlite_errorcode == sqlite3.SQLITE_BUSY
    connection.execute("ROLLBACK")


def test_garbage_is_told_as_such(disk: SimDisk) -> None:
    mount = disk.mount()
    (mount.path / "history.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreCorrupt):
        open_on(mount)
