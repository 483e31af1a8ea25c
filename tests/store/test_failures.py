"""What the world refuses a store: each thing has its name, says what to do, and leaves what was there."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
from p2pchat.store import failures
from p2pchat.store.schema import MIGRATIONS
from tests.support.stored import opened, pin, pins

NOBODY = 65534  # the user that is nobody


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


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


def test_a_disk_without_room_for_the_index_of_the_log_is_full_too(path: Path) -> None:
    """The first to open a database on such a disk hears this of SQLite, and not that it is full."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    assert isinstance(failures.translated(error, path), StoreFull)


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


def test_a_file_that_can_be_read_is_not_one_that_can_be_written() -> None:
    """What a crash has left beside it is enough for SQLite to read it, and to begin a transaction."""
    with nobody_in_particular() as directory:
        path = directory / "history.db"
        crashed = opened(path)
        for file in directory.iterdir():
            file.chmod(0o400)
        directory.chmod(0o500)
        db = opened(path)
        with pytest.raises(StoreReadOnly, match=r"cannot write .*history.db") as caught:
            db.require_writable()
        assert refusal(caught.value) is ExitCode.CANNOT_WRITE
        assert pins(db) == []
        db.close()
        crashed.close()


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
    assert "ulimit -f" in caught.value.hint
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


def test_what_is_damaged_is_moved_away_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    path = tmp_path / "it's mine" / "history.db"
    path.parent.mkdir()
    files = {path.with_name(f"history.db{end}") for end in ("", "-wal", "-shm")}
    for file in files:
        file.touch()
    command = str(failures.corrupt(path, "no").hint).partition("a new one: ")[2]
    subprocess.run(["/bin/sh", "-ec", command], check=True)
    assert {file.name for file in (path.parent / "damaged").iterdir()} == {file.name for file in files}
    assert [file.name for file in path.parent.iterdir()] == ["damaged"]


def test_damage_is_named_where_it_is_met(path: Path) -> None:
    db = opened(path)
    with db.transaction():
        for number in range(500):
            db.connection.execute("INSERT INTO searchable VALUES (?, ?, 0)", (number, "x" * 200))
    assert db.damage() == []
    db.close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\xa5" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    db = opened(path)
    with pytest.raises(StoreCorrupt, match="is damaged") as caught, db.transaction():
        db.connection.execute("SELECT max(version) FROM searchable").fetchall()
    assert refusal(caught.value) is ExitCode.IO
    assert db.damage()
    db.close()


def test_an_error_of_another_kind_goes_through() -> None:
    with pytest.raises(LocalProtocolError), failures.naming(Path("x")):
        raise LocalProtocolError("no")


def test_an_error_without_a_code_is_one_of_the_disk() -> None:
    assert type(failures.translated(sqlite3.InterfaceError("strange"), Path("x"))) is StoreFailed
