"""The disk fails at the n-th statement, for every n: nothing is left half done, and nothing is lost or doubled."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import pytest

from p2pchat.errors import StoreError, StoreFailed
from p2pchat.protocol import outbox
from p2pchat.protocol.delivery import LinkDelivery
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.database import Connection, Cursor
from p2pchat.store.transaction import SqlTransaction
from p2pchat.wire import messages as wire
from p2pchat.wire.frames import MAX_BODY
from p2pchat.wire.messages import Kind
from tests.support.delivery_pair import HELLO, NOW_MS
from tests.support.entropy import seeded
from tests.support.stored import Kept, picture

T = TypeVar("T")

LATER = NOW_MS + 1000


class Fuse:
    """What lets one statement fail."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.armed = False

    def burn(self) -> None:
        if self.armed:
            self.count += 1
            if self.count == self.at:
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error


class Failing:
    """A connection with a fuse."""

    def __init__(self, inner: Connection, fuse: Fuse) -> None:
        self.inner = inner
        self.fuse = fuse

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        self.fuse.burn()
        return self.inner.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor:
        self.fuse.burn()
        return self.inner.executemany(sql, parameters)

    def close(self) -> None:
        self.inner.close()


class Side:
    """One side of a conversation."""

    def __init__(self, number: int, fuse: Fuse) -> None:
        self.entropy = seeded(number)
        self.ids = EntryIds(self.entropy)
        self.kept = Kept.fresh(self.entropy(8))
        self.kept.database.connection = Failing(self.kept.database.connection, fuse)
        self.fuse = fuse
        self.link = LinkDelivery(offered=HELLO, dialed_by_smaller=True)

    def run(self, job: Callable[[SqlTransaction], T]) -> T:
        """Run a job in one transaction, which changes all or nothing."""
        before = picture(self.kept.database)
        self.fuse.armed = True
        try:
            with self.kept.transaction():
                return job(SqlTransaction(self.kept.database, self.kept._inner))
        except StoreError:
            self.fuse.armed = False
            assert picture(self.kept.database) == before, "half of it was kept"
            raise
        finally:
            self.fuse.armed = False

    def insist(self, job: Callable[[SqlTransaction], T]) -> T:
        """Run a job, again if the disk fails: it changed nothing."""
        try:
            return self.run(job)
        except StoreFailed:
            return self.run(job)

    def say(self, *bodies: bytes, kind: int = Kind.TEXT, expires_ms: int | None = None) -> list[bytes]:
        """Say things, all of which are kept or none."""

        def job(transaction: SqlTransaction) -> list[bytes]:
            said = []
            for body in bodies:
                queued = outbox.enqueue(
                    transaction.ledger, self.ids, (kind, body), now_ms=NOW_MS, expires_ms=expires_ms
                )
                transaction.tag(queued.id, key=body[:8].hex(), ref=None)
                said.append(queued.id)
            return said

        return self.insist(job)

    def withdraw(self, message_id: bytes) -> None:
        def job(transaction: SqlTransaction) -> None:
            assert outbox.void(transaction.ledger, message_id) is outbox.Withdrawal.WITHDRAWN
            transaction.failed([message_id], "withdrawn")

        self.insist(job)

    @property
    def inbox(self) -> list[bytes]:
        sql = "SELECT body FROM messages WHERE mine = 0 ORDER BY cursor"
        return [body for (body,) in self.kept.database.connection.execute(sql)]

    @property
    def waits(self) -> bool:
        return bool(self.kept.log.base < self.kept.next)


def connect(a: Side, b: Side) -> None:
    """Begin a new link."""
    for side in (a, b):
        side.link = LinkDelivery(offered=HELLO, dialed_by_smaller=True)
    resumes = [
        side.run(lambda transaction, side=side: side.link.claim(transaction.ledger, holder_lives=False, now=0.0))  # type: ignore[misc]
        for side in (a, b)
    ]
    for side, resume in ((b, resumes[0]), (a, resumes[1])):
        side.run(
            lambda transaction, side=side, resume=resume: side.link.resume(  # type: ignore[misc]
                transaction.ledger, resume, window=HELLO, entropy=side.entropy
            )
        )


def send(a: Side, b: Side) -> None:
    """Let what `a` has to say come to `b`, and be acknowledged."""

    def hand(transaction: SqlTransaction) -> list[Any]:
        handed = a.link.hand(transaction.ledger, max_cost=2**20, now_ms=LATER)
        transaction.failed(handed.expired, "expired")
        return handed.batches

    def receive(transaction: SqlTransaction) -> Any:
        while b.link.waiting:
            b.link.receive(transaction.ledger)
        return b.link.ack(transaction.ledger)

    for batch in a.run(hand):
        b.link.arrive(batch)
    ack = b.run(receive)
    if ack is not None:
        a.run(lambda transaction: a.link.acked(transaction.ledger, ack))


def deliver(a: Side, b: Side) -> None:
    """Let everything come over; a link whose disk failed is made again."""
    while a.waits or b.waits:
        try:
            connect(a, b)
            send(a, b)
            send(b, a)
        except StoreFailed:
            continue


def tell(at: int) -> int:
    """Tell the whole story, in which statement number `at` fails; return how many there were."""
    fuse = Fuse(at)
    a, b = Side(1, fuse), Side(2, fuse)
    long = b"long ".ljust(2 * MAX_BODY + 10, b"x")
    a.say(b"first one", b"first two")
    (doomed,) = a.say(b"doomed".ljust(MAX_BODY + 1, b"x"))
    a.withdraw(doomed)
    a.say(b"too late", expires_ms=NOW_MS + 1)
    a.say(long)
    b.say(b"hello")
    deliver(a, b)
    (receipt,) = [
        message_id
        for (message_id,) in b.kept.database.connection.execute(
            "SELECT id FROM messages WHERE mine = 0 ORDER BY cursor LIMIT 1"
        )
    ]
    b.say(wire.encode_body(wire.Read(receipt))[1], kind=Kind.READ)
    b.say(wire.encode_body(wire.Profile("bob"))[1], kind=Kind.PROFILE)
    a.say(b"last")
    deliver(a, b)
    assert b.inbox == [b"first one", b"first two", long, b"last"]
    assert a.inbox == [b"hello"]
    states = a.kept.database.connection.execute(
        "SELECT failed, read_ms IS NOT NULL, cursor <= (SELECT delivered_through FROM pairs) FROM messages"
        " WHERE mine = 1 ORDER BY cursor"
    ).fetchall()
    assert states == [
        (None, 1, 1),
        (None, 0, 1),
        ("withdrawn", 0, 1),
        ("expired", 0, 1),
        (None, 0, 1),
        (None, 0, 1),
    ]
    for side in (a, b):
        side.kept.check()
        side.kept.database.close()
    return fuse.count


@pytest.mark.slow
def test_no_statement_that_fails_leaves_half_of_anything() -> None:
    statements = tell(at=0)
    assert statements > 100
    for number in range(1, statements + 1):
        tell(at=number)
