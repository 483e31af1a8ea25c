"""The line face in a real terminal, key by key. What must never break is in `tests/ui/test_line_in_tmux.py`."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from p2pchat.node import events
from tests.support.partner import Partner, open_partner
from tests.support.programs import PATIENCE, Home
from tests.support.tmux import HAS_TMUX, Pane, open_panes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_TMUX, reason="there is no tmux here")]

PLANTED = """
import sys
from p2pchat.cli.main import main
from p2pchat.node.session import Session
from p2pchat.ui.prompt import Prompt

def bug(self, *words): raise ValueError("a planted bug")
{where} = bug
sys.exit(main())
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@asynccontextmanager
async def chatting(home: Home, *words: str) -> AsyncIterator[tuple[Pane, Partner]]:
    """A terminal in which we have dialled bob."""
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        await pane.enter(f"stty -a > {home.path}/before")
        await pane.run("dial", bob.address, *words)
        await pane.wait_for("-- connected: bob")
        await pane.wait_for("\n>")
        yield pane, bob


async def check_terminal(pane: Pane, home: Home) -> None:
    """The terminal is as it was before the program."""
    await pane.enter(f"stty -a > {home.path}/after; echo compared")
    await pane.wait_for("\ncompared")
    assert (home.path / "after").read_text() == (home.path / "before").read_text()
    state = await pane.tmux("display-message", "-p", "-t", "pane0", "#{cursor_flag} #{alternate_on} #{mouse_any_flag}")
    assert state.split() == ["1", "0", "0"]


async def paste(pane: Pane, text: str) -> None:
    """Paste as a terminal does whose program asked to be told."""
    await pane.tmux("set-buffer", text)
    await pane.tmux("paste-buffer", "-p", "-t", "pane0")


async def last_row(pane: Pane, text: str) -> list[str]:
    """Wait until the prompt holds `text`."""
    return await pane.wait_for(f"\n> {text}")


async def empty_row(pane: Pane) -> None:
    """Wait until the prompt holds nothing."""
    with trio.fail_after(PATIENCE):
        while (await pane.screen())[-1] != ">":  # noqa: ASYNC110  (tmux cannot tell)
            await trio.sleep(0.05)


# ---- text


