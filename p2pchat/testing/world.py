"""The simulated world: peers that run production code over a simulated network and disks, through one story.

    report = play(draw(seed=7))

The story happens; then the world is healed, everybody is started who is down, and everything that was accepted has to
arrive. What must hold, holds all the time: `checker` has the rules, and the first one that is broken ends the world.
`Report.trace` is the same for the same story in every process: events, numbers, sizes and virtual times, no ciphertext.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, final

import trio

from p2pchat.env import dice
from p2pchat.testing.judges.accounts import Accounts, check_accounts, settle
from p2pchat.testing.judges.bounds import check_bounds
from p2pchat.testing.judges.calm import time_to_calm_down, unlinked
from p2pchat.testing.judges.checker import Broken, Line
from p2pchat.testing.judges.wiretap import Wiretap
from p2pchat.testing.lanes import Lane, on_grid
from p2pchat.testing.seeded import DAY, GRACE, Stuck, VirtualClock, first_of, seeded_run
from p2pchat.testing.simnet import SimNetwork, Wire
from p2pchat.testing.simpeer import FAILED, GAPS, GAPS_OF, QUEUED, Log, Peer, secrets
from p2pchat.testing.story.scenario import name_of

if TYPE_CHECKING:
    from p2pchat.testing.judges.consent import Pins
    from p2pchat.testing.story.scenario import Scenario

Tell: TypeAlias = Callable[..., object]

LOOKS = 0.5  # seconds between the first two looks whether the world is calm
SLACKENS = 1.25  # how much longer it is between the next two


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a story went."""

    trace: tuple[tuple[object, ...], ...]
    marks: Counter[str]  # rare things that happened, and how often
    points: Counter[str]  # how often somebody came to each point of `watch.POINTS`
    kills: Counter[str]  # and how often somebody died there
    said: int  # messages that were accepted
    seconds: float  # virtual
    steps: int  # of tasks
    faults: Counter[str]  # what struck, by kind
    accounts: Accounts  # what became of every message

    @property
    def digest(self) -> str:
        """A short name of the trace."""
        return hashlib.sha256(repr(self.trace).encode()).hexdigest()[:16]


def nobody(*what: object) -> None:
    """Listen to what happens, as nobody does."""


def play(scenario: Scenario, *, tell: Tell = nobody) -> Report:
    """Run a story to its end.

    Args:
      scenario: the story.
      tell: called with all that goes into the trace, when it happens.

    Raises:
      Broken: if a promise was broken; a note has the line that replays the story.
      Exception: whatever production code raised that it should not; with the same note.
    """
    # What nodes log names paths of this one run, of processes that may be dead: the trace says more.
    with _silence(), tempfile.TemporaryDirectory(prefix="p2pchat-world-", dir=_memory()) as scratch:

        async def main(clock: VirtualClock) -> Report:
            return await World(scenario, clock, Path(scratch), failures, tell=tell).run()

        failures: list[Exception] = []  # to be told even if the world cannot end
        try:
            try:
                return seeded_run(main, seed=scenario.seed, limit=10 * DAY)
            except Stuck as exc:
                failures = failures or [Broken("STUCK: who was killed does not end")]
                raise first_of(failures, exc) from None
        except Exception as exc:
            if scenario.again:
                exc.add_note(f"to see it again: p2pchat simulate {scenario.again}")
            raise


