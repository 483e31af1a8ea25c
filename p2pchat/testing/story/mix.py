"""What goes wrong in a story: each seed mixes kinds of trouble in proportions of its own, and aims it at what is said.

A story in which everything is equally likely is average at everything; one that has mostly cuts, and a full disk now
and then, is good at that. Trouble where nothing happens finds nothing, so it falls near what is said, to the
millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Final

from p2pchat.testing.judges.watch import POINTS
from p2pchat.testing.simdisk import HAS_POWER, Loss
from p2pchat.testing.story import faults, hardships
from p2pchat.testing.story.flood import MANNERS

if TYPE_CHECKING:
    import random

    from p2pchat.testing.story.faults import Fault
    from p2pchat.testing.story.scenario import Profile, Say

_WEIGHTS: Final[Mapping[str, int]] = {
    "cut": 2,
    "reset": 1,
    "lose-dialer": 1,
    "clog": 1,
    "part": 1,
    "move": 1,
    "kill": 1,
    "power": 1,
    "point": 2,
    "full": 1,
    "slow": 1,
    "stop": 1,
    "key": 1,
    "restore": 1,
    "swizzle": 1,
    "one-way": 1,
    "jump": 1,
    "descriptors": 1,
    "errors": 1,
    "freeze": 1,
    "deaf": 1,
    "reader": 1,
    "flood": 1,
    "window": 1,
}
_NEED_POWER: Final = frozenset({"power", "full", "errors"})
_JUMPS: Final = (1.0, 60.0, 7200.0, 1e6, 1e8, 1.7e9)  # seconds: leap, drift, summer time, days, years, and to 1973

#: Kinds of trouble that can happen here, and how likely each is to be in the mix of a seed.
WEIGHTS: Final[Mapping[str, int]] = {
    kind: weight for kind, weight in _WEIGHTS.items() if HAS_POWER or kind not in _NEED_POWER
}
_POINTS: Final = [point for point in POINTS if HAS_POWER or not point.startswith("during ")]


def swarm(throw: random.Random, profile: Profile, says: tuple[Say, ...], share: float) -> tuple[Fault, ...]:
    """Return what goes wrong where a seed decides, `share` times as much as usual."""
    chosen = _sample(throw, throw.randint(1, 5))
    proportions = [throw.choice((1, 1, 3, 10)) for _ in chosen]
    kinds = throw.choices(chosen, proportions, k=max(1, round(throw.randint(1, 10) * share)))
    return _spread(throw, profile, says, kinds)


def exactly(
    throw: random.Random, profile: Profile, says: tuple[Say, ...], kinds: Mapping[str, int]
) -> tuple[Fault, ...]:
    """Return so many faults of each kind."""
    wanted = [kind for kind, number in kinds.items() for kind in repeat(kind, number)]
    return _spread(throw, profile, says, [kind for kind in wanted if HAS_POWER or kind not in _NEED_POWER])


def loss(throw: random.Random) -> Loss | None:
    """Return what a death does to a disk; nothing, if only the process dies."""
    return throw.choice((None, Loss.DROP, Loss.TORN)) if HAS_POWER else None


def _sample(throw: random.Random, count: int) -> list[str]:
    """Return `count` kinds, the heavy ones more often."""
    left, chosen = dict(WEIGHTS), list[str]()
    for _ in range(count):
        chosen += throw.choices(list(left), list(left.values()))
        del left[chosen[-1]]
    return chosen


def _spread(throw: random.Random, profile: Profile, says: tuple[Say, ...], kinds: list[str]) -> tuple[Fault, ...]:
    """Return faults of these kinds, each near something that is said."""
    story: list[Fault] = []
    old = throw.randrange(profile.peers)  # of one peer only: nothing can be promised when two live on old backups
    for kind in kinds:
        at = _near(throw, says)
        one, other = throw.sample(range(profile.peers), 2)
        if kind == "restore":
            story += _restored(throw, sorted((at, _near(throw, says))), old)
        elif kind == "swizzle":
            story += _swizzled(throw, at, profile.peers)
        elif kind == "window":
            seat = throw.randrange(profile.seats(profile.doubled))
            story.append(hardships.CloseWindow(at, profile.doubled, seat, throw.random() < 0.5, _down(throw)))
        else:
            story += _of_two(throw, kind, at, one, other)
    return tuple(sorted(story, key=lambda fault: fault.at))


def _near(throw: random.Random, says: tuple[Say, ...]) -> float:
    return round(throw.choice(says).at + throw.choice((0, 0, 0.002, 0.1, 1.0)) * throw.random(), 3)


def _down(throw: random.Random) -> float:
    """Return for how many seconds somebody stays dead."""
    return throw.choice((0.0, 0.01, 1.0, 20.0))


def _restored(throw: random.Random, times: list[float], who: int) -> Iterator[Fault]:
    """Yield a backup, and the day on which it is needed; or two of them."""
    yield faults.BackUp(times[0], who)
    needed = times[1] + throw.choice((0.0, 0.1, 1.0))
    yield faults.Restore(needed, who)
    if throw.random() < 0.3:
        yield faults.Restore(needed + throw.choice((0.5, 2.0, 10.0)), who)


def _swizzled(throw: random.Random, at: float, peers: int) -> Iterator[Fault]:
    """Yield clogs of all connections, one by one, each direction by itself; they end in another order."""
    ways = [(one, other, there) for one in range(peers) for other in range(one) for there in (True, False)]
    for one, other, there in throw.sample(ways, min(len(ways), 12)):
        yield faults.Clog(round(at, 3), one, other, throw.uniform(0.5, 8.0), there)
        at += throw.uniform(0, 0.5)


def _of_two(throw: random.Random, kind: str, at: float, one: int, other: int) -> Iterator[Fault]:
    """Yield trouble between two peers."""
    there = throw.random() < 0.5
    match kind:
        case "cut":
            after = throw.choice((0, 1, throw.randint(0, 600), throw.randint(0, 6000)))
            yield faults.Cut(at, one, other, after, there)
        case "reset":
            yield faults.Reset(at, one, other)
        case "lose-dialer":
            yield faults.LoseDialer(at, one, other, throw.choice((0.5, 2.0, 10.0)))
        case "clog":
            yield faults.Clog(at, one, other, throw.choice((0.5, 5.0, 30.0, 1000.0)), there)
        case "part":
            yield faults.Part(at, one, other, throw.choice((1.0, 10.0, 40.0)))
        case "move":
            yield faults.Move(at, one, other)
        case "one-way":
            yield hardships.PartOneWay(at, one, other, throw.choice((1.0, 10.0, 40.0)))
        case _:
            yield from _of_one(throw, kind, at, one)


def _of_one(throw: random.Random, kind: str, at: float, who: int) -> Iterator[Fault]:
    """Yield trouble that needs one peer only.

    Raises:
      KeyError: if there is no such kind.
    """
    match kind:
        case "kill":
            yield faults.Crash(at, who, None, _down(throw))
        case "power":
            yield faults.Crash(at, who, throw.choice((Loss.DROP, Loss.TORN)), _down(throw))
        case "point":
            yield faults.CrashAt(at, who, throw.choice(_POINTS), throw.randint(1, 4), loss(throw), _down(throw))
        case "full":
            yield faults.DiskFull(at, who, throw.randint(0, 6), throw.choice((0.1, 3.0)))
        case "slow":
            yield faults.SlowDisk(at, who, throw.choice((0.3, 2.0)), throw.choice((1.0, 10.0)))
        case "key":
            yield faults.KeyChange(at, who, throw.choice((2.0, 20.0)))
        case "stop":
            yield faults.Stop(at, who, _down(throw))
        case "errors":
            bad = throw.choice((1, 1, 3, 30))
            yield hardships.DiskErrors(at, who, throw.randint(0, 8), bad, throw.choice((0.3, 5.0)))
        case _:
            yield from _hard(throw, kind, at, who)


def _hard(throw: random.Random, kind: str, at: float, who: int) -> Iterator[Fault]:
    """Yield what happens to a whole machine, or at its door.

    Raises:
      KeyError: if there is no such kind.
    """
    match kind:
        case "jump":
            if throw.random() < 0.4:  # the clock is set while it boots
                yield faults.Crash(at, who, loss(throw), _down(throw))
            yield hardships.ClockJump(at, who, throw.choice((-1, 1)) * throw.choice(_JUMPS))
        case "descriptors":
            yield hardships.NoDescriptors(at, who, throw.choice((0.3, 3.0, 20.0)))
            if throw.random() < 0.5:
                yield faults.Crash(at, who, None, 0.0)
        case "freeze":
            yield hardships.Freeze(at, who, throw.choice((0.5, 5.0, 40.0)), throw.random() < 0.5)
        case "deaf":
            yield hardships.Deaf(at, who, throw.choice((0.5, 5.0, 40.0)))
        case "reader":
            yield hardships.SlowReader(at, who, throw.choice((0.05, 0.5, 3.0)), throw.choice((2.0, 10.0)))
        case "flood":
            machines, at_once = throw.choice(((1, 2), (1, 6), (4, 12), (20, 70)))
            yield hardships.Knocking(at, who, throw.choice(MANNERS), machines, at_once, throw.choice((1.0, 4.0)))
        case _:
            raise KeyError(kind)
