"""The log is told in order, in pages of any size, from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.store import journal
from p2pchat.store.database import Connection, Database, connect
from p2pchat.store.journal import Became, Gap, LinkDown, LinkUp, Record, RolledBack, Said
from p2pchat.wire.messages import Data, Kind, Text, decode_body
from tests.support.logbook import ANN, BOB, ME, OPENING, START, Logbook, open_logbook


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def told(records: list[Record]) -> list[tuple[int, str, bytes]]:
    """What happened message by message, each with its own cursor."""
    found = []
    for record in records:
        match record.what:
            case Became(state=state, ids=ids):
                found += [(record.cursor - len(ids) + n, state, one) for n, one in enumerate(ids, 1)]
            case Said(mine=mine, id=one):
                found.append((record.cursor, "queued" if mine else "received", one))
            case what:
                found.append((record.cursor, type(what).__name__, b""))
    return found


def said(message_id: bytes, body: bytes | None, *, mine: bool = False, ref: str | None = None) -> Said:
    return Said(mine=mine, id=message_id, seq=1, kind=Kind.TEXT, body=body, sent_ms=START, ref=ref, opening=OPENING)


def pages(db: Database, *, limit: int, after: int = 0) -> list[Record]:
    records: list[Record] = []
    while page := journal.since(db, records[-1].cursor if records else after, limit=limit):
        assert len(told(page)) <= limit
        records += page
    return records


def test_nothing_has_happened_in_an_empty_log(book: Logbook) -> None:
    assert journal.newest(book.db) == 0
    assert journal.since(book.db, 0) == []


def test_everything_is_told_in_the_order_of_cursors(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.connected(BOB, "tcp:box:7272", link=3)
    mine = book.say(BOB, "hello", ref="42")
    theirs = book.hear(BOB, Text("hi"))
    book.sent(BOB, mine, mine, link=3)
    book.delivered(BOB, mine, mine, link=3)
    book.read(BOB, mine)
    book.disconnected(BOB, "bye", clean=True, link=3)
    book.event(BOB, "gap")
    book.event(BOB, "rolled_back")
    records = journal.since(book.db, 0)
    assert [record.cursor for record in records] == list(range(1, 10))
    assert [record.at_ms for record in records] == sorted(record.at_ms for record in records)
    assert {(record.own, record.peer, record.name, record.guest) for record in records} == {(ME, BOB, "bob", False)}
    body = records[1].what
    assert isinstance(body, Said)
    assert body.body is not None
    assert decode_body(body.kind, body.body) == Text("hello")
    assert [record.what for record in records] == [
        LinkUp("tcp:box:7272", 3),
        said(book.id(mine), body.body, mine=True, ref="42"),
        said(book.id(theirs), b"\x93\xa2hi\xc0\xc2"),
        Became("sent", [book.id(mine)], ["42"], "", 3),
        Became("delivered", [book.id(mine)], ["42"], "", 3),
        Became("read", [book.id(mine)], ["42"], "", 0),
        LinkDown("bye", clean=True, link=3),
        Gap(),
        RolledBack(),
    ]
    assert journal.newest(book.db) == 9


def test_a_guest_is_one_in_every_record(book: Logbook) -> None:
    book.pair(ANN, guest=True)
    book.say(ANN, "are you there")
    assert [record.guest for record in journal.since(book.db, 0)] == [True]


def test_a_range_is_told_message_by_message_and_of_one_peer(book: Logbook) -> None:
    mine = [book.say(BOB, "1"), book.say(BOB, "2")]
    book.say(ANN, "not of this range")
    book.hear(BOB, Text("nor this"))
    mine.append(book.say(BOB, "3"))
    end = book.sent(BOB, mine[0], mine[-1])
    (record,) = journal.since(book.db, mine[-1])
    assert record.cursor == end == 8
    assert told([record]) == [(6 + n, "sent", book.id(cursor)) for n, cursor in enumerate(mine)]


def test_a_reader_goes_on_in_the_middle_of_a_range(book: Logbook) -> None:
    mine = [book.say(BOB, str(n)) for n in range(10)]
    end = book.delivered(BOB, mine[0], mine[-1])
    whole = told(journal.since(book.db, 0))
    for seen in range(end + 1):
        assert told(journal.since(book.db, seen)) == whole[seen:]
        assert told(pages(book.db, limit=3, after=seen)) == whole[seen:]


def test_what_had_failed_is_in_no_range_and_what_fails_later_moves_no_cursor(book: Logbook) -> None:
    mine = [book.say(BOB, str(n)) for n in range(4)]
    book.failed(BOB, mine[1], "withdrawn")
    book.sent(BOB, mine[0], mine[-1])
    before = told(journal.since(book.db, 5))
    assert before == [(6 + n, "sent", book.id(mine[which])) for n, which in enumerate((0, 2, 3))]
    book.failed(BOB, mine[2], "the guest is gone")
    after = journal.since(book.db, 5)
    assert told(after) == [*before, (9, "failed", book.id(mine[2]))]
    assert after[-1].what == Became("failed", [book.id(mine[2])], [None], "the guest is gone", 0)


def test_a_range_of_messages_that_nobody_knows_any_more_is_passed(book: Logbook) -> None:
    mine = [book.say(BOB, str(n)) for n in range(3)]
    book.sent(BOB, mine[0], mine[-1])
    book.db.connection.execute("DELETE FROM messages")
    book.hear(BOB, Text("still there"))
    assert [record.cursor for record in pages(book.db, limit=2)] == [6, 7]


def test_a_deleted_message_is_told_without_its_content(book: Logbook) -> None:
    cursor = book.hear(BOB, Text("secret"))
    book.db.connection.execute("UPDATE messages SET body = NULL")
    assert journal.since(book.db, 0)[0].what == said(book.id(cursor), None)


def test_through_ends_the_log(book: Logbook) -> None:
    for n in range(5):
        book.hear(BOB, Text(str(n)))
    assert [record.cursor for record in journal.since(book.db, 1, through=3)] == [2, 3]
    assert [record.cursor for record in journal.since(book.db, 1, through=99)] == [2, 3, 4, 5]
    assert journal.since(book.db, 3, through=3) == []


def test_one_peer_can_be_asked_for_whoever_we_were(book: Logbook) -> None:
    book.hear(ANN, Text("1"))
    book.hear(BOB, Text("2"))
    book.event(ANN, "gap")
    book.event(BOB, "gap")
    book.pair(BOB, own=ANN)
    book.db.connection.execute("UPDATE messages SET pair = 3 WHERE cursor = 2")
    assert [(record.cursor, record.own) for record in journal.since(book.db, 0, peer=BOB)] == [(2, ANN), (4, ME)]
    assert [record.cursor for record in journal.since(book.db, 0, peer=BOB, limit=1)] == [2]
    assert journal.since(book.db, 0, peer=ME) == []


def test_long_messages_end_a_page_early_but_one_always_fits(book: Logbook) -> None:
    for _ in range(3):
        book.hear(BOB, Data(bytes(2**20)))
    for n in range(300):
        book.hear(BOB, Data(bytes([n % 256]) * 5000))
    sizes = []
    after = 0
    while page := journal.since(book.db, after):
        after = page[-1].cursor
        sizes.append(len(page))
        for record in page:
            assert isinstance(record.what, Said)
            assert record.what.body
    assert sizes[:3] == [1, 1, 1]
    assert sum(sizes) == 303
    assert max(sizes) <= journal.ENOUGH // 5000 + 1


def test_what_is_committed_while_a_page_is_read_waits_for_the_next(book: Logbook, tmp_path: Path) -> None:
    """Between a look at the messages and one at the events, somebody writes a message and what became of it."""
    book.say(BOB, "first")

    class Interrupted:
        """A connection behind whose back a message is written after it was asked for messages."""

        def __init__(self, connection: Connection) -> None:
            self.connection = connection

        def execute(self, sql: str, parameters: object = ()) -> object:
            rows = self.connection.execute(sql, parameters)  # type: ignore[arg-type]
            if "FROM messages WHERE" in sql:
                cursor = book.say(BOB, "second")
                book.sent(BOB, cursor, cursor)
            return rows

    with closing(connect(tmp_path / "history.db")) as connection:
        reader = Database(Interrupted(connection), tmp_path, wall=lambda: 0)  # type: ignore[arg-type]
        assert [record.cursor for record in journal.since(reader, 0)] == [1]
    assert [record.cursor for record in journal.since(book.db, 1)] == [2, 3]


EVENTS = st.sampled_from(["say", "say", "say", "hear", "sent", "delivered", "fail", "gap"])
MOVES = st.lists(st.tuples(EVENTS, st.sampled_from([ANN, BOB])), max_size=40)


@settings(max_examples=30, deadline=None)
@given(
    moves=st.lists(st.tuples(EVENTS, st.sampled_from([ANN, BOB])), max_size=40), limit=st.integers(1, 7), data=st.data()
)
def test_pages_of_any_size_from_anywhere_tell_the_same(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, object]], limit: int, data: st.DataObject
) -> None:
    with open_logbook(tmp_path_factory.mktemp("log")) as book:
        mine: dict[object, list[int]] = {ANN: [], BOB: []}
        through = {("sent", ANN): 0, ("sent", BOB): 0, ("delivered", ANN): 0, ("delivered", BOB): 0}
        expected: list[tuple[int, str, bytes]] = []
        for move, peer in moves:
            assert peer in (ANN, BOB)
            waiting = [cursor for cursor in mine[peer] if cursor > through["sent", peer]]
            unacked = [cursor for cursor in mine[peer] if through["delivered", peer] < cursor <= through["sent", peer]]
            match move:
                case "say":
                    cursor = book.say(peer, "x")
                    mine[peer].append(cursor)
                    expected.append((cursor, "queued", book.id(cursor)))
                case "hear":
                    cursor = book.hear(peer, Text("y"))
                    expected.append((cursor, "received", book.id(cursor)))
                case "gap":
                    expected.append((book.event(peer, "gap"), "Gap", b""))
                case "fail" if waiting:
                    mine[peer].remove(waiting[0])
                    expected.append((book.failed(peer, waiting[0], "withdrawn"), "failed", book.id(waiting[0])))
                case "sent" | "delivered" if found := waiting if move == "sent" else unacked:
                    cover = book.sent if move == "sent" else book.delivered
                    end = cover(peer, found[0], found[-1])
                    through[move, peer] = found[-1]
                    expected += [(end - len(found) + n, move, book.id(one)) for n, one in enumerate(found, 1)]
        assert [cursor for cursor, *_ in expected] == list(range(1, len(expected) + 1))
        assert told(pages(book.db, limit=limit)) == expected
        after = data.draw(st.integers(0, len(expected)))
        assert told(pages(book.db, limit=limit, after=after)) == expected[after:]
