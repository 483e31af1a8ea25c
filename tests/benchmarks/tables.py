"""Medians of rounds, as text."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.benchmarks import attack, past
from tests.benchmarks.race import Benchmark, Contender, Round

SHOWN: dict[str, Callable[[Round], float]] = {  # seconds
    "dialer": lambda one: one.dialer.cpu,
    "listener": lambda one: one.listener.cpu,
    "time": lambda one: one.dialer.time,
}
JUDGED: dict[str, Callable[[Round], float]] = {
    "by CPU": lambda one: one.dialer.cpu + one.listener.cpu,
    "by time": lambda one: one.dialer.time,
}


def of_race(benchmark: Benchmark, scheme: str, count: int, results: dict[Contender, list[Round]]) -> str:
    """Return the table of one benchmark over one transport."""
    measure, *_ = results.values()
    title = f"{benchmark.title}, {scheme}"
    rounds = f"{len(measure)} rounds of {count:,}, µs each"
    lines = [
        f"{title:36}{'CPU':>10}{'CPU':>10}{'':10}{'speed':>10}{'speed':>10}",
        f"{rounds:36}" + "".join(f"{name:>10}" for name in (*SHOWN, *JUDGED)) + "  goal",
    ]
    for contender, own in results.items():
        costs = [statistics.median(map(cost, own)) * 1e6 for cost in SHOWN.values()]
        # Round by round, since what else went on was nearly the same for both.
        pairs = list(zip(measure, own, strict=True))
        speeds = [statistics.median(cost(its) / cost(ours) for its, ours in pairs) for cost in JUDGED.values()]
        numbers = "".join(f"{number:10.2f}" for number in (*costs, *speeds))
        lines.append(f"{contender.title:36}{numbers}  {contender.goal}".rstrip())
    return "\n".join(lines)


def of_commands(spent: dict[str, float]) -> str:
    """Return the table of what commands cost to start."""
    measure, *_ = spent.values()
    lines = [f"{'start':36}{'CPU, ms':>10}{'times':>10}"]
    lines += [f"{name:36}{seconds * 1e3:10.1f}{seconds / measure:10.1f}" for name, seconds in spent.items()]
    return "\n".join(lines)


def of_past(spent: dict[str, float], count: int) -> str:
    """Return the table of what looks into a long history take."""
    lines = [f"{f'history of {count:,}':36}{'time, ms':>10}"]
    lines += [
        f"{name:36}{seconds * 1e3:10.1f}" + (f"  < {past.GOAL:.0f}" if name.startswith("grep") else "")
        for name, seconds in spent.items()
    ]
    return "\n".join(lines)


def of_attacks(rows: Sequence[attack.Row]) -> str:
    """Return what the attacks have cost."""
    heads = ("tries", "CPU, %", "MiB", "open", "tasks", "disk, MiB", "trips", "p50, ms", "p99, ms")
    lines = [f"{'the node at its worst':46}" + "".join(f"{head:>10}" for head in heads)]
    for row in rows:
        used, trips = row.used, sorted(row.trips) or [float("inf")]
        p50, p99 = statistics.median(trips) * 1e3, trips[min(len(trips) - 1, len(trips) * 99 // 100)] * 1e3
        memory, disk = used.memory / 2**20, used.disk / 2**20
        lines.append(
            f"{row.title:46}{row.tries:10}{used.cpu * 100:10.0f}{memory:10.1f}{used.descriptors:10}{used.tasks:10}"
            f"{disk:10.1f}{len(row.trips):10}{p50:10.1f}{p99:10.1f}"
        )
    return "\n".join(lines)
