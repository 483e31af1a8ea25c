"""One seed, one story: what kind of world it is, who says what, and everything that goes wrong, as explicit lists.

Every seed draws a *profile* first (how fast, how slow, which kinds of trouble), so that each run is good at something
instead of all runs being average at everything. Lists instead of dice at run time: a story can be printed, and made
shorter by leaving things out, without everything after that coming out differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from p2pchat.env import dice
from p2pchat.testing.lanes import Pace
from p2pchat.testing.story import faults, mix
from p2pchat.wire.records import MAX_RECORD

if TYPE_CHECKING:
    import random

    from p2pchat.testing.story.faults import Fault

_NAMES: Final = (
    *("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"),
    *("karl", "laura", "mike", "nina", "oscar", "peggy", "quinn", "rosa", "sam", "trent"),
)
MAX_PEERS: Final = len(_NAMES)
KINDS: Final = tuple(mix.WEIGHTS)  # of faults that can be asked for
USUAL: Final = 30.0  # seconds in which 4 to 30 things are said and 1 to 10 go wrong, where no time is asked for


def name_of(number: int) -> str:
    """Return the name of a peer, 0 to `MAX_PEERS` - 1."""
    return _NAMES[number]


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
    doubles: int = 0  # how many more processes there are on the profile of one peer
    doubled: int = 0  # and of which: it dials all others, since what is judged is what the dialing process shows
    guarded: bool = False  # only who is known is let in, and people get to know each other by codes

    def seats(self, who: int) -> int:
        """Return how many processes a peer has: the first listens, the last dials."""
        return 1 + (self.doubles if who == self.doubled else 0)


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
    hasty: bool = False  # does not wait until what was said before it is accepted, and nothing waits for it


@dataclass(frozen=True, slots=True)
class Scenario:
    """A whole story. `seed` goes on deciding what lists do not say: delays, splits, the order of tasks."""

    seed: int
    profile: Profile
    says: tuple[Say, ...]
    faults: tuple[Fault, ...]
    again: str = ""  # the words after `p2pchat simulate` that play it again; a story that was changed has none

    def without(self, *, fault: int | None = None, say: int | None = None) -> Scenario:
        """Return the story with one thing less."""
        kept_faults = tuple(each for number, each in enumerate(self.faults) if number != fault)
        kept_says = tuple(each for number, each in enumerate(self.says) if number != say)
        return replace(self, faults=kept_faults, says=kept_says, again="")


def draw(
    seed: int, *, peers: int | None = None, minutes: float | None = None, kinds: Mapping[str, int] | None = None
) -> Scenario:
    """Return the story of `seed`.

    Args:
      seed: decides all that is not asked for.
      peers: how many there are, 2 to `MAX_PEERS`.
      minutes: virtual minutes over which what is said and what goes wrong is spread.
      kinds: exactly so many faults of each kind (of `KINDS`), instead of a mix that the seed draws.
    """
    profile, lasts = _profile(dice(seed, "profile"))
    share = 1.0 if minutes is None else minutes * 60 / USUAL
    if peers is not None:
        profile, share = replace(profile, peers=peers), share * max(1.0, peers / 3)
    says = _says(dice(seed, "says"), profile, lasts if minutes is None else minutes * 60, share)
    throw = dice(seed, "faults")
    story = mix.swarm(throw, profile, says, share) if kinds is None else mix.exactly(throw, profile, says, kinds)
    words = [f"--seed {seed}", *([] if peers is None else [f"--peers {peers}"])]
    words += [] if minutes is None else [f"--minutes {minutes}"]
    if kinds is not None:
        words += ["--faults " + (",".join(f"{kind}={number}" for kind, number in kinds.items()) or "none")]
    return Scenario(seed, profile, says, story, " ".join(words))


def aimed(seed: int, point: str) -> Scenario:
    """Return a story in which somebody dies at `point`, if it is met at all, and little else happens."""
    throw = dice(seed, "aimed", point)
    profile, lasts = _profile(throw)
    says = _says(throw, profile, min(lasts, 20.0))
    says += tuple(Say(at, who, 1 - who) for at in (2.0, 6.0, 12.0) for who in range(2))  # so that the point is met
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
    story += [faults.CrashAt(0.0, victim, point, nth, mix.loss(throw), throw.choice((0.0, 3.0)))]
    says, story = tuple(sorted(says, key=lambda say: say.at)), sorted(story, key=lambda fault: fault.at)
    again = f"--seed {seed} --faults 'at:{point}'"
    return Scenario(seed, replace(profile, doubles=0), says, tuple(story), again)


def haunted(seed: int) -> Scenario:
    """Return a story in which what Bob said before he was restored from a backup arrives while he is back already.

    His number for what he says next is the one that his forgotten message had, and only the fence tells them apart
    (docs/protocol.md 6.4). Alice has two processes, and the one with the old link learns last that there is a newer.
    """
    throw = dice(seed, "haunted")
    profile = Profile(pace=Pace(latency=0.05), disk=throw.choice((0.0, 0.004, 0.05)), doubles=1)
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
    says = sorted(says, key=lambda say: say.at)
    return Scenario(seed, profile, tuple(says), tuple(story), f"--seed {seed} --faults haunted")


def overlapping(seed: int) -> Scenario:
    """Return a story in which new links are made while old ones still deliver, again and again.

    Both dial at the same virtual millisecond; one comes back while what it sent before is still under way; a link that
    was clogged goes on while the next one shakes hands. What is said meanwhile travels by both, and arrives once.
    """
    throw = dice(seed, "overlapping")
    latency = throw.choice((0.001, 0.005, 0.05))
    pace = Pace(latency=latency, jitter=throw.choice((0, latency)), splits=throw.choice((0, 0.5)))
    disk = throw.choice((0.0, 0.004, 0.05, 0.5))
    profile = Profile(pace=pace, everybody_dials=True, disk=disk, doubles=int(throw.random() < 0.2))
    says: list[Say] = []
    story: list[Fault] = []
    for number in range(1, 5):
        at = 5.0 * number
        late = throw.choice((1, 2, 4, 6, 8)) * (latency + disk / 2)
        story += _overlap(throw, at, latency, late)
        for _ in range(throw.randint(2, 6)):
            who = throw.randrange(2)
            says.append(Say(round(at + throw.choice((-2, -1, -0.5, 0, 1, 4)) * latency, 3), who, 1 - who))
    says.sort(key=lambda say: say.at)
    story.sort(key=lambda fault: fault.at)
    return Scenario(seed, profile, tuple(says), tuple(story), f"--seed {seed} --faults overlap")


def _overlap(throw: random.Random, at: float, before: float, late: float) -> list[Fault]:
    """Return what makes a new link about `at`, while the old one delivers for `late` seconds more."""
    both: list[Fault] = [faults.Move(at, 0, 1), faults.Move(at, 1, 0)]
    match throw.randrange(4):
        case 0:
            return [faults.LoseDialer(at, 0, 1, late)]
        case 1:
            return [faults.Reset(at, 0, 1), *both]
        case 2:
            return [faults.Clog(at - before, 0, 1, late, throw.random() < 0.5), throw.choice(both)]
        case _:
            return [faults.LoseDialer(at, 0, 1, late), *both]


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
    everybody_dials = throw.random() < 0.5
    doubles = throw.choice((1, 1, 2)) if throw.random() < 0.2 else 0
    profile = Profile(
        peers=throw.choice((2, 2, 2, 3)),
        everybody_dials=everybody_dials,
        pace=pace,
        disk=throw.choice((0.0, 0.001, 0.004, 0.05, 0.5)),
        patience=max(throw.choice((6.0, 15.0, 90.0)), 3 * _seconds_for_a_record(pace)),
        window=throw.choice((2, 16, 4096)),
        skew=throw.choice((0.0, 0.0, 30.0, 1e6)),
        doubles=doubles,
        doubled=throw.randrange(2) if everybody_dials and doubles else 0,
        guarded=throw.random() < 0.4,
    )
    return profile, throw.choice((2.0, 8.0, 30.0))


def _seconds_for_a_record(pace: Pace) -> float:
    """Return how long the longest record may take: whoever waits for less would never get it."""
    per_window = 2 * (pace.latency + pace.jitter)
    return MAX_RECORD / min(pace.bandwidth, pace.buffer / per_window)


def _says(throw: random.Random, profile: Profile, lasts: float, share: float = 1.0) -> tuple[Say, ...]:
    """Return who says what: steadily, or in bursts; `share` times as much as usual."""
    says: list[Say] = []
    bursts = sorted(throw.uniform(0, lasts) for _ in range(round(throw.randint(1, 6) * max(1.0, share))))
    for _ in range(max(1, round(throw.randint(4, 30) * share))):
        who = throw.randrange(profile.peers)
        to = throw.choice([peer for peer in range(profile.peers) if peer != who])
        at = throw.choice(bursts) if throw.random() < 0.7 else throw.uniform(0, lasts)
        if throw.random() < 0.4:  # close together, yet each by itself: a batch arrives while another is committed
            at += throw.randrange(1, 20) * 0.01
        size = throw.choice((30, 30, 30, 300, 3000, 40_000 if throw.random() < 0.2 else 30))
        luck = throw.random()
        withdraw_after = throw.choice((0.0, 0.001, 1.0)) if luck < 0.08 else None
        expires_after = throw.choice((0.5, 5.0)) if 0.08 < luck < 0.14 else None
        process = throw.randrange(profile.seats(who))
        keyed, hasty = luck > 0.6, 0.14 < luck < 0.34
        says.append(Say(round(at, 3), who, to, size, process, withdraw_after, expires_after, keyed, hasty))
    return tuple(sorted(says, key=lambda say: say.at))