async def test_a_paste_of_several_lines_is_one_message(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await paste(pane, "one\n  two\n\nfour\n")
        await last_row(pane, "one\n    two\n\n  four")
        await pane.press("Enter")
        assert await bob.wait_heard(1) == ["one\n  two\n\nfour"]
        await pane.wait_for("you: one\n        two\n\n      four  #1 ✓ guest")


async def test_more_than_ten_lines_are_asked_about(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        long = "\n".join(f"line {n}" for n in range(11))
        await paste(pane, long)
        await pane.press("Enter")
        await pane.wait_for("-- this text has 11 lines: Enter again sends it, Ctrl-C clears it")
        await pane.press("C-c")
        await pane.enter("short")
        assert await bob.wait_heard(1) == ["short"]
        await paste(pane, long)
        await pane.press("Enter")
        await pane.press("Enter")
        assert await bob.wait_heard(2) == ["short", long]


async def test_a_slash_after_blanks_is_asked_about_and_two_send_one(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.enter(" /q")
        await pane.wait_for("-- a slash after blanks may have been meant as a command: Enter again sends it")
        await pane.press("Enter")
        await pane.enter("//etc")
        assert await bob.wait_heard(2) == [" /q", "/etc"]
        await pane.enter("/foo")
        await pane.wait_for("-- there is no command /foo, and nothing was sent")
        await pane.enter("/me waves")
        assert (await bob.wait_heard(3))[2] == "/me waves"
        await pane.wait_for("* you waves  #3 ✓ guest")


async def test_history_search_and_completion(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        (home.path / "a file.txt").touch()
        await pane.enter("first words")
        await pane.enter("second words")
        await bob.wait_heard(2)
        await pane.press("Up", "Up")
        await last_row(pane, "first words")
        await pane.press("C-c")
        await empty_row(pane)
        await pane.press("C-r")
        await pane.type("second")
        await pane.wait_for("second words\n")
        await pane.press("Enter")
        await last_row(pane, "second words")
        await pane.press("C-c")
        await pane.type("/cl")
        await pane.press("Tab")
        await last_row(pane, "/clear")
        await pane.press("Enter")
        screen = await pane.wait_for(">")
        while "-- connected" in "\n".join(screen):
            screen = await pane.screen()
        await pane.type(f"see {home.path}/bo")
        await pane.press("Tab")
        await pane.press("Enter")
        assert (await bob.wait_heard(3))[2] == f"see {home.path}/bob.sock"


# ---- keys that end, stop or redraw


async def test_ctrl_c_clears_and_twice_on_an_empty_line_ends(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.type("to be cleared")
        await last_row(pane, "to be cleared")
        await pane.press("C-c")
        await pane.wait_for("\n>")
        await pane.press("Up")
        await last_row(pane, "to be cleared")
        await pane.press("C-c", "C-c")
        await pane.wait_for("-- Ctrl-C again ends at once, /q says goodbye first")
        await pane.enter("still here")
        assert await bob.wait_heard(1) == ["still here"]
        await pane.press("C-c", "C-c")
        assert await pane.ended() == 130
        assert (await bob.wait_for(events.Leaving)).going_away
        await check_terminal(pane, home)


async def test_ctrl_d_on_an_empty_line_says_goodbye(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.type("ab")
        await pane.press("Home", "C-d")  # deletes the character under the cursor
        await last_row(pane, "b")
        await pane.press("C-d", "C-d")
        leaving = await bob.wait_for(events.Leaving)
        assert not leaving.going_away
        leaving.session.goodbye()
        assert await pane.ended() == 0
        await check_terminal(pane, home)


async def test_stopped_and_gone_on_with(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.type("before the")
        await last_row(pane, "before the")
        await pane.press("C-z")
        await pane.wait_for("Stopped")
        await pane.enter("fg; echo ended again with $?")
        await last_row(pane, "before the")
        await pane.type(" break")
        await pane.press("Enter")
        assert await bob.wait_heard(1) == ["before the break"]
        await pane.press("C-c", "C-c")
        await pane.wait_for("ended again with 130")
        await check_terminal(pane, home)


async def test_a_resized_terminal_has_one_prompt(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.type("a draft that fits")
        await last_row(pane, "a draft that fits")
        for width in (40, 120, 30, 100):
            await pane.tmux("resize-window", "-t", "pane0", "-x", str(width), "-y", "24")
            await (await bob.session()).send(f"now {width}")
            await pane.wait_for(f"now {width}\n> a draft that fits")
        assert sum(row.startswith(">") for row in await pane.screen()) == 1


async def test_a_long_draft_survives_a_narrow_terminal(home: Home) -> None:
    draft = "a draft that needs two rows soon, and more of them in a narrow terminal than in a wide one"
    async with chatting(home) as (pane, bob):
        await pane.type(draft)
        await last_row(pane, draft)
        for width in (40, 100):
            await pane.tmux("resize-window", "-t", "pane0", "-x", str(width), "-y", "24")
            await (await bob.session()).send(f"now {width}")
            await pane.wait_for(f"now {width}\n> a draft that needs")
        await pane.press("Enter")
        assert await bob.wait_heard(1) == [draft]


# ---- ends that nobody wished for


@pytest.mark.parametrize(("signal", "code"), [("INT", 130), ("TERM", 143), ("HUP", 129)])
async def test_signals(home: Home, signal: str, code: int) -> None:
    async with chatting(home) as (pane, _):
        await pane.type("not sent")
        await last_row(pane, "not sent")
        await pane.kill(signal)
        assert await pane.ended() == code
        assert (home.data / "draft").read_text() == "not sent"
        await check_terminal(pane, home)


async def test_a_terminal_that_is_closed(home: Home) -> None:
    async with chatting(home) as (pane, bob):
        await pane.type("not sent")
        await last_row(pane, "not sent")
        await pane.tmux("new-session", "-d", "-s", "other")  # so that the server stays
        await pane.tmux("kill-session", "-t", "pane0")
        assert (await bob.wait_for(events.Leaving)).going_away
        await bob.wait_for(events.Disconnected)
        with trio.fail_after(30):
            while not (home.data / "draft").exists():  # noqa: ASYNC110  (a process that nobody can wait for)
                await trio.sleep(0.05)
        assert (home.data / "draft").read_text() == "not sent"


@pytest.mark.parametrize("where", ["Session.heed", "Prompt.refresh", "Prompt._head"])
async def test_a_bug_gives_back_the_terminal_and_keeps_the_draft(home: Home, where: str) -> None:
    async with chatting(home) as (pane, _):
        await pane.press("C-d")
        await pane.ended()
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        program = [sys.executable, "-c", PLANTED.format(where=where)]
        await pane.enter(f"clear; {shlex.join([*program, 'dial', bob.address])}; echo ended with $?")
        if where == "Session.heed":
            await pane.wait_for("-- connected: bob")
            await pane.type("not sent")
            await last_row(pane, "not sent")
            await (await bob.session()).send("this meets the bug")
        assert await pane.ended() == 70
        await pane.wait_for("p2pchat: error: a bug of p2pchat: ValueError: a planted bug")
        if where == "Session.heed":
            assert (home.data / "draft").read_text() == "not sent"
        await check_terminal(pane, home)


# ---- people


async def test_strangers_are_let_in_by_number(home: Home) -> None:
    async with open_panes(home, 1) as (pane,), open_partner(home) as bob, trio.open_nursery() as nursery:
        await pane.run("listen", f"{home.path}/ours.sock")
        await pane.wait_for("listening on")
        await pane.type("busy ty")
        nursery.start_soon(bob.dial, f"{home.path}/ours.sock")
        await pane.wait_for("-- /accept 1 lets it in, /reject 1 refuses")
        await last_row(pane, "busy ty")
        await pane.press("C-c")
        await pane.type("/acc")
        await pane.press("Tab")
        await pane.enter("1")
        await pane.wait_for("-- connected: bob")
        await pane.enter("welcome")
        assert await bob.wait_heard(1) == ["welcome"]


async def test_two_peers_at_once(home: Home) -> None:
    async with (
        open_panes(home, 1) as (pane,),
        open_partner(home) as bob,
        open_partner(home, name="carol", seed=2) as carol,
    ):
        await pane.run("listen", f"{home.path}/ours.sock", "--accept", "anyone")
        await pane.wait_for("listening on")
        await bob.dial(f"{home.path}/ours.sock")
        await pane.wait_for("-- connected: bob")
        await carol.dial(f"{home.path}/ours.sock")
        await pane.wait_for("\nbob>")
        await pane.enter("to bob")
        await bob.wait_heard(1)
        await pane.type("/sw ca")
        await pane.press("Tab")
        await pane.press("Enter")
        await pane.wait_for("\ncarol>")
        await pane.enter("to carol")
        assert await carol.wait_heard(1) == ["to carol"]
        assert bob.heard == ["to bob"]
        await pane.wait_for("you to carol: to carol  #2 ✓ guest")
        await bob.node.sessions[0].send("bob is heard, too")
        await pane.wait_for("bob: bob is heard, too\ncarol>")


async def test_what_is_queued_waits_at_the_prompt_and_reconnect_dials_now(home: Home) -> None:
    async with open_panes(home, 1) as (pane,):
        async with open_partner(home) as bob:
            await pane.run("dial", bob.address)
            await pane.wait_for("-- connected: bob")
        await pane.wait_for("-- bob went away")
        await pane.enter("are you back?")
        await pane.wait_for("· #1 you: are you back?\n>")
        await pane.wait_for("trying again in")
        async with open_partner(home) as bob:
            await pane.enter("/rec")
            assert await bob.wait_heard(1) == ["are you back?"]
            screen = await pane.wait_for("you: are you back?  #1 ✓ guest")
            assert not [row for row in screen if row.startswith("·")]


async def test_what_v_shows_stays_above_the_line_too(home: Home) -> None:
    async with chatting(home, "-v") as (pane, bob):
        await pane.wait_for("p2pchat: peer1")
        await pane.type("a draft")
        (await bob.session()).goodbye()
        assert await pane.ended() == 0
        assert not [row for row in await pane.screen() if "a draft" in row and "p2pchat:" in row]
        assert (home.data / "draft").read_text() == "a draft"


# ---- terminals that can do less


async def test_without_utf8_there_are_ascii_signs(home: Home) -> None:
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        await pane.enter("export LC_ALL=C")
        await pane.run("dial", bob.address)
        await pane.wait_for("-- connected: bob (peer1qx9g3c7a...szjn)")
        await pane.enter("hello")
        await pane.wait_for("you: hello  #1 + guest")
        await (await bob.session()).send("\u017elu\u0165")
        await pane.wait_for(r"bob: \u017elu\u0165")


async def test_a_dumb_terminal_gets_the_plain_face(home: Home) -> None:
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        await pane.enter("export TERM=dumb")
        await pane.run("dial", bob.address)
        await pane.wait_for("-- connected: bob")
        await pane.enter("hello")
        screen = await pane.wait_for("-- ✓ guest #1: delivered")
        assert re.search(r"^hello$", "\n".join(screen), re.MULTILINE)


async def test_no_colour_where_none_is_wanted(home: Home) -> None:
    async with open_partner(home) as bob, open_panes(home, 1) as (pane,):
        await pane.enter("export NO_COLOR=1")
        await pane.run("dial", bob.address)
        await pane.wait_for("-- connected: bob")
        await pane.press("C-r")
        await pane.wait_for("search")
        screen = await pane.tmux("capture-pane", "-p", "-e", "-t", "pane0")
        assert not re.search(r"\x1b\[[0-9;]*[34][0-9]", screen)
