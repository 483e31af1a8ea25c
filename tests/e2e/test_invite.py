"""Two people on the phone: one says a code, the other types it, key by key, in a real terminal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.programs import Home
from tests.support.tmux import HAS_TMUX, open_panes

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not HAS_TMUX, reason="there is no tmux here")]


async def test_a_code_that_was_said_makes_a_verified_chat(tmp_path: Path) -> None:
    ann, bob = Home(tmp_path / "ann"), Home(tmp_path / "bob")
    async with open_panes(ann, 1) as (first,), open_panes(bob, 1) as (second,):
        await first.run("invite", "localhost:0")
        said = "\n".join(await first.wait_for("the link does so tomorrow"))
        found = re.search(r"-- say this code: +(\d+)-(\w+)-(\w+)-(\w+)\n-- on this machine: +p2pchat (.*)", said)
        assert found
        slot, *words, line = found.groups()

        # A person may rather not, and the terminal is as it was.
        await second.enter(f"stty -a > {bob.path}/before")
        await second.run(*line.split())
        await second.wait_for("\ncode>")
        await second.type("1-aban")
        await second.press("C-c")
        assert await second.ended() == 130
        await second.enter(f"stty -a > {bob.path}/after; echo compared")
        await second.wait_for("\ncompared")
        assert (bob.path / "after").read_text() == (bob.path / "before").read_text()

        # A wrong one is a warning on both sides.
        await second.run(*line.split())
        await second.wait_for("\ncode>")
        await second.enter(f"{slot}-abandon-ability-able")
        assert await second.ended() == 77
        await second.wait_for("p2pchat: error: tcp:localhost:")
        await second.wait_for("the code was wrong, or is spent, or somebody is in the middle")
        await first.wait_for("-- ✗ warning: peer1")

        # The right one, with four letters for some of its words and a slip in another.
        await second.run(*line.split())
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
        await second.run(*line.removesuffix(" --code").split())
        await second.wait_for("-- connected: peer1")
        assert "verified" in "\n".join(await second.screen())
