"""A shorter story with the same bad end: whatever can be left out, is, halves first.

Of thirty messages and ten faults a handful is what matters, and nobody sees which before the others are gone. This is
the delta debugging of Zeller and Hildebrandt ("Simplifying and isolating failure-inducing input", 2002) on the two
lists of a scenario, with an end: each attempt plays the story once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from p2pchat.testing.world import Report, Tell, nobody, play

if TYPE_CHECKING:
    from p2pchat.testing.story.faults import Fault
    from p2pchat.testing.story.scenario import Say, Scenario

ATTEMPTS: Final = 60  # stories that are played at the most


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a story ended."""

    report: Report | None  # None: badly
    error: str = ""  # the class of what was raised; of a group, of the first in it
    message: str = ""  # what it says

    @property
    def kind(self) -> str:
        """What makes two bad ends the same: the promise that was broken, or the kind of error; empty for a good one."""
        return f"{self.error}: {self.message.partition(':')[0]}" if self.error == "Broken" else self.error

    def __str__(self) -> str:
        """Return it as a sentence; nothing for a good end."""
        return self.message if self.error == "Broken" else ": ".join(filter(None, (self.error, self.message)))


T = TypeVar("T")


def ending(scenario: Scenario, *, tell: Tell = nobody) -> Ending:
    """Play a story, and return how it ended, whatever that was."""
    try:
        return Ending(report=play(scenario, tell=tell))
    except Exception as exc:  # noqa: BLE001  (whatever it is, that is what somebody wants to see)
        first: BaseException = exc
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        return Ending(report=None, error=type(first).__name__, message=str(first))


def shrunk(
    scenario: Scenario, *, attempts: int = ATTEMPTS, tell: Tell = nobody, played: Callable[[int], object] = nobody
) -> Scenario:
    """Return a shorter story that ends as badly: by the same promise, or by the same kind of error.

    Args:
      scenario: the story; one that ends well is returned as it is.
      attempts: how often a story may be played for it.
      tell: called with all that happens in all of these stories.
      played: called with their number, after each of them.
    """
    wanted, count = ending(scenario, tell=tell).kind, 1

    def is_as_bad(attempt: Scenario) -> bool:
        nonlocal count
        if count >= attempts:
            return False
        count += 1
        played(count)
        return ending(attempt, tell=tell).kind == wanted

    while wanted:
        before = scenario
        scenario = _fewer_faults(scenario, is_as_bad)
        scenario = _fewer_says(scenario, is_as_bad)
        if scenario == before or count >= attempts:
            break
    return scenario


def _fewer_faults(scenario: Scenario, is_as_bad: Callable[[Scenario], bool]) -> Scenario:
    def tried(faults: tuple[Fault, ...]) -> bool:
        return is_as_bad(replace(scenario, faults=faults, again=""))

    kept = _minimal(scenario.faults, tried)
    return scenario if kept == scenario.faults else replace(scenario, faults=kept, again="")


def _fewer_says(scenario: Scenario, is_as_bad: Callable[[Scenario], bool]) -> Scenario:
    def tried(says: tuple[Say, ...]) -> bool:
        return is_as_bad(replace(scenario, says=says, again=""))

    kept = _minimal(scenario.says, tried)
    return scenario if kept == scenario.says else replace(scenario, says=kept, again="")


def _minimal(items: tuple[T, ...], is_enough: Callable[[tuple[T, ...]], bool]) -> tuple[T, ...]:
    """Return those of `items` that are enough; leaves out all at once first, then halves, quarters, …, single ones."""
    size = len(items)
    while size:
        start = 0
        while start < len(items):
            fewer = items[:start] + items[start + size :]
            if is_enough(fewer):
                items = fewer
            else:
                start += size
        size = min(size // 2, len(items))
    return items
