"""The bot of docs/howto/bot-that-survives.md is killed at random, as it is printed, and answers everything once."""

from __future__ import annotations

import re
import shlex
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
import trio

from tests.support.json_processes import Talk, talking
from tests.support.programs import MAIN, Home

PAGE = Path(__file__).parent.parent / "docs/howto/bot-that-survives.md"
MESSAGES = 4
KILLS = 8
WORST = 0.3  # seconds between the answer and the note that it was given, so that kills hit them
SEED = 4


def program() -> str:
    """Return the example of the page."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


class Bot:
    """The program in a directory of its own; `p2pchat` is this one, but that the worst moment is long."""

    def __init__(self, home: Home, programs: Path) -> None:
        self._home = home
        self._environ = home.environ | {"PATH": f"{programs}:{home.environ['PATH']}"}
        (home.path / "bot.py").write_text(program(), encoding="utf-8")
        programs.mkdir()
        command = programs / "p2pchat"
        wait = f'{shlex.join(MAIN)} "$@" && sleep {WORST}'
        run = f'exec {shlex.join(MAIN)} "$@"'
        command.write_text(f"#!/bin/sh\nif [ $1 = send ]; then {wait}; else {run}; fi\n", encoding="utf-8")
        command.chmod(0o755)

    async def live(self, until: Callable[[], Awaitable[object]]) -> None:
        """Run it until `until` returns, and kill it; whatever it has started may go on."""
        process = await trio.lowlevel.open_process([sys.executable, "bot.py"], cwd=self._home.path, env=self._environ)
        try:
            await until()
            assert process.returncode is None, "it ended by itself"
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()


async def hear_all(caller: Talk) -> None:
    """Wait for as many answers as there are messages; each gets its time, on a busy machine."""
    for count in range(MESSAGES):
        await caller.wait_for("message", count=count + 1)


@pytest.mark.slow
async def test_killed_at_random_it_answers_every_message_once(tmp_path: Path) -> None:
    bob, ann = Home(tmp_path / "bob"), Home(tmp_path / "ann")
    bot, dice = Bot(bob, tmp_path / "bin"), Random(SEED)
    door = str(tmp_path / "s")
    said = [f"message {number}" for number in range(MESSAGES)]
    async with talking(bob, "listen", door, "--accept", "anyone") as listener:
        await listener.wait_for("listening")
        async with talking(ann, "dial", door) as caller:
            await caller.wait_for("connected")
            began = trio.current_time()
            await caller.command("send", text=said[0])
            await bot.live(partial(caller.wait_for, "message"))
            pace = trio.current_time() - began + WORST  # of an answer, on this machine now
            for life in range(KILLS):
                for text in said[life + 1 : life + 2]:
                    await caller.command("send", text=text)
                await bot.live(partial(trio.sleep, dice.uniform(pace / 4, 1.1 * pace)))
            await bot.live(partial(hear_all, caller))
            answers = Counter(event["text"] for event in caller.told("message"))
    assert answers == Counter(f"you said: {text}" for text in said)
