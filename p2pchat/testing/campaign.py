"""Many stories in a row: `python -m p2pchat.testing.campaign 5000` plays five thousand that nobody has seen before.

Prints what happened in all of them together: promises that were broken, each with the line that replays it; how often
each rare thing happened; and how often somebody died at each point. A rare thing that never happened fails a campaign,
for then it has proved nothing about it.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, final

from p2pchat.env import system_env
from p2pchat.testing.scenario import Scenario, aimed, draw, haunted
from p2pchat.testing.watch import POINTS
from p2pchat.testing.world import play
from p2pchat.transports.registry import Transports

#: What has to happen now and then.
RARE: Final = (
    *("cut at a byte", "resumed", "old bytes on a lost link", "links overlap", "an older link was fenced"),
    *("parted", "clogged", "forgotten on its way"),
    *("killed", "power lost", "died between commit and ack", "disk full", "refused", "stopped"),
    *(
        "said again with its key",
        "withdrawn",
        "expired",
        "long message",
        "moved to another transport",
        "continued in another process",
    ),
    *("backup restored", "rollback detected", "gap told"),
    *("another key answers", "another key is refused", "an impostor is refused"),
    *("met by a code", "met again", "a code is refused"),
)


@final
@dataclass(eq=False)
class Campaign:
    """What happened in all stories so far."""

    stories: int = 0
    faults: int = 0
    said: int = 0
    seconds: float = 0.0  # virtual
    marks: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def play(self, scenario: Scenario, *, replay: str) -> None:
        """Play one story.

        Args:
          scenario: which.
          replay: the arguments of `p2pchat.testing.replay` that play it again.
        """
        self.stories += 1
        self.faults += len(scenario.faults)
        try:
            report = play(scenario)
        except Exception as exc:  # noqa: BLE001  (whatever it is, it is to be seen again)
            self.broken.append(f"{type(exc).__name__}: {exc}: python -m p2pchat.testing.replay {replay}")
            return
        self.said += report.said
        self.seconds += report.seconds
        self.marks += report.marks
        self.points += report.points
        self.kills += report.kills

    def play_drawn(self, seeds: Iterable[int]) -> None:
        """Play the stories of `seeds`."""
        for seed in seeds:
            self.play(draw(seed), replay=str(seed))

    def play_aimed(self, seeds: Iterable[int], points: Sequence[str] = POINTS) -> None:
        """Play stories in which somebody dies at each of `points`."""
        for seed in seeds:
            for point in points:
                self.play(aimed(seed, point), replay=f"{seed} --point '{point}'")

    def play_haunted(self, seeds: Iterable[int]) -> None:
        """Play stories in which what was said before a backup came back arrives after it."""
        for seed in seeds:
            self.play(haunted(seed), replay=f"{seed} --haunted")

    @property
    def never(self) -> list[str]:
        """What has not happened at all, and should have."""
        unseen = [mark for mark in RARE if not self.marks[mark]]
        return unseen + [f"a death {point}" for point in POINTS if not self.kills[point]]

    def table(self) -> str:
        """Return what happened, for people."""
        lines = [
            f"{self.stories} stories, {self.seconds / 3600:.1f} virtual hours, {self.faults} faults",
            f"{self.said:8}  messages were accepted, and arrived once and in order",
            *(f"{self.marks[mark]:8}  {mark}" for mark in RARE),
            *(f"{self.kills[point]:8}  died {point}, of {self.points[point]} times there" for point in POINTS),
            *self.broken,
        ]
        return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Play a campaign and return how the process is to end."""
    parser = argparse.ArgumentParser(prog="python -m p2pchat.testing.campaign", description=__doc__)
    parser.add_argument("stories", type=int, help="how many")
    parser.add_argument("--first", type=int, help="the first seed; else one that was never used")
    options = parser.parse_args(arguments)
    fresh = int.from_bytes(system_env(Transports()).urandom(4))
    first = fresh if options.first is None else options.first
    campaign = Campaign()
    gc.freeze()  # what is loaded is no garbage, and need not be looked through after every story
    rounds = options.stories // 3 // len(POINTS)
    campaign.play_aimed(range(first, first + rounds))
    for again in range(first + rounds, first + 3 * rounds):  # not every story meets the point it is aimed at
        campaign.play_aimed([again], [point for point in POINTS if not campaign.kills[point]])
    campaign.play_haunted(range(first, first + options.stories // 10))
    campaign.play_drawn(range(first, first + options.stories - campaign.stories))
    sys.stdout.write(f"{campaign.table()}\n")
    for what in campaign.never:
        sys.stdout.write(f"NEVER HAPPENED: {what}\n")
    return 1 if campaign.broken or campaign.never else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
