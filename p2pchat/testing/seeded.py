"""Trio, run so that the same seed gives the same run: for programs whose time, dice and network come from an `Env`.

    heard = seeded_run(two_friends_on_a_bad_line, seed=7)

Time is virtual and jumps to the next deadline when everybody waits, so an hour of silence costs nothing. The order in
which Trio wakes tasks is drawn from the seed. Trio has no public way to say so yet: it keeps two private names for
Hypothesis, and this module is the one place that touches them (tests/testing/test_seeded.py is the canary).

Three things would still make two runs differ, and are looked after: finalizers (no garbage is collected during a run),
threads and the system's own clocks and dice (a tripwire: from inside the package they raise). What nobody can seed are
the dice inside OpenSSL, so ciphertext differs between runs: never let a trace hold any.
"""

from __future__ import annotations

import gc
import math
import pkgutil
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, final

import trio

T = TypeVar("T")

DAY = 86_400.0  # seconds
GRACE = 3_600.0  # virtual seconds in which whoever was cancelled comes to an end, with all timeouts that are left
WAKES = 1.0  # real seconds in which Trio has woken itself, on any machine
RACES = 5  # with eight tasks that race five times, equal runs by chance are out of the question

#: Where the outside world would come in. The package goes through `Env`; a call from inside it is a bug.
TRIPWIRES = (
    *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.sleep"),
    *("os.urandom", "os.getrandom", "random.random", "random.randrange", "random.shuffle", "uuid.uuid1", "uuid.uuid4"),
    *("threading.Thread.start", "trio.to_thread.run_sync"),
)


@final
class Stuck(AssertionError):
    """A run was not over when its virtual time was: somebody waits for what never comes."""


@final
class VirtualClock(trio.abc.Clock):
    """A clock that stands still while anything runs, and jumps to the next deadline when everybody waits.

    It is `trio.testing.MockClock` with autojump at two thirds of the cost; `trio.testing.wait_all_tasks_blocked` does
    not work under it, since under it nobody is ever seen to wait.
    """

    def __init__(self) -> None:
        self.now: float = 0.0  # seconds
        self._looked_at = -1  # steps, when nobody waited for a time
        self.end: float = math.inf  # when whoever still runs can only be one that nothing ends
        self.steps: int = 0  # how often a task has run until it waited: counted in `seeded_run`, the size of a run

    def start_clock(self) -> None:
        """Do nothing: time has begun."""

    def current_time(self) -> float:
        """Return the virtual time in seconds."""
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Jump to `deadline`, instead of sleeping; Trio asks only when nothing can run.

        Raises:
          Stuck: if time is over: no cancellation reaches a task that waits behind a shield.
        """
        if deadline == math.inf:
            return self._look_again()
        if deadline > self.end:
            raise Stuck
        self.now = max(self.now, deadline)
        return 0.0

    def _look_again(self) -> float:
        """Let Trio wake itself, for which it takes a real socket; if it does not, nothing will ever happen."""
        if self.end == math.inf:
            return math.inf  # a real hang, whose stacks a test runner can print
        if self._looked_at == self.steps:
            raise Stuck
        self._looked_at = self.steps
        return WAKES


@final
class _Steps(trio.abc.Instrument):
    """Counts on a clock how often a task has run until it waited."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002  (Trio's signature)
        """Count one."""
        self._clock.steps += 1


def seeded_run(main: Callable[[VirtualClock], Awaitable[T]], *, seed: object, limit: float = 10 * DAY) -> T:
    """Run `await main(clock)` under Trio and return its result; the same for the same `seed`.

    Args:
      main: gets the clock of the run, which its `Env` passes on.
      seed: decides the order in which tasks run. Let other dice depend on it too (`p2pchat.env.dice`).
      limit: virtual seconds after which the run is given up. Without any limit a deadlock would burn a CPU for ever.

    Raises:
      Stuck: if `main` has not returned by then; or if a task goes on until `clock.end`, since no cancellation reaches
        it: the run is given up, and none of its tasks is cleaned up.
      RuntimeError: if this Trio cannot be seeded.
    """
    clock = VirtualClock()
    clock.end = limit + GRACE
    results: list[T] = []
    told = f"not over after {limit:.0f} virtual seconds"

    async def limited() -> None:
        with trio.move_on_at(limit):
            results.append(await main(clock))

    with _seeded_scheduler(seed), _without_finalizers(), _tripwires():
        try:
            trio.run(limited, clock=clock, instruments=[_Steps(clock)])
        except trio.TrioInternalError as exc:
            if not isinstance(exc.__cause__, Stuck):
                raise
            _forget(exc)
            results.clear()
            told = f"a task goes on behind a shield after {clock.end - GRACE:.0f} virtual seconds, and nothing ends it"
    if not results:
        raise Stuck(f"seed {seed}: {told}")
    return results[0]


