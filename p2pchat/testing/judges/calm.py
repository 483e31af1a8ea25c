"""What has to be so some time after a world was healed, and how long that may take.

Everything arrives, everybody is told the truth, and each two peers have exactly one link; no connection is left over.
How long it may take depends on the world: on how late a dead link is noticed, how slowly bytes pass, how long a disk
needs.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from p2pchat.wire.frames import MAX_BODY

if TYPE_CHECKING:
    from p2pchat.testing.simpeer import Peer
    from p2pchat.testing.story.scenario import Scenario
    from p2pchat.testing.world import World

ATTEMPTS: Final = 60.0  # seconds of dials in vain that wait longer and longer, and of handshakes that lead nowhere
MEETINGS: Final = 60.0  # seconds until a code was told, typed wrong, told again, and typed well
TURNS: Final = 2  # round trips, with two transactions each, for an entry where the window is small


def time_to_calm_down(scenario: Scenario) -> float:
    """Return within how many virtual seconds after healing the world has to be calm."""
    profile = scenario.profile
    pace = profile.pace
    turn = 2 * (pace.latency + pace.jitter) + 2 * profile.disk
    entries = sum(1 + say.size // MAX_BODY for say in scenario.says)
    rate = min(pace.bandwidth, pace.buffer / turn)
    passing = sum(say.size for say in scenario.says) / rate + TURNS * turn * entries
    return profile.patience + ATTEMPTS + (MEETINGS if profile.guarded else 0.0) + passing


def unlinked(world: World) -> list[str]:
    """Return which peers do not have exactly one link to each other, or more connections than that."""
    found = []
    for one, other in combinations(world.peers, 2):
        wires = world.network.between(one.name, other.name)
        there, back = _links(one, other), _links(other, one)
        if (there, back, len(wires)) != (1, 1, 1):
            found.append(f"{one.name} and {other.name} have {there} and {back} links over {len(wires)} connections")
    return found


def _links(one: Peer, other: Peer) -> int:
    """Return in how many of its processes `one` has a link to `other`."""
    return sum(
        session.peer == other.identity.peer_id and session.own == one.identity.peer_id
        for process in one.running
        if process.node is not None
        for session in process.node.sessions
    )
