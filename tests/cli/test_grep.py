"""`p2pchat grep`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2pchat.cli import main, reading
from p2pchat.wire.messages import Text
from tests.support.logbook import ANN, BOB, open_logbook
from tests.support.programs import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.data.mkdir(parents=True)
    with open_logbook(home.data) as book:
        book.pair(BOB, name="bob")
        book.say(BOB, "shall we meet in the Café?")
        book.hear(BOB, Text("in 東京都, yes"))
        book.hear(ANN, Text("the cafe is closed, I hear; nothing to be done about it"))
        book.say(BOB, "see you")
    return home


def grep(home: Home, *words: str) -> tuple[int, list[str], list[str]]:
    done = home.call("grep", *words, environ={"TZ": "UTC"})
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode().splitlines()


CAFE = "2026-11-22 12:00 ·  you to bob: shall we meet in the Café?"
TOKYO = "2026-11-22 12:00    bob: in 東京都, yes"
CLOSED = "the cafe is closed, I hear; nothing to be done about it"
SEE_YOU = "2026-11-22 12:00 ·  you to bob: see you"


def test_the_best_comes_first(home: Home) -> None:
    code, (first, second), errors = grep(home, "cafe")
    assert (code, first, errors) == (0, CAFE, [])
    assert second.endswith(CLOSED)
    assert grep(home, "cafe", "-n", "1") == (0, [CAFE], [])


@pytest.mark.parametrize("word", ["東京", "京都", "都", "YES", "in yes"])
def test_a_person_finds_what_is_there(word: str, home: Home) -> None:
    assert grep(home, word) == (0, [TOKYO], [])


def test_nothing_is_found(home: Home) -> None:
    assert grep(home, "cafe", "tokyo") == (1, [], [])
    assert grep(home, "cafe", "--json", "--since", "2026-11-23") == (1, [], [])


def test_one_sender(home: Home) -> None:
    assert grep(home, "the", "--from", "me") == (0, [CAFE], [])
    assert grep(home, "in", "--from", str(BOB)) == (0, [TOKYO], [])
    assert grep(home, "cafe", "--from", "bob")[0] == 66


def test_what_stands_around(home: Home) -> None:
    assert grep(home, "-C", "1", "東京")[1] == [f"  {CAFE}", f"> {TOKYO}", f"  {SEE_YOU}"]
    lines = grep(home, "-C", "1", "cafe")[1]
    assert lines[:3] == [f"> {CAFE}", f"  {TOKYO}", "--"]
    assert len(lines) == 4


def test_a_program_gets_objects(home: Home) -> None:
    code, lines, errors = grep(home, "cafe", "--json")
    assert (code, errors) == (0, [])
    assert [json.loads(line).get("direction") for line in lines] == ["out", "in"]
    first = json.loads(grep(home, "東京", "--json", "-C", "5")[1][0])
    assert [row["text"] for row in first["before"]] == ["shall we meet in the Café?"]
    assert [row["text"] for row in first["after"]] == ["see you"]


@pytest.mark.parametrize(
    "words", [["--", "---"], ['""'], [], ["x", "--since", "never"], ["x", "-C", "-1"], ["x", "--limit", "0"]]
)
def test_what_makes_no_sense_is_refused(words: list[str], home: Home) -> None:
    code, out, errors = grep(home, *words)
    assert (code, out) == (2, [])
    assert len(errors) == 2


def test_without_a_store_nothing_is_found_and_nothing_made(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert grep(home, "cafe") == (1, [], ["p2pchat: nothing is kept yet"])
    assert not home.data.exists()


def test_much_to_be_indexed_is_told_once(
    home: Home, config_file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reading, "LONG", 3)
    words = ["grep", "cafe", "--data-dir", str(home.data)]
    assert main.main(words) == 0
    assert capfd.readouterr().err == "p2pchat: making 4 messages searchable, this once\n"
    assert main.main(words) == 0
    assert capfd.readouterr().err == ""
