"""A store that somebody runs, and jobs for it that say something."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import outcome
import trio

from p2pchat.crypto.identity import PeerId
from p2pchat.env import Env
from p2pchat.protocol import outbox
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.base import Transaction
from p2pchat.store.database import Database
from p2pchat.store.store import Store, open_store
from p2pchat.wire.messages import Kind
from tests.support.entropy import seeded

SEEDS = count()  # each job has ids of its own
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
        self.ids = EntryIds(seeded(next(SEEDS)))

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
