"""What is out of date is withdrawn without a link, and whoever has the conversation learns of it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio
from outcome import Outcome
from trio.testing import MockClock

from p2pchat.crypto.identity import PeerId
from p2pchat.protocol import outbox
from p2pchat.protocol.ids import EntryIds
from p2pchat.store import expiry, journal, queue, timeline
from p2pchat.store.base import Transaction
from p2pchat.store.database import Database
from p2pchat.store.journal import Became
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.store import LOOK, Store, open_store
from p2pchat.wire.frames import MAX_BODY
from p2pchat.wire.messages import Kind
from tests.support import stored
from tests.support.entropy import seeded
from tests.support.peers import Network, virtual_env

NOW = 1_795_348_800_000  # Unix milliseconds
ANN, BOB, EVE = (PeerId(name * 32) for name in (b"a", b"b", b"e"))


class Clock:
    """Seconds since 1970."""

    now = NOW / 1000

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(clock: Clock) -> Iterator[Database]:
    def connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(":memory:", isolation_level=None)

    with closing(Database.open(Path("test.db"), wall=clock, connect=connect)) as database:
        yield database


class Talk:
    """Our side of the conversation with one peer."""

    def __init__(self, db: Database, peer: PeerId) -> None:
        self.db = db
        self.ledger: SqlLedger = stored.ledger(db, peer=peer.key)
        self._ids = EntryIds(seeded(peer.key[0]))

    def say(self, body: bytes = b"hi", *, seconds: int | None = None) -> bytes:
        expires_ms = None if seconds is None else NOW + 1000 * seconds
        with self.db.transaction():
            queued = outbox.enqueue(self.ledger, self._ids, (Kind.DATA, body), now_ms=NOW, expires_ms=expires_ms)
            self.ledger.flush()
        return queued.id

    def send(self, through: int) -> None:
        with self.db.transaction():
            self.ledger.hand(through)
            self.ledger.flush()


def waiting(db: Database) -> list[bytes]:
    return [one.id for one in queue.waiting(db)]


def test_nothing_is_due_before_its_time(db: Database, clock: Clock) -> None:
    assert not expiry.is_due(db)
    talk = Talk(db, BOB)
    said = [talk.say(), talk.say(seconds=10)]
    clock.now += 9.999
    assert (expiry.is_due(db), expiry.expire(db)) == (False, 0)
    assert waiting(db) == said
    assert journal.newest(db) == 2


def test_what_is_out_of_date_has_failed_in_the_log_once(db: Database, clock: Clock) -> None:
    ann, bob, eve = Talk(db, ANN), Talk(db, BOB), Talk(db, EVE)
    kept = [ann.say(seconds=60), eve.say(), bob.say()]
    late = [bob.say(bytes(MAX_BODY + 5), seconds=10), bob.say(seconds=9), ann.say(seconds=10)]
    clock.now += 10
    assert expiry.expire(db) == len(late)
    assert not expiry.is_due(db)
    assert waiting(db) == kept
    failed = [record.what for record in journal.since(db, 6)]
    assert all(isinstance(what, Became) and (what.state, what.reason) == ("failed", "expired") for what in failed)
    assert sorted(what.ids[0] for what in failed if isinstance(what, Became)) == sorted(late)
    for each in late:
        told = timeline.why(db, PeerId(stored.OWN), each)
        assert told
        assert (told.state, told.reason, told.expires_ms) == ("failed", "expired", None)
    assert ann.ledger.head.waiting == 1  # a ledger that was open has learnt of it
    assert expiry.expire(db) == 0


def test_what_a_link_had_in_time_goes_on_its_way(db: Database, clock: Clock) -> None:
    talk = Talk(db, BOB)
    whole, half = talk.say(seconds=10), talk.say(bytes(MAX_BODY + 5), seconds=10)
    talk.send(2)  # all of the first, a piece of the second
    clock.now += 11
    assert expiry.is_due(db)
    assert expiry.expire(db) == 0
    assert not expiry.is_due(db)  # it is not looked at again and again
    assert waiting(db) == [whole, half]
    assert journal.newest(db) == 3  # two messages, one of them sent


def test_a_look_reads_nothing_that_cannot_expire(db: Database) -> None:
    plan = [row[-1] for row in db.connection.execute(f"EXPLAIN QUERY PLAN {expiry._DUE}", (NOW,)).fetchall()]
    assert not [step for step in plan if step.startswith("SCAN pairs")]
    outboxes = [step for step in plan if "outbox" in step or " o " in step]
    assert outboxes
    assert [step for step in outboxes if "INDEX outbox_expiry" not in step] == []


# ---- in a store that somebody runs


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Store]:
    async with open_store(path, env=virtual_env(Network(), seed=1)) as store, trio.open_nursery() as nursery:
        await nursery.start(store.run)
        yield store
        await store.flush()
        nursery.cancel_scope.cancel()


def say(store: Store, *, expires_ms: int) -> None:
    def job(transaction: Transaction) -> None:
        outbox.enqueue(transaction.ledger, EntryIds(seeded(1)), (Kind.DATA, b"hi"), now_ms=0, expires_ms=expires_ms)

    def done(result: Outcome[None]) -> None:
        result.unwrap()

    store.pair(ANN, BOB).submit(lambda: job, done)


def failed(db: Database) -> str | None:
    (reason,) = db.one("SELECT failed FROM messages")
    return None if reason is None else str(reason)


async def test_what_expires_in_the_quiet_is_told(tmp_path: Path, autojump_clock: MockClock) -> None:
    env = virtual_env(Network(), seed=1)
    begin, changes = trio.current_time(), list[float]()
    async with running(tmp_path / "history.db") as store:
        say(store, expires_ms=int(1000 * (env.wall() + 5)))
        store.changed = lambda: changes.append(trio.current_time() - begin)
        await trio.sleep(4.9)
        assert (changes, await store.read(failed)) == ([], None)
        await trio.sleep(10)
        assert changes == [pytest.approx(5, abs=2 * LOOK)]
        assert await store.read(failed) == "expired"


async def test_what_expired_meanwhile_is_withdrawn_at_the_beginning(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path / "history.db") as store:
        say(store, expires_ms=1)
    async with running(tmp_path / "history.db") as store:
        assert await store.read(failed) == "expired"
