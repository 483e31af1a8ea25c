"""`p2pchat grep`, as it is typed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from p2pchat.cli import reading
from p2pchat.store import fold
from p2pchat.wire.messages import Text
from tests.support import contract
from tests.support.logbook import ANN, BOB, open_logbook
from tests.support.profile import Run
from tests.support.programs import Home


def fill(data: Path) -> None:
    data.mkdir(parents=True, exist_ok=True)
    with open_logbook(data) as book:
        book.pair(BOB, name="bob")
        book.say(BOB, "shall we meet in the Café?")
        book.hear(BOB, Text("in 東京都, yes"))
        book.hear(ANN, Text("the cafe is closed, I hear; nothing to be done about it"))
        book.say(BOB, "see you")


@pytest.fixture
def grep(data: Path, run: Run) -> Run:
    """Search what was said in a short conversation."""
    fill(data)
    return partial(run, "grep")


def parsed(lines: list[str]) -> list[contract.Line]:
    return contract.parse("".join(f"{line}\n" for line in lines).encode())


CAFE = "2026-11-22 12:00 ·  you to bob: shall we meet in the Café?"
TOKYO = "2026-11-22 12:00    bob: in 東京都, yes"
CLOSED = "the cafe is closed, I hear; nothing to be done about it"
SEE_YOU = "2026-11-22 12:00 ·  you to bob: see you"


def test_the_best_comes_first(grep: Run) -> None:
    code, (first, second), errors = grep("cafe")
    assert (code, first, errors) == (0, CAFE, [])
    assert second.endswith(CLOSED)
    assert grep("cafe", "-n", "1") == (0, [CAFE], [])


@pytest.mark.parametrize("word", ["東京", "京都", "都", "YES", "in yes"])
def test_a_person_finds_what_is_there(word: str, grep: Run) -> None:
    assert grep(word) == (0, [TOKYO], [])


def test_nothing_is_found(grep: Run) -> None:
    nothing: tuple[int, list[str], list[str]] = (1, [], ["p2pchat: nothing was found"])
    assert grep("cafe", "tokyo") == nothing
    assert grep("caf") == nothing  # whole words are found
    assert grep("cafe", "tokyo", "-q") == (1, [], [])
    assert grep("cafe", "--json", "--since", "2026-11-23") == (1, [], [])


def test_one_sender(grep: Run) -> None:
    assert grep("the", "--from", "me") == (0, [CAFE], [])
    assert grep("in", "--from", str(BOB)) == (0, [TOKYO], [])
    assert grep("cafe", "--from", "bob")[0] == 66


def test_what_stands_around(grep: Run) -> None:
    assert grep("-C", "1", "東京")[1] == [f"  {CAFE}", f"> {TOKYO}", f"  {SEE_YOU}"]
    lines = grep("-C", "1", "cafe")[1]
    assert lines[:3] == [f"> {CAFE}", f"  {TOKYO}", "--"]
    assert len(lines) == 4


def test_a_program_gets_objects(grep: Run) -> None:
    code, lines, errors = grep("cafe", "--json")
    assert (code, errors) == (0, [])
    assert [row["direction"] for row in parsed(lines)] == ["out", "in"]
    (first,) = parsed(grep("東京", "--json", "-C", "5")[1])
    assert [row["text"] for row in first["before"]] == ["shall we meet in the Café?"]
    assert [row["text"] for row in first["after"]] == ["see you"]


@pytest.mark.parametrize(
    "words", [["--", "---"], ['""'], [], ["x", "--since", "never"], ["x", "-C", "-1"], ["x", "--limit", "0"]]
)
def test_what_makes_no_sense_is_refused(words: list[str], grep: Run) -> None:
    code, out, errors = grep(*words)
    assert (code, out) == (2, [])
    assert len(errors) == 2


def test_without_a_store_nothing_is_found_and_nothing_made(run: Run, data: Path) -> None:
    assert run("grep", "cafe") == (1, [], ["p2pchat: nothing is kept yet"])
    assert list(data.glob("*.db")) == []


def test_much_to_be_indexed_is_told_once(grep: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONG", 3)
    assert grep("yes") == (0, [TOKYO], ["p2pchat: making 4 messages searchable, this once"])
    assert grep("yes") == (0, [TOKYO], [])
    monkeypatch.setattr(fold, "VERSION", "another")
    assert grep("yes", "--quiet") == (0, [TOKYO], [])


@pytest.mark.slow
def test_the_program_finds_what_another_one_has_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    fill(home.data)
    found = home.call("grep", "京都", environ={"TZ": "UTC"})
    assert (found.returncode, found.stdout.decode(), found.stderr) == (0, f"{TOKYO}\n", b"")
