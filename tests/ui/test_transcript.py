"""A chat as lines: nobody can write a line of somebody else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.protocol.assembly import Message
from p2pchat.ui import marks, sanitize
from p2pchat.ui.transcript import Spoken, Transcript, columns_of, fold, readable, said
from p2pchat.wire import messages
from p2pchat.wire.frames import Entry
from tests.support.faces import Paper

DAY = 86_400.0


def message(body: messages.Readable | None = None, *, kind: int = 0, raw: bytes = b"") -> Message:
    if body is not None:
        kind, raw = messages.encode_body(body)
    return Message(1, Entry(bytes(16), kind, 0, b"", raw), messages.decode_body(kind, raw))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("hello", ["09:41 bob: hello"]),
        ("one\ntwo", ["09:41 bob: one", "      two"]),
        ("one\n-- connection lost", ["09:41 bob: one", "      -- connection lost"]),
        ("one\n09:42 alice: hi", ["09:41 bob: one", "      09:42 alice: hi"]),
        ("", ["09:41 bob: "]),
        ("/me waves", ["09:41 * bob waves"]),
        ("/medium", ["09:41 bob: /medium"]),
        ("שבת", ["09:41 \u2068bob: שבת\u2069"]),
    ],
)
def test_only_the_first_line_of_a_message_begins_at_the_edge(text: str, lines: list[str]) -> None:
    assert said("09:41", "bob", text, 0) == lines


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("short", ["short"]),
        ("one two three four five six", ["one two three four", "five six"]),
        ("x" * 30, ["x" * 20, "x" * 10]),
        ("see " + "x" * 30 + " now", ["see", "x" * 20, "x" * 10 + " now"]),
        ("你好" * 6, ["你好" * 5, "你好"]),
        ("x" * 19 + "e\u0301" * 2, ["x" * 19 + "e\u0301", "e\u0301"]),
        ("a" + " " * 30 + "09:41 eve: hi", ["a", "09:41 eve: hi"]),
        ("你好 你好 你好 你好 你好 你好", ["你好 你好 你好 你好", "你好 你好"]),
        ("e\u0301" * 20, ["e\u0301" * 20]),
    ],
)
def test_what_does_not_fit_goes_on_in_the_next_line(line: str, pieces: list[str]) -> None:
    assert fold(line, 20) == pieces


def test_a_narrow_or_unknown_width_folds_nothing() -> None:
    assert fold("word " * 100, 0) == ["word " * 100]
    assert fold("word " * 100, 19) == ["word " * 100]


@given(st.text(alphabet="ab -:\n/09😀", max_size=200), st.sampled_from([0, 30, 50]))
def test_nothing_of_a_peer_ever_begins_at_the_edge(text: str, width: int) -> None:
    first, *rest = said("09:41", "bob", sanitize.clean(text), width)
    assert re.match(r"09:41 (\* )?bob", first)
    assert all(line.startswith("      ") for line in rest)


@given(st.text(alphabet="ab -:/09😀é", max_size=200), st.integers(20, 60))
def test_every_piece_fits_so_that_no_terminal_breaks_it(line: str, width: int) -> None:
    pieces = fold(line, width)
    assert all(columns_of(piece) <= width for piece in pieces)
    assert "".join(pieces).replace(" ", "") == line.replace(" ", "")


async def test_lines_are_appended_with_their_time() -> None:
    paper = Paper()
    screen = Transcript(paper, marks=marks.UNICODE, wall=lambda: 0.0)
    await screen.show("bob", [message(messages.Text("hi")), message(messages.Text("\x1b[2Jyou"))])
    await screen.note(["connection lost"])
    await screen.note([])
    first, second, third = paper.lines
    assert re.fullmatch(r"\d\d:\d\d bob: hi", first)
    assert second[6:] == "bob: ␛[2Jyou"
    assert third == "-- connection lost"


async def test_a_new_day_is_told() -> None:
    paper, now = Paper(), [0.0]
    screen = Transcript(paper, marks=marks.UNICODE, wall=lambda: now[0])
    await screen.say("bob", "good night")
    now[0] = DAY
    await screen.say("bob", "good morning")
    await screen.say("bob", "coffee?")
    assert [line[:3] for line in paper.lines][1:] == ["-- ", *[line[:3] for line in paper.lines[2:]]]
    assert re.fullmatch(r"-- 19\d\d-\d\d-\d\d --", paper.lines[1])
    assert len(paper.lines) == 4


async def test_a_terminal_without_utf_8_gets_ascii() -> None:
    paper = Paper()
    await Transcript(paper, marks=marks.ASCII, wall=lambda: 0.0).say("bob", "žluť")
    assert paper.data[6:] == b"bob: \\u017elu\\u0165\n"


@pytest.mark.parametrize(
    ("what", "shown"),
    [
        (message(messages.Text("hi")), "hi"),
        (message(messages.Data(b"caf\xe9\x1b")), "caf\\xe9␛"),
        (message(messages.Profile("Bob\n")), "(Bob␊ is what I call myself now)"),
        (message(messages.Profile("")), "(no name is what I call myself now)"),
        (message(kind=1, raw=b"\xc1"), "(unreadable message)"),
        (message(kind=77), "(a message of a kind that is not supported yet: 77)"),
        (message(messages.Reaction(bytes(16), "👍")), "(a message of a kind that is not supported yet: 4)"),
    ],
)
def test_every_kind_of_message_shows_something(what: Message, shown: str) -> None:
    assert readable(what) == shown


@pytest.mark.parametrize(
    ("environ", "is_utf8"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LC_ALL": "C.utf8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "", "LANG": "cs_CZ.UTF-8@euro"}, True),
        ({"LANG": "cs_CZ.ISO-8859-2"}, False),
        ({}, False),
    ],
)
def test_the_locale_decides_what_can_be_drawn(environ: dict[str, str], is_utf8: bool) -> None:  # noqa: FBT001
    assert (marks.choose(environ) is marks.UNICODE) == is_utf8


async def test_lines_of_ours_are_folded_as_well() -> None:
    paper = Paper(columns=24)
    screen = Transcript(paper, marks=marks.UNICODE, wall=lambda: 0.0)
    await screen.note(["this is a longer line of ours", "short"])
    assert paper.lines == ["-- this is a longer line", "   of ours", "-- short"]


async def test_what_was_said_earlier_stands_under_its_day() -> None:
    paper = Paper()
    screen = Transcript(paper, marks=marks.UNICODE, wall=lambda: 3 * 86_400.0)
    noon = [day * 86_400 + 43_200.0 for day in range(4)]
    await screen.recall([Spoken(noon[0], "bob", "one"), Spoken(noon[0], "you", "two"), Spoken(noon[2], "bob", "three")])
    await screen.say("bob", "four")
    await screen.print(["as it is"])
    assert [line if line.startswith("--") else line[6:] for line in paper.lines] == [
        "-- 1970-01-01 --",
        "bob: one",
        "you: two",
        "-- 1970-01-03 --",
        "bob: three",
        "-- 1970-01-04 --",
        "bob: four",
        "is",
    ]


async def test_what_was_said_today_needs_no_day() -> None:
    paper = Paper()
    screen = Transcript(paper, marks=marks.UNICODE, wall=lambda: 50_000.0)
    await screen.recall([Spoken(43_200.0, "bob", "one")])
    await screen.say("bob", "two")
    assert [line[6:] for line in paper.lines] == ["bob: one", "bob: two"]
