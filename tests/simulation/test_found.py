"""Stories that once broke a promise, as short as they can be told; each name says what was wrong."""

from __future__ import annotations

from p2pchat.testing.lanes import Pace
from p2pchat.testing.simdisk import Loss
from p2pchat.testing.story.faults import CrashAt, Move
from p2pchat.testing.story.scenario import Profile, Say, Scenario
from p2pchat.testing.world import play
from tests.support.unmeasured import unmeasured


def test_who_dialed_in_vain_keeps_no_other_process_from_dialing() -> None:
    """Seed 1000047: a refused dial kept the lock of the peer, and another window waited for it for ever."""
    pace = Pace(latency=0.3, jitter=1.5, bandwidth=1e6, buffer=4096)
    profile = Profile(pace=pace, disk=0.0, patience=172.8, skew=1e6, doubles=2, guarded=True)
    with unmeasured():
        play(Scenario(seed=1000047, profile=profile, says=(), faults=(Move(at=2.443, one=0, other=1),)))


def test_an_acknowledgement_that_comes_during_a_step_opens_the_window_all_the_same() -> None:
    """Seed 4000545, at "after trust": what waited for that window waited for ever, if nobody said anything more."""
    profile = Profile(peers=3, pace=Pace(bandwidth=20000.0, splits=0.2), disk=0.5, window=2, skew=30.0, guarded=True)
    says = (
        *(Say(2.0, 0, 1), Say(2.0, 1, 0), Say(6.675, 2, 1, size=30), Say(6.815, 2, 0, size=3000)),
        *(Say(6.865, 1, 0, size=300, keyed=True), Say(12.0, 0, 1), Say(12.0, 1, 0), Say(14.008, 1, 0, 30, keyed=True)),
    )
    death = CrashAt(0.0, who=0, point="after trust", nth=1, loss=Loss.DROP, down=0.0)
    with unmeasured():
        play(Scenario(seed=4000545, profile=profile, says=says, faults=(death,)))


def test_what_is_said_behind_a_step_that_is_under_way_leaves_with_the_next_one() -> None:
    """Seed 30002467: a step was asked for before what was said meanwhile, and nobody looked again."""
    pace = Pace(bandwidth=20000.0, splits=0.2, buffer=4096)
    profile = Profile(everybody_dials=True, pace=pace, disk=0.05, patience=9.83025, skew=1e6)
    says = (Say(6.003, 1, 0, 30), Say(6.058, 0, 1, 3000, hasty=True), Say(6.073, 0, 1, 30, keyed=True))
    with unmeasured():
        play(Scenario(seed=30002467, profile=profile, says=says, faults=()))