def first_of(failures: list[Exception], stuck: Stuck) -> Exception:
    """Return what a run that was given up has failed with, which is `stuck` if nothing went wrong before.

    Where it was raised becomes a note: a traceback would keep the tasks, and their ends would disturb somebody else.
    """
    if not failures:
        return stuck
    first = failures[0]
    if first.__traceback__ is not None:
        first.add_note("".join(["it was raised here:\n", *traceback.format_tb(first.__traceback__)]).rstrip())
    failures.clear()
    _forget(first)
    return first


def _forget(exc: BaseException) -> None:
    """Let go of all tasks of a run that is given up, without what Python has to say of each of them."""
    tells = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        exc.__traceback__ = exc.__cause__ = exc.__context__ = None
        gc.collect()
    finally:
        sys.unraisablehook = tells


def check_hook() -> None:
    """Make sure that runs can be seeded here: the same seed gives the same run, and another seed another one.

    Costs some milliseconds. Nothing that a simulation says is worth anything where this fails.

    Raises:
      RuntimeError: if they cannot: this Trio has moved or changed what `seeded_run` relies on.
    """
    same = {_raced(seed=7, disturbance=997 * number) for number in range(RACES)}
    other = {_raced(seed=seed, disturbance=0) for seed in range(RACES)}
    if len(same) > 1:
        raise RuntimeError(f"Trio {trio.__version__} cannot be seeded any more: the same seed gives other runs")
    if len(other) < RACES:
        raise RuntimeError(f"Trio {trio.__version__} cannot be seeded any more: other seeds give the same run")


def _raced(*, seed: int, disturbance: int) -> tuple[str, ...]:
    """Return the order in which eight tasks run that race: for an event, for a deadline, at the end of their nursery.

    Args:
      seed: of the scheduler.
      disturbance: so many objects lie about, which changes where the tasks lie, and the order of sets of them.
    """
    order: list[str] = []

    async def run(name: str, gun: trio.Event) -> None:
        for _ in range(3):
            await gun.wait()
            order.append(name)
            await trio.sleep(0.001)
        try:
            await trio.sleep_forever()
        finally:
            order.append(f"{name} ends")

    async def race() -> None:
        gun, heap = trio.Event(), [object() for _ in range(disturbance)]
        async with trio.open_nursery() as nursery:
            for number in range(8):
                nursery.start_soon(run, f"task {number}", gun)
            await trio.sleep(0.001)
            gun.set()
            await trio.sleep(1)
            nursery.cancel_scope.cancel()
        heap.clear()

    with _seeded_scheduler(seed):
        trio.run(race, clock=VirtualClock())
    return tuple(order)


@contextmanager
def _seeded_scheduler(seed: object) -> Iterator[None]:
    """Let Trio sort what can run, and shuffle it with dice of our own."""
    core: Any = sys.modules["trio._core._run"]
    if not {"_ALLOW_DETERMINISTIC_SCHEDULING", "_r"} <= vars(core).keys():
        raise RuntimeError(f"Trio {trio.__version__} has moved the names by which its scheduler is seeded")
    sorts, before = core._ALLOW_DETERMINISTIC_SCHEDULING, core._r.getstate()  # noqa: SLF001
    core._ALLOW_DETERMINISTIC_SCHEDULING = True  # noqa: SLF001
    core._r.seed(f"{seed}/scheduler")  # noqa: SLF001
    try:
        yield
    finally:
        core._ALLOW_DETERMINISTIC_SCHEDULING = sorts  # noqa: SLF001
        core._r.setstate(before)  # noqa: SLF001


@contextmanager
def _without_finalizers() -> Iterator[None]:
    """Collect no garbage for now, and all of it afterwards: finalizers run code at times that nobody chose."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        if collects:
            gc.enable()


@contextmanager
def _tripwires() -> Iterator[None]:
    """Let clocks, dice and threads raise where this package calls them; others (logging, pytest) need their clocks."""
    undo: list[tuple[Any, str, object]] = []
    for path in TRIPWIRES:
        home, _, name = path.rpartition(".")
        owner = pkgutil.resolve_name(home)
        if original := vars(owner).get(name):  # not every system has os.getrandom
            undo.append((owner, name, original))
            setattr(owner, name, _tripwire(path, original))
    try:
        yield
    finally:
        for owner, name, original in undo:
            setattr(owner, name, original)


def _tripwire(path: str, original: Callable[..., T]) -> Callable[..., T]:
    def call(*args: Any, **kwargs: Any) -> T:  # noqa: ANN401  (whatever the original takes)
        caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001  (inspect would cost ten times as much)
        if caller.partition(".")[0] == "p2pchat":
            raise AssertionError(f"{caller} uses {path}, which a seed cannot repeat: take it from Env")
        return original(*args, **kwargs)

    return call
