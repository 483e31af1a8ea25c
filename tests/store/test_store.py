"""The store: what waits is committed together, and everybody learns what came of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import outcome
import pytest
import trio
import trio.testing

from p2pchat.errors import LocalProtocolError, StoreFailed, StoreReadOnly
from p2pchat.store import search
from p2pchat.store.database import Database, connect_to_read
from p2pchat.store.schema import MIGRATIONS
from p2pchat.store.store import LOOK, open_store
from tests.support.entropy import seeded
from tests.support.store_jobs import OTHER, OWN, PEER, Say, env, running, said


async def test_a_job_is_committed_and_its_result_told(tmp_path: Path) -> None:
    async with running(tmp_path / "history.db") as store:
        job = Say(b"one", b"two").submit(store)
        assert job.result is None
        await store.flush()
        assert job.result is not None
        assert len(job.result.unwrap()) == 2
        assert await store.read(said) == [b"one", b"two"]


async def test_what_waits_is_one_transaction(tmp_path: Path) -> None:
    transactions = []

    async def counting(function: Callable[[], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        transactions.append(function)
        return function()

    async with running(tmp_path / "history.db", run_sync=counting) as store:
        transactions.clear()
        jobs = [Say(b"%d" % number).submit(store, peer) for number in range(5) for peer in (PEER, OTHER)]
        await store.flush()
        assert len(transactions) == 1
        assert all(job.result for job in jobs)


async def test_a_job_that_is_refused_changes_nothing_and_the_others_are_kept(tmp_path: Path) -> None:
    async with running(tmp_path / "history.db") as store:
        before = Say(b"before").submit(store)
        refused = Say(b"never", error=LocalProtocolError("no")).submit(store)
        after = Say(b"after").submit(store)
        await store.flush()
        assert refused.result is not None
        with pytest.raises(LocalProtocolError, match="no"):
            refused.result.unwrap()
        assert before.result is not None
        assert after.result is not None
        assert await store.read(said) == [b"before", b"after"]
        assert await store.read(lambda db: db.one("SELECT next, waiting FROM pairs")) == (3, 2)


async def test_what_is_done_may_ask_for_more(tmp_path: Path) -> None:
    async with running(tmp_path / "history.db") as store:
        second = Say(b"second")

        def done(result: outcome.Outcome[list[bytes]]) -> None:
            result.unwrap()
            second.submit(store)

        store.pair(OWN, PEER).submit(lambda: Say(b"first"), done)
        await store.flush()
        assert second.result is not None
        assert await store.read(said) == [b"first", b"second"]


async def test_what_waits_at_the_end_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with open_store(path, env=env()) as store:
        job = Say(b"last")
        async with trio.open_nursery() as nursery:
            await nursery.start(store.run)
            nursery.cancel_scope.cancel()
            job.submit(store)
        assert job.result is not None
        job.result.unwrap()
        late = Say(b"too late").submit(store)
        assert late.result is not None
        with pytest.raises(StoreFailed, match="was closed"):
            late.result.unwrap()
        assert await store.read(said) == [b"last"]
        async with trio.open_nursery() as nursery:  # another node
            await nursery.start(store.run)
            Say(b"again").submit(store)
            await store.flush()
            nursery.cancel_scope.cancel()
        assert await store.read(said) == [b"last", b"again"]


async def test_a_bug_in_a_job_comes_out_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    async with open_store(tmp_path / "history.db", env=env()) as store:
        fine, buggy = Say(b"fine").submit(store), Say(b"bug", error=ZeroDivisionError()).submit(store)
        with pytest.raises(ZeroDivisionError):
            await store.run()
        for job in (fine, buggy):
            assert job.result is not None
            with pytest.raises(StoreFailed):
                job.result.unwrap()
        assert await store.read(said) == []


async def test_a_second_bug_in_the_end_comes_out_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    async with open_store(tmp_path / "history.db", env=env()) as store:
        buggy, last = Say(b"bug", error=ZeroDivisionError()), Say(b"last")

        def more(result: outcome.Outcome[list[bytes]]) -> None:
            buggy.submit(store)
            store.pair(OWN, PEER).submit(lambda: Say(b"and another", error=KeyError()), late)

        def late(result: outcome.Outcome[list[bytes]]) -> None:
            if not store._closed:
                last.submit(store)

        store.pair(OWN, PEER).submit(lambda: Say(b"first", error=ZeroDivisionError()), more)
        with pytest.raises(ZeroDivisionError):
            await store.run()
        assert buggy.result is not None
        assert last.result is not None
        with pytest.raises(StoreFailed):
            last.result.unwrap()


async def test_a_transaction_that_has_begun_is_finished(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    async def slow(function: Callable[[], Any]) -> Any:
        await trio.sleep(10)
        return function()

    async with open_store(tmp_path / "history.db", env=env(run_sync=slow)) as store, trio.open_nursery() as nursery:
        await nursery.start(store.run)
        job = Say(b"under way").submit(store)
        await trio.sleep(5)
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.sleep(10)
        assert job.result is not None
        job.result.unwrap()


# ---- others


async def test_commits_of_others_are_told_within_a_quarter_of_a_second(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    path = tmp_path / "history.db"
    told: list[float] = []
    async with running(path) as store, running(path, urandom=seeded(1)) as other:
        store.changed = lambda: told.append(trio.current_time())
        assert store.changed is not None
        Say(b"ours").submit(store)
        await trio.sleep(1)
        assert told == []
        Say(b"theirs").submit(other)
        before = trio.current_time()
        await trio.sleep(1)
        assert len(told) == 1
        assert told[0] - before <= LOOK
        Say(b"theirs").submit(other)
        await other.flush()
        Say(b"ours").submit(store)
        await store.flush()
        await trio.testing.wait_all_tasks_blocked()
        assert len(told) == 2, "a commit of our own notices those of others at once"
        store.changed = None
        Say(b"theirs").submit(other)
        await other.flush()
        Say(b"ours").submit(store)
        await trio.sleep(1)
        assert len(told) == 2


async def test_a_look_that_fails_is_not_the_end(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    path = tmp_path / "history.db"
    async with running(path) as store:
        store.changed = lambda: None
        newer = Database.open(path, wall=lambda: 0.0, steps=[*MIGRATIONS, ["CREATE TABLE more (x INTEGER)"]])
        await trio.sleep(1)
        newer.close()


async def test_nobody_looks_while_nobody_wants_to_know(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    looks = 0

    async def counting(function: Callable[[], Any]) -> Any:
        nonlocal looks
        looks += 1
        await trio.lowlevel.checkpoint()
        return function()

    async with running(tmp_path / "history.db", run_sync=counting):
        looks = 0
        await trio.sleep(100)
        assert looks == 0


async def test_each_opening_has_its_number_and_each_pair_is_one(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with open_store(path, env=env()) as one, open_store(path, env=env(urandom=seeded(1))) as two:
        assert one.opening != two.opening
        assert 0 <= one.opening < 2**63
        assert one.pair(OWN, PEER) is one.pair(OWN, PEER)
        assert one.pair(OWN, PEER) is not one.pair(OWN, OTHER)
        assert one.pair(OWN, PEER).durable


async def test_who_has_the_lock_of_a_peer_is_here_and_for_others_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with open_store(path, env=env()) as one, open_store(path, env=env()) as two:
        assert one.locks.try_lock(PEER)
        assert not one.is_elsewhere(PEER)
        assert two.is_elsewhere(PEER)
        assert not two.is_elsewhere(OTHER)
    async with open_store(path, env=env()) as three:
        assert not three.is_elsewhere(PEER), "the locks went with the store"


async def test_what_waits_for_a_guest_that_is_gone_has_failed_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with running(path) as store:
        store.pair(OWN, PEER).submit(
            lambda: lambda transaction: transaction.connected("tcp:here:1", name="", guest=True), lambda result: None
        )
        Say(b"hello?").submit(store)
    day = 24 * 3600
    async with running(path, wall=lambda: 1_700_000_000.0 + day) as store:
        assert await store.read(lambda db: db.one("SELECT failed FROM messages")) == (None,)
    async with running(path, wall=lambda: 1_700_000_001.0 + day) as store:
        assert await store.read(lambda db: db.one("SELECT failed FROM messages")) == ("the guest is gone",)


async def test_a_read_that_the_disk_refuses_is_named(tmp_path: Path) -> None:
    def broken(database: Database) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async with running(tmp_path / "history.db") as store:
        with pytest.raises(StoreFailed, match="disk I/O error"):
            await store.read(broken)


async def test_the_quiet_is_used_to_make_what_was_said_searchable(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with running(tmp_path / "history.db") as store:
        Say(b"one").submit(store)
        await trio.sleep(10 * LOOK)
        assert await store.read(search.missing) == 1  # nobody is there for whom it would be done
        store.changed = lambda: None
        await trio.sleep(2 * LOOK)
        assert await store.read(search.missing) == 0


async def test_a_store_that_can_only_be_read_does_not_begin(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    async with running(path), open_store(path, env=env(), connect=connect_to_read) as store:
        with pytest.raises(StoreReadOnly):
            await store.run()
