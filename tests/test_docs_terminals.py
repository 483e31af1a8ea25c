"""The transcripts in the documents, typed into real terminals and compared with what they show.

A comment before a block names the terminal: `<!-- bob -->`, `<!-- bob's other terminal -->`. In it, a line that begins
`$ ` is typed into the shell, one that begins with `> ` into the chat, and one with `code> ` where a code is asked for;
each other line has to come, and `…` in it stands for anything. `7-otter-amber-knife` is whatever code was shown last.
What a page calls `bobs-box` is this machine, `/tmp/meet` a path of the test, and the user alice
ourselves; `ssh` leads to Bob, and `sqlite3` is Python's.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trio

from p2pchat.cli import reach
from tests.support.programs import MAIN, PATIENCE, Home
from tests.support.tmux import HAS_TMUX, PROMPT, Pane, open_panes

ROOT = Path(__file__).parent.parent
HOWTOS = ("invite", "contacts", "unix-socket", "pipes", "ssh-hop", "scripts", "backup")
PAGES = ["docs/tutorial.md", *(f"docs/howto/{name}.md" for name in HOWTOS)]
SQLITE3 = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(sys.argv[2])"
SPOKEN = "7-otter-amber-knife"
CODE = re.compile(r"\b\d+(-[a-z]+){3}\b")
TERMINALS = ("bob", "bob's other terminal", "alice")
BLOCK = re.compile(r"^<!-- ([^>\n]+) -->\n\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def transcript(page: str) -> Iterator[tuple[str, str]]:
    """Yield terminal and line, in the order of the page."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("bobs-box", "localhost")
    text = text.replace("--allow-user alice", f"--allow-user {os.geteuid()}")  # the only one there is for certain
    for terminal, block in BLOCK.findall(text):
        for line in block.splitlines():
            yield terminal, line


class Typist:
    """One terminal and what of its history has been compared."""

    def __init__(self, pane: Pane, codes: list[str]) -> None:
        self._pane = pane
        self._codes = codes  # that were seen in any terminal
        self._seen = 0  # rows of history that earlier lines of the page have matched

    async def follow(self, line: str) -> None:
        """Type `line`, or wait for it."""
        if line.startswith("$ "):
            await self._until(lambda rows: rows[-1].rstrip() == PROMPT, "a shell")
            await self._pane.enter(self._said(line.removeprefix("$ ")))
        elif line.startswith("code> "):
            await self._until(lambda rows: rows[-1].rstrip() == "code>", "a question for a code")
            await self._pane.enter(self._said(line.removeprefix("code> ")))
        elif line.startswith("> "):
            await self._pane.enter(line.removeprefix("> "))
        else:
            await self._expect(line)

    async def _expect(self, line: str) -> None:
        pattern = re.compile(".*".join(re.escape(part) for part in line.replace(SPOKEN, "…").split("…")))
        rows = await self._until(lambda rows: any(map(pattern.match, rows[self._seen :])), line)
        self._seen = next(n for n in range(self._seen, len(rows)) if pattern.match(rows[n])) + 1
        if SPOKEN in line and (found := CODE.search(rows[self._seen - 1])):
            self._codes.append(found[0])

    def _said(self, typed: str) -> str:
        return typed.replace(SPOKEN, self._codes[-1]) if SPOKEN in typed else typed

    async def _until(self, condition: Callable[[list[str]], bool], what: str) -> list[str]:
        rows: list[str] = []
        with trio.move_on_after(PATIENCE):
            while not condition(rows := await self._history()):  # noqa: ASYNC110  (tmux cannot tell)
                await trio.sleep(0.05)
            return rows
        raise AssertionError(f"{what!r} did not come after row {self._seen} of {rows}")

    async def _history(self) -> list[str]:
        text = await self._pane.tmux("capture-pane", "-p", "-J", "-S", "-", "-t", self._pane.name)
        return text.rstrip("\n").split("\n")


