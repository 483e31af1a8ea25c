"""The same story is the same in every process, whatever its hash seed: or else no failure could be looked at again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from p2pchat.testing import faults, replay
from p2pchat.testing.checker import Broken, Line
from p2pchat.testing.lanes import Pace
from p2pchat.testing.scenario import Profile, Say, Scenario, aimed, draw
from p2pchat.testing.world import play

SEEDS = (1, 9)
PROGRAM = f"""
from p2pchat.testing.scenario import draw
from p2pchat.testing.world import play
print(*(play(draw(seed)).digest for seed in {SEEDS}))
"""

pytestmark = pytest.mark.slow


def test_other_processes_see_the_same_story() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for seed in (1, 2)
    ]
    here = [play(draw(seed)).digest for seed in SEEDS]
    assert len(set(here)) == len(SEEDS)
    assert here == [play(draw(seed)).digest for seed in SEEDS]
    assert [run.communicate()[0].decode().split() for run in runs] == [here, here]


def test_a_trace_has_times_and_sizes_and_no_ciphertext() -> None:
    report = play(draw(1))
    assert {type(what) for event in report.trace for what in event} <= {float, int, str, type(None)}
    assert all(isinstance(event[0], float) for event in report.trace)
    assert any(event[2] == "sends" for event in report.trace)


def test_replay_plays_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main(["3"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "every promise was kept"
    assert replay.main(["0", "--point", "after receive", "--trace"]) == 0
    told = capsys.readouterr().out
    assert "CrashAt(at=0.0" in told
    assert "heard" in told


def test_the_story_of_old_bytes_is_replayed_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main(["1", "--haunted"]) == 0
    assert "Restore(at=5.0, who=1)" in capsys.readouterr().out


def test_a_story_without_an_end_that_is_bad_is_not_made_shorter() -> None:
    story = aimed(0, "after receive")
    assert replay.shrunk(story) == story


def test_a_story_is_made_as_short_as_its_end_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    hear = Line.hear

    def refuse_the_second(self: Line, text: str) -> int:
        if " 2 " in text:
            raise Broken("PLANTED: the second message")
        return hear(self, text)

    monkeypatch.setattr(Line, "hear", refuse_the_second)
    says = tuple(Say(float(at), 0, 1) for at in range(1, 5))
    troubles = (faults.Reset(1.5, 0, 1), faults.Crash(2.5, 1, None, 0.0))
    story = Scenario(1, Profile(pace=Pace()), says, troubles)
    assert replay.shrunk(story) == replace(story, says=says[2:], faults=())
    assert replay.ending(story) == "Broken: PLANTED: the second message"
