"""One seed, one story: what kind of world it is, who says what, and everything that goes wrong, as explicit lists.

Every seed draws a *profile* first (how fast, how slow, which kinds of trouble), so that each run is good at something
instead of all runs being average at everything. Lists instead of dice at run time: a story can be printed, and made
shorter by leaving things out, without everything after that coming out differently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from p2pchat.env import dice
from p2pchat.testing import faults
from p2pchat.testing.lanes import Pace
from p2pchat.testing.simdisk import Loss
from p2pchat.testing.watch import POINTS
from p2pchat.wire.records import MAX_RECORD

if TYPE_CHECKING:
    import random

    from p2pchat.testing.faults import Fault

NAMES: Final = ("alice", "bob", "carol")
KINDS: Final = (
    *("cut", "cut", "reset", "lose dialer", "clog", "part", "move"),
    *("kill", "power", "point", "point", "full", "slow", "stop", "key"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The kind of world."""

    peers: int = 2
    everybody_dials: bool = False  # or only the one whose name comes first
    pace: Pace
    disk: float = 0.001  # seconds for a transaction
    patience: float = 90.0  # seconds of silence until a link is given up
    window: int = 4096  # entries that may be under way
    skew: float = 0.0  # seconds by which wall clocks differ, at most
    doubles: bool = False  # Alice has two processes on one profile
    guarded: bool = False  # only who is known is let in, and people get to know each other by codes


