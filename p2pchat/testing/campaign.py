"""Many stories in a row: `python -m p2pchat.testing.campaign 5000` plays five thousand that nobody has seen before.

Prints what happened in all of them together: promises that were broken, each with the line that replays it; what became
of all messages; how often each rare thing happened; and how often somebody died at each point. A rare thing that never
happened fails a campaign, for then it has proved nothing about it.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from p2pchat.env import system_env
from p2pchat.testing.judges.accounts import Accounts
from p2pchat.testing.judges.invariants import INVARIANTS
from p2pchat.testing.judges.marks import RARE, unseen
from p2pchat.testing.judges.watch import POINTS
from p2pchat.testing.story.scenario import Scenario, aimed, draw, haunted, overlapping
from p2pchat.testing.world import Report, play
from p2pchat.transports.registry import Transports

TELLS: Final = 20.0  # CPU seconds between two lines of progress
ROUND: Final = 100  # stories of which a campaign is made, again and again: so many of each kind
AIMED: Final = 33
HAUNTED: Final = 7
OVERLAPPING: Final = 7


@final
@dataclass(eq=False)
class Campaign:
    """What happened in all stories so far."""

    stories: int = 0
    seeds: set[int] = field(default_factory=set)
    said: int = 0
    steps: int = 0
    seconds: float = 0.0  # virtual
    faults: Counter[str] = field(default_factory=Counter)  # by kind
    marks: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    accounts: Accounts = field(default_factory=Accounts)
    broken: list[str] = field(default_factory=list)

    def play(self, scenario: Scenario) -> None:
        """Play one story."""
        self.stories += 1
        self.seeds.add(scenario.seed)
        try:
            report = play(scenario)
        except Exception as exc:  # noqa: BLE001  (whatever it is, it is to be seen again)
            self.broken.append(f"{type(exc).__name__}: {exc}: p2pchat simulate {scenario.again}")
        else:
            self.add(report)

    def add(self, report: Report) -> None:
        """Add what happened in a story that ended well."""
        self.said += report.said
        self.steps += report.steps
        self.seconds += report.seconds
        self.faults += report.faults
        self.marks += report.marks
        self.points += report.points
        self.kills += report.kills
        self.accounts += report.accounts

    def play_all(self, scenarios: Iterable[Scenario]) -> None:
        """Play some stories."""
        for scenario in scenarios:
            self.play(scenario)

    @property
    def never(self) -> list[str]:
        """What has not happened at all, and should have."""
        return unseen(self.marks) + [f"a death {point}" for point in POINTS if not self.kills[point]]

    def table(self) -> str:
        """Return what happened, for people."""
        hours, faults = self.seconds / 3600, sum(self.faults.values())
        lines = [
            f"{self.stories} stories of {len(self.seeds)} seeds, {hours:.1f} virtual hours, {self.steps} steps",
            f"{faults} faults, {self.marks['killed']} kills, {self.marks['power lost']} power losses",
            *(f"{number:8}  {kind}" for kind, number in sorted(self.faults.items())),
            f"{self.said} messages",
            *(f"{number:8}  {account}" for account, number in self.accounts.counts().items()),
            "rare things",
            *(f"{self.marks[mark]:8}  {mark}" for mark in RARE),
            "deaths",
            *(f"{self.kills[point]:8}  {point}, of {self.points[point]} times there" for point in POINTS),
            *([] if self.broken or not self.stories else [f"held: {', '.join(INVARIANTS)}"]),
            *self.broken,
        ]
        return "\n".join(lines)

    def endless(self, first: int) -> Iterator[Scenario]:
        """Return stories of all kinds from seeds that begin at `first`, each of them once.

        Deaths are aimed at each point in turn, and then at those where nobody has died yet.
        """
        seed, turn = first, 0
        while True:
            for number in range(AIMED):
                missing = [point for point in POINTS if not self.kills[point]] if turn >= len(POINTS) else []
                chosen = missing or POINTS
                yield aimed(seed + number, chosen[turn % len(chosen)])
                turn += 1
            yield from (haunted(seed + number) for number in range(HAUNTED))
            yield from (overlapping(seed + number) for number in range(OVERLAPPING))
            drawn = ROUND - AIMED - HAUNTED - OVERLAPPING
            yield from (draw(seed + number) for number in range(drawn))
            seed += drawn


def main(arguments: Sequence[str]) -> int:
    """Play a campaign and return how the process is to end."""
    parser = argparse.ArgumentParser(prog="python -m p2pchat.testing.campaign", description=__doc__)
    parser.add_argument("stories", type=int, help="how many, at most")
    parser.add_argument("--first", type=int, help="the first seed; else one that was never used")
    parser.add_argument("--seconds", type=float, help="of CPU, after which no more stories are begun")
    options = parser.parse_args(arguments)
    fresh = int.from_bytes(system_env(Transports()).urandom(4))
    campaign = Campaign()
    gc.freeze()  # what is loaded is no garbage, and need not be looked through after every story
    stories = campaign.endless(fresh if options.first is None else options.first)
    seen = 0  # broken promises that were told
    goes_on = _goes_on(campaign, stories=options.stories, seconds=options.seconds)
    while goes_on():
        campaign.play(next(stories))
        sys.stderr.writelines(f"{what}\n" for what in campaign.broken[seen:])  # a long one is not waited for
        seen = len(campaign.broken)
    sys.stdout.write(f"{campaign.table()}\n")
    for what in campaign.never:
        sys.stdout.write(f"NEVER HAPPENED: {what}\n")
    return 1 if campaign.broken or campaign.never else 0


def _goes_on(campaign: Campaign, *, stories: int, seconds: float | None) -> Callable[[], bool]:
    """Return what tells whether there is time for one more story, and tells people how far it is."""
    began = told = sum(os.times()[:2])

    def goes_on() -> bool:
        nonlocal told
        now = sum(os.times()[:2])
        if now - told > TELLS:
            told = now
            pace = campaign.stories / (now - began)
            sys.stderr.write(f"{campaign.stories} stories, {pace:.1f} a second, {len(campaign.broken)} broken\n")
        return campaign.stories < stories and (seconds is None or now - began < seconds)

    return goes_on


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
