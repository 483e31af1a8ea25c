"""Two people, two terminals, and everything that they do on a first day."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.programs import Home
from tests.support.tmux import HAS_TMUX, Pane, open_panes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_TMUX, reason="there is no tmux here")]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


async def listen(pane: Pane, where: str = "localhost:0") -> str:
    """Listen in `pane`; return what to dial."""
    await pane.run("listen", where, "--plain")
    screen = await pane.wait_for("on this machine:")
    found = re.search(r"p2pchat dial (\S+)", "\n".join(screen))
    assert found
    return found[1]


async def dial(pane: Pane, where: str) -> None:
    await pane.run("dial", where, "--plain")
    await pane.wait_for("-- connected")


async def test_a_first_chat_looks_like_this(home: Home) -> None:
    async with open_panes(home) as (ann, bob):
        await dial(bob, await listen(ann))
        await bob.enter("hello")
        await ann.wait_for("hello")
        await ann.enter("hi, how are you?")
        await bob.wait_for("hi, how are you?")
        await bob.enter("/foo")
        await bob.wait_for("-- there is no command /foo, and nothing was sent")
        await bob.enter("/me waves")
        await ann.wait_for("waves")
        await bob.enter("/q")
        assert await bob.ended() == 0
        await ann.wait_for("-- goodbye from you (guest)")
        await ann.press("C-d")
        assert await ann.ended() == 0
        times = re.compile(r"^\d\d:\d\d ")
        shown = [times.sub("", row) for row in await bob.screen() if times.match(row)]
        assert shown == ["you (over there): hi, how are you?"]
        shown = [times.sub("", row) for row in await ann.screen() if times.match(row)]
        assert shown == ["you (guest): hello", "* you (guest) waves"]


async def test_what_is_half_typed_is_not_lost(home: Home) -> None:
    async with open_panes(home) as (ann, bob):
        await dial(bob, await listen(ann))
        await bob.type("half ty")
        await bob.wait_for("half ty")
        await ann.enter("an interruption")
        await bob.wait_for("an interruption")
        await bob.press("C-r")
        await bob.type("ped")
        await bob.wait_for("\nhalf typed")
        await bob.press("Enter")
        await ann.wait_for("you (guest): half typed")


async def test_a_killed_peer_is_not_a_goodbye_and_the_port_is_free_at_once(home: Home) -> None:
    async with open_panes(home, 3) as (ann, bob, other):
        address = await listen(ann)
        await dial(bob, address)
        pid = (await ann.tmux("display-message", "-p", "-t", "pane0", "#{pane_pid}")).strip()
        await other.enter(f"kill -9 $(pgrep -P {pid})")
        await bob.wait_for("-- connection lost: ")
        await bob.enter("are you still there?")
        await bob.wait_for("-- · #1 queued until ")
        assert await ann.ended() == 137
        await listen(ann, address)
        await ann.wait_for("you (guest): are you still there?")
        await bob.wait_for("-- connected again: ")
        assert "goodbye" not in "\n".join(await bob.screen())


async def test_peer_text_changes_neither_title_nor_clipboard(home: Home) -> None:
    async with open_panes(home) as (ann, bob):
        await dial(bob, await listen(ann))
        title = await ann.tmux("display-message", "-p", "-t", "pane0", "#{pane_title}")
        await ann.tmux("set-option", "-s", "set-clipboard", "on")
        await bob.press("C-c")
        assert await bob.ended() == 130
        await ann.wait_for("-- you (guest) went away")
        async with home.run("dial", re.findall(r"p2pchat dial (\S+)", "\n".join(await ann.screen()))[0]) as program:
            await program.type("\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[2J\x1b[Hat the top\n")
            screen = await ann.wait_for("at the top")
        assert "at the top" not in screen[0]
        assert await ann.tmux("display-message", "-p", "-t", "pane0", "#{pane_title}") == title
        assert await ann.tmux("list-buffers") == ""
