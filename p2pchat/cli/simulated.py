"""What a simulation prints in the end: sums of all its stories, and what was broken; for people, or as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import p2pchat
from p2pchat.testing.campaign import Campaign
from p2pchat.testing.judges.invariants import INVARIANTS
from p2pchat.testing.judges.marks import RARE
from p2pchat.testing.simdisk import HAS_POWER
from p2pchat.testing.story.options import EXTRA
from p2pchat.testing.story.pasting import as_test
from p2pchat.testing.story.telling import outline, spaced

if TYPE_CHECKING:
    from p2pchat.testing.story.options import Options
    from p2pchat.testing.story.scenario import Scenario

COLUMN: Final = 11  # where the second column begins
WIDTH: Final = 100  # columns
TIE: Final = "\xa0"  # a blank at which no line ends
NO_POWER: Final = f"power      stays on, and only processes die: the other takes another SQLite ({EXTRA})"

Event = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shorter:
    """A story that breaks a promise as another one does, and has less in it."""

    scenario: Scenario
    message: str  # what was broken
    played: int  # how often a story was played to find it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A story that ended badly: a promise was broken, or it was another story when it was played again."""

    scenario: Scenario
    message: str
    is_repeatable: bool = True
    shorter: Shorter | None = None

    @property
    def again(self) -> str:
        """The line that plays it again."""
        return f"p2pchat simulate {self.scenario.again}" + ("" if self.is_repeatable else " --check-determinism")


@dataclass(eq=False, kw_only=True)
class Result:
    """All that happened."""

    seed: int
    runs: int  # as many as were asked for
    options: Options
    stories: int = 0  # that ended, well or badly
    compared: int = 0  # that were played again, to the end
    sums: Campaign = field(default_factory=Campaign)  # of those that ended well
    bad: list[Bad] = field(default_factory=list)
    traces: list[Sequence[Event]] = field(default_factory=list)  # if they were asked for

    def head(self) -> Iterator[str]:
        """Yield what is known before anything has happened."""
        last = f" to {self.seed + self.runs - 1}" if self.runs > 1 else ""
        stories = f"the stories of seeds {self.seed}{last}" if last else f"the story of seed {self.seed}"
        words = self.options.words(self.seed).partition(f"--seed {self.seed}")[2]
        yield f"p2pchat {p2pchat.__version__}: {stories}" + (f", with{words}" if words else "")
        if not HAS_POWER:
            yield NO_POWER

    def text(self, *, is_whole: bool) -> Iterator[str]:
        """Yield what happened; not `is_whole`, if somebody has ended it before it was over."""
        yield ""
        yield from self._sums()
        for bad in self.bad:
            yield from _row("broken" if bad.is_repeatable else "differs", f"seed {bad.scenario.seed}: {bad.message}")
            yield f"{'':<{COLUMN}}{bad.again}"  # never cut: it is to be copied
        if not self.bad:
            for name in self._held:
                yield from _row("held", f"{name}: {INVARIANTS[name].means}")
            if self.compared:
                which = "Each story" if self.compared == self.stories else f"Each of {self.compared} stories"
                yield from _row("held", f"determinism: {which} was the same when it was played again.")
        for bad in self.bad:
            if bad.shorter is not None:
                yield from _shorter(bad, bad.shorter)
        yield ""
        yield self._verdict(is_whole=is_whole)

    def _sums(self) -> Iterator[str]:
        """Yield what happened in the stories that ended well; of the others nobody knows how they would have ended."""
        well = self.stories - sum(bad.is_repeatable for bad in self.bad)
        if not well:
            return
        if well < self.stories:
            yield from _row("of", f"the {well} stories that ended well")
        yield from _row("messages", _counted(self.sums.accounts.counts()) or "none")
        yield from _row("faults", _counted(_sorted(_named(self.sums.faults))) or "none")
        yield from _row("deaths", _counted(_sorted(self.sums.kills)))
        yield from _row("rare", _counted(self._rare))
        yield from _row("time", f"{_lasted(self.sums.seconds)} of virtual time, {self.sums.steps} steps of tasks")
        yield ""

    @property
    def _held(self) -> list[str]:
        """The promises that were kept in every story; one that ended badly says nothing about the others."""
        return list(INVARIANTS) if self.stories and not self.bad else []

    @property
    def bad_stories(self) -> int:
        """How many stories ended badly; one may break a promise, and be another one when it is played again."""
        return len({bad.scenario.seed for bad in self.bad})

    @property
    def _rare(self) -> dict[str, int]:
        return {name: self.sums.marks[name] for name in RARE if self.sums.marks[name]}

    def _verdict(self, *, is_whole: bool) -> str:
        early = f"after {self.stories} of {self.runs} stories" if self.stories < self.runs else "early"
        played = "" if is_whole else f"ended {early}: "
        if self.bad:
            return f"{played}{self.bad_stories} of {self.stories} stories ended badly"
        return f"{played}every promise was kept" if self.stories else f"{played}nothing is known"

    def json(self, *, is_whole: bool) -> dict[str, object]:
        """Return the same for a program."""
        return {
            "version": p2pchat.__version__,
            "seed": self.seed,
            "runs": self.runs,
            "peers": self.options.peers,
            "minutes": self.options.minutes,
            "profile": self.options.faults,
            "power": HAS_POWER,
            "complete": is_whole,
            "stories": self.stories,
            "virtual_seconds": round(self.sums.seconds, 3),
            "task_steps": self.sums.steps,
            "messages": self.sums.accounts.counts(),
            "faults": _sorted(_named(self.sums.faults)),
            "deaths": _sorted(self.sums.kills),
            "rare": self._rare,
            "held": self._held,
            "broken": [_bad(bad) for bad in self.bad if bad.is_repeatable],
            "deterministic": all(bad.is_repeatable for bad in self.bad) if self.compared else None,
            "differences": [_bad(bad) for bad in self.bad if not bad.is_repeatable],
            "traces": self.traces or None,
        }


