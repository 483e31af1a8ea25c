"""Databases in memory, and ledgers in them, for tests of what is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from p2pchat.protocol.ledger import Fence
from p2pchat.store import quota
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


def picture(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that is in the tables."""
    tables = ("pairs", "outbox", "parts", "messages", "events", "pins", "contacts", "invites")
    run = database.connection.execute
    return {table: run(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}


def opened(path: Path) -> Database:
    """Return the database at `path`, for somebody without patience."""
    return Database.open(path, wall=lambda: 12.3456, busy_timeout=0.05)


def pin(db: Database, address: str, *, size: int = 32) -> None:
    """Write something, of a size."""
    db.connection.execute("INSERT INTO pins VALUES (?, ?, 0)", (address, b"p" * size))


def pins(db: Database) -> list[str]:
    return [address for (address,) in db.connection.execute("SELECT address FROM pins ORDER BY address")]


def ledger(database: Database, *, epoch: bytes = EPOCH, peer: bytes = PEER, free: int = PLENTY) -> SqlLedger:
    """Return the ledger of a pair."""
    place = Place(own=OWN, peer=peer, epoch=epoch)
    return SqlLedger(database, place, opening=OPENING, free_bytes=lambda: free)


class Kept:
    """A ledger in a database of its own; a copy of it is a copy of the file."""

    def __init__(self, image: bytes, epoch: bytes) -> None:
        self.database = Database.open(Path("test.db"), wall=lambda: 0.0, connect=lambda path: _opened(image))
        self._epoch = epoch
        self._inner = ledger(self.database, epoch=epoch)

    @classmethod
    def fresh(cls, epoch: bytes) -> Kept:
        return cls(_fresh_image(), epoch)

    def __deepcopy__(self, memo: object) -> Kept:
        return Kept(_image(self.database), self._epoch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    @property
    def fence(self) -> Fence:
        return self._inner.fence

    @fence.setter
    def fence(self, fence: Fence) -> None:
        self._inner.fence = fence

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self.database.transaction():
            yield
            self._inner.flush()

    def picture(self) -> object:
        return picture(self.database)

    def check(self) -> None:
        """Assert that the tables agree with one another."""
        _check(self.database)


def _opened(image: bytes) -> sqlite3.Connection:
    connection = _connect(Path())
    connection.deserialize(image)
    return connection


def _image(database: Database) -> bytes:
    assert isinstance(database.connection, sqlite3.Connection)
    return database.connection.serialize()


@cache
def _fresh_image() -> bytes:
    return _image(in_memory())


def _check(database: Database) -> None:
    for pair, waiting, delivered_through, stored in database.connection.execute(
        "SELECT pair, waiting, delivered_through, stored_bytes FROM pairs"
    ):
        of = (pair,)
        queued = database.connection.execute(
            "SELECT cursor, id, seq FROM outbox WHERE pair = ? AND cursor IS NOT NULL ORDER BY seq", of
        ).fetchall()
        assert waiting == len(queued), "how many wait"
        rows = database.connection.execute("SELECT cursor, id FROM messages WHERE pair = ? AND mine = 1", of)
        said = {cursor: message_id for cursor, message_id in rows.fetchall()}  # noqa: C416  (dict() has no types)
        assert {cursor: message_id for cursor, message_id, _ in queued}.items() <= said.items(), "what waits is kept"
        assert [cursor for cursor, _, _ in queued] == sorted(cursor for cursor, _, _ in queued), "one order"
        assert all(cursor > delivered_through for cursor, _, _ in queued), "what waits is not delivered"
        heard = database.connection.execute("SELECT body FROM messages WHERE pair = ? AND mine = 0", of).fetchall()
        assert stored == sum(len(body) + quota.ROW_BYTES for (body,) in heard), "what the peer made us keep"
    taken = [cursor for (cursor,) in database.connection.execute("SELECT cursor FROM messages")]
    for cursor, covered in database.connection.execute("SELECT cursor, count FROM events"):
        taken += range(cursor - covered + 1, cursor + 1)
    assert sorted(taken) == list(range(1, len(taken) + 1)), "every cursor is taken once"


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
