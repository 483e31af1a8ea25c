"""The database file: whose it is, what a transaction promises, and what somebody sees who only reads."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from p2pchat.errors import (
    LocalProtocolError,
    StoreCorrupt,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
)
from p2pchat.store import database
from p2pchat.store.database import Cursor, Database
from p2pchat.store.schema import MIGRATIONS
from tests.support.stored import opened, pin, pins


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def refused() -> AbstractContextManager[object]:
    """What is in here refuses what it was asked for."""
    return pytest.raises(LocalProtocolError)


# ---- opening


def test_all_that_is_written_is_for_its_owner_alone(path: Path) -> None:
    db = opened(path)
    with db.transaction():
        pin(db, "tcp:here:1")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"history.db": 0o600, "history.db-wal": 0o600, "history.db-shm": 0o600}
    db.close()


def test_a_file_that_others_may_read_is_closed_to_them(path: Path) -> None:
    opened(path).close()
    path.chmod(0o644)
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_commit_is_on_the_disk(path: Path) -> None:
    db = opened(path)
    assert db.one("PRAGMA journal_mode") == ("wal",)
    assert db.one("PRAGMA synchronous") == (2,)
    db.close()


def test_the_default_patience_is_five_seconds(path: Path) -> None:
    db = Database.open(path, wall=lambda: 0.0)
    assert db.one("PRAGMA busy_timeout") == (5000,)
    db.close()


def test_many_may_open_a_new_file_at_once(path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        databases = list(threads.map(lambda _: Database.open(path, wall=lambda: 0.0), range(8)))
    for db in databases:
        assert db.one("PRAGMA user_version") == (len(MIGRATIONS),)
        db.close()


class Stubborn:
    """A connection for which somebody else is always just about to switch to the write-ahead log."""

    def __init__(self, path: Path) -> None:
        self.inner = database.connect(path)
        self.attempts = 0

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        if "journal_mode" in sql:
            self.attempts += 1
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise error
        return self.inner.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor:
        return self.inner.executemany(sql, parameters)

    def close(self) -> None:
        self.inner.close()


def test_the_switch_to_the_write_ahead_log_is_tried_several_times(path: Path) -> None:
    made = []

    def connect(path: Path) -> Stubborn:
        made.append(Stubborn(path))
        return made[0]

    with pytest.raises(StoreLocked):
        Database.open(path, wall=lambda: 0.0, connect=connect)
    assert made[0].attempts > 1


# ---- transactions


def test_what_raises_leaves_nothing_behind(path: Path) -> None:
    db = opened(path)
    with refused(), db.transaction():
        pin(db, "tcp:here:1")
        raise LocalProtocolError("no")
    with db.transaction():
        pin(db, "tcp:there:1")
    assert pins(db) == ["tcp:there:1"]
    db.close()


def test_cursors_are_taken_once_and_given_back_with_the_transaction(path: Path) -> None:
    db = opened(path)
    with db.transaction():
        assert db.cursor == 0
        assert db.take_cursors(3) == 1
        assert db.take_cursors(1) == 4
        assert db.cursor == 4
    with refused(), db.transaction():
        assert db.take_cursors(2) == 5
        raise LocalProtocolError("no")
    with db.transaction():
        assert db.take_cursors(1) == 1, "nothing was written with them"
    db.close()


def test_commits_of_others_are_noticed(path: Path) -> None:
    ours, theirs = opened(path), opened(path)
    with ours.transaction():
        pin(ours, "tcp:here:1")
    before = ours.stamp, ours.others
    ours.look()
    with ours.transaction():
        pass
    assert (ours.stamp, ours.others) == before, "our own are no news"
    with theirs.transaction():
        pin(theirs, "tcp:there:1")
    ours.look()
    ours.look()
    assert (ours.stamp, ours.others) == (before[0] + 1, before[1] + 1)
    with theirs.transaction():
        pin(theirs, "tcp:there:2")
    with ours.transaction():
        assert ours.others == before[1] + 2
    ours.close()
    theirs.close()


def test_a_newer_version_that_changes_the_tables_under_us_is_noticed(path: Path) -> None:
    ours = opened(path)
    Database.open(path, wall=lambda: 0.0, steps=[*MIGRATIONS, ["CREATE TABLE more (x INTEGER)"]]).close()
    with pytest.raises(StoreTooNew, match="while this one was running"), ours.transaction():
        pin(ours, "tcp:here:1")
    assert pins(ours) == []
    ours.close()


def test_a_query_that_has_no_row_is_a_bug(path: Path) -> None:
    db = opened(path)
    with pytest.raises(LookupError, match="FROM pins"):
        db.one("SELECT * FROM pins")
    db.close()


def test_times_are_in_milliseconds(path: Path) -> None:
    db = opened(path)
    assert db.now_ms() == 12345
    db.close()


# ---- reading alone


def test_a_reader_sees_what_is_committed_and_changes_nothing(path: Path) -> None:
    writer = opened(path)
    with writer.transaction():
        pin(writer, "tcp:here:1")
    reader = Database.open_to_read(path, wall=lambda: 0.0)
    assert reader is not None
    assert pins(reader) == ["tcp:here:1"]
    with pytest.raises(StoreReadOnly), reader.transaction():
        pin(reader, "tcp:there:1")
    reader.close()
    writer.close()


def test_for_a_reader_there_may_be_nothing_yet(path: Path) -> None:
    assert Database.open_to_read(path, wall=lambda: 0.0) is None
    path.touch()
    assert Database.open_to_read(path, wall=lambda: 0.0) is None, "somebody is making it"


def test_a_reader_refuses_what_a_writer_refuses(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreCorrupt):
        Database.open_to_read(path, wall=lambda: 0.0)


def test_a_reader_brings_older_tables_to_the_newest_version(path: Path) -> None:
    opened(path).close()
    reader = Database.open_to_read(path, wall=lambda: 0.0, steps=[*MIGRATIONS, ["CREATE TABLE more (x INTEGER)"]])
    assert reader is not None
    assert reader.connection.execute("SELECT * FROM more").fetchall() == []
    reader.close()