@dataclass(frozen=True, slots=True)
class Say:
    """Somebody says something."""

    at: float
    who: int
    to: int
    size: int = 40
    process: int = 0  # which of the sender's processes is asked
    withdraw_after: float | None = None  # seconds until it is taken back, if that is still possible
    expires_after: float | None = None  # seconds until it is not to be sent any more
    keyed: bool = False  # has a key, and is said again after a death that left nobody knowing whether it was said


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole story. `seed` goes on deciding what lists do not say: delays, splits, the order of tasks."""

    seed: int
    profile: Profile
    says: tuple[Say, ...]
    faults: tuple[Fault, ...]

    def without(self, *, fault: int | None = None, say: int | None = None) -> Scenario:
        """Return the story with one thing less."""
        kept_faults = tuple(each for number, each in enumerate(self.faults) if number != fault)
        kept_says = tuple(each for number, each in enumerate(self.says) if number != say)
        return replace(self, faults=kept_faults, says=kept_says)


def draw(seed: int) -> Scenario:
    """Return the story of `seed`."""
    profile, lasts = _profile(dice(seed, "profile"))
    says = _says(dice(seed, "says"), profile, lasts)
    return Scenario(seed, profile, says, _faults(dice(seed, "faults"), profile, says))


def aimed(seed: int, point: str) -> Scenario:
    """Return a story in which somebody dies at `point`, if it is met at all, and little else happens."""
    throw = dice(seed, "aimed", point)
    profile, lasts = _profile(throw)
    says = _says(throw, profile, min(lasts, 20.0))
    victim, nth = throw.randrange(2), throw.randint(1, 3)
    story: list[Fault] = [faults.Cut(throw.uniform(0, 20), 0, 1, throw.randint(0, 3000), throw.random() < 0.5)]
    if point.endswith("renumber"):
        victim, nth = 0, 1
        profile = replace(profile, guarded=False)  # whom the backup does not know need not be met anew
        says += (Say(1.0, 0, 1), Say(8.0, 0, 1), Say(16.0, 0, 1))
        story = [faults.BackUp(throw.uniform(3, 5), 0), faults.Restore(throw.uniform(11, 15), 0)]
    if point.endswith(("attempt", "honour", "trust")):  # Alice claims a code of Bob's, and both remember who it is
        victim, nth = int(not point.endswith("trust")), 1
        profile = replace(profile, guarded=True, everybody_dials=False)
    story += [faults.CrashAt(0.0, victim, point, nth, _loss(throw), throw.choice((0.0, 3.0)))]
    says, story = tuple(sorted(says, key=lambda say: say.at)), sorted(story, key=lambda fault: fault.at)
    return Scenario(seed, replace(profile, doubles=False), says, tuple(story))


def haunted(seed: int) -> Scenario:
    """Return a story in which what Bob said before he was restored from a backup arrives while he is back already.

    His number for what he says next is the one that his forgotten message had, and only the fence tells them apart
    (docs/protocol.md 6.4). Alice has two processes, and the one with the old link learns last that there is a newer.
    """
    throw = dice(seed, "haunted")
    profile = Profile(pace=Pace(latency=0.05), disk=throw.choice((0.0, 0.004, 0.05)), doubles=True)
    begins, dials = 5.0, 6.15 + 3 * profile.disk  # when Bob is restored, and when he dials
    claims = dials + 0.25 + profile.disk / 2  # about when Alice's other process takes his new link
    held = claims + throw.uniform(0, 0.15) - begins + 0.1
    story: list[Fault] = [
        faults.BackUp(begins - 0.2, 1),
        *(faults.Clog(begins - 0.1, 0, 1, held, there) for there in (True, False)),
        faults.Restore(begins, 1),
        faults.Move(dials, 1, 0),
    ]
    says = [Say(begins - 0.5, 1, 0), Say(begins - 0.5, 0, 1), Say(begins - 0.1, 1, 0)]
    says += [Say(round(dials + throw.uniform(0, 0.5), 3), 1, 0) for _ in range(6)] + [Say(dials + 2, 1, 0)]
    return Scenario(seed, profile, tuple(sorted(says, key=lambda say: say.at)), tuple(story))


def _profile(throw: random.Random) -> tuple[Profile, float]:
    """Return a kind of world, and how many seconds its troubles last."""
    latency = throw.choice((0.001, 0.005, 0.05, 0.3))
    pace = Pace(
        latency=latency,
        jitter=throw.choice((0, 0, latency, 5 * latency)),
        bandwidth=throw.choice((1e9, 1e6, 2e4)),
        splits=throw.choice((0, 0.2, 0.9)),
        buffer=throw.choice((2**12, 2**16)),
    )
    profile = Profile(
        peers=throw.choice((2, 2, 2, 3)),
        everybody_dials=throw.random() < 0.5,
        pace=pace,
        disk=throw.choice((0.0, 0.001, 0.004, 0.05, 0.5)),
        patience=max(throw.choice((6.0, 15.0, 90.0)), 3 * _seconds_for_a_record(pace)),
        window=throw.choice((2, 16, 4096)),
        skew=throw.choice((0.0, 0.0, 30.0, 1e6)),
        doubles=throw.random() < 0.15,
        guarded=throw.random() < 0.4,
    )
    return profile, throw.choice((2.0, 8.0, 30.0))


def _seconds_for_a_record(pace: Pace) -> float:
    """Return how long the longest record may take: whoever waits for less would never get it."""
    per_window = 2 * (pace.latency + pace.jitter)
    return MAX_RECORD / min(pace.bandwidth, pace.buffer / per_window)


def _says(throw: random.Random, profile: Profile, lasts: float) -> tuple[Say, ...]:
    """Return who says what: steadily, or in bursts."""
    says: list[Say] = []
    bursts = sorted(throw.uniform(0, lasts) for _ in range(throw.randint(1, 6)))
    for _ in range(throw.randint(4, 30)):
        who = throw.randrange(profile.peers)
        to = throw.choice([peer for peer in range(profile.peers) if peer != who])
        at = throw.choice(bursts) if throw.random() < 0.7 else throw.uniform(0, lasts)
        if throw.random() < 0.4:  # close together, yet each by itself: a batch arrives while another is committed
            at += throw.randrange(1, 20) * 0.01
        size = throw.choice((30, 30, 30, 300, 3000, 40_000 if throw.random() < 0.2 else 30))
        luck = throw.random()
        withdraw_after = throw.choice((0.0, 0.001, 1.0)) if luck < 0.08 else None
        expires_after = throw.choice((0.5, 5.0)) if 0.08 < luck < 0.14 else None
        process = int(profile.doubles and who == 0 and throw.random() < 0.5)
        says.append(Say(round(at, 3), who, to, size, process, withdraw_after, expires_after, luck > 0.6))
    return tuple(sorted(says, key=lambda say: say.at))


def _faults(throw: random.Random, profile: Profile, says: tuple[Say, ...]) -> tuple[Fault, ...]:
    """Return what goes wrong: near what is said, for trouble where nothing happens finds nothing."""
    chosen = throw.sample(KINDS, throw.randint(1, 5))
    story: list[Fault] = []
    for _ in range(throw.randint(1, 10)):
        at = round(throw.choice(says).at + throw.choice((0, 0, 0.002, 0.1, 1.0)) * throw.random(), 3)
        one, other = throw.sample(range(profile.peers), 2)
        story.append(_fault(throw, throw.choice(chosen), at, one, other))
    if throw.random() < 0.15:  # of one peer only: nothing can be promised when two live on old backups
        who, times = throw.randrange(profile.peers), sorted(throw.choice(says).at + throw.random() for _ in range(2))
        story += [faults.BackUp(round(times[0], 3), who), faults.Restore(round(times[1], 3), who)]
    return tuple(sorted(story, key=lambda fault: fault.at))


def _loss(throw: random.Random) -> Loss | None:
    return throw.choice((None, Loss.DROP, Loss.TORN))


def _down(throw: random.Random) -> float:
    """Return for how many seconds somebody stays dead."""
    return throw.choice((0.0, 0.01, 1.0, 20.0))


def _fault(throw: random.Random, kind: str, at: float, one: int, other: int) -> Fault:
    """Return trouble of one kind."""
    there = throw.random() < 0.5
    match kind:
        case "cut":
            after = throw.choice((0, 1, throw.randint(0, 600), throw.randint(0, 6000)))
            return faults.Cut(at, one, other, after, there)
        case "reset":
            return faults.Reset(at, one, other)
        case "lose dialer":
            return faults.LoseDialer(at, one, other, throw.choice((0.5, 2.0, 10.0)))
        case "clog":
            return faults.Clog(at, one, other, throw.choice((0.5, 5.0, 30.0, 1000.0)), there)
        case "part":
            return faults.Part(at, one, other, throw.choice((1.0, 10.0, 40.0)))
        case _:
            return faults.Move(at, one, other) if kind == "move" else _fault_of_one(throw, kind, at, one)


def _fault_of_one(throw: random.Random, kind: str, at: float, who: int) -> Fault:
    """Return trouble of a kind that needs one peer only."""
    match kind:
        case "kill" | "power":
            loss = throw.choice((Loss.DROP, Loss.TORN)) if kind == "power" else None
            return faults.Crash(at, who, loss, _down(throw))
        case "point":
            return faults.CrashAt(at, who, throw.choice(POINTS), throw.randint(1, 4), _loss(throw), _down(throw))
        case "full":
            return faults.DiskFull(at, who, throw.randint(0, 6), throw.choice((0.1, 3.0)))
        case "slow":
            return faults.SlowDisk(at, who, throw.choice((0.3, 2.0)), throw.choice((1.0, 10.0)))
        case "key":
            return faults.KeyChange(at, who, throw.choice((2.0, 20.0)))
        case _:
            return faults.Stop(at, who, _down(throw))
