"""Both sides are killed, again and again, at any moment of their lives: nothing is lost, doubled, reordered or torn."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.support.crash_campaign import Campaign
from tests.support.crash_forks import open_forks
from tests.support.crash_verdict import Verdict

pytestmark = pytest.mark.slow

PAIRS = 4  # at the same time
KILLS = 12  # of each


async def test_what_was_accepted_survives_any_number_of_kills(tmp_path: Path) -> None:
    verdict = Verdict()
    async with open_forks() as forks:

        async def fight(seed: int) -> None:
            nonlocal verdict
            verdict += await Campaign(forks, tmp_path / str(seed), seed).run(KILLS)

        async with trio.open_nursery() as nursery:
            for seed in range(PAIRS):
                nursery.start_soon(fight, seed)
    assert verdict.faults == {}, verdict
    assert verdict.kills >= PAIRS * KILLS
    assert verdict.messages > 100
