"""Thousands of kills: `python -m tests.crash [KILLS [SEED]]`. Prints how it goes, and ends with 1 if anything is wrong.

What fails is told with the line that tries it again: the same seed decides the same things, though not how fast the
machine is while it does them.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from tests.support.crash_campaign import Campaign, Cast
from tests.support.crash_forks import Forks, open_forks
from tests.support.crash_verdict import Verdict

KILLS = 2000  # in all
A_CAMPAIGN = 25  # of one pair; the longer, the longer are their histories
AT_ONCE = 4  # campaigns
CASTS = (*Cast, Cast.PAIR)


class Marathon:
    """Campaigns, one after the other, several at a time, until there were kills enough."""

    def __init__(self, kills: int, seed: int) -> None:
        self.verdict = Verdict()
        self._kills = kills
        self._seeds = count(seed)

    async def run(self, directory: Path) -> None:
        with open_forks() as forks:
            async with trio.open_nursery() as nursery:
                for _ in range(AT_ONCE):
                    nursery.start_soon(self._go_on, forks, directory)

    async def _go_on(self, forks: Forks, directory: Path) -> None:
        while self.verdict.kills < self._kills:
            seed = next(self._seeds)
            cast = CASTS[seed % len(CASTS)]
            verdict = await Campaign(forks, directory / str(seed), seed, cast).run(A_CAMPAIGN)
            self.verdict += verdict
            sys.stdout.write(f"{self.verdict}\n")
            if verdict.faults:
                again = f"python -m tests.crash {A_CAMPAIGN * AT_ONCE} {seed}"
                sys.stdout.write(f"  seed {seed}, {cast.value}: {verdict.faults}; again: {again}\n")
            sys.stdout.flush()


def main(kills: int = KILLS, seed: int = 1) -> int:
    marathon = Marathon(kills, seed)
    with TemporaryDirectory(dir="/tmp", prefix="p2pchat-") as directory:
        trio.run(marathon.run, Path(directory))
    return 1 if marathon.verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
