"""Everybody is killed, again and again, at any moment of their lives: nothing is lost, doubled, reordered or torn."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.support.crash_campaign import Campaign, Cast
from tests.support.crash_forks import Forks
from tests.support.crash_verdict import Verdict

pytestmark = pytest.mark.slow

KILLS = 10  # in each campaign


async def test_what_was_accepted_survives_any_number_of_kills(forks: Forks, tmp_path: Path) -> None:
    verdict = Verdict()

    async def fight(cast: Cast, seed: int) -> None:
        nonlocal verdict
        verdict += await Campaign(forks, tmp_path / str(seed), seed, cast).run(KILLS)

    casts = [Cast.PAIR, *Cast]
    async with trio.open_nursery() as nursery:
        for seed, cast in enumerate(casts):
            nursery.start_soon(fight, cast, seed)
    assert verdict.faults == {}, verdict
    assert verdict.kills >= len(casts) * KILLS
    assert verdict.messages > 100
