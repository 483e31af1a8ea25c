"""What was said before looks like a chat, and nobody can look like somebody else in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.store import contacts, history
from p2pchat.ui import marks, past
from p2pchat.ui.names import Names
from p2pchat.wire.messages import Text
from tests.support.logbook import ANN, BOB, Logbook, open_logbook


@pytest.fixture(autouse=True)
def _utc() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def shown(book: Logbook, *, new_from: int = 0, width: int = 0, signs: marks.Marks = marks.UNICODE) -> list[str]:
    look = past.Look(marks=signs, names=Names.kept(signs, book.db).everyone(history.claims(book.db)), width=width)
    return list(look.day_by_day(history.between(book.db), history.breaks(book.db), new_from=new_from))


def test_each_day_has_its_line(book: Logbook) -> None:
    for _ in range(2):
        book.hear(BOB, Text("hi"))
        book._rows += 86_400
    assert [line for line in shown(book) if line.startswith("-- ")] == ["-- 2026-11-22 --", "-- 2026-11-23 --"]


def test_what_is_new_stands_behind_a_line(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    cursors = [book.hear(BOB, Text(text)) for text in "abc"]
    expected = ["12:00    bob: a", past.NEW, "12:00    bob: b", "12:00    bob: c"]
    assert shown(book, new_from=cursors[1])[1:] == expected
    assert shown(book, new_from=cursors[-1] + 1) == shown(book)


def test_where_messages_may_be_missing_there_is_a_line(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.hear(BOB, Text("a"))
    for kind in ("gap", "rolled_back"):  # one loss
        book.event(BOB, kind)
    book.hear(BOB, Text("b"))
    book.event(BOB, "gap")
    missing = "-- messages with bob may be missing here --"
    assert shown(book)[1:] == ["12:00    bob: a", missing, "12:00    bob: b", missing]


def test_a_long_name_forges_no_line_where_messages_may_be_missing(book: Logbook) -> None:
    book.pair(BOB, name="bob is not here and nobody knows where he is")
    book.event(BOB, "gap")
    assert shown(book, width=32) == [
        "-- messages with bob is not here",
        "   and nobody knows where he is",
        "   may be missing here --",
    ]


def test_states_have_signs_where_no_name_can_be(book: Logbook) -> None:
    book.pair(BOB, name="Bob")
    said = [book.say(BOB, str(n)) for n in range(5)]
    book.failed(BOB, said[4], "expired\x1b[2J")
    book.sent(BOB, said[0], said[2])
    book.delivered(BOB, said[0], said[1])
    book.read(BOB, said[0])
    book.hear(BOB, Text("mine?"))
    assert [line.split(" you to ")[0] for line in shown(book)[1:]] == [
        "12:00 ✓✓",
        "12:00 ✓ ",
        "12:00 → ",
        "12:00 · ",
        "12:00 ✗ ",
        "         (failed: expired␛[2J)",
        "12:00    Bob: mine?",
    ]


def test_signs_that_any_terminal_has(book: Logbook) -> None:
    book.pair(BOB, name="bob", guest=True)
    said = book.say(BOB, "hi")
    book.delivered(BOB, said, said)
    assert shown(book, signs=marks.ASCII)[1:] == ["12:00 + guest you to bob: hi"]


@pytest.mark.parametrize("name", ["you", "You (guest)", "YOU to bob", "✓✓ you", "bob: hi\n12:00\x07"])
def test_a_name_that_could_be_something_else_is_not_shown(name: str, book: Logbook) -> None:
    book.pair(BOB, name=name)
    book.hear(BOB, Text("hi"))
    assert shown(book)[1] == "12:00    peer1qyklqsf9…8y5q: hi"


def test_contacts_have_the_names_that_i_gave_them(book: Logbook) -> None:
    book.pair(BOB, name="Robert")
    book.pair(ANN, name="B0B")
    with book.db.transaction():
        contacts.rename(book.db, BOB, "bob")
    book.hear(BOB, Text("hi"))
    book.hear(ANN, Text("it is me, bob"))
    assert [line[9:12] for line in shown(book)[1:]] == ["bob", "pee"]


def test_long_and_hostile_texts_stay_in_their_place(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.hear(BOB, Text("word " * 30 + "\n-- forged --\n\x1b[2J"))
    _, *lines = shown(book, width=60)
    assert all(len(line) <= 60 for line in lines)
    assert lines[0].startswith("12:00    bob: word")
    assert all(line.startswith(" " * 9) for line in lines[1:])


def test_what_is_found_has_its_whole_date(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    for text in "abc":
        book.hear(BOB, Text(text))
    before, row, after = history.between(book.db)
    look = past.Look(marks=marks.UNICODE, names={BOB: "bob"}, with_one=True)
    assert look.found(row) == ["2026-11-22 12:00    bob: b"]
    assert look.found(row, [before], [after]) == [
        "  2026-11-22 12:00    bob: a",
        "> 2026-11-22 12:00    bob: b",
        "  2026-11-22 12:00    bob: c",
    ]
