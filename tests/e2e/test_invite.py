"""Two people on the phone: one says a code, the other types it, key by key, in a real terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.programs import Home
from tests.support.tmux import HAS_TMUX, Pane, open_panes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_TMUX, reason="there is no tmux here")]


async def invited(pane: Pane) -> tuple[list[str], list[str]]:
    """Return what to type on the other side, as words, and the code, in its parts."""
    said = "\n".join(await pane.wait_for("the link does so tomorrow"))
    found = re.search(r"-- say this code: +([a-z0-9-]+)\n-- on this machine: +p2pchat (.*)", said)
    assert found
    return found[2].split(), found[1].split("-")


async def test_a_person_may_rather_not_and_the_terminal_is_as_it_was(tmp_path: Path) -> None:
    bob = Home(tmp_path)
    async with open_panes(bob, 1) as (pane,):
        await pane.enter(f"stty -a > {bob.path}/before")
        await pane.run("dial", "localhost:1", "--code")
        await pane.wait_for("\ncode>")
        await pane.type("1-aban")
        await pane.press("C-c")
        assert await pane.ended() == 130
        await pane.enter(f"stty -a > {bob.path}/after; echo compared")
        await pane.wait_for("\ncompared")
        assert (bob.path / "after").read_text() == (bob.path / "before").read_text()


async def test_a_code_that_was_said_makes_a_verified_chat(tmp_path: Path) -> None:
    ann, bob = Home(tmp_path / "ann"), Home(tmp_path / "bob")
    async with open_panes(ann, 1) as (first,), open_panes(bob, 1) as (second,):
        await first.run("invite", "localhost:0")
        line, (slot, *words) = await invited(first)
        # A wrong one is a warning on both sides.
        await second.run(*line)
        await second.wait_for("\ncode>")
        await second.enter(f"{slot}-abandon-ability-able")
        assert await second.ended() == 77
        await second.wait_for("p2pchat: error: tcp:localhost:")
        await second.wait_for("the code was wrong, or is spent, or somebody is in the middle")
        await first.wait_for("-- ✗ warning: peer1")

        # Four letters are enough for some of its words, and a slip in another one is asked about.
        await second.run(*line)
        await second.wait_for("\ncode>")
        await second.type(f"{slot} {words[0][:4]} {words[1][:4]}")
        await second.press("Tab")
        await second.wait_for(f"\ncode> {slot} {words[0][:4]} {words[1]}")
        await second.enter(" zzzz")
        await second.wait_for("-- 'zzzz' is no word of ours: Enter again tries it all the same\ncode> ")
        await second.press(*["BSpace"] * 4)
        await second.enter(words[2])
        shown = "\n".join(await second.wait_for("-- connected: peer1"))
        assert "is verified: the code that it gave you was right" in shown
        assert words[0][:4] not in shown
        await first.wait_for("is verified: it knew the code that you gave out")
        await second.enter("it is me")
        await first.wait_for("it is me")
        await second.enter("/q")
        assert await second.ended() == 0

        # From now on both know each other, and the code is dead.
        await second.run(*line[:-1])
        await second.wait_for("-- connected: peer1")
        assert "verified" in "\n".join(await second.screen())
