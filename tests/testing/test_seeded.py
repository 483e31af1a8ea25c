"""A seeded run is the same run every time, in every process; and the two private names of Trio are still there."""

from __future__ import annotations

import gc
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
import trio._core._run as scheduler

from p2pchat import env
from p2pchat.testing import seeded
from p2pchat.testing.seeded import Stuck, VirtualClock, seeded_run

RUNS = 12  # with eight tasks that race five times, two equal runs by chance are out of the question


@pytest.fixture(autouse=True)
def nothing_to_collect() -> Iterator[None]:
    """What pytest has loaded is looked through after no run: that would be most of the time that these tests take."""
    gc.freeze()
    yield
    gc.unfreeze()


async def race(clock: VirtualClock) -> list[tuple[float, str]]:
    """Let eight tasks race: for an event, for the end of a cancelled nursery, for the same deadline."""
    trace: list[tuple[float, str]] = []
    gun, heap = trio.Event(), [object() for _ in range(random.randrange(1000))]  # disturbs what `id` returns

    async def run(name: str) -> None:
        for _ in range(3):
            await gun.wait()
            trace.append((clock.now, name))
            await trio.sleep(0.001)
        try:
            await trio.sleep_forever()
        finally:
            trace.append((clock.now, f"{name} ends"))

    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(run, f"task {number}")
        await trio.sleep(0.001)
        gun.set()
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    heap.clear()
    return trace


def traces(*seeds: int) -> int:
    return len({tuple(seeded_run(race, seed=seed)) for seed in seeds})


def test_one_seed_is_one_run_and_other_seeds_are_other_runs() -> None:
    assert traces(*[7] * RUNS) == 1
    assert traces(*range(RUNS)) == RUNS


@contextmanager
def only(*, sorts: bool, seeds: bool) -> Iterator[None]:
    """Undo one half of what `seeded_run` does to Trio's scheduler, or both."""
    original = seeded._seeded_scheduler

    @contextmanager
    def half(seed: object) -> Iterator[None]:
        with original(seed):
            vars(scheduler)["_ALLOW_DETERMINISTIC_SCHEDULING"] = sorts  # to a checker the name is final
            if not seeds:
                scheduler._r.seed(random.randbytes(16))
            yield

    seeded._seeded_scheduler = half
    try:
        yield
    finally:
        seeded._seeded_scheduler = original


@pytest.mark.parametrize(("sorts", "seeds"), [(False, False), (False, True), (True, False)])
def test_both_of_trios_names_are_needed(*, sorts: bool, seeds: bool) -> None:
    """The canary: if one of the names stops having an effect, or stops being needed, this tells."""
    with only(sorts=sorts, seeds=seeds):
        assert traces(*[7] * RUNS) > 1
    with only(sorts=True, seeds=True):
        assert traces(*[7] * RUNS) == 1


@pytest.mark.parametrize(("sorts", "seeds"), [(False, False), (False, True), (True, False)])
def test_a_hook_without_effect_is_noticed(*, sorts: bool, seeds: bool) -> None:
    with only(sorts=sorts, seeds=seeds), pytest.raises(RuntimeError, match="the same seed gives other runs"):
        seeded.check_hook()


def test_a_hook_that_makes_all_runs_the_same_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = seeded._seeded_scheduler
    monkeypatch.setattr(seeded, "_seeded_scheduler", lambda _: seeds("always this one"))
    with pytest.raises(RuntimeError, match="other seeds give the same run"):
        seeded.check_hook()


def test_the_hook_is_where_it_was_and_does_what_it_did() -> None:
    seeded.check_hook()


def test_steps_are_counted() -> None:
    async def wait(clock: VirtualClock) -> int:
        await trio.sleep(1)  # Trio's own tasks begin, too
        before = clock.steps
        for _ in range(10):
            await trio.sleep(1)
        return clock.steps - before

    assert seeded_run(wait, seed=1) == 10


@pytest.mark.parametrize("name", ["_r", "_ALLOW_DETERMINISTIC_SCHEDULING"])
def test_a_trio_that_cannot_be_seeded_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(scheduler, name)
    with pytest.raises(RuntimeError, match="has moved the names"):
        seeded_run(race, seed=1)
    with pytest.raises(RuntimeError, match="has moved the names"):
        seeded.check_hook()


def test_the_scheduler_is_as_it_was_afterwards() -> None:
    before = scheduler._r.getstate(), scheduler._ALLOW_DETERMINISTIC_SCHEDULING
    seeded_run(race, seed=1)
    assert (scheduler._r.getstate(), scheduler._ALLOW_DETERMINISTIC_SCHEDULING) == before


@pytest.mark.slow
def test_other_processes_with_other_hash_seeds_run_the_same() -> None:
    program = "from tests.testing.test_seeded import *; print(seeded_run(race, seed=7))"
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": str(seed)}, stdout=subprocess.PIPE
        )
        for seed in range(3)
    ]
    assert {run.communicate()[0].decode().strip() for run in runs} == {str(seeded_run(race, seed=7))}


def test_a_year_takes_no_time_and_a_run_without_end_is_told() -> None:
    async def wait(clock: VirtualClock) -> float:
        await trio.sleep(365 * seeded.DAY)
        return clock.now

    began = time.perf_counter()
    assert seeded_run(wait, seed=1, limit=400 * seeded.DAY) == 365 * seeded.DAY
    with pytest.raises(Stuck, match="seed 1: not over after 864000 virtual seconds"):
        seeded_run(wait, seed=1)
    assert time.perf_counter() - began < 5


def test_a_clock_of_the_system_is_a_tripwire_inside_the_package() -> None:
    async def read_clocks(_: VirtualClock) -> float:
        assert time.time() > 0  # nobody minds in here
        here = sys._getframe().f_globals
        here["__name__"], ours = "p2pchat.somewhere", here["__name__"]
        try:
            return time.monotonic()
        finally:
            here["__name__"] = ours

    with pytest.raises(AssertionError, match=r"p2pchat\.somewhere uses time\.monotonic, which a seed cannot repeat"):
        seeded_run(read_clocks, seed=1)
    assert time.monotonic.__module__ == "time"


def test_dice_depend_on_their_names_alone() -> None:
    assert env.dice(7, "network").random() == env.dice(7, "network").random()
    assert env.dice(7, "network").random() != env.dice(7, "peers").random()


async def wait_behind_a_shield(end: float) -> float:
    with trio.CancelScope(shield=True):
        while trio.current_time() < end:  # noqa: ASYNC110  (as a program with timers does)
            await trio.sleep(10)
    return trio.current_time()


def test_a_task_that_nothing_ends_does_not_run_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Stuck, match="seed 1: a task goes on behind a shield after 100 virtual seconds"):
        seeded_run(lambda _: wait_behind_a_shield(end=math.inf), seed=1, limit=100)
    assert capsys.readouterr().err == ""


def test_a_task_that_waits_for_nothing_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(_: VirtualClock) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()

    monkeypatch.setattr(seeded, "WAKES", 0.05)
    with pytest.raises(Stuck):
        seeded_run(wait, seed=1, limit=100)


def test_whoever_was_cancelled_has_a_while_to_end() -> None:
    assert seeded_run(lambda _: wait_behind_a_shield(end=200), seed=1, limit=100) == 200


def test_an_error_inside_trio_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise trio.TrioInternalError

    monkeypatch.setattr(trio, "run", run)
    with pytest.raises(trio.TrioInternalError):
        seeded_run(race, seed=1)
