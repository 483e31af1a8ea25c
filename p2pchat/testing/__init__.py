"""What others need to test what they build on p2pchat: contracts to pass, and a world to run in. Shipped and public."""

from __future__ import annotations

from p2pchat.testing.contract import PROMISES as PROMISES
from p2pchat.testing.contract import Promise as Promise
from p2pchat.testing.contract import check_promise as check_promise
from p2pchat.testing.contract import check_transport as check_transport
from p2pchat.testing.lanes import Pace as Pace
from p2pchat.testing.seeded import Stuck as Stuck
from p2pchat.testing.seeded import VirtualClock as VirtualClock
from p2pchat.testing.seeded import seeded_run as seeded_run
from p2pchat.testing.simnet import SimNetwork as SimNetwork
