"""The ledger in a database keeps the contract, within one job and over several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from p2pchat.errors import QuotaExceeded
from p2pchat.protocol.assembly import PART, VOID, VOID_BODY, Messages, Parts
from p2pchat.protocol.ledger import Fence, Ledger, Seen
from p2pchat.store import quota
from p2pchat.store.database import Database
from p2pchat.store.ledger import TAIL_BYTES, SqlLedger
from p2pchat.store.transaction import SqlTransaction
from p2pchat.wire import messages as wire
from p2pchat.wire.frames import MAX_BODY, Entry
from p2pchat.wire.messages import Kind
from tests.store.ledger_contract import LedgerContract, messages, numbered, seen_at
from tests.support.delivery_pair import entry
from tests.support.stored import OPENING, Reread, in_memory, ledger, picture


@pytest.fixture
def database() -> Iterator[Database]:
    database = in_memory()
    with database.transaction():
        yield database
    database.close()


class TestSqlLedger(LedgerContract):
    durable = True

    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.database = database

    def make(self, epoch: bytes) -> Ledger:
        return ledger(self.database, epoch=epoch)


class TestSqlLedgerOverSeveralJobs(TestSqlLedger):
    def make(self, epoch: bytes) -> Ledger:
        return cast("Ledger", Reread(self.database, ledger(self.database, epoch=epoch)))

    def test_an_id_is_new_once(self, ledger: Ledger) -> None:
        """The ids of messages are known by their rows; what was entered and not taken is undone with its job."""
        ids = [number.to_bytes(16) for number in range(1, 200)]
        assert list(ledger.enter(ids)) == ids
        ledger.take(seen_at(3), messages(1, 100, 199))
        assert set(ledger.enter(ids)) == set(ids) - {ids[0], ids[99], ids[198]}

    def test_what_is_not_confirmed_can_be_undone_but_its_ids_stay_known(self, ledger: Ledger) -> None:
        mark = ledger.take(seen_at(1), messages(1))
        ledger.rewind()
        ledger.confirm(mark)
        assert ledger.seen == seen_at(1)
        assert list(ledger.enter([(1).to_bytes(16)])) == []


# ---- what a ledger in a database does beside the contract


def receive(kept: SqlLedger, seq: int, *entries: Entry, seen: Seen | None = None) -> None:
    """Take messages that are numbered from `seq`."""
    taken = Messages(list(range(seq, seq + len(entries))), list(entries))
    kept.enter([each.id for each in entries])
    kept.take(seen or seen_at(seq + len(entries) - 1), taken)


def body(what: wire.Readable) -> tuple[int, bytes]:
    kind, encoded = wire.encode_body(what)
    return int(kind), encoded


def of_kind(number: int, what: wire.Readable) -> Entry:
    kind, encoded = body(what)
    return entry(number, encoded, kind=kind)


def column(database: Database, sql: str) -> list[object]:
    return [value for (value,) in database.connection.execute(sql)]


def happened(database: Database) -> list[tuple[object, ...]]:
    return database.connection.execute("SELECT kind, count, first, last, gen, cursor FROM events").fetchall()


def test_a_message_is_kept_whole_beside_its_entries(database: Database) -> None:
    kept = ledger(database)
    parts = [entry(1, b"one, ", kind=PART), entry(2, b"two, ", kind=PART), entry(3, b"three")]
    kept.append([entry(0, b"before"), *parts, entry(4, b"after")])
    assert column(database, "SELECT body FROM messages ORDER BY cursor") == [b"before", b"one, two, three", b"after"]
    assert column(database, "SELECT seq FROM messages ORDER BY cursor") == [1, 4, 5]
    assert column(database, "SELECT cursor FROM outbox ORDER BY seq") == [1, None, None, 2, 3]
    assert column(database, "SELECT DISTINCT opening FROM messages") == [OPENING]


def test_many_messages_are_kept_in_order(database: Database) -> None:
    kept = ledger(database)
    kept.append(numbered(1, 200))
    assert list(kept.entries(1, 200)) == numbered(1, 200)
    assert column(database, "SELECT seq FROM messages ORDER BY cursor") == list(range(1, 201))
    receive(kept, 1, *numbered(1, 200))
    assert column(database, "SELECT seq FROM messages WHERE mine = 0 ORDER BY cursor") == list(range(1, 201))


def test_without_bodies_the_rest_of_an_entry_is_there(database: Database) -> None:
    kept = ledger(database)
    kept.append(numbered(1, 3))
    kept.flush()
    database.forget()
    assert list(kept.entries(2, 3, bodies=False)) == [entry(2, b""), entry(3, b"")]


def test_much_that_waits_is_read_when_it_is_needed(database: Database) -> None:
    kept = ledger(database)
    long = [entry(number, bytes(TAIL_BYTES // 2)) for number in (1, 2, 3)]
    for each in (*long, entry(4)):
        kept.append([each])
    kept.hand(1)
    kept.drop(2, bytes(32))
    assert list(kept.entries(2, 4)) == [*long[1:], entry(4)]
    assert list(kept.entries(4, 4)) == [entry(4)]
    kept.drop(5, bytes(80))
    assert list(kept.entries(5, 9)) == []


def test_entries_that_are_no_messages_are_found_too(database: Database) -> None:
    kept = ledger(database)
    kept.append([entry(1, kind=PART), entry(2), of_kind(3, wire.Read(bytes(16)))])
    assert [kept.find(number.to_bytes(16)) for number in (1, 2, 3, 4)] == [1, 2, 3, None]


def test_what_becomes_of_messages_is_an_event_for_all_of_them(database: Database) -> None:
    kept = ledger(database)
    kept.fence = Fence(gen=5)
    kept.append([*numbered(1, 3), of_kind(4, wire.Read(bytes(16))), entry(5, b"5")])
    kept.hand(3)
    kept.hand(4)
    kept.hand(5)
    kept.drop(3, bytes(48))
    kept.flush()
    assert happened(database) == [("sent", 3, 1, 3, 5, 7), ("sent", 1, 4, 4, 5, 8), ("delivered", 2, 1, 2, 5, 10)]
    assert (kept.head.sent_through, kept.head.delivered_through, kept.head.waiting) == (4, 2, 2)


def test_what_fails_before_the_rest_is_sent_is_told_before(database: Database) -> None:
    """Readers of the log take from a range what had failed before."""
    kept = ledger(database)
    transaction = SqlTransaction(database, kept)
    kept.append([entry(1)], expires_ms=50)
    kept.append([entry(2)])
    kept.replace(1, [entry(1, VOID_BODY, kind=VOID)])
    kept.hand(2)
    transaction.failed([(1).to_bytes(16)], "expired")
    assert transaction.cursor == 4
    kept.flush()
    assert happened(database) == [("failed", 1, 1, 1, 0, 3), ("sent", 1, 2, 2, 0, 4)]
    assert kept.head.waiting == 1


def test_in_a_new_log_everything_counts_as_sent(database: Database) -> None:
    kept = ledger(database)
    kept.append(numbered(1, 4))
    kept.hand(2)
    kept.drop(2, bytes(32))
    kept.renumber(b"newepoch")
    kept.flush()
    assert happened(database)[1:] == [("delivered", 1, 1, 1, 0, 7), ("sent", 2, 3, 4, 0, 9)]
    assert column(database, "SELECT seq FROM messages ORDER BY cursor") == [1, 1, 2, 3]
    assert kept.find((4).to_bytes(16)) == 3


def test_a_receipt_marks_my_message_as_read_once(database: Database) -> None:
    kept = ledger(database)
    kept.append([entry(1), entry(2)])
    receive(kept, 1, entry(9), of_kind(8, wire.Read((2).to_bytes(16))), of_kind(7, wire.Read((3).to_bytes(16))))
    receive(kept, 4, of_kind(6, wire.Read((2).to_bytes(16))))
    assert happened(database) == [("read", 1, 2, 2, 0, 4)]
    assert column(database, "SELECT read_ms IS NOT NULL FROM messages ORDER BY cursor") == [0, 1, 0]
    assert column(database, "SELECT id FROM messages WHERE mine = 0") == [(9).to_bytes(16)]


def test_what_has_failed_cannot_be_read(database: Database) -> None:
    kept = ledger(database)
    kept.append([entry(1)])
    SqlTransaction(database, kept).failed([(1).to_bytes(16)], "withdrawn")
    receive(kept, 1, of_kind(8, wire.Read((1).to_bytes(16))))
    assert column(database, "SELECT kind FROM events") == ["failed"]


def test_a_peer_may_change_what_it_calls_itself(database: Database) -> None:
    kept = ledger(database)
    receive(kept, 1, of_kind(1, wire.Profile("bob")))
    kept.flush()
    database.forget()
    assert kept.head.name == "bob"


def test_what_cannot_be_read_and_is_no_message_is_nothing(database: Database) -> None:
    kept = ledger(database)
    receive(kept, 1, entry(1, b"\xc1", kind=Kind.READ), entry(2, b"\xc1", kind=Kind.PROFILE), entry(3, b"?", kind=999))
    assert column(database, "SELECT kind FROM messages") == [999]
    assert kept.head.name == ""


def test_a_long_message_is_kept_part_by_part(database: Database) -> None:
    kept = ledger(database)
    pieces = (b"a" * MAX_BODY, b"b" * MAX_BODY, b"c" * MAX_BODY)
    for count in (1, 2, 3):
        kept.take(Seen(epoch=b"an epoch", seq=count, parts=Parts(b"conv", pieces[:count])), messages())
        kept.flush()
        assert column(database, "SELECT body FROM parts ORDER BY n") == list(pieces[:count])
    database.forget()
    assert kept.seen.parts == Parts(b"conv", pieces)
    kept.take(Seen(epoch=b"an epoch", seq=4, parts=Parts(b"other", pieces[2:])), messages(4))
    assert column(database, "SELECT body FROM parts") == [pieces[2]]
    kept.begin(Seen(epoch=b"another."))
    assert column(database, "SELECT body FROM parts") == []


@pytest.mark.parametrize("count", [1, 3, 64, 65, 150])
def test_ids_are_known_however_many_are_asked_for(database: Database, count: int) -> None:
    kept = ledger(database)
    ids = [number.to_bytes(16) for number in range(1, count + 1)]
    kept.append([entry(0)])  # of mine, which says nothing about theirs
    receive(kept, 1, *numbered(1, count))
    kept.flush()
    assert list(kept.enter(ids)) == []
    assert list(kept.enter([*ids, bytes(16)])) == [bytes(16)]
    assert list(ledger(database, peer=b"q" * 32).enter(ids)) == ids, "to another peer they are new"


def test_a_peer_that_has_filled_its_share_is_refused_and_comes_again_unchanged(database: Database) -> None:
    kept = ledger(database, free=10_000)
    receive(kept, 1, entry(1, bytes(500)))
    kept.flush()
    before = picture(database)
    with pytest.raises(QuotaExceeded, match="filled its share") as caught:
        receive(kept, 2, entry(2, bytes(500)))
    assert "history delete" in caught.value.hint
    assert list(kept.enter([(2).to_bytes(16)])) == [(2).to_bytes(16)], "it is still new"
    kept.flush()
    assert picture(database) == before
    assert kept.seen.seq == 1
    other = ledger(database, peer=b"q" * 32, free=10_000)
    receive(other, 1, entry(2, bytes(500)))
    assert column(database, "SELECT pair FROM messages") == [1, 2]


def test_what_is_nothing_to_keep_is_never_too_much(database: Database) -> None:
    kept = ledger(database, free=0)
    kept.take(seen_at(3), messages())
    assert kept.seen == seen_at(3)


def test_a_share_is_a_tenth_and_never_more_than_a_gibibyte() -> None:
    quota.check(0, 100, lambda: 1000)
    with pytest.raises(QuotaExceeded):
        quota.check(0, 101, lambda: 1000)
    quota.check(100, 100, lambda: 1900)  # what it has made us keep was free before
    quota.check(2**30 - 1, 1, lambda: 2**50)
    with pytest.raises(QuotaExceeded):
        quota.check(2**30, 1, lambda: 2**50)


def test_what_is_free_is_asked_of_the_disk(tmp_path: Path) -> None:
    assert quota.free_bytes_beside(tmp_path / "history.db")() > 0


def test_a_change_that_was_undone_is_not_remembered(database: Database) -> None:
    kept = ledger(database)
    kept.append([entry(1)])
    kept.flush()
    database.connection.execute("SAVEPOINT here")
    kept.append([entry(2)])
    kept.hand(2)
    kept.enter([bytes(16)])
    database.connection.execute("ROLLBACK TO here")
    database.forget()
    assert (kept.next, kept.log.handed) == (2, 0)
    assert list(kept.enter([bytes(16)])) == [bytes(16)]
    kept.flush()
    assert happened(database) == []
