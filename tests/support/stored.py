"""Databases in memory, and ledgers in them, for tests of what is kept."""

from __future__ import annotations

import sqlite3
from itertools import count
from pathlib import Path
from typing import Any

from p2pchat.protocol.ledger import Fence
from p2pchat.store.database import Database
from p2pchat.store.heads import Place
from p2pchat.store.ledger import SqlLedger

OWN = b"o" * 32
PEER = b"p" * 32
EPOCH = b"my epoch"
OPENING = 4711
PLENTY = 2**50  # bytes free


def in_memory() -> Database:
    """Return a database that no other connection can see; seconds go by with every look at the clock."""
    clock = count(1_700_000_000)
    return Database.open(Path("test.db"), wall=lambda: float(next(clock)), connect=_connect)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


def ledger(database: Database, *, epoch: bytes = EPOCH, peer: bytes = PEER, free: int = PLENTY) -> SqlLedger:
    """Return the ledger of a pair."""
    place = Place(own=OWN, peer=peer, epoch=epoch)
    return SqlLedger(database, place, opening=OPENING, free_bytes=lambda: free)


class Reread:
    """A ledger that writes and forgets all it knows after each call, so that the next one reads the tables."""

    def __init__(self, database: Database, inner: SqlLedger) -> None:
        self._database = database
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            result = value(*args, **kwargs)
            self._settle()
            return result

        return call

    @property
    def fence(self) -> Fence:
        return self._inner.fence

    @fence.setter
    def fence(self, fence: Fence) -> None:
        self._inner.fence = fence
        self._settle()

    def _settle(self) -> None:
        self._inner.flush()
        self._database.forget()
