"""A story that ends badly is cut down to what matters; one that ends well is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from p2pchat.testing.lanes import Pace
from p2pchat.testing.story import faults, shrinking
from p2pchat.testing.story.scenario import Profile, Say, Scenario
from p2pchat.testing.story.shrinking import Ending, shrunk

SAYS = tuple(Say(float(at), 0, 1) for at in range(1, 33))
TROUBLES = tuple(faults.Reset(at + 0.5, 0, 1) for at in range(10))
STORY = Scenario(1, Profile(pace=Pace()), SAYS, TROUBLES, "--seed 1")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[Scenario]:
    """Let a story be broken if it has two certain messages and a certain fault in it; returns all that were played."""
    every: list[Scenario] = []

    def pretend(scenario: Scenario, **_: object) -> Ending:
        every.append(scenario)
        is_bad = {SAYS[3], SAYS[20]} <= {*scenario.says} and TROUBLES[7] in scenario.faults
        return Ending(report=None, error="Broken", message=f"GAP: {len(every)}") if is_bad else Ending(report=None)

    monkeypatch.setattr(shrinking, "ending", pretend)
    return every


def test_what_does_not_matter_is_left_out(played: list[Scenario]) -> None:
    assert shrunk(STORY) == replace(STORY, says=(SAYS[3], SAYS[20]), faults=(TROUBLES[7],), again="")
    assert len(played) <= shrinking.ATTEMPTS


def test_it_ends_after_so_many_attempts(played: list[Scenario]) -> None:
    counted: list[int] = []
    shorter = shrunk(STORY, attempts=12, played=counted.append)
    assert len(played) == 12
    assert counted == list(range(2, 13))
    assert len(shorter.faults) < len(TROUBLES)
    assert TROUBLES[7] in shorter.faults


def test_a_good_story_is_played_once_and_left_as_it_is(played: list[Scenario]) -> None:
    good = replace(STORY, faults=())
    assert shrunk(good) is good
    assert played == [good]


def test_bad_ends_are_the_same_by_their_promise_or_their_kind() -> None:
    gap, other = (Ending(report=None, error="Broken", message=f"GAP: {number}") for number in (1, 2))
    assert gap.kind == other.kind != Ending(report=None, error="Broken", message="LOST: 1").kind
    assert Ending(report=None, error="KeyError", message="'x'").kind == "KeyError"
    assert str(Ending(report=None, error="KeyError", message="'x'")) == "KeyError: 'x'"
    assert str(Ending(report=None)) == ""
