"""Each row about what is kept turns red when that very thing is wrong; the profile is never touched."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from p2pchat.crypto.identity import Identity
from p2pchat.store import database, keyfile, keyformat, schema
from p2pchat.testing.soundness import store as soundness_store
from p2pchat.testing.soundness.finding import Subject
from tests.support.logbook import BOB, open_logbook
from tests.support.soundness import red, skipped, subject_in, told

SECRET = "between you and me"


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return subject_in(tmp_path)


@pytest.fixture
def lived_in(subject: Subject) -> Subject:
    """A profile with a key, a log, and a store with some messages."""
    where = subject.profile
    keyfile.load_or_create(where.key, entropy=os.urandom)
    with open_logbook(where.data) as book:
        for number in range(40):
            book.say(BOB, f"{SECRET} {number} " + "x" * 1000)
    for name in ("log", "log.1"):
        where.log.with_name(name).touch(0o600)
    return subject


def everything_in(place: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(path.relative_to(place)): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mode,
            path.stat().st_mtime_ns,
        )
        for path in sorted(place.rglob("*"))
    }


def sqlite_that(monkeypatch: pytest.MonkeyPatch, changes: Callable[[str], str]) -> None:
    """Let SQLite run what `changes` makes of each statement."""

    class Changed(sqlite3.Connection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            return super().execute(changes(sql), parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **how: connect(*args, factory=Changed, **how))


# ---- modes


def test_new_files_are_private(subject: Subject) -> None:
    assert "0600" in told("new files", subject)


def test_new_files_are_private_whatever_the_umask(subject: Subject) -> None:
    before = os.umask(0)
    try:
        assert "0600" in told("new files", subject)
    finally:
        os.umask(before)


def test_a_store_that_others_can_read_from_the_start(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "FILE_MODE", 0o644)
    what, cure = red("new files", subject)
    assert "history.db is open to other users (mode 0644)" in what
    assert "chmod 600" in cure


def test_a_disk_that_forgets_a_key(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyformat, "decode", lambda content: Identity.generate(os.urandom))
    what, cure = red("new files", subject)
    assert "cannot be read back" in what
    assert "disk" in cure


def test_no_profile_yet(subject: Subject) -> None:
    assert "p2pchat id" in skipped("your files", subject)
    assert skipped("your store", subject) == "nothing is kept yet"
    assert not subject.profile.data.exists()


def test_a_profile_that_is_ours_alone(lived_in: Subject) -> None:
    assert told("your files", lived_in).startswith("a key; 5 files")


@pytest.mark.slow
def test_a_key_with_a_passphrase_needs_none(lived_in: Subject) -> None:
    where = lived_in.profile.key
    keyfile.protect(where, keyfile.load_or_create(where, entropy=os.urandom), "sesame", entropy=os.urandom)
    assert told("your files", lived_in).startswith("a key with a passphrase")


def test_a_profile_without_a_key_gets_none(subject: Subject) -> None:
    subject.profile.data.mkdir(mode=0o700)
    assert told("your files", subject).startswith("no key yet")
    assert list(subject.profile.data.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "mode", "cure"),
    [
        ("profile", 0o755, "chmod 700"),
        ("profile/history.db", 0o644, "chmod 600"),
        ("profile/identity.key", 0o640, "chmod 600"),
        ("log.1", 0o604, "chmod 600"),
    ],
)
def test_what_others_can_read(lived_in: Subject, tmp_path: Path, name: str, mode: int, cure: str) -> None:
    (tmp_path / name).chmod(mode)
    what, cured = red("your files", lived_in)
    assert what == f"{tmp_path / name} is open to other users (mode {mode:04o})"
    assert cured.startswith(f"{cure} {tmp_path / name}")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user(lived_in: Subject) -> None:
    os.chown(lived_in.profile.history, 65534, 65534)
    what, cure = red("your files", lived_in)
    assert "belongs to another user (uid 65534)" in what
    assert "chown" in cure


def test_a_key_that_is_none(lived_in: Subject) -> None:
    lived_in.profile.key.write_text("the dog ate it")
    what, cure = red("your files", lived_in)
    assert "is not an Ed25519 key" in what
    assert cure


# ---- the disk


def test_the_disk_takes_a_store_and_keeps_nothing_of_it(subject: Subject, tmp_path: Path) -> None:
    before = everything_in(tmp_path)
    assert "write-ahead log" in told("disk", subject)
    assert everything_in(tmp_path).keys() == before.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="a place where nobody can make a directory, root included")
def test_a_place_that_cannot_be_written(subject: Subject) -> None:
    data = Path("/proc/p2pchat/default")
    what, cure = red("disk", replace(subject, profile=replace(subject.profile, data=data)))
    assert "/proc" in what
    assert "--data-dir" in cure


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_is_not_ours_to_write(lived_in: Subject, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "not yours to write" in skipped("disk", lived_in)
    lived_in.profile.data.chmod(0o500)
    what, cure = red("disk", lived_in)
    assert "cannot be written" in what
    assert "--data-dir" in cure
    tmp_path.chmod(0o700)
    lived_in.profile.data.chmod(0o700)


def test_a_disk_without_a_write_ahead_log(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_write_ahead", lambda connection: None)
    what, cure = red("disk", subject)
    assert "(it says delete)" in what
    assert "local disk" in cure


def test_an_sqlite_that_does_not_sync(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_that(monkeypatch, lambda sql: sql.replace("synchronous = FULL", "synchronous = OFF"))
    what, cure = red("disk", subject)
    assert "(synchronous is 0, not 2)" in what
    assert "unmodified SQLite" in cure


def test_a_commit_that_another_connection_does_not_see(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_that(monkeypatch, lambda sql: "SELECT 1" if sql.startswith("INSERT INTO pins") else sql)
    what, cure = red("disk", subject)
    assert "does not see" in what
    assert "local disk" in cure


# ---- the store of the profile


def test_a_store_at_rest_is_read_and_nothing_is_written(lived_in: Subject, tmp_path: Path) -> None:
    before = everything_in(tmp_path)
    assert "without damage; version" in told("your store", lived_in)
    told("your files", lived_in)
    assert everything_in(tmp_path) == before


def test_a_running_p2pchat_and_the_look_do_not_wait_for_each_other(lived_in: Subject) -> None:
    with sqlite3.connect(lived_in.profile.history, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO pins VALUES ('tcp:box:1', zeroblob(32), 0)")
        assert "without damage" in told("your store", lived_in)
        writer.execute("COMMIT")
    writer.close()


def test_a_damaged_page(lived_in: Subject, tmp_path: Path) -> None:
    path = lived_in.profile.history
    content = bytearray(path.read_bytes())
    middle = content.index(SECRET.encode()) // 4096 * 4096
    content[middle : middle + 2048] = bytes(2048)
    path.write_bytes(content)
    before = everything_in(tmp_path)
    what, cure = red("your store", lived_in)
    assert f"{path} is damaged: " in what
    assert cure.startswith("put back a copy, or begin a new one: ")
    assert everything_in(tmp_path) == before


def test_a_damaged_contact(lived_in: Subject) -> None:
    with sqlite3.connect(lived_in.profile.history, isolation_level=None) as db:
        db.execute("INSERT INTO pins VALUES ('tcp:box:1', zeroblob(3), 0)")
    db.close()
    what, cure = red("your store", lived_in)
    assert "pin" in what
    assert cure


def test_the_database_of_another_program(subject: Subject) -> None:
    subject.profile.data.mkdir()
    with sqlite3.connect(subject.profile.history) as db:
        db.execute("CREATE TABLE recipes (dish)")
    db.close()
    what, cure = red("your store", subject)
    assert "another program" in what
    assert "--data-dir" in cure


def test_no_database_at_all(subject: Subject) -> None:
    subject.profile.data.mkdir()
    subject.profile.history.write_bytes(b"the dog ate it" * 100)
    what, cure = red("your store", subject)
    assert "is damaged" in what
    assert cure


def test_the_store_of_a_newer_p2pchat(lived_in: Subject) -> None:
    with sqlite3.connect(lived_in.profile.history) as db:
        db.execute("PRAGMA user_version = 4711")
    db.close()
    what, cure = red("your store", lived_in)
    assert "newer p2pchat (version 4711" in what
    assert "install that version" in cure


def test_the_store_of_an_older_p2pchat_stays_so(subject: Subject, tmp_path: Path) -> None:
    subject.profile.data.mkdir(mode=0o700)
    older = schema.MIGRATIONS[:1]
    with sqlite3.connect(subject.profile.history, isolation_level=None) as db:
        for statement in older[0]:
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
    db.close()
    before = everything_in(tmp_path)
    assert f"version 1 of the tables, which the next start brings to {len(schema.MIGRATIONS)}" in told(
        "your store", subject
    )
    assert everything_in(tmp_path) == before


def test_a_store_that_takes_too_long_is_no_failure(lived_in: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness_store, "READING", -1.0)
    monkeypatch.setattr(soundness_store, "STEPS", 1)
    assert f"sqlite3 {lived_in.profile.history} 'PRAGMA integrity_check'" in skipped("your store", lived_in)


# ---- search


def test_what_was_said_is_found(subject: Subject) -> None:
    assert "FTS5" in told("search", subject)


def test_an_sqlite_without_fts5(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite_that(monkeypatch, lambda sql: sql.replace("USING fts5", "USING fts6"))
    what, cure = red("search", subject)
    assert "no such module: fts6" in what
    assert cure == soundness_store.FTS5


def test_an_index_that_finds_nothing(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pchat.store.search.fill", lambda db: False)
    what, cure = red("search", subject)
    assert "found in 0" in what
    assert cure
