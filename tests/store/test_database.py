"""The database file: whose it is, what a transaction promises, and what each refusal of the world is called."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import exit_codes
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.errors import (
    LocalProtocolError,
    StoreCorrupt,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
)
from p2pchat.store import database, failures
from p2pchat.store.database import Cursor, Database
from p2pchat.store.schema import FIRST, MIGRATIONS

NOBODY = 65534  # the user that is nobody


def opened(path: Path) -> Database:
    return Database.open(path, wall=lambda: 12.3456, busy_timeout=0.05)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def pin(db: Database, address: str, *, size: int = 32) -> None:
    db.connection.execute("INSERT INTO pins VALUES (?, ?, 0)", (address, bytes(size)))


def pins(db: Database) -> list[str]:
    return [address for (address,) in db.connection.execute("SELECT address FROM pins ORDER BY address")]


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
    Database.open(path, wall=lambda: 0.0, steps=[FIRST, ["CREATE TABLE more (x INTEGER)"]]).close()
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


# ---- what the world refuses


def refusal(error: StoreError) -> ExitCode:
    """Return the exit code of `error`, which says what to do."""
    assert error.hint
    return exit_codes.of(error)


def test_a_full_disk_keeps_what_was_there(path: Path) -> None:
    db = opened(path)
    with db.transaction():
        pin(db, "tcp:here:1")
    (pages,) = db.one("PRAGMA page_count")
    db.connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreFull, match="no room left for") as caught, db.transaction():
        pin(db, "tcp:there:1", size=100_000)
    assert refusal(caught.value) is ExitCode.IO
    assert pins(db) == ["tcp:here:1"]
    db.connection.execute("PRAGMA max_page_count = 1000000")
    with db.transaction():
        pin(db, "tcp:there:1", size=100_000)
    assert db.damage() == []
    db.close()


def test_a_lock_that_is_not_let_go_of_is_named(path: Path) -> None:
    ours, theirs = opened(path), opened(path)
    theirs.connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreLocked, match=r"keeps .*history.db locked") as caught, ours.transaction():
        raise NotImplementedError
    assert refusal(caught.value) is ExitCode.IO
    theirs.connection.execute("ROLLBACK")
    with ours.transaction():
        pin(ours, "tcp:here:1")
    ours.close()
    theirs.close()


@contextmanager
def nobody_in_particular() -> Iterator[Path]:
    """Be somebody whom modes apply to, which they do not to root; yield a directory of theirs."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="p2pchat-nobody-") as name:
        if root:
            os.chown(name, NOBODY, -1)
            os.seteuid(NOBODY)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)
            Path(name).chmod(0o700)


def test_a_directory_that_may_not_be_written() -> None:
    with nobody_in_particular() as directory:
        directory.chmod(0o500)
        with pytest.raises(StoreError, match=r"cannot use .*history.db: Permission denied") as caught:
            opened(directory / "history.db")
        assert refusal(caught.value) is ExitCode.CANNOT_WRITE


def test_a_file_that_may_not_be_written() -> None:
    with nobody_in_particular() as directory:
        path = directory / "history.db"
        opened(path).close()
        path.chmod(0o400)
        directory.chmod(0o500)
        with pytest.raises(StoreReadOnly, match=r"cannot write .*history.db") as caught:
            opened(path)
        assert refusal(caught.value) is ExitCode.CANNOT_WRITE


def test_a_directory_that_is_not_there(path: Path) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        opened(path / "history.db")


def test_a_directory_in_the_place_of_the_file(path: Path) -> None:
    path.mkdir(mode=0o700)
    with pytest.raises(StoreReadOnly):
        opened(path)


def test_a_file_that_cannot_grow_any_more(path: Path) -> None:
    """A limit on the size of files is an error of the disk, not a full one; nothing of the transaction is kept."""
    db = opened(path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("history.db-wal").stat().st_size, before[1]))
        with pytest.raises(StoreFailed, match="could not be read or written") as caught, db.transaction():
            pin(db, "tcp:here:1", size=100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert refusal(caught.value) is ExitCode.IO
    assert pins(db) == []
    with db.transaction():
        pin(db, "tcp:here:1")
    db.close()


def test_a_database_of_another_program(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x INTEGER)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt, match="is the database of another program") as caught:
        opened(path)
    assert refusal(caught.value) is ExitCode.IO
    assert path.read_bytes() == before


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"Dear diary, " * 1000)
    with pytest.raises(StoreCorrupt, match="file is not a database") as caught:
        opened(path)
    assert refusal(caught.value) is ExitCode.IO


def test_a_database_of_a_newer_version(path: Path) -> None:
    db = opened(path)
    db.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreTooNew, match="written by a newer p2pchat") as caught:
        opened(path)
    assert refusal(caught.value) is ExitCode.CONFIGURATION


def test_damage_is_named_where_it_is_met(path: Path) -> None:
    db = opened(path)
    with db.transaction():
        for number in range(500):
            pin(db, f"tcp:here:{number}", size=200)
    assert db.damage() == []
    db.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    db = opened(path)
    with pytest.raises(StoreCorrupt, match="is damaged") as caught, db.transaction():
        pins(db)
    assert refusal(caught.value) is ExitCode.IO
    assert db.damage()
    db.close()


def test_an_error_of_another_kind_goes_through() -> None:
    with pytest.raises(LocalProtocolError), failures.naming(Path("x")):
        raise LocalProtocolError("no")


def test_an_error_without_a_code_is_one_of_the_disk() -> None:
    assert type(failures.translated(sqlite3.InterfaceError("strange"), Path("x"))) is StoreFailed


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
    reader = Database.open_to_read(path, wall=lambda: 0.0, steps=[FIRST, ["CREATE TABLE more (x INTEGER)"]])
    assert reader is not None
    assert reader.connection.execute("SELECT * FROM more").fetchall() == []
    reader.close()
