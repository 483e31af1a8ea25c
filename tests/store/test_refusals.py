"""What the disk or another process refuses: the whole group that was to be committed together, and nothing after it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from p2pchat.errors import StoreError, StoreFull, StoreLocked
from p2pchat.store import failures
from p2pchat.store.base import Transaction
from p2pchat.store.database import Connection, Cursor, Database
from tests.support.store_jobs import OTHER, Say, running, said


class FullAtLast:
    """A connection to a database on a disk that has no room for a commit."""

    def __init__(self, connection: Connection) -> None:
        self.executemany = connection.executemany
        self.close = connection.close
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(sql, parameters)


async def test_a_disk_that_refuses_fails_the_whole_group(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with running(path) as store:
        Say(b"kept").submit(store)
        await store.flush()
        store._writer.connection.execute("PRAGMA max_page_count = 1")  # no less than there are
        jobs = [Say(b"small").submit(store), Say(bytes(100_000)).submit(store, OTHER), Say(b"late").submit(store)]
        await store.flush()
        for job in jobs:
            assert job.result is not None
            with pytest.raises(StoreFull):
                job.result.unwrap()
        store._writer.connection.execute("PRAGMA max_page_count = 100000")
        again = Say(b"again").submit(store)
        await store.flush()
        assert again.result is not None
        assert await store.read(said) == [b"kept", b"again"]


async def test_a_job_that_meets_a_full_disk_and_says_so_fails_the_group(tmp_path: Path) -> None:
    """SQLite undoes the whole transaction then, so no other job of it can be kept."""

    class Translating(Say):
        def __call__(self, transaction: Transaction) -> list[bytes]:
            with failures.naming(path):
                return super().__call__(transaction)

    path = tmp_path / "history.db"
    async with running(path) as store:
        await store.flush()
        before = Say(b"before").submit(store)
        Say(b"room").submit(store)
        await store.flush()
        (pages,) = store._writer.one("PRAGMA page_count")
        store._writer.connection.execute(f"PRAGMA max_page_count = {pages}")
        small, large = Say(b"small").submit(store), Translating(bytes(100_000)).submit(store)
        await store.flush()
        for job in (small, large):
            assert job.result is not None
            with pytest.raises(StoreFull):
                job.result.unwrap()
        assert before.result is not None
        assert await store.read(said) == [b"before", b"room"]


async def test_a_commit_that_the_disk_refuses_fails_the_whole_group(tmp_path: Path) -> None:
    """With a write-ahead log nothing needs room before the commit, so this is where most full disks are met."""
    async with running(tmp_path / "history.db") as store:
        sound = store._writer.connection
        store._writer.connection = FullAtLast(sound)
        jobs = [Say(b"one").submit(store), Say(b"two").submit(store, OTHER)]
        await store.flush()
        store._writer.connection = sound
        for job in jobs:
            assert job.result is not None
            with pytest.raises(StoreError):
                job.result.unwrap()
        assert await store.read(said) == []


async def test_somebody_elses_lock_fails_the_group_and_nothing_after_it(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with running(path) as store:
        store._writer.connection.execute("PRAGMA busy_timeout = 20")
        other = Database.open(path, wall=lambda: 0.0)
        other.connection.execute("BEGIN IMMEDIATE")
        locked = Say(b"locked").submit(store)
        await store.flush()
        other.connection.execute("ROLLBACK")
        free = Say(b"free").submit(store)
        await store.flush()
        other.close()
        assert locked.result is not None
        with pytest.raises(StoreLocked):
            locked.result.unwrap()
        assert await store.read(said) == [b"free"]
        assert free.result is not None
