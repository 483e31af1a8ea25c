"""Stories in sentences, and as tests: everything that can go wrong has one, and a pasted story is the same story."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from typing import Any

import pytest

from p2pchat.testing.judges import watch
from p2pchat.testing.lanes import Pace
from p2pchat.testing.simdisk import Loss
from p2pchat.testing.story import faults, hardships, telling
from p2pchat.testing.story.options import Options, story
from p2pchat.testing.story.pasting import as_python, as_test
from p2pchat.testing.story.scenario import Profile, Say, Scenario

LINE = re.compile(r" *\d+\.\d{3}  (--|[a-z]+) +\S.*")
LONG = 200  # characters


def test_every_fault_and_every_step_has_its_sentence() -> None:
    known = [*vars(faults).values(), *vars(hardships).values()]
    kinds = [kind for kind in known if is_dataclass(kind) and hasattr(kind, "strike")]
    assert kinds
    assert {kind.__name__ for kind in kinds if isinstance(kind, type)} <= set(telling.FAULTS)
    assert set(telling.STEPS) == set(watch.STEPS)


@pytest.mark.parametrize(
    "options", [Options(), Options(peers=20), Options(faults="haunted"), Options(faults="overlap")]
)
def test_a_story_can_be_told_before_it_happens(options: Options) -> None:
    for seed in range(20):
        world, *lines = telling.outline(story(seed, options))
        assert world.startswith("the world: ")
        assert [line for line in lines if not LINE.fullmatch(line) or len(line) > LONG or "{" in line] == []


def test_what_happens_is_told_in_sentences() -> None:
    crash = faults.Crash(1.0, 1, Loss.DROP, 0.5)
    teller = telling.Teller(Scenario(1, Profile(pace=Pace()), (), (crash,)))
    assert [
        teller(0.0, "alice", "starts", 0),
        teller(0.5, "alice", "starts", 1),
        teller(1.0, "fault", "Crash"),
        teller(1.0, "bob", "crash", "DROP"),
        teller(1.5, "bob", "commit"),
        teller(1.5, "bob", "commit", "hand", "receive"),
        teller(2.0, "alice>bob", "accepted", 1),
        teller(2.25, "alice>bob", "heard", 1),
        teller(2.5, "alice>bob", "refused", 2, "StoreFull"),
        teller(3.0, "alice", "StatesChanged"),
        teller(3.0, "alice", "something new", 7),
        teller(3.0, "alice>bob", "something new", 7),
        teller(4.0, "fault", "Unheard"),
        teller(5.0, "healed"),
        teller(6.0, "calm", 1.0, 30.0),
    ] == [
        "     0.000  alice      starts",
        "     0.500  alice      starts, in window 1 of its own",
        "     1.000  --         bob dies, to be back after 0.5 s; the power goes, and what was not synced is lost",
        "     1.000  bob        dies; the power goes, and what was not synced is lost",
        "     1.500  bob        commits",
        "     1.500  bob        commits: a message may leave, and a message has come",
        "     2.000  alice      says message 1 to bob, and it is accepted",
        "     2.250  bob        has message 1 of alice on its disk",
        "     2.500  alice      cannot say message 2 to bob: StoreFull",
        "     3.000  alice      is told: states changed",
        "     3.000  alice      something new 7",
        "     3.000  alice      to bob: something new 7",
        "     4.000  --         Unheard",
        "     5.000  --         no more trouble: who is down starts, and everything has to arrive",
        "     6.000  --         everything has arrived, 1.0 s after the trouble; 30.0 s were allowed",
    ]


def test_a_fault_that_nobody_has_a_sentence_for_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "FAULTS", {})
    assert (
        telling.fault_told(faults.Clog(1.0, 0, 1, 5.0, there=True))
        == "clog: one alice, other bob, seconds 5, there True"
    )


def test_a_pasted_story_is_the_same_story() -> None:
    for seed in range(30):
        drawn = story(seed, Options(peers=3 if seed % 2 else None))
        text = as_test(drawn, why='it said """\\d"""')
        assert max(map(len, text.splitlines())) <= LONG
        names: dict[str, Any] = {}
        exec(text, names)
        played: list[Scenario] = []
        names["play"] = played.append
        names[f"test_the_story_of_seed_{seed}"]()
        assert played == [drawn]


@pytest.mark.parametrize(
    "value", [1, 1.5, float("inf"), "a 'b' \"c\"", (), (1,), None, True, Loss.TORN, Say(1.0, 0, 1, keyed=True)]
)
def test_values_become_what_makes_them(value: object) -> None:
    assert eval(as_python(value), {"Loss": Loss, "Say": Say}) == value
