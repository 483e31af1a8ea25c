"""What somebody can ask the simulated world for, in the words of `p2pchat simulate`, and the stories that it means.

`--faults` takes the name of a profile (`network`), of a story of its own (`haunted`, `at:after receive`), or so many
faults of each kind (`cut=3,kill=1`). Whatever it was, `story` returns a scenario whose `again` says it again.
"""

from __future__ import annotations

import difflib
import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, final

from p2pchat.errors import BadData
from p2pchat.testing.judges.watch import POINTS
from p2pchat.testing.simdisk import HAS_POWER
from p2pchat.testing.story.scenario import KINDS, MAX_PEERS, Scenario, aimed, draw, haunted, overlapping

MIN_PEERS: Final = 2
MAX_MINUTES: Final = 1440.0  # a day; a story takes real time for all that is said in it
MAX_COUNT: Final = 1000  # faults of one kind

EXTRA: Final = "pip install 'p2pchat-trio[simulate]'"
SWARM: Final = "swarm"
AT: Final = "at:"

#: Kinds of trouble and how many faults of each there are; as many again for each minute that was asked for.
PROFILES: Final[Mapping[str, Mapping[str, int]]] = {
    "none": {},
    "network": {"cut": 3, "reset": 1, "lose-dialer": 1, "clog": 1, "part": 1, "one-way": 1, "swizzle": 1, "move": 1},
    "crashes": {"kill": 2, "power": 1, "point": 3, "stop": 1},
    "disk": {"full": 2, "slow": 2, "errors": 2, "power": 1, "restore": 1},
    "machines": {"jump": 1, "freeze": 1, "descriptors": 1, "deaf": 1, "flood": 1},
    "people": {"key": 1, "reader": 1, "move": 1, "stop": 1, "window": 1, "cut": 1},
}

#: Stories of their own, each made for one kind of accident.
STORIES: Final[Mapping[str, Callable[[int], Scenario]]] = {"haunted": haunted, "overlap": overlapping}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; None where the seed decides.

    Raises:
      BadData: if there is no such thing; its hint says what there is.
    """

    peers: int | None = None
    minutes: float | None = None  # virtual, over which what is said and what goes wrong is spread
    faults: str = SWARM

    def __post_init__(self) -> None:
        """Refuse what no story can be made of, before any is played."""
        if self.peers is not None and not MIN_PEERS <= self.peers <= MAX_PEERS:
            raise BadData(f"no world has {self.peers} peers", hint=f"--peers takes {MIN_PEERS} to {MAX_PEERS}")
        if self.minutes is not None and not 0 < self.minutes <= MAX_MINUTES:
            raise BadData(
                f"no story lasts {self.minutes:g} minutes", hint=f"--minutes takes more than 0, up to {MAX_MINUTES:g}"
            )
        if self._is_of_its_own:
            if self.peers is not None or self.minutes is not None:
                raise BadData(
                    f"the story {self.faults} has peers and times of its own",
                    hint="leave out --peers and --minutes, or choose other --faults",
                )
        elif self.faults not in PROFILES and self.faults != SWARM:
            counts(self.faults)

    def words(self, seed: int) -> str:
        """Return what follows `p2pchat simulate` to play the story of `seed`, for a shell."""
        words = ["--seed", str(seed)]
        if self.peers is not None:
            words += ["--peers", str(self.peers)]
        if self.minutes is not None:
            words += ["--minutes", f"{self.minutes:.15g}"]
        if self.faults != SWARM:
            words += ["--faults", self.faults]
        return shlex.join(words)

    @property
    def _is_of_its_own(self) -> bool:
        if self.faults.startswith(AT):
            point = self.faults.removeprefix(AT)
            if point not in POINTS:
                raise BadData(f"nobody can die {point!r}", hint=_near(point, POINTS, "a point is one of"))
            if point.startswith("during ") and not HAS_POWER:
                raise BadData(f"nobody can die {point!r} here", hint=f"that takes another SQLite: {EXTRA}")
        return self.faults.startswith(AT) or self.faults in STORIES


def story(seed: int, options: Options) -> Scenario:
    """Return the story of `seed` among those that were asked for."""
    if options.faults.startswith(AT):
        scenario = aimed(seed, options.faults.removeprefix(AT))
    elif options.faults in STORIES:
        scenario = STORIES[options.faults](seed)
    else:
        scenario = draw(seed, peers=options.peers, minutes=options.minutes, kinds=_kinds(options))
    return replace(scenario, again=options.words(seed))


def counts(text: str) -> dict[str, int]:
    """Return how many faults of each kind ``cut=3,kill=1`` asks for.

    Raises:
      BadData: if it asks for nothing that there is.
    """
    found: dict[str, int] = {}
    for part in text.split(","):
        kind, equals, number = (word.strip() for word in part.partition("="))
        if not (kind and equals):
            raise BadData(f"no such faults: {text}", hint=_near(text, _words(), "there is"))
        if kind not in KINDS and any(kind in each for each in PROFILES.values()):
            raise BadData(f"no fault of the kind {kind} can happen here", hint=f"that takes another SQLite: {EXTRA}")
        if kind not in KINDS:
            raise BadData(f"no such kind of fault: {kind}", hint=_near(kind, KINDS, "there is"))
        if not re.fullmatch(r"[0-9]{1,4}", number) or int(number) > MAX_COUNT:
            raise BadData(f"not a number of faults: {kind}={number}", hint=f"it takes 0 to {MAX_COUNT}")
        found[kind] = found.get(kind, 0) + int(number)
    return found


def _kinds(options: Options) -> Mapping[str, int] | None:
    """Return how many faults of each kind there are; None if the seed decides."""
    if options.faults == SWARM:
        return None
    if options.faults not in PROFILES:
        return counts(options.faults)
    times = max(1, math.ceil(options.minutes or 1))
    return {kind: number * times for kind, number in PROFILES[options.faults].items()}


def _words() -> list[str]:
    return [SWARM, *PROFILES, *STORIES, f"{AT}POINT", "KIND=N,…"]


def _near(word: str, words: Iterable[str], there_is: str) -> str:
    """Return what was most likely meant, or everything there is."""
    near = difflib.get_close_matches(word, words, n=1)
    return (f"did you mean {near[0]}? " if near else "") + f"{there_is} {', '.join(words)}"
