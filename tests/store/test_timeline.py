"""The story of one message is told from what the log holds of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.crypto.identity import PeerId
from p2pchat.store import timeline
from p2pchat.store.timeline import OnLink, Step, Timeline
from p2pchat.wire.messages import Text
from tests.support.logbook import ANN, BOB, ME, START, Logbook, open_logbook


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def story(book: Logbook, cursor: int) -> Timeline:
    found = timeline.why(book.db, ME, book.id(cursor))
    assert found is not None
    assert found.named.cursor == cursor
    return found


def at(row: int) -> int:
    """When the `row`-th row was written."""
    return START + 1000 * row


def test_a_message_that_was_read_has_the_whole_story(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.connected(BOB, "tcp:box:7272", link=4)
    cursor = book.say(BOB, "hello", ref="42")
    book.sent(BOB, cursor, cursor, link=4)
    book.disconnected(BOB, "connection lost", link=4)
    book.connected(BOB, "tcp:box:7272", link=5)
    book.delivered(BOB, cursor, cursor, link=5)
    book.read(BOB, cursor)
    first = OnLink(4, "tcp:box:7272", at(1), at(4), "connection lost")
    second = OnLink(5, "tcp:box:7272", at(5))
    told = story(book, cursor)
    assert (told.named.mine, told.named.own, told.named.peer, told.name, told.ref) == (True, ME, BOB, "bob", "42")
    assert (told.state, told.reason, told.guest, told.deleted) == ("read", "", False, False)
    assert told.steps == [
        Step("composed", START),
        Step("stored", at(2)),
        Step("sent", at(3), first),
        Step("delivered", at(6), second),
        Step("read", at(7)),
    ]
    assert told.newest == second
    assert not told.waits


def test_a_message_that_waits_tells_since_when_there_is_no_link_and_when_it_expires(book: Logbook) -> None:
    book.connected(BOB, "", link=1)
    book.disconnected(BOB, "it went away", link=1)
    cursor = book.say(BOB, "hello", expires_ms=START + 99)
    told = story(book, cursor)
    assert told.state == "queued"
    assert told.waits
    assert told.expires_ms == START + 99
    assert [step.what for step in told.steps] == ["composed", "stored"]
    assert told.newest == OnLink(1, "", at(1), at(2), "it went away")


def test_a_message_to_somebody_never_met_has_no_link_at_all(book: Logbook) -> None:
    told = story(book, book.say(BOB, "hello"))
    assert told.newest is None
    assert told.expires_ms is None


def test_a_message_that_left_no_longer_expires(book: Logbook) -> None:
    book.connected(BOB)
    cursor = book.say(BOB, "hello", expires_ms=START + 99)
    later = book.say(BOB, "and this")
    book.sent(BOB, cursor, cursor)
    assert story(book, cursor).state == "sent"
    assert story(book, cursor).expires_ms is None
    assert story(book, later).state == "queued"


def test_a_range_is_that_of_the_message_and_no_other(book: Logbook) -> None:
    mine = [book.say(BOB, str(n)) for n in range(4)]
    book.connected(BOB, link=1)
    book.sent(BOB, mine[0], mine[1], link=1)
    book.connected(BOB, link=2)
    book.sent(BOB, mine[2], mine[2], link=2)
    links = [[step.link and step.link.number for step in story(book, cursor).steps[2:]] for cursor in mine]
    assert links == [[1], [1], [2], []]


def test_what_was_withdrawn_was_never_sent_although_a_range_goes_over_it(book: Logbook) -> None:
    mine = [book.say(BOB, str(n)) for n in range(3)]
    book.failed(BOB, mine[1], "withdrawn")
    book.sent(BOB, mine[0], mine[2])
    book.delivered(BOB, mine[0], mine[2])
    told = story(book, mine[1])
    assert (told.state, told.reason) == ("failed", "withdrawn")
    assert told.steps == [Step("composed", START), Step("stored", at(2)), Step("failed", at(4), reason="withdrawn")]


def test_what_failed_after_it_had_left_was_sent(book: Logbook) -> None:
    cursor = book.say(BOB, "anybody there?")
    book.sent(BOB, cursor, cursor)
    book.failed(BOB, cursor, "the guest is gone")
    book.pair(BOB)
    assert [step.what for step in story(book, cursor).steps] == ["composed", "stored", "sent", "failed"]


def test_a_peers_message_came_over_the_link_of_that_time(book: Logbook) -> None:
    book.connected(BOB, "tcp:1:1", link=1)
    book.connected(BOB, "tcp:2:2", link=2)
    cursor = book.hear(BOB, Text("hi"))
    book.disconnected(BOB, link=2)
    book.connected(BOB, "tcp:3:3", link=3)
    told = story(book, cursor)
    assert told.state == "received"
    link = OnLink(2, "tcp:2:2", at(2), at(4), "connection lost")
    assert told.steps == [Step("composed", START), Step("received", at(3), link)]
    assert not told.waits
    book.db.connection.execute("UPDATE messages SET read_ms = 5, body = NULL")
    told = story(book, cursor)
    assert told.steps[-1] == Step("receipt", 5)
    assert told.deleted


def test_nobody_elses_message_and_no_unknown_one_is_found(book: Logbook) -> None:
    cursor = book.say(BOB, "hello")
    assert timeline.why(book.db, ANN, book.id(cursor)) is None
    assert timeline.why(book.db, None, book.id(cursor)) is not None
    assert timeline.why(book.db, ME, bytes(16)) is None


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("019ab0c4-7d2e-7c3a-9f00-5ad9f3c1b2aa", "019ab0c47d2e7c3a9f005ad9f3c1b2aa"),
        (" 019AB0C4-7d2e ", "019ab0c47d2e"),
        ("019a", "019a"),
        ("019", None),
        ("hello", None),
        ("", None),
        ("019ab0c47d2e7c3a9f005ad9f3c1b2aa0", None),
    ],
)
def test_ids_are_typed_whole_or_from_their_beginning(text: str, prefix: str | None) -> None:
    assert timeline.prefix_of(text) == prefix


def test_a_beginning_finds_all_that_it_may_mean_oldest_first(book: Logbook) -> None:
    book.say(ANN, "1")
    book.hear(BOB, Text("2"))
    book.say(BOB, "3")
    assert [named.cursor for named in timeline.find(book.db, "019ab0c4")] == [1, 2, 3]
    assert [named.cursor for named in timeline.find(book.db, "019ab0c40002")] == [2]
    assert [named.cursor for named in timeline.find(book.db, "019ab0c4", own=ANN)] == []
    assert [named.cursor for named in timeline.find(book.db, "019ab0c4", limit=1)] == [1, 2, 3]  # one of each side
    assert timeline.find(book.db, "ffff") == []


def test_an_id_that_a_peer_has_copied_is_mine(book: Logbook) -> None:
    mine = book.say(BOB, "original")
    copy = book.hear(BOB, Text("copy"))
    book.db.connection.execute("UPDATE messages SET id = ? WHERE cursor = ?", (book.id(mine), copy))
    assert [named.cursor for named in timeline.find(book.db, book.id(mine).hex())] == [mine]


def test_identities_of_before_are_looked_through_too(book: Logbook) -> None:
    cursor = book.say(BOB, "hello")
    book.db.connection.execute("UPDATE pairs SET own = ?", (ANN.key,))
    (named,) = timeline.find(book.db, book.id(cursor).hex())
    assert named.own == PeerId(ANN.key)