def _row(head: str, words: str) -> Iterator[str]:
    """Yield the row that begins with `head`, if there is something to say."""
    if words:
        first, rest = f"{head:<{COLUMN}}", " " * COLUMN
        for line in textwrap.wrap(words, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False):
            yield line.replace(TIE, " ")


def _counted(counts: Mapping[str, int]) -> str:
    """Return what there is, in the order in which it came or was named."""
    return ", ".join(f"{number}{TIE}{name.replace(' ', TIE)}" for name, number in counts.items() if number)


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}


def _named(faults: Mapping[str, int]) -> dict[str, int]:
    """Return them by names that people read: ``LoseDialer`` is a lose-dialer."""
    return {spaced(name).replace(" ", "-"): number for name, number in faults.items()}


def _lasted(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} seconds"
    return f"{seconds / 60:.1f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _shorter(bad: Bad, shorter: Shorter) -> Iterator[str]:
    """Yield the story that is left of a longer one, in sentences and as a test."""
    was, is_ = bad.scenario, shorter.scenario
    yield ""
    yield (
        f"shorter    {len(is_.faults)} of {len(was.faults)} faults and {len(is_.says)} of {len(was.says)} messages"
        f" break it as well (found with {shorter.played} stories):"
    )
    yield ""
    world, *story = outline(is_)
    yield from _row("the world:", world.removeprefix("the world: "))
    yield from story
    yield ""
    yield "as a test:"
    yield ""
    yield as_test(is_, why=shorter.message)


def _bad(bad: Bad) -> dict[str, object]:
    shorter = bad.shorter and {
        "faults": len(bad.shorter.scenario.faults),
        "messages": len(bad.shorter.scenario.says),
        "played": bad.shorter.played,
        "story": list(outline(bad.shorter.scenario)),
        "test": as_test(bad.shorter.scenario, why=bad.shorter.message),
    }
    return {"seed": bad.scenario.seed, "message": bad.message, "again": bad.again, "shorter": shorter}
