"""What others need to test what they build on p2pchat: contracts to pass, and a world to run in. Shipped and public.

Every public name is here, and is resolved when it is first asked for (PEP 562): `import p2pchat.testing` loads nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.testing.contract import PROMISES as PROMISES
    from p2pchat.testing.contract import Promise as Promise
    from p2pchat.testing.contract import check_promise as check_promise
    from p2pchat.testing.contract import check_transport as check_transport
    from p2pchat.testing.judges.checker import Broken as Broken
    from p2pchat.testing.judges.checker import Fate as Fate
    from p2pchat.testing.judges.checker import Line as Line
    from p2pchat.testing.judges.checker import Said as Said
    from p2pchat.testing.lanes import Pace as Pace
    from p2pchat.testing.seeded import Stuck as Stuck
    from p2pchat.testing.seeded import VirtualClock as VirtualClock
    from p2pchat.testing.seeded import seeded_run as seeded_run
    from p2pchat.testing.simdisk import Loss as Loss
    from p2pchat.testing.simhost import Host as Host
    from p2pchat.testing.simhost import SimProcess as SimProcess
    from p2pchat.testing.simnet import SimNetwork as SimNetwork
    from p2pchat.testing.simulation import Simulation as Simulation
    from p2pchat.testing.simulation import simulate as simulate
    from p2pchat.testing.simulation import simulate_many as simulate_many
    from p2pchat.testing.simwire import Wire as Wire
    from p2pchat.testing.story.scenario import Scenario as Scenario
    from p2pchat.testing.story.scenario import draw as draw
    from p2pchat.testing.trouble import TROUBLES as TROUBLES
    from p2pchat.testing.world import Report as Report
    from p2pchat.testing.world import play as play

# The same once more for the interpreter; a test holds the two together.
_HOMES = {
    "Broken": "p2pchat.testing.judges.checker",
    "Fate": "p2pchat.testing.judges.checker",
    "Line": "p2pchat.testing.judges.checker",
    "Said": "p2pchat.testing.judges.checker",
    "PROMISES": "p2pchat.testing.contract",
    "Promise": "p2pchat.testing.contract",
    "check_promise": "p2pchat.testing.contract",
    "check_transport": "p2pchat.testing.contract",
    "Pace": "p2pchat.testing.lanes",
    "Scenario": "p2pchat.testing.story.scenario",
    "draw": "p2pchat.testing.story.scenario",
    "Stuck": "p2pchat.testing.seeded",
    "VirtualClock": "p2pchat.testing.seeded",
    "seeded_run": "p2pchat.testing.seeded",
    "Loss": "p2pchat.testing.simdisk",
    "Host": "p2pchat.testing.simhost",
    "SimProcess": "p2pchat.testing.simhost",
    "SimNetwork": "p2pchat.testing.simnet",
    "Wire": "p2pchat.testing.simwire",
    "Simulation": "p2pchat.testing.simulation",
    "simulate": "p2pchat.testing.simulation",
    "simulate_many": "p2pchat.testing.simulation",
    "TROUBLES": "p2pchat.testing.trouble",
    "Report": "p2pchat.testing.world",
    "play": "p2pchat.testing.world",
}

if not TYPE_CHECKING:  # a checker that saw this would take every misspelt name for granted

    def __getattr__(name: str) -> object:
        """Return the public `name`, imported now."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        """List what is public, loaded or not."""
        return sorted({*globals(), *_HOMES})