def install(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TMUX, reason="tmux is not installed")
@pytest.mark.parametrize("page", PAGES)
async def test_what_a_page_shows_is_what_happens(tmp_path: Path, page: str) -> None:
    bob, alice = (Home(tmp_path / name) for name in ("bob", "alice"))
    programs = tmp_path / "bin"
    programs.mkdir()
    of_bob = [f"{name}={value}" for name, value in bob.environ.items() if name.startswith(("HOME", "XDG_"))]
    install(programs / "p2pchat", f'exec {shlex.join(MAIN)} "$@"')
    install(programs / "ssh", f'shift; exec env {shlex.join(of_bob)} "$@"')
    install(programs / "sqlite3", f'exec {shlex.join([sys.executable, "-c", SQLITE3])} "$@"')
    async with open_panes(bob, count=2) as (first, second), open_panes(alice, count=1) as (third,):
        codes: list[str] = []
        typists = {name: Typist(pane, codes) for name, pane in zip(TERMINALS, (first, second, third), strict=True)}
        for pane, home in (first, bob), (second, bob), (third, alice):
            await pane.enter(f"cd {home.path}; PATH={programs}:$PATH; clear")
            await pane.tmux("clear-history", "-t", pane.name)
        for terminal, line in transcript(page):
            await typists[terminal].follow(line.replace("/tmp/meet", str(tmp_path / "meet")))


def test_every_transcript_names_its_terminal() -> None:
    """A block that nobody types would be a claim that nobody checks."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert len(BLOCK.findall(text)) == text.count("```console")
        assert {terminal for terminal, _ in transcript(page)} <= set(TERMINALS)


README = (ROOT / "README.md").read_text(encoding="utf-8")


def columns() -> list[list[str]]:
    """Return the two terminals of the picture in the README, row by row."""
    (picture,) = re.findall(r"(?s)```text\n(bob\$ .*?)```", README)
    rows = [line.partition("│")[::2] for line in picture.splitlines()]
    return [[row.strip() for row in column if row.strip()] for column in zip(*rows, strict=True)]


def is_shown(row: str, screen: str) -> bool:
    """Whether the screen has a row like `row`, at another time and with other ids."""
    pattern = re.escape(row).replace("bobs\\-box", ".*").replace("…", ".*")
    pattern = re.sub(r"^\d\d:\d\d", r"\\d\\d:\\d\\d", re.sub(r"peer1[\w.*]*", "peer1.*", pattern))
    return re.search(f"(?m)^{pattern}", screen) is not None


@pytest.mark.slow
@pytest.mark.skipif(not HAS_TMUX, reason="tmux is not installed")
async def test_the_picture_of_the_readme_is_a_chat(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("bob", "alice")]
    (tmp_path / "p2pchat").write_text(f'#!/bin/sh\nexec {shlex.join(MAIN)} "$@"\n', encoding="utf-8")
    (tmp_path / "p2pchat").chmod(0o755)
    async with open_panes(homes[0], count=1) as (bob,), open_panes(homes[1], count=1) as (alice,):
        for pane, (command, *rows) in zip((bob, alice), columns(), strict=True):
            await pane.enter(f"PATH={tmp_path}:$PATH; clear")
            await pane.enter(command.partition("$ ")[2].replace("bobs-box", "localhost"))
            await pane.wait_for("listening" if pane is bob else "connected: bob")
            assert rows[-1].startswith("> ")
        for pane, said in (alice, "did the backup run?"), (bob, "it did, 40 GB"):
            await pane.enter(said)
            await pane.wait_for(f"you: {said}  #1 ✓")
        await bob.wait_for("read")
        await alice.type(columns()[1][-1].removeprefix("> ").rstrip("▌"))
        await alice.wait_for("good ni")
        for pane, (_, *rows) in zip((bob, alice), columns(), strict=True):
            screen = await pane.tmux("capture-pane", "-p", "-J", "-t", pane.name)
            expected = [row for row in rows if reach.own_host() or "elsewhere" not in row]  # without a network
            assert [row for row in expected if not is_shown(row.rstrip(" ▌"), screen)] == []
