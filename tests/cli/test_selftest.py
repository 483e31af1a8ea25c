"""`selftest`, as it is typed: a table for people, one object for programs, an exit code, and nothing left behind."""

from __future__ import annotations

import os
import re
import shlex
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from p2pchat.cli import main
from p2pchat.store import keyfile
from p2pchat.testing.soundness import checks as soundness_checks
from p2pchat.testing.soundness.finding import Check, NotHere, Subject, Unsound
from p2pchat.ui import stdio
from tests.support import contract
from tests.support.contract import Line
from tests.support.profile import Run
from tests.support.programs import Home

PAGE = Path(__file__).parent.parent.parent / "docs" / "howto" / "selftest.md"


def fine(subject: Subject) -> str:
    return "the sea is blue"


def absent(subject: Subject) -> str:
    raise NotHere("there is no sea")


def wrong(subject: Subject) -> str:
    raise Unsound("the sea is \x1b[31mred\nand high", cure="look at the sky")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these checks be all: `only("locale")` is one of the table, a function is a check of its own."""
    everything = soundness_checks.checks

    def only(*wanted: str | Callable[[Subject], str]) -> None:
        own = [Check(name=one.__name__, attempt=one) for one in wanted if callable(one)]
        monkeypatch.setattr(
            soundness_checks, "checks", lambda net: own + [check for check in everything(net) if check.name in wanted]
        )

    return only


def as_json(run: Run, *words: str, code: int) -> Line:
    ended, out, err = run("selftest", "--json", *words)
    assert (ended, err) == (code, [])
    [found] = contract.parse("".join(f"{line}\n" for line in out).encode())
    return found


def test_a_table_of_what_is_sound(run: Run, only: Callable[..., None]) -> None:
    only(fine, absent)
    code, out, err = run("selftest")
    assert (code, err) == (0, [])
    *rows, summary = out
    assert rows == ["ok       fine    the sea is blue", "skipped  absent  there is no sea"]
    assert re.fullmatch(r"sound: 1 ok, 1 skipped, in \d+\.\d s", summary)


def test_what_failed_has_a_cure_and_is_no_danger_to_the_terminal(run: Run, only: Callable[..., None]) -> None:
    only(fine, wrong)
    code, out, _ = run("selftest")
    assert code == 1
    assert out[0] == "ok       fine   the sea is blue"
    assert re.fullmatch(r"FAILED   wrong  the sea is [^\x1b]*\[31mred and high", out[1])
    assert out[2] == "                cure: look at the sky"
    assert out[3].startswith("not sound: 1 FAILED, 1 ok, in ")


def test_quiet_shows_failures_only(run: Run, only: Callable[..., None]) -> None:
    only(fine, absent)
    assert run("selftest", "--quiet") == (0, [], [])
    only(fine, wrong)
    code, out, _ = run("selftest", "-q")
    assert (code, len(out)) == (1, 2)


def test_verbose_shows_how_long_it_took(run: Run, only: Callable[..., None]) -> None:
    only(fine)
    _, out, _ = run("selftest", "-v")
    assert re.fullmatch(r"ok       fine  the sea is blue \(\d\.\d\d s\)", out[0])


def test_programs_get_one_object(run: Run, only: Callable[..., None]) -> None:
    only(fine, absent)
    found = as_json(run, code=0)
    assert found["sound"] is True
    assert [(row["name"], row["verdict"], row["cure"]) for row in found["rows"]] == [
        ("fine", "ok", None),
        ("absent", "skipped", None),
    ]
    only(wrong)
    found = as_json(run, code=1)
    assert (found["sound"], found["rows"][0]["cure"]) == (False, "look at the sky")


def test_it_looks_at_the_profile_that_was_asked_for(
    only: Callable[..., None], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    only("your files")
    where = tmp_path / "bob's"
    keyfile.load_or_create(where / "identity.key", entropy=os.urandom)
    assert main.main(["selftest", "--data-dir", str(where)]) == 0
    assert "a key; " in capfd.readouterr().out
    where.chmod(0o755)
    assert main.main(["selftest", "--data-dir", str(where)]) == 1
    assert f"cure: chmod 700 {shlex.quote(str(where))}" in capfd.readouterr().out


def test_sentences_are_wrapped_for_a_terminal(
    run: Run, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    only(fine, wrong)
    monkeypatch.setattr(stdio, "is_terminal", lambda fd: fd == 1)
    monkeypatch.setattr(os, "get_terminal_size", lambda fd: os.terminal_size((42, 24)))
    _, out, _ = run("selftest")
    assert out[:1] == ["ok       fine   the sea is blue"]
    assert out[1].startswith("FAILED   wrong  the sea is ")
    assert out[2:4] == [" " * 16 + "high", " " * 16 + "cure: look at the sky"]
    assert max(map(len, out[:-1])) <= 42


def test_no_place_to_try_things_in(run: Run, only: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    only(fine)
    monkeypatch.setattr(tempfile, "_get_candidate_names", lambda: iter(["nowhere/at/all"] * 1000))
    code, out, err = run("selftest")
    assert (code, out) == (73, [])
    assert "no place to try things in" in err[0]
    assert "TMPDIR" in err[1]


@pytest.mark.slow
def test_this_machine_is_sound_and_the_page_shows_what_it_says(home: Home) -> None:
    """Everything is tried for real, once; other tests may have the port just now."""
    place = home.path / "tmp"
    place.mkdir()
    done = home.call("selftest", "--json", environ={"TMPDIR": str(place)})
    [found] = contract.parse(done.stdout)
    assert done.stderr == b""
    assert [row for row in found["rows"] if row["verdict"] == "failed" and row["name"] != "port"] == []
    told = {row["name"]: row["what"] for row in found["rows"]}
    shown = dict(re.findall(r"(?m)^(?:ok|skipped) +(\S+(?: \S+)*?)  +(.*)$", PAGE.read_text(encoding="utf-8")))
    assert list(shown) == list(told)
    for name in shown.keys() - {"port", "tcp IPv6", "power loss"}:
        assert re.fullmatch(".*".join(map(re.escape, shown[name].split("…"))), told[name]), name
    assert list(place.iterdir()) == []
    assert [path for path in home.path.rglob("*") if path != place and path.is_file()] == []


@pytest.mark.slow
async def test_interrupted_it_leaves_nothing_behind(home: Home) -> None:
    place = home.path / "tmp"
    place.mkdir()
    async with home.run_in_terminal("selftest", environ={"TMPDIR": str(place)}) as program:
        await program.wait_for("ok +libraries")
        assert list(place.iterdir())
        await program.type("\x03")
        assert await program.wait() == 128 + signal.SIGINT
    assert b"Traceback" not in program.out
    assert list(place.iterdir()) == []
