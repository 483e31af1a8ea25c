"""A world for your own tests: hosts, a network and disks that break when you say so, the same in every run of a seed.

    async def story(world: Simulation) -> None:
        bot, you = world.host("bot"), world.host("you")
        bot.start(echo)
        async with open_node(you.identity, env=you.env) as node:
            session = await node.dial(bot.address, retry=True)
            world.wire("you", "bot").cut_after(100, there=True)
            await session.send("hello")
            ...

    simulate(story, seed=7)

Time is virtual: an hour of silence costs nothing. `docs/howto/simulate.md` shows whole programs, and
`docs/howto/test-a-bot.md` a bot that is killed all the time; under pytest, `p2pchat.testing.plugin` has a fixture.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, final

import trio

from p2pchat.env import dice
from p2pchat.testing.judges.checker import Broken, Line
from p2pchat.testing.lanes import on_grid
from p2pchat.testing.seeded import DAY, GRACE, Stuck, VirtualClock, first_of, seeded_run
from p2pchat.testing.simhost import Host
from p2pchat.testing.simlogs import logs_of_the_living
from p2pchat.testing.simnet import SimNetwork
from p2pchat.testing.trouble import TROUBLES, strike

if TYPE_CHECKING:
    import random

    from p2pchat.testing.simwire import Wire

T = TypeVar("T")

HOUR: Final = 3600.0  # seconds
FIRST_LOOK: Final = 0.05  # virtual seconds after which to see whether something has come true ...
LONGEST: Final = 1.0  # ... and between two later looks, at the most


def simulate(main: Callable[[Simulation], Awaitable[T]], *, seed: object = 0, limit: float = DAY) -> T:
    """Run `await main(world)` in a world of its own and return its result; the same for the same `seed`.

    When `main` returns, every program that still runs is killed.

    Args:
      main: the story.
      seed: decides everything that chance decides.
      limit: virtual seconds after which the run is given up.

    Raises:
      Stuck: if `main` has not returned by then, or if a program goes on behind a shield, and nothing can end it.
      Exception: what `main`, or a program that was alive, has raised; a note names the seed.
      RuntimeError: if this Trio cannot be seeded, or if Trio runs already: a test that simulates is a plain function.
    """

    async def run(clock: VirtualClock) -> T:
        return await Simulation(seed, clock, failures).run(main)

    failures: list[Exception] = []
    try:
        with logs_of_the_living():
            try:
                return seeded_run(run, seed=seed, limit=limit)
            except Stuck as exc:
                raise first_of(failures, exc) from None
    except Exception as exc:
        exc.add_note(f"simulated with seed={seed!r}")
        raise


def simulate_many(
    main: Callable[[Simulation], Awaitable[object]], *, seeds: Iterable[object], limit: float = DAY, again: str = ""
) -> None:
    """Run the same story once for each of `seeds`, and stop at the first that fails.

    Args:
      main: the story.
      seeds: one world for each.
      limit: virtual seconds for each.
      again: how the reader of a failure plays that seed alone, with ``{seed}`` in its place.

    Raises:
      Exception: what `simulate` raises; notes name the seed, and say how to see it again.
    """
    for seed in seeds:
        try:
            simulate(main, seed=seed, limit=limit)
        except Exception as exc:
            if again:
                exc.add_note(f"to see it again: {again.format(seed=seed)}")
            raise


@final
class Simulation:
    """Everything there is, while one story is told. `simulate` makes it."""

    def __init__(self, seed: object, clock: VirtualClock, failures: list[Exception]) -> None:
        """Use `simulate`."""
        self.seed = seed
        self.clock = clock
        self.network: SimNetwork = SimNetwork(clock.current_time, dice(seed, "network"))
        self.hosts: dict[str, Host] = {}
        self.lines: dict[str, Line] = {}
        self._dice = dice(seed, "troubles")
        self._files = ExitStack()
        self._scratch: Path | None = None
        self._story = trio.CancelScope()
        self._failures = failures  # the first of them is the one that is raised
        self._nursery: trio.Nursery | None = None
        self._over = False

    @property
    def now(self) -> float:
        """Virtual seconds since the beginning."""
        return self.clock.now

    def host(self, name: str) -> Host:
        """Return the host with this name, put there on first mention.

        Raises:
          ValueError: if it cannot be one: what a host keeps is in a directory of this name.
        """
        if name not in self.hosts:
            if "/" in name or name in {"", ".", ".."}:
                raise ValueError(f"no host can be called {name!r}")
            self.hosts[name] = Host(self, name)
        return self.hosts[name]

    def dice(self, *names: object) -> random.Random:
        """Return dice of the story's own: what they throw follows from the seed and from `names`."""
        return dice(self.seed, "story", *names)

    def line(self, name: str) -> Line:
        """Return the checker with this name: what was accepted there arrives once, whole and in order."""
        return self.lines.setdefault(name, Line(name))

    # ---- what happens to networks

    def wire(self, one: str, other: str) -> Wire:
        """Return the newest connection between two hosts.

        Raises:
          LookupError: if there is none.
        """
        found = self.network.between(one, other)
        if not found:
            raise LookupError(f"there is no connection between {one!r} and {other!r} now")
        return found[-1]

    def part(self, one: str, other: str, *, seconds: float) -> None:
        """Let nothing pass between two hosts for a while; connections stall, and live if nobody gives them up."""
        self.network.cut_off(one, other, until=self.now + seconds)

    async def trouble(self, *kinds: str, times: int = 10, within: float = 60.0) -> None:
        """Let faults strike, drawn from the seed; return when the last one has.

        Args:
          kinds: names from `trouble.TROUBLES`; none: all of them.
          times: how many.
          within: virtual seconds over which they are spread.

        Raises:
          ValueError: if a kind is unknown.
        """
        if unknown := set(kinds) - TROUBLES.keys():
            raise ValueError(f"no such trouble: {sorted(unknown)}; there is {sorted(TROUBLES)}")
        start = self.now
        for moment in sorted(self._dice.uniform(0, within) for _ in range(times)):
            await trio.sleep_until(on_grid(start + moment))
            strike(self._dice.choice(kinds or tuple(TROUBLES)), self, self._dice)

    def heal(self) -> None:
        """Let every connection go on and start every program that a death has ended."""
        self.network.heal()
        for host in self.hosts.values():
            host.kill_when()
            host.start()

    # ---- waiting

    async def until(self, condition: Callable[[], object], *, within: float = HOUR) -> None:
        """Wait until `condition()` is true: it is looked at often in the beginning, and later once in a second.

        Raises:
          Stuck: if it is not after so many virtual seconds.
        """
        end, pause = self.now + within, FIRST_LOOK
        while not condition():
            if self.now >= end:
                raise Stuck(f"seed {self.seed}: not so after {within:.0f} virtual seconds")
            await trio.sleep(pause)
            pause = min(1.5 * pause, LONGEST)

    async def settle(self, *, within: float = HOUR) -> None:
        """Heal everything; return when all that was accepted on any line has arrived.

        Raises:
          Broken: if something has not after so many virtual seconds.
        """
        self.heal()
        try:
            await self.until(lambda: all(line.finished() for line in self.lines.values()), within=within)
        except Stuck:
            missing = [f"{line.name} {said.number}" for line in self.lines.values() for said in line.missing()]
            raise Broken(f"LOST: {within:.0f} seconds after all was healed, {missing[:5]} have not arrived") from None

    # ---- for hosts

    @property
    def scratch(self) -> Path:
        """A directory of the real machine that is gone when the simulation is over."""
        if self._scratch is None:
            self._scratch = Path(self._files.enter_context(tempfile.TemporaryDirectory(prefix="p2pchat-simulation-")))
        return self._scratch

    def start_soon(self, task: Callable[..., Awaitable[object]], *args: object) -> None:
        """Run a task for as long as the simulation lasts."""
        assert self._nursery is not None  # noqa: S101
        if not self._over:
            self._nursery.start_soon(self._guarded, task, *args)

    def at(self, time: float, what: Callable[[], object]) -> None:
        """Do something at a virtual time."""

        async def later() -> None:
            await trio.sleep_until(on_grid(time))
            if not self._over:
                what()

        self.start_soon(later)

    def fail(self, failure: Exception) -> None:
        """End the simulation; the first failure is the one that `simulate` raises."""
        self._failures.append(_plain(failure))
        self._story.cancel()

    async def run(self, main: Callable[[Simulation], Awaitable[T]]) -> T:
        """Tell the story; called once, by `simulate`."""
        results: list[T] = []
        with self._files:
            try:
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    with self._story:
                        await self._guarded(self._tell, main, results)
                    self._over = True
                    self.clock.end = self.now + GRACE
                    for host in self.hosts.values():
                        host.kill()
                    nursery.cancel_scope.cancel()
            finally:
                for host in self.hosts.values():
                    host.close()
        if self._failures:
            raise self._failures[0]
        return results[0]

    async def _tell(self, main: Callable[[Simulation], Awaitable[T]], results: list[T]) -> None:
        results.append(await main(self))

    async def _guarded(self, task: Callable[..., Awaitable[object]], *args: object) -> None:
        try:
            await task(*args)
        except Exception as exc:  # noqa: BLE001  (it is raised again, by `simulate`, as what it is)
            self.fail(exc)


def _plain(failure: Exception) -> Exception:
    """Return what is inside groups of one: Trio wraps what leaves a nursery."""
    while isinstance(failure, ExceptionGroup) and len(failure.exceptions) == 1:
        failure = failure.exceptions[0]
    return failure