@contextmanager
def _silence() -> Iterator[None]:
    """Let nothing be logged by us, or by Trio for us."""
    logs = [logging.getLogger(name) for name in ("p2pchat", "trio")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _memory() -> str | None:
    """Return a directory in memory, if this system has one: the disks here need no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  (inside of it, one of our own)


@final
class World:
    """Everything there is, while one story is played."""

    def __init__(
        self,
        scenario: Scenario,
        clock: VirtualClock,
        scratch: Path,
        failures: list[Exception],
        *,
        tell: Tell = nobody,
    ) -> None:
        """Begin; what breaks is added to `failures`, and the first of them is the one to look at."""
        self.scenario = scenario
        self.scratch = scratch
        self.network: SimNetwork = SimNetwork(clock.current_time, dice(scenario.seed, "network"))
        self.network.pace = scenario.profile.pace
        self.trace: list[tuple[object, ...]] = []
        self.marks: Counter[str] = Counter()
        self.points: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.accounts: Accounts = Accounts()
        self.owners: Pins = {}  # who is where
        self.peers: list[Peer] = [Peer(self, number, name_of(number)) for number in range(scenario.profile.peers)]
        self.by_key: dict[bytes, Peer] = {peer.key: peer for peer in self.peers}
        self.owners |= {str(address): peer.key for peer in self.peers for address in peer.addresses}
        self._wiretap = Wiretap(secrets(self.peers))
        self.network.on_bytes = self._overhear
        self.over: bool = False  # what is still under way has no effect any more
        self._clock = clock
        self._tell = tell
        self._story = trio.CancelScope()
        self._lines: dict[tuple[int, int], Line] = {}
        self.cut: set[frozenset[str]] = set()  # pairs whose connection was reset at a byte
        self._gone_back: set[frozenset[int]] = set()  # between whom a backup may have made a gap
        self._gaps_due: dict[int, int] = {}  # by peer: messages that a backup made it miss
        self._failures = failures
        self._has_missed = False  # the fault that strikes now
        self._nursery: trio.Nursery | None = None

    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self._clock.now

    async def run(self) -> Report:
        """Play the story."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                with self._story:
                    await self._happen()
                self.over = True
                self._clock.end = self.now + GRACE
                for peer in self.peers:
                    peer.end()
        finally:
            for peer in self.peers:
                peer.disk.close()
        if self._failures:
            raise self._failures[0]
        said = sum(bool(said.id) for line in self._lines.values() for said in line.said)
        return Report(
            trace=tuple(self.trace),
            marks=self.marks,
            points=self.points,
            kills=self.kills,
            said=said,
            seconds=self.now,
            steps=self._clock.steps,
            faults=self.faults,
            accounts=self.accounts,
        )

    async def _happen(self) -> None:
        for peer in self.peers:
            peer.start()
        self.start_soon(self._say)
        for fault in self.scenario.faults:
            await trio.sleep_until(on_grid(fault.at))
            self.note("fault", type(fault).__name__)
            self._has_missed = False
            with self.judging():
                fault.strike(self)
            if not self._has_missed:
                self.faults[type(fault).__name__] += 1
        await trio.sleep_until(on_grid(max([0.0, *(say.at for say in self.scenario.says)])))
        self._heal()
        await self._calm_down()

    async def _say(self) -> None:
        for say in self.scenario.says:
            await trio.sleep_until(on_grid(say.at))
            peer = self.peers[say.who]
            if say.process < len(peer.running):  # the dead say nothing
                peer.running[say.process].say(say)

    def _overhear(self, lane: Lane, data: bytes) -> None:
        with self.judging():
            self._wiretap.hear(lane, data)

    # ---- the end of the story

    def _heal(self) -> None:
        self.note("healed")
        self.network.heal()
        for peer in self.peers:
            peer.ambushes.clear()
            peer.empty_disk()
            peer.hurry_disk()
            peer.start()
            for process in peer.running:
                if process.node is not None:
                    process.node.reconnect()

    async def _calm_down(self) -> None:
        """Wait until everything has arrived that has to."""
        time = time_to_calm_down(self.scenario)
        healed, pause = self.now, LOOKS
        while not self._is_calm():
            if self.now > healed + time:
                self.fail(Broken(f"STUCK: {time:.0f} seconds after healing {self._stuck()}"))
            await trio.sleep(on_grid(pause))
            pause *= SLACKENS
        self.note("calm", round(self.now - healed, 3), round(time, 3))
        with self.judging():
            self._judge_the_end()
        self.marks["gap told"] += sum(bool(peer.ask(GAPS)[0][0]) for peer in self.peers)

    def _is_calm(self) -> bool:
        return (
            all(peer.running and peer.drained and not peer.untold() for peer in self.peers)
            and all(line.finished() for line in self._lines.values())
            and not self._gaps_untold()
            and not unlinked(self)
        )

    def _gaps_untold(self) -> list[str]:
        """Return who has not been told that messages are missing, for good, because of a backup."""
        missing = [peer for peer in self.peers if self._gaps_due.get(peer.number)]
        return [peer.name for peer in missing if not peer.ask(GAPS)[0][0]]

    def _stuck(self) -> str:
        missing = [
            f"{line.name} {said.number}"
            for line in self._lines.values()
            for said in line.said
            if said.must_arrive and said.number not in line.heard
        ]
        waiting = [peer.name for peer in self.peers if not peer.drained]
        untold = [what for peer in self.peers for what in peer.untold()]
        found = {
            "have not arrived": missing,
            "have something to say": waiting,
            "were not told of a gap": self._gaps_untold(),
        }
        told = [f"{', '.join(names[:5])} {what}" for what, names in found.items() if names]
        told += [f"nobody was told that {what}" for what in untold[:5]]
        return "; ".join([*told, *unlinked(self)])

    def _judge_the_end(self) -> None:
        """Judge what the disks say in the end."""
        for peer in self.peers:
            self.measure(peer, is_quiet=True)
            for other in self.peers:
                if peer.ask(GAPS_OF, other.key)[0][0] and frozenset({peer.number, other.number}) not in self._gone_back:
                    raise Broken(f"GAP TOLD, and nothing is missing: {peer.name} of {other.name}")
                failed = {row[0] for row in peer.ask(FAILED, other.key)}
                line = self.line(peer, other)
                wrong = [said.number for said in line.said if said.id in failed and said.number in line.heard]
                if wrong and not peer.image:  # who lives on a backup may have withdrawn what had been delivered
                    raise Broken(f"FAILED, and heard: {line.name} {wrong}")

        self._settle({peer.number: peer.final_log() for peer in self.peers})

    def measure(self, peer: Peer, *, is_quiet: bool = False) -> None:
        """Judge how much the processes of a peer hold."""
        for process in peer.running:
            check_bounds(process, is_quiet=is_quiet)

    def _settle(self, logs: dict[int, Log]) -> None:
        """Find out what became of every message, from what all logs say."""
        for (one, other), line in self._lines.items():
            said, heard = logs[one].sent, logs[other].heard
            accounts = settle(line, said.get(self.peers[other].key, {}), heard.get(self.peers[one].key, ()))
            check_accounts(line.name, accounts)
            self.accounts += accounts
        self.marks["unknown, and said"] += self.accounts.recovered
        self.marks["unknown, and never said"] += self.accounts.never

    # ---- for peers and faults

    def start_soon(self, task: Callable[..., Awaitable[None]], *args: object) -> None:
        """Run a task for as long as the world lasts."""
        assert self._nursery is not None  # noqa: S101
        self._nursery.start_soon(task, *args)

    def at(self, time: float, what: Callable[[], None]) -> None:
        """Do something later."""
        self.start_soon(self._later, time, what)

    async def _later(self, time: float, what: Callable[[], None]) -> None:
        await trio.sleep_until(on_grid(time))
        if not self.over:
            what()

    def line(self, one: Peer, other: Peer) -> Line:
        """Return all that `one` says to `other`."""
        key = one.number, other.number
        if key not in self._lines:
            self._lines[key] = Line(f"{one.name}>{other.name}")
        return self._lines[key]

    def lines_to(self, peer: Peer) -> list[Line]:
        """Return all that the others say to `peer`."""
        return [self.line(other, peer) for other in self.peers if other is not peer]

    def wire(self, one: int, other: int) -> Wire | None:
        """Return the newest connection between two peers."""
        found = self.network.between(self.peers[one].name, self.peers[other].name)
        if not found:
            self.miss()
        return found[-1] if found else None

    def miss(self) -> None:
        """Note that what goes wrong now finds nothing to harm."""
        self._has_missed = True

    def went_back(self, peer: Peer, other: Peer, *, texts: Sequence[str], said: Sequence[object]) -> None:
        """Adjust what may be expected between the two: `peer` lives on a backup.

        Args:
          peer: whose profile it is.
          other: whom it talks to.
          texts: what the backup has heard of `other`, in order.
          said: ids of what the backup has said to it.
        """
        self.line(peer, other).sender_went_back(name for name in said if isinstance(name, bytes))
        queued = [row[0] for row in other.ask(QUEUED, peer.key)]
        lost = self.line(other, peer).receiver_went_back(texts, (name for name in queued if isinstance(name, bytes)))
        self._gone_back.add(frozenset({peer.number, other.number}))
        self._gaps_due[peer.number] = self._gaps_due.get(peer.number, 0) + lost

    def note(self, who: str, *what: object) -> None:
        """Add to the trace."""
        event = round(self.now, 6), who, *what
        self.trace.append(event)
        self._tell(*event)

    def was_cut(self, wire: Wire) -> None:
        """Note that a connection was reset at the byte that a fault had chosen."""
        self.mark("cut at a byte")
        self.cut.add(frozenset({wire.dialer.machine.name, wire.listener.machine.name}))

    def mark(self, what: str) -> None:
        """Count something that has to happen now and then, or the stories are too tame."""
        self.marks[what] += 1

    def fail(self, failure: Exception) -> None:
        """End the world."""
        self._failures.append(failure)
        self._story.cancel()

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Let a broken promise end the world, instead of the production code that called us."""
        try:
            yield
        except Broken as broken:
            self.fail(broken)
