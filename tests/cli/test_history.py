"""`p2pchat history` and `p2pchat history delete`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2pchat.store import history, pins
from p2pchat.wire.messages import Data, Text
from tests.support import contract
from tests.support.logbook import ANN, BOB, Logbook, open_logbook
from tests.support.profile import Run
from tests.support.programs import Home


def fill(book: Logbook) -> None:
    """Two short conversations, in which everything happens."""
    book.pair(BOB, name="bob")
    book.pair(ANN, name="ann", guest=True)
    first = book.say(BOB, "hello")
    book.hear(BOB, Text("hi\nyou"))
    second = book.say(ANN, "shown?")
    book.hear(ANN, Data(b"raw \xff"))
    book.sent(BOB, first, first)
    book.delivered(BOB, first, first)
    book.read(BOB, first)
    book.sent(ANN, second, second)
    book.delivered(ANN, second, second)
    book.failed(BOB, book.say(BOB, "late"), "withdrawn")
    book.say(BOB, "waits")


@pytest.fixture
def filled(data: Path) -> Path:
    with open_logbook(data) as book:
        fill(book)
    return data


ALL = [
    "-- 2026-11-22 --",
    "12:00 ✓✓ you to bob: hello",
    "12:00    bob: hi",
    "         you",
    "12:00 ✓ guest you to ann: shown?",
    "12:00    ann: raw \\xff",
    "12:00 ✗  you to bob: late",
    "         (failed: withdrawn)",
    "12:00 ·  you to bob: waits",
]


def test_what_was_said_with_everybody(filled: Path, run: Run) -> None:
    assert run("history") == (0, ALL, [])


def test_what_was_said_with_one(filled: Path, run: Run) -> None:
    expected = [line.replace(" to bob", "") for line in ALL if "ann" not in line]
    assert run("history", str(BOB)) == (0, expected, [])


def test_where_messages_may_be_missing(data: Path, run: Run) -> None:
    with open_logbook(data) as book:
        fill(book)
        gap = book.event(BOB, "gap")
        book.hear(BOB, Text("again"))
    missing = "-- messages with bob may be missing here --"
    assert run("history") == (0, [*ALL, missing, "12:00    bob: again"], [])
    assert run("history", str(ANN))[1] == [line.replace(" to ann", "") for line in ALL if "ann" in line or "--" in line]
    assert missing not in run("history", "--before", str(gap))[1]
    code, lines, _ = run("history", "--json")
    assert (code, len(lines)) == (0, 7)  # messages; the log has the rest


def test_a_peer_may_be_an_address_that_is_pinned(filled: Path, run: Run) -> None:
    with open_logbook(filled) as book:
        pins.pin(book.db, "tcp:box:7272", ANN)
    assert run("history", "box:7272")[1] == [
        "-- 2026-11-22 --",
        "12:00 ✓ guest you: shown?",
        "12:00    ann: raw \\xff",
    ]


@pytest.mark.parametrize("word", ["nobody", "box:7272"])
def test_a_peer_that_nobody_knows_is_an_error(word: str, filled: Path, run: Run) -> None:
    code, out, (error, hint) = run("history", word)
    assert (code, out) == (66, [])
    assert word in error
    assert hint.startswith("hint: ")


def test_pages_go_back(filled: Path, run: Run) -> None:
    code, lines, (note,) = run("history", "--limit", "2")
    assert (code, lines) == (0, [ALL[0], *ALL[6:]])
    before = note.removeprefix("p2pchat: what was said before: ").split()
    assert run("history", "-n", "2", *before)[1] == [ALL[0], *ALL[4:6]]
    assert run("history", "-n", "2", *before, "--quiet")[2] == []


def test_from_a_time_on(filled: Path, run: Run) -> None:
    assert run("history", "--since", "2026-11-22T12:00:09") == (0, [ALL[0], *ALL[6:]], [])
    assert run("history", "--since", "2026-11-22T12:00:09", "--limit", "1") == (0, [ALL[0], ALL[-1]], [])
    assert run("history", "--since", "2026-11-23") == (0, [], ["p2pchat: nothing that was said is there"])
    assert run("history", "--since", "2026-11-23", "-q") == (0, [], [])


def test_all_since_a_time_is_all(data: Path, run: Run) -> None:
    with open_logbook(data) as book:
        for n in range(150):
            book.hear(BOB, Text(str(n)))
    assert len(run("history", "--since", "2020-01-01")[1]) == 151
    assert len(run("history")[1]) == 101


def test_much_is_printed_in_pieces(data: Path, run: Run) -> None:
    with open_logbook(data) as book:
        for n in range(3):
            book.hear(BOB, Text(f"{n}{'x' * 40_000}"))
    lines = run("history", str(BOB))[1]
    assert [line[-40_001] for line in lines[1:]] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "words", [["--before", "x"], ["--before", "9" * 30], ["--before", "¹"], ["--since", "soon"], ["--limit", "0"]]
)
def test_what_makes_no_sense_is_refused(words: list[str], filled: Path, run: Run) -> None:
    code, out, (error, _) = run("history", *words)
    assert (code, out) == (2, [])
    assert f"'{words[0]}'" in error or "'--limit' / '-n'" in error


def test_a_program_gets_objects(filled: Path, run: Run) -> None:
    code, lines, errors = run("history", "--json")
    rows = contract.parse("".join(f"{line}\n" for line in lines).encode())
    assert (code, errors) == (0, [])
    assert [row["direction"] for row in rows] == ["out", "in", "out", "in", "out", "out"]
    assert [row["state"] for row in rows] == ["read", "received", "delivered", "received", "failed", "queued"]
    assert [row["durable"] for row in rows] == [True, True, False, True, True, True]
    assert [row["reason"] for row in rows] == [None, None, None, None, "withdrawn", None]
    assert [row["received_at"] is None for row in rows] == [True, False, True, False, True, True]
    assert [row["cursor"] for row in rows] == sorted(row["cursor"] for row in rows)
    assert rows[0]["peer"] == str(BOB)
    assert rows[0]["text"] == "hello"
    assert rows[3]["data"] == "cmF3IP8="


def test_without_a_store_there_is_nothing(run: Run, data: Path) -> None:
    assert run("history") == (0, [], ["p2pchat: nothing is kept yet"])
    assert run("history", "--json", "-q") == (0, [], [])
    assert list(data.glob("*.db")) == []


def test_a_damaged_store_is_told(data: Path, run: Run) -> None:
    (data / "history.db").write_bytes(b"no database" * 100)
    code, _, errors = run("history")
    assert code == 74
    assert "history.db" in errors[0]


# ---- delete


def left(data: Path) -> list[int]:
    with open_logbook(data) as book:
        return [row.cursor for row in history.between(book.db)]


def test_deleting_everything(data: Path, filled: Path, run: Run) -> None:
    told = (
        "p2pchat: deleted 6 messages. 1 of them still waits to be sent, and will be; "
        f"`p2pchat unsend ID --data-dir {data}` withdraws one"
    )
    assert run("history", "delete", "--before", "now", "--yes") == (0, [], [told])
    assert left(filled) == []
    assert run("history", "delete", "--before", "now", "--yes", "-q") == (0, [], [])


def test_deleting_what_was_said_with_one_for_a_program(filled: Path, run: Run) -> None:
    code, lines, _ = run("history", "delete", str(ANN), "--yes", "--json")
    (told,) = contract.parse(f"{lines[0]}\n".encode())
    assert (code, told) == (0, {"deleted": 2, "waiting": 0})
    assert len(left(filled)) == 4


def test_deleting_one_message(filled: Path, run: Run) -> None:
    first = json.loads(run("history", "--json")[1][0])
    assert run("history", "delete", "--id", first["id"], "--yes") == (0, [], ["p2pchat: deleted 1 message."])
    assert len(left(filled)) == 5


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--id", "xyz"], "it takes the id of a message"),
        (["--id", "019ab0c4"], "several messages begin like that"),
        (["--id", "019ab0c4-7777"], "there is no such message"),
        (["--before", "soon"], "it takes a date"),
    ],
)
def test_what_cannot_be_deleted_is_refused(words: list[str], error: str, filled: Path, run: Run) -> None:
    code, out, errors = run("history", "delete", *words, "--yes")
    assert (code, out) == (2, [])
    assert error in errors[0]
    assert len(left(filled)) == 6


def test_deleting_nothing_in_particular_is_refused(filled: Path, run: Run) -> None:
    code, _, (error, hint) = run("history", "delete", "--yes")
    assert (code, error) == (2, "p2pchat: error: delete what?")
    assert "--before now is everything" in hint


def test_without_a_terminal_it_takes_a_yes(filled: Path, run: Run) -> None:
    assert run("history", "delete", "--before", "now")[0] == 2
    assert len(left(filled)) == 6


def test_a_copy_that_an_update_has_left_is_told(filled: Path, run: Run) -> None:
    copy = filled / "history.db.v1.bak"
    copy.touch()
    code, _, (warning, hint, told) = run("history", "delete", str(ANN), "--yes")
    assert warning == f"p2pchat: warning: {copy} is older, and still has what was deleted"
    assert hint == "hint: nothing needs it: you may delete it"
    assert (code, told) == (0, "p2pchat: deleted 2 messages.")


def test_without_a_store_there_is_nothing_to_delete(run: Run, data: Path) -> None:
    assert run("history", "delete", "--before", "now", "--yes") == (0, [], ["p2pchat: deleted 0 messages."])
    assert list(data.glob("*.db")) == []


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("yes\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1)])
async def test_a_person_is_asked(answer: str, code: int, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True)
    with open_logbook(home.data) as book:
        fill(book)
        async with home.run_in_terminal("history", "delete", str(BOB)) as program:
            await program.wait_for(r"delete 4 messages for good\? 1 of them still wait.* \[y/N\] $")
            late = book.hear(BOB, Text("while the person thinks"))
            await program.type(answer)
            await program.wait_for("deleted")
            assert await program.wait() == code
    assert len(left(home.data)) == (3 if code == 0 else 7)
    assert late in left(home.data)


@pytest.mark.slow
async def test_a_terminal_gets_lines_that_fit(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True)
    with open_logbook(home.data) as book:
        book.hear(BOB, Text(f"{'word ' * 40}\x1b[31m"))
    async with home.run_in_terminal("history", str(BOB)) as program:
        assert await program.wait() == 0
        await program.wait_for("U\\+|␛")
        lines = program.lines
    assert all(len(line) <= 100 for line in lines)
    assert all(line.startswith(" " * 9) for line in lines[2:])
