"""The line face in a real terminal: the few things that must never break. `tests/e2e/test_line.py` has the rest."""

from __future__ import annotations

import re
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from p2pchat.wire.messages import Text
from tests.support.partner import Partner, open_partner
from tests.support.programs import Home
from tests.support.tmux import HAS_TMUX, Pane, open_panes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_TMUX, reason="there is no tmux here")]

FLOOD = 5000


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@asynccontextmanager
async def chatting(home: Home) -> AsyncIterator[tuple[Pane, Partner]]:
    """A terminal in which we have dialled bob."""
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        await pane.run("dial", bob.address)
        await pane.wait_for("-- connected: bob")
        yield pane, bob


async def test_a_flood_leaves_what_is_half_typed_alone(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.type("half a draft")
        await pane.press(*["Left"] * 5)
        session = await bob.session()
        await session.send_many([Text(f"flood {n}", None, more=False) for n in range(FLOOD)])
        await session.drained()  # an acknowledgement of a guest says: it was on the screen
        screen = await pane.wait_for(f"flood {FLOOD - 1}\n> half a draft")
        assert screen[-1] == "> half a draft"
        await pane.type("quiet ")
        await pane.press("Enter")
        assert await bob.wait_heard(1) == ["half a quiet draft"]
        await pane.wait_for("you: half a quiet draft  #1 ✓ guest")
        everything = (await pane.tmux("capture-pane", "-p", "-S", "-", "-t", "pane0")).splitlines()
        numbers = [int(found[1]) for line in everything if (found := re.fullmatch(r"\d\d:\d\d bob: flood (\d+)", line))]
        assert len(numbers) > 1000  # what tmux remembers
        assert numbers == list(range(numbers[0], FLOOD))
        assert sum(line.startswith(">") for line in everything) == 1  # no ghosts of the prompt


async def test_peer_text_drives_nothing(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.tmux("set-option", "-s", "set-clipboard", "on")
        title = await pane.tmux("display-message", "-p", "-t", "pane0", "#{pane_title}")
        await pane.type("my draft")
        session = await bob.session()
        bob.node.rename("eve\x1b]0;owned\x07")
        await pane.wait_for("-- bob now calls itself something that is not shown")
        for text in [
            "\x1b]0;owned\x07title",
            "\x1b]52;c;b3duZWQ=\x07clipboard",
            "\x1b[31mred\x1b[?25l\x1b[?1049h\x9b2Jscreen",
            "\x1b[2J\x1b[Hhome\rstart of line\x08\x08",
            "line\n12:00 you: forged\n-- forged\n> forged",
            "the end",
        ]:
            await session.send(text)
        screen = await pane.wait_for("the end\n> my draft")
        assert await pane.tmux("display-message", "-p", "-t", "pane0", "#{pane_title}") == title
        assert await pane.tmux("list-buffers") == ""
        state = await pane.tmux("display-message", "-p", "-t", "pane0", "#{cursor_flag} #{alternate_on} #{cursor_x}")
        assert state.split() == ["1", "0", str(len("> my draft"))]
        coloured = await pane.tmux("capture-pane", "-p", "-e", "-t", "pane0")
        assert "\x1b[31m" not in coloured
        assert [row for row in screen if "forged" in row and not row.startswith("      ")] == []


async def test_a_signal_leaves_the_terminal_as_it_was_and_the_draft_for_next_time(home: Home) -> None:
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        await pane.enter(f"stty -a > {home.path}/before")
        await pane.run("dial", bob.address)
        await pane.wait_for("-- connected: bob")
        await pane.type("not said yet")
        await pane.press("Escape", "Enter")
        await pane.type("nor this")
        await pane.wait_for("  nor this")
        await pane.kill("TERM")
        assert await pane.ended() == 143
        await pane.wait_for("-- what you had not sent is kept for the next start")
        draft = home.data / "draft"
        assert draft.read_text() == "not said yet\nnor this"
        assert stat.S_IMODE(draft.stat().st_mode) == 0o600
        await pane.enter(f"stty -a > {home.path}/after; echo compared")
        await pane.wait_for("\ncompared")
        assert (home.path / "after").read_text() == (home.path / "before").read_text()

        await pane.run("dial", bob.address)
        await pane.wait_for("-- this was typed and not sent when the last chat ended")
        await pane.wait_for("-- connected: bob")
        await pane.wait_for("> not said yet\n  nor this")
        assert not draft.exists()
        await pane.press("Enter")
        await pane.wait_for("-- part of this is from the last chat: Enter again sends it")
        await pane.press("Enter")
        assert await bob.wait_heard(1) == ["not said yet\nnor this"]
