"""Stories that once broke a promise, as short as they can be told; each name says what was wrong."""

from __future__ import annotations

from p2pchat.testing.lanes import Pace
from p2pchat.testing.story.faults import Move
from p2pchat.testing.story.scenario import Profile, Scenario
from p2pchat.testing.world import play
from tests.support.unmeasured import unmeasured


def test_who_dialed_in_vain_keeps_no_other_process_from_dialing() -> None:
    """Seed 1000047: a refused dial kept the lock of the peer, and another window waited for it for ever."""
    pace = Pace(latency=0.3, jitter=1.5, bandwidth=1e6, buffer=4096)
    profile = Profile(pace=pace, disk=0.0, patience=172.8, skew=1e6, doubles=2, guarded=True)
    with unmeasured():
        play(Scenario(seed=1000047, profile=profile, says=(), faults=(Move(at=2.443, one=0, other=1),)))
