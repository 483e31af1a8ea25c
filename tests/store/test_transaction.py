"""What is noted in the log beside the ledger, and what becomes of messages to guests that are gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import chain
from p2pchat.protocol.assembly import PART
from p2pchat.protocol.ledger import Fence
from p2pchat.store import guests, pins
from p2pchat.store.database import Database
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.transaction import SqlTransaction
from tests.support.delivery_pair import entry
from tests.support.stored import EPOCH, in_memory, ledger


@pytest.fixture
def database() -> Iterator[Database]:
    database = in_memory()
    yield database
    database.close()


@pytest.fixture
def kept(database: Database) -> SqlLedger:
    return ledger(database, peer=PeerId.parse(PEER).key)


@pytest.fixture
def transaction(database: Database, kept: SqlLedger) -> SqlTransaction:
    return SqlTransaction(database, kept)


PEER = "peer1qyfe3a3vd5dy2lz3hf4ykheah5hknl9fxgtzrrwgn9lyz6730kfu5mgmy82"
ONE, TWO = (1).to_bytes(16), (2).to_bytes(16)


def events(database: Database) -> list[tuple[object, ...]]:
    return database.connection.execute("SELECT kind, gen, first, last, detail FROM events ORDER BY cursor").fetchall()


def test_links_come_and_go(database: Database, kept: SqlLedger, transaction: SqlTransaction) -> None:
    with database.transaction():
        kept.fence = Fence(gen=3)
        transaction.connected("tcp:here:7272", name="bob", guest=True)
        kept.flush()
    connected_ms = kept.head.met_ms
    with database.transaction():
        transaction.disconnected("connection lost", clean=False)
        transaction.disconnected("said goodbye", clean=True)
        transaction.gap()
        transaction.rolled_back()
        kept.flush()
    assert events(database) == [
        ("connected", 3, 0, 0, "tcp:here:7272"),
        ("disconnected", 3, 0, 0, "connection lost"),
        ("disconnected", 3, 0, 1, "said goodbye"),
        ("gap", 3, 0, 0, ""),
        ("rolled_back", 3, 0, 0, ""),
    ]
    database.forget()
    assert (kept.head.name, kept.head.guest) == ("bob", True)
    assert kept.head.met_ms > connected_ms > 0


def test_a_name_that_is_not_told_yet_does_not_take_the_old_one_away(
    transaction: SqlTransaction, kept: SqlLedger
) -> None:
    transaction.connected("tcp:here:1", name="bob", guest=False)
    transaction.connected("tcp:here:1", name="", guest=False)
    assert kept.head.name == "bob"


def test_a_message_fails_once(database: Database, kept: SqlLedger, transaction: SqlTransaction) -> None:
    kept.append([entry(1), entry(2)])
    transaction.failed([ONE, bytes(16)], "withdrawn")
    transaction.failed([ONE, TWO], "expired")
    assert events(database) == [("failed", 0, 1, 1, "withdrawn"), ("failed", 0, 2, 2, "expired")]
    failed = database.connection.execute("SELECT failed FROM messages ORDER BY cursor").fetchall()
    assert failed == [("withdrawn",), ("expired",)]


def test_a_message_is_known_by_what_a_program_calls_it(kept: SqlLedger, transaction: SqlTransaction) -> None:
    kept.append([entry(1), entry(2)])
    transaction.tag(ONE, key="one", ref="r1")
    transaction.tag(TWO, key=None, ref="r2")
    assert transaction.keyed("one") == ONE
    assert transaction.keyed("two") is None


def test_a_key_is_one_message_and_can_be_written(kept: SqlLedger, transaction: SqlTransaction) -> None:
    kept.append([entry(1), entry(2)])
    transaction.tag(ONE, key="one", ref=None)
    transaction.tag(ONE, key="one", ref="again")
    with pytest.raises(LocalProtocolError, match="same key"):
        transaction.tag(TWO, key="one", ref=None)
    with pytest.raises(LocalProtocolError, match="cannot be encoded"):
        transaction.tag(TWO, key=None, ref="half of a pair: \ud800")
    with pytest.raises(LocalProtocolError, match="cannot be encoded"):
        transaction.keyed("\ud800")


def test_what_the_system_says_may_hold_anything(database: Database, transaction: SqlTransaction) -> None:
    transaction.disconnected("no such place: \udcff", clean=False)
    assert events(database) == [("disconnected", 0, 0, 0, "no such place: ?")]


def test_the_newest_cursor_counts_what_this_job_did(kept: SqlLedger, transaction: SqlTransaction) -> None:
    assert transaction.cursor == 0
    kept.append([entry(1), entry(2)])
    assert transaction.cursor == 2
    kept.hand(2)
    assert transaction.cursor == 4
    assert transaction.unsaid() == 2
    kept.drop(2, bytes(32))
    assert transaction.unsaid() == 1


def test_where_the_peer_answers_is_pinned(database: Database, transaction: SqlTransaction) -> None:
    assert transaction.pin("tcp:here:7272")
    assert not transaction.pin("tcp:here:7272")
    assert pins.peer_at(database, "tcp:here:7272") == PeerId.parse(PEER)


# ---- guests


def let_wait(database: Database, kept: SqlLedger, *, guest: bool) -> None:
    with database.transaction():
        transaction = SqlTransaction(database, kept)
        transaction.connected("tcp:here:1", name="", guest=guest)
        kept.append([entry(1), entry(2, kind=PART), entry(3), entry(4)])
        kept.hand(1)
        kept.drop(2, chain.extend(EPOCH, chain.EMPTY, ONE))
        kept.flush()


def later(database: Database, ms: int) -> None:
    """Let `ms` go by since the last link."""
    database.connection.execute("UPDATE pairs SET met_ms = ?", (database.now_ms() - ms,))
    database.forget()


def test_what_waits_for_a_guest_that_is_gone_fails(database: Database, kept: SqlLedger) -> None:
    let_wait(database, kept, guest=True)
    later(database, guests.GONE_AFTER + 60_000)
    before = database.cursor
    assert guests.expire(database) == 2
    assert database.connection.execute("SELECT * FROM outbox").fetchall() == []
    states = database.connection.execute("SELECT cursor, failed FROM messages ORDER BY cursor").fetchall()
    assert states == [(2, None), (3, guests.REASON), (4, guests.REASON)]
    failed = database.connection.execute("SELECT cursor, count, first, last FROM events WHERE kind = 'failed'")
    assert failed.fetchall() == [(before + 1, 1, 3, 3), (before + 2, 1, 4, 4)]
    ids = b"".join(number.to_bytes(16) for number in range(1, 5))
    assert (kept.log.base, kept.next, kept.log.handed, kept.head.waiting) == (5, 5, 4, 0)
    assert kept.log.base_state == chain.extend(EPOCH, chain.EMPTY, ids)
    assert guests.expire(database) == 0
    with database.transaction():
        assert database.take_cursors(1) == before + 3


def test_a_guest_may_come_back_for_a_day(database: Database, kept: SqlLedger) -> None:
    let_wait(database, kept, guest=True)
    later(database, guests.GONE_AFTER - 60_000)
    assert guests.expire(database) == 0
    assert kept.head.waiting == 2


def test_others_are_waited_for_as_long_as_it_takes(database: Database, kept: SqlLedger) -> None:
    let_wait(database, kept, guest=False)
    later(database, 1000 * guests.GONE_AFTER)
    assert guests.expire(database) == 0
    assert kept.head.waiting == 2
