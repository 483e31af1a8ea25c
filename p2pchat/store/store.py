"""The store of a profile: all that waits is committed together, then everybody learns what came of it.

One task writes, in one transaction at a time: while the disk syncs, new jobs gather, and all of them are the next
transaction. That makes a durable message cost a few dozen microseconds where each would cost a sync of its own. A
transaction that has begun is always finished, whoever is cancelled; the busy timeout of the database bounds it.

Other processes may have the file open. While somebody wants to know, their commits are looked for `LOOK` seconds apart,
and what is out of date is withdrawn.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, final

import outcome
import trio

from p2pchat.errors import P2PChatError, StoreError, StoreFailed
from p2pchat.store import database, expiry, failures, guests, invites, quota, search
from p2pchat.store.database import Database
from p2pchat.store.heads import Place
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.locks import PeerLocks
from p2pchat.store.transaction import SqlTransaction

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.env import Env
    from p2pchat.store.base import Transaction

LOOK: Final = 0.25  # seconds between two looks at what other processes have committed
LAST_WORK: Final = 10.0  # seconds for what waits at the end: two transactions that others keep from beginning

T = TypeVar("T")


class Waiting(NamedTuple):
    """A job that was submitted."""

    pair: SqlPair
    gather: Callable[[], Callable[[Transaction], Any]]
    done: Callable[[outcome.Outcome[Any]], None]


@final
class SqlPair:
    """A `store.base.Pair` in a database."""

    durable = True

    def __init__(self, store: Store, ledger: SqlLedger, transaction: SqlTransaction) -> None:
        """Use `Store.pair`."""
        self.ledger = ledger
        self.transaction = transaction
        self._store = store

    def submit(
        self, gather: Callable[[], Callable[[Transaction], T]], done: Callable[[outcome.Outcome[T]], None]
    ) -> None:
        """Run a job in the next transaction; in a store that is closed it fails at once."""
        self._store.submit(Waiting(self, gather, done))


@asynccontextmanager
async def open_store(path: Path, *, env: Env, connect: database.Connect = database.connect) -> AsyncIterator[Store]:
    """Open the store at `path`, ``<data>/history.db``; somebody has to run `Store.run` while it is used.

    Raises:
      StoreError: if it cannot be opened.
    """
    free_bytes = quota.free_bytes_beside(path)
    open_one = partial(Database.open, path, wall=env.wall, connect=connect)
    writer = await env.run_sync(open_one)
    try:
        reader = await env.run_sync(open_one)
        try:
            store = Store(writer, reader, env=env, free_bytes=free_bytes)
            try:
                yield store
            finally:
                store.locks.close()
        finally:
            with trio.move_on_after(LAST_WORK, shield=True):
                await env.run_sync(reader.close)
    finally:
        with trio.move_on_after(LAST_WORK, shield=True):
            await env.run_sync(writer.close)


@final
class Store:
    """What the node holds: a place for each conversation."""

    def __init__(self, writer: Database, reader: Database, *, env: Env, free_bytes: quota.FreeBytes) -> None:
        """Use `open_store`."""
        #: A random number that every message bears which this process writes.
        self.opening: int = int.from_bytes(env.urandom(8)) >> 1
        self.locks: PeerLocks = PeerLocks(writer.path.with_name("locks"))
        self._writer = writer
        self._reader = reader
        self._env = env
        self._free_bytes = free_bytes
        self._pairs: dict[tuple[PeerId, PeerId], SqlPair] = {}
        self._waiting: list[Waiting] = []
        self._writing = False
        self._is_behind = True  # messages may wait to be made searchable
        self._closed = False
        self._changed: Callable[[], None] | None = None
        self._others = writer.others  # how many of their commits were told of
        self._has_expired = False  # something, which was not told of
        self._wake = trio.lowlevel.ParkingLot()
        self._settled = trio.lowlevel.ParkingLot()
        self._read_lock = trio.Lock()

    def pair(self, own: PeerId, peer: PeerId) -> SqlPair:
        """Return the place of the conversation of `own`, who we are, with `peer`."""
        pair = self._pairs.get((own, peer))
        if pair is None:
            place = Place(own=own.key, peer=peer.key, epoch=self._env.urandom(8))
            ledger = SqlLedger(self._writer, place, opening=self.opening, free_bytes=self._free_bytes)
            pair = self._pairs[own, peer] = SqlPair(self, ledger, SqlTransaction(self._writer, ledger))
        return pair

    def is_elsewhere(self, peer: PeerId) -> bool:
        """Return whether another process of the profile keeps up the link with `peer`."""
        return self.locks.is_elsewhere(peer)

    @property
    def changed(self) -> Callable[[], None] | None:
        """What is called, in the task of the store, when another process has committed, or something has expired."""
        return self._changed

    @changed.setter
    def changed(self, changed: Callable[[], None] | None) -> None:
        self._changed = changed
        self._wake.unpark_all()

    async def read(self, function: Callable[[Database], T]) -> T:
        """Return what `function` reads, in a worker thread, from a connection that never waits for those who write.

        It may write too, in transactions of its own. One at a time; a cancellation waits for its end.

        Raises:
          StoreError: if the disk refuses.
        """
        async with self._read_lock:
            return await self._env.run_sync(partial(_naming, self._reader, function))

    # ---- writing

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Commit what is submitted, until cancelled; what waits then is committed before the end.

        Raises:
          StoreError: if the store cannot even begin. Later failures are those of the jobs they meet.
        """
        self._closed = False
        try:
            await self._env.run_sync(partial(_begin, self._writer))
            task_status.started()
            while True:
                await self._rest()
                await (self._write() if self._waiting else self._look())
                self._tell_of_others()
        finally:
            with trio.move_on_after(LAST_WORK, shield=True):
                await self._drain()

    async def flush(self) -> None:
        """Wait until nothing is waiting to be committed."""
        await trio.lowlevel.checkpoint()
        while self._waiting or self._writing:
            await self._settled.park()

    def submit(self, waiting: Waiting) -> None:
        """Use `SqlPair.submit`."""
        if self._closed:
            waiting.done(outcome.Error(self._closed_error()))
            return
        self._waiting.append(waiting)
        self._wake.unpark_all()

    async def _rest(self) -> None:
        """Wait until there is something to do."""
        if self._waiting:
            await trio.lowlevel.checkpoint()
            return
        with trio.move_on_after(math.inf if self._changed is None else LOOK):
            await self._wake.park()

    async def _write(self) -> None:
        """Commit all that is waiting, and tell whose it is. What is no `P2PChatError` is a bug, and comes out."""
        group, self._waiting = self._waiting, []
        self._writing = self._is_behind = True
        results: Sequence[outcome.Outcome[Any]] = [outcome.Error(self._closed_error()) for _ in group]
        try:
            jobs = [(waiting.pair, waiting.gather()) for waiting in group]
            with trio.CancelScope(shield=True):  # one transaction; it waits for others no longer than BUSY_TIMEOUT
                results = await self._env.run_sync(partial(_commit, self._writer, jobs))
        except StoreError as error:
            results = [outcome.Error(error) for _ in group]
        finally:
            self._writing = False
            for waiting, result in zip(group, results, strict=True):
                waiting.done(result)
            self._settled.unpark_all()

    async def _look(self) -> None:
        """Use the quiet: see what others have committed, and make what was said searchable, a little at a time."""
        if self._changed is not None:
            with suppress(StoreError):  # whoever writes next learns what is wrong
                catch_up = partial(_catch_up, self._writer, is_behind=self._is_behind)
                self._is_behind, expired = await self._env.run_sync(catch_up)
                self._has_expired = expired > 0

    def _tell_of_others(self) -> None:
        if self._writer.others != self._others or self._has_expired:
            self._others, self._has_expired = self._writer.others, False
            if self._changed is not None:
                self._changed()

    async def _drain(self) -> None:
        """Commit what is still waiting, so that nobody waits for ever."""
        try:
            while self._waiting:  # as many transactions as what is done asks for, while there is time
                await trio.lowlevel.checkpoint()
                await self._write()
        finally:
            self._closed = True
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.done(outcome.Error(self._closed_error()))
            self._settled.unpark_all()

    def _closed_error(self) -> StoreFailed:
        return StoreFailed(f"{self._writer.path} was closed before this was kept")


