"""The store: what waits is committed together, and everybody learns what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import outcome
import pytest
import trio

from p2pchat.crypto.identity import PeerId
from p2pchat.env import Env
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import outbox
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.base import Transaction
from p2pchat.store.database import Database
from p2pchat.store.store import Store, open_store
from p2pchat.wire.messages import Kind
from tests.support.entropy import seeded

OWN, PEER, OTHER = (PeerId(bytes([number]) * 32) for number in (1, 2, 3))


def env(**changes: Any) -> Env:
    async def inline(function: Callable[[], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        return function()

    given: dict[str, Any] = {
        "clock": trio.current_time,
        "wall": lambda: 1_700_000_000.0,
        "rng": Random(0),
        "urandom": seeded(0),
        "run_sync": inline,
        "net": None,
    }
    return Env(**given | changes)


@asynccontextmanager
async def running(path: Path, **changes: Any) -> AsyncIterator[Store]:
    """Open a store that somebody runs."""
    async with open_store(path, env=env(**changes)) as store, trio.open_nursery() as nursery:
        await nursery.start(store.run)
        yield store
        await store.flush()
        nursery.cancel_scope.cancel()


class Say:
    """A job that says something, and how it ended."""

    def __init__(self, *bodies: bytes, error: Exception | None = None) -> None:
        self.bodies = bodies
        self.error = error
        self.result: outcome.Outcome[list[bytes]] | None = None
        self.ids = EntryIds(seeded(hash(bodies) & 0xFFFF))

    def __call__(self, transaction: Transaction) -> list[bytes]:
        said = outbox.enqueue_many(transaction.ledger, self.ids, Kind.TEXT, self.bodies, now_ms=1)
        if self.error is not None:
            raise self.error
        return said

    def submit(self, store: Store, peer: PeerId = PEER) -> Say:
        store.pair(OWN, peer).submit(lambda: self, self.done)
        return self

    def done(self, result: outcome.Outcome[list[bytes]]) -> None:
        assert self.result is None
        self.result = result


def said(database: Database) -> list[bytes]:
    return [body for (body,) in database.connection.execute("SELECT body FROM messages ORDER BY cursor")]


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
