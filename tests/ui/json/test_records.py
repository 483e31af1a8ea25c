"""The log as JSON: the lines of a live face, with their places in the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.store import journal, queue, timeline
from p2pchat.ui.json import lines, records, results
from p2pchat.wire.messages import Data, Text
from tests.support import contract
from tests.support.contract import Line
from tests.support.logbook import BOB, ME, Logbook, open_logbook


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def told(book: Logbook, after: int = 0) -> list[Line]:
    """What a program reads after `after`, checked."""
    log = records.LogLines()
    found = [line for record in journal.since(book.db, after) for line in log.of(record)]
    return contract.parse("".join(f"{lines.encode(line)}\n" for line in found).encode())


def test_every_kind_of_record_is_a_line_that_the_contract_knows(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.connected(BOB, "tcp:box:7272", link=3)
    mine = book.say(BOB, "hello", ref="42")
    book.sent(BOB, mine, mine, link=3)
    book.hear(BOB, Text("hi"))
    book.hear(BOB, Data(b"\xff", more=True))
    book.hear(BOB, Text("?"), kind=77)
    book.delivered(BOB, mine, mine, link=3)
    book.read(BOB, mine)
    book.failed(BOB, book.say(BOB, "never"), "withdrawn")
    book.event(BOB, "gap")
    book.event(BOB, "rolled_back")
    book.disconnected(BOB, "said goodbye", clean=True, link=3)
    book.connected(BOB, "", link=4)
    found = told(book)
    assert [line["cursor"] for line in found] == [f"{cursor:016}" for cursor in range(1, 15)]
    assert [line["at"] for line in found] == sorted(line["at"] for line in found)
    assert found[0] | {"at": ""} == {
        "event": "connected",
        "peer": str(BOB),
        "name": "bob",
        "petname": None,
        "trust": None,
        "transport": "tcp",
        "address": "tcp:box:7272",
        "link": 3,
        "cursor": "0000000000000001",
        "at": "",
    }
    assert [line.get("text", line.get("data", line.get("unreadable"))) for line in found[3:6]] == ["hi", "/w==", 77]
    assert [(line["state"], line["ref"], line["reason"]) for line in found if line["event"] == "state"] == [
        ("queued", "42", None),
        ("sent", "42", None),
        ("delivered", "42", None),
        ("read", "42", None),
        ("queued", None, None),
        ("failed", None, "withdrawn"),
    ]
    assert [line["event"] for line in found[-4:]] == ["gap", "rolled_back", "disconnected", "connected"]
    assert (found[-2]["clean"], found[-2]["redial"]) == (True, None)
    assert (found[-1]["transport"], found[-1]["address"]) == (None, None)


def test_a_range_is_a_line_for_each_message_wherever_one_begins(book: Logbook) -> None:
    mine = [book.say(BOB, str(n)) for n in range(5)]
    end = book.sent(BOB, mine[0], mine[-1])
    whole = told(book)
    assert [line["cursor"] for line in whole] == [f"{cursor:016}" for cursor in range(1, end + 1)]
    for after in range(end + 1):
        assert told(book, after) == whole[after:]


def test_what_was_deleted_here_is_told_so(book: Logbook) -> None:
    book.hear(BOB, Text("secret"))
    book.db.connection.execute("UPDATE messages SET body = NULL")
    (line,) = told(book)
    assert line["deleted"]
    assert {"text", "data", "unreadable"}.isdisjoint(line)


def test_messages_to_guests_are_not_durable(book: Logbook) -> None:
    book.pair(BOB, guest=True)
    book.say(BOB, "hello")
    assert [line["durable"] for line in told(book)] == [False]


def test_what_waits_is_an_object(book: Logbook) -> None:
    book.pair(BOB, name="bob", guest=True)
    book.say(BOB, "hello", ref="42", expires_ms=1_795_348_800_500)
    book.db.connection.execute("UPDATE pairs SET waiting = 1")
    (line,) = [results.waiting(one) for one in queue.waiting(book.db)]
    (checked,) = contract.parse(lines.encode(line).encode() + b"\n")
    assert checked == {
        "id": "019ab0c4-0001-7000-9000-000000000001",
        "ref": "42",
        "peer": str(BOB),
        "name": "bob",
        "state": "queued",
        "queued_at": "2026-11-22T12:00:01.000Z",
        "size": 9,
        "expires_at": "2026-11-22T12:00:00.500Z",
        "next_attempt": None,
        "durable": False,
        "cursor": "0000000000000001",
    }


def story(book: Logbook, cursor: int) -> Line:
    found = timeline.why(book.db, ME, book.id(cursor))
    assert found
    line = results.story(found)
    contract.check(line, "story")
    return line


def test_a_story_is_an_object(book: Logbook) -> None:
    book.connected(BOB, "tcp:box:7272", link=3)
    mine = book.say(BOB, "hello")
    theirs = book.hear(BOB, Text("hi"))
    book.sent(BOB, mine, mine, link=3)
    book.disconnected(BOB, "connection lost", link=3)
    lost = story(book, mine)
    link = {
        "link": 3,
        "address": "tcp:box:7272",
        "began_at": "2026-11-22T12:00:01.000Z",
        "ended_at": "2026-11-22T12:00:05.000Z",
        "reason": "connection lost",
    }
    assert lost["newest_link"] == link
    assert lost["steps"][2] == {"step": "sent", "at": "2026-11-22T12:00:04.000Z", "reason": None, "link": link}
    assert (lost["direction"], lost["state"]) == ("out", "sent")
    assert (story(book, theirs)["direction"], story(book, theirs)["state"]) == ("in", "received")


def test_the_state_of_a_message_is_that_of_now(book: Logbook) -> None:
    mine = book.say(BOB, "hello", ref="42")
    book.failed(BOB, mine, "withdrawn")
    found = timeline.why(book.db, ME, book.id(mine))
    assert found
    line = results.state(found)
    contract.check(line, "state")
    assert (line["state"], line["reason"], line["ref"]) == ("failed", "withdrawn", "42")
    assert story(book, mine)["newest_link"] is None