def _commit(
    database: Database, jobs: Sequence[tuple[SqlPair, Callable[[Transaction], Any]]]
) -> list[outcome.Outcome[Any]]:
    """Run `jobs` in one transaction; return what came of each."""
    with database.transaction():
        return [_run(database, pair, job) for pair, job in jobs]


def _run(database: Database, pair: SqlPair, job: Callable[[Transaction], Any]) -> outcome.Outcome[Any]:
    """Run one job: what it raises undoes all that it has done, and nothing else."""
    database.connection.execute("SAVEPOINT job")
    try:
        result = job(pair.transaction)
    except P2PChatError as error:
        try:
            database.connection.execute("ROLLBACK TO job")
        except sqlite3.Error:  # SQLite has undone everything: the disk is full, or fails
            raise error from None
        database.forget()
        answer: outcome.Outcome[Any] = outcome.Error(error)
    else:
        pair.ledger.flush()
        answer = outcome.Value(result)
    database.connection.execute("RELEASE job")
    return answer


def _begin(database: Database) -> None:
    """Refuse what cannot be written; withdraw what nobody will ever come for, or in time; delete dead codes."""
    database.require_writable()
    invites.expire(database)
    guests.expire(database)
    expiry.expire(database)


def _catch_up(database: Database, *, is_behind: bool) -> tuple[bool, int]:
    """Look at what others have committed, and at the clock; index some messages if we are behind.

    Returns whether we still are, and how many messages have expired.
    """
    before = database.others
    database.look()
    with failures.naming(database.path):
        is_behind = (is_behind or database.others != before) and search.fill(database)
        invites.expire(database)
        return is_behind, expiry.expire(database)


def _naming(database: Database, function: Callable[[Database], T]) -> T:
    with failures.naming(database.path):
        return function(database)
