"""A script that is killed while it sends, and runs again with the same key: everything arrives, and nothing twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import trio

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, living

pytestmark = pytest.mark.slow

MESSAGES = 8
OFTEN = 3  # times at most that each is killed
LONGEST = 0.4  # seconds that a script lives then


async def test_a_key_makes_a_script_repeatable(forks: Forks, ann: Book, bob: Book, tmp_path: Path) -> None:
    rng = random.Random(4)
    door = str(tmp_path / "door")
    kills = 0
    async with living(forks, ann, "listen", door) as listener:
        await listener.until(lambda: bool(listener.told("listening")))
        for text in map(str, range(MESSAGES)):
            for _ in range(rng.randrange(OFTEN + 1)):
                async with forks.run(bob.home, "send", door, text, "--key", text) as script:
                    with trio.move_on_after(LONGEST * rng.random()):
                        await script.wait()
                    kills += script.process.returncode is None
            script = await forks.call(bob.home, "send", door, text, "--key", text)
            assert script.process.returncode == 0, script.err
        await listener.until(lambda: str(MESSAGES - 1) in listener.heard)
    assert listener.heard == [str(number) for number in range(MESSAGES)]
    assert kills > 0
