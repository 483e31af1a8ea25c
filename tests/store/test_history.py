"""What was said is read page by page, and only what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from p2pchat.store import history
from p2pchat.store.history import Row, Unread
from p2pchat.wire.messages import Data, Text
from tests.support.logbook import ANN, BOB, ME, START, Logbook, open_logbook


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def delete(book: Logbook, cursor: int) -> None:
    book.db.connection.execute("UPDATE messages SET body = NULL WHERE cursor = ?", (cursor,))


def cursors(rows: Iterable[Row | history.Break]) -> list[int]:
    return [row.cursor for row in rows]


def test_an_empty_store_has_no_history(book: Logbook) -> None:
    assert history.page(book.db) == []
    assert history.page(book.db, peer=BOB) == []
    assert list(history.last(book.db, 10)) == []
    assert history.since(book.db, 0) == 0
    assert history.unread(book.db, BOB) == Unread(0, 0)


def test_a_row_is_all_there_is_to_a_message(book: Logbook) -> None:
    book.pair(BOB, name="bob", guest=True)
    mine = book.say(BOB, "hello", ref="42")
    theirs = book.hear(BOB, Data(b"\xff"))
    said, heard = history.page(book.db)
    assert said.message.body == Text("hello")
    assert said.message.entry.id == said.id == book.id(mine)
    assert (said.cursor, said.peer, said.name, said.guest, said.mine) == (mine, BOB, "bob", True, True)
    assert (said.sent_ms, said.at_ms, said.seq, said.ref) == (START, START + 1000, 1, "42")
    assert (said.state, said.reason) == ("queued", "")
    assert heard.message.body == Data(b"\xff")
    assert (heard.cursor, heard.mine, heard.state, heard.ref) == (theirs, False, "received", None)


def test_the_state_of_my_message_is_how_far_it_has_come(book: Logbook) -> None:
    book.pair(BOB)
    said = [book.say(BOB, str(n)) for n in range(5)]
    book.failed(BOB, said[0], "withdrawn")
    book.sent(BOB, said[1], said[3])
    book.delivered(BOB, said[1], said[2])
    book.read(BOB, said[1])
    states = [(row.state, row.reason) for row in history.page(book.db)]
    assert states == [("failed", "withdrawn"), ("read", ""), ("delivered", ""), ("sent", ""), ("queued", "")]


def test_the_state_of_the_peers_message_is_whether_somebody_saw_it(book: Logbook) -> None:
    heard = [book.hear(BOB, Text(str(n))) for n in range(3)]
    history.mark_read(book.db, BOB, heard[0])
    book.db.connection.execute("UPDATE messages SET read_ms = 1 WHERE cursor = ?", (heard[2],))
    assert [row.state for row in history.page(book.db)] == ["shown", "received", "shown"]


def test_a_break_stands_between_messages(book: Logbook) -> None:
    book.hear(BOB, Text("before"))
    gap = book.event(BOB, "gap")
    book.hear(ANN, Text("else"))
    back = book.event(ANN, "rolled_back")
    book.connected(BOB)
    assert [(one.cursor, one.peer) for one in history.breaks(book.db)] == [(gap, BOB), (back, ANN)]
    assert cursors(history.breaks(book.db, peer=BOB)) == [gap]
    assert cursors(history.breaks(book.db, after=gap)) == [back]
    assert cursors(history.breaks(book.db, after=gap - 1, before=back)) == [gap]


def test_pages_follow_each_other(book: Logbook) -> None:
    said = [book.say(BOB, str(n)) for n in range(10)]
    assert cursors(history.page(book.db, limit=4)) == said[:4]
    assert cursors(history.page(book.db, after=said[3], limit=4)) == said[4:8]
    assert cursors(history.page(book.db, after=said[3], before=said[6])) == said[4:6]
    assert cursors(history.page(book.db, after=said[-1])) == []
    assert cursors(history.between(book.db)) == said


def test_long_messages_end_a_page_earlier(book: Logbook) -> None:
    said = [book.say(BOB, "x" * 2**20) for _ in range(6)]
    assert cursors(history.page(book.db)) == said[:4]
    assert cursors(history.between(book.db)) == said


def test_the_last_ones_come_oldest_first(book: Logbook) -> None:
    said = [book.say(BOB, str(n)) for n in range(10)]
    assert cursors(history.last(book.db, 3)) == said[-3:]
    assert cursors(history.last(book.db, 3, before=said[5])) == said[2:5]
    assert cursors(history.last(book.db, 100)) == said
    assert cursors(history.last(book.db, 0)) == []


def test_what_was_deleted_is_not_there(book: Logbook) -> None:
    said = [book.say(BOB, str(n)) for n in range(5)]
    delete(book, said[1])
    delete(book, said[4])
    assert cursors(history.between(book.db)) == [said[0], said[2], said[3]]
    assert cursors(history.last(book.db, 2)) == [said[2], said[3]]
    assert history.at(book.db, said[1]) is None


def test_one_peer_is_told_apart_from_others_whoever_we_were(book: Logbook) -> None:
    before = book.pair(BOB, own=ANN)
    first = book._message(before, 1, b"\x91\xa3old", mine=False)
    book.say(ANN, "to ann")
    bob = [book.say(BOB, "to bob"), book.hear(BOB, Text("hi"))]
    book.hear(ANN, Text("from ann"))
    assert cursors(history.between(book.db, peer=BOB)) == [first, *bob]
    assert cursors(history.last(book.db, 2, peer=BOB)) == bob
    assert cursors(history.between(book.db, peer=ME)) == []
    assert len(list(history.between(book.db))) == 5


def test_what_stands_around_a_message_is_of_its_conversation(book: Logbook) -> None:
    said = []
    for n in range(7):
        said.append(book.say(BOB, str(n)))
        book.say(ANN, "meanwhile")
    row = history.at(book.db, said[3])
    assert row is not None
    before, after = history.around(book.db, row, 2)
    assert (cursors(before), cursors(after)) == (said[1:3], said[4:6])
    assert history.around(book.db, row, 0) == ([], [])


def test_a_time_is_found_in_the_order_of_the_log(book: Logbook) -> None:
    said = [book.say(BOB, str(n)) for n in range(20)]
    book.connected(BOB)
    said.append(book.say(BOB, "after a hole in the cursors"))
    times = {row.cursor: row.at_ms for row in history.between(book.db)}
    for cursor in said:
        assert history.since(book.db, times[cursor]) <= cursor
        assert history.since(book.db, times[cursor] + 1) == cursor + 1
    assert history.since(book.db, 0) == 0


def test_unread_is_what_the_peer_said_since_somebody_looked(book: Logbook) -> None:
    heard = [book.hear(BOB, Text(str(n))) for n in range(3)]
    book.say(BOB, "mine is never unread")
    book.hear(ANN, Text("of somebody else"))
    assert history.unread(book.db, BOB) == Unread(3, heard[0])
    history.mark_read(book.db, BOB, heard[0])
    assert history.unread(book.db, BOB) == Unread(2, heard[1])
    history.mark_read(book.db, BOB, 1)
    assert history.unread(book.db, BOB) == Unread(2, heard[1])
    delete(book, heard[1])
    assert history.unread(book.db, BOB) == Unread(1, heard[2])
    history.mark_read(book.db, BOB, heard[2])
    assert history.unread(book.db, BOB) == Unread(0, 0)
    assert history.unread(book.db, ANN).count == 1


def test_what_is_unread_is_counted_up_to_a_cursor(book: Logbook) -> None:
    heard = [book.hear(BOB, Text(str(n))) for n in range(5)]
    assert history.unread(book.db, BOB, before=heard[3]) == Unread(3, heard[0])
    assert history.unread(book.db, BOB, before=heard[3], most=2) == Unread(2, heard[0])
    assert history.unread(book.db, BOB, before=heard[0]) == Unread(0, 0)


def test_more_unread_than_anybody_counts(book: Logbook) -> None:
    pair = book.pair(BOB)
    book.db.connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
        " INSERT INTO messages (cursor, pair, mine, id, seq, kind, sent_ms, at_ms, body, opening)"
        " SELECT i, ?, 0, CAST(i AS BLOB), i, 1, 0, 0, x'91a0', 1 FROM n",
        (pair,),
    )
    assert history.unread(book.db, BOB) == Unread(history.COUNTED, 1)


def test_everybody_is_called_what_they_say_today(book: Logbook) -> None:
    assert history.claims(book.db) == {}
    book.pair(BOB, own=ANN, name="old bob")
    book.pair(BOB, name="bob")
    book.pair(ANN)
    assert history.claims(book.db) == {BOB: "bob", ANN: ""}
