"""Benchmarks and their contenders; each round of a contender is two fresh processes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.benchmarks.meter import Spent

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to do the work of a benchmark."""

    title: str
    sides: str  # module and function, as `side.py` takes them
    goal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The same work, done by several; the first one is the measure of the others."""

    name: str
    title: str
    count: int  # units of work in one round
    contenders: tuple[Contender, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round has cost each side."""

    dialer: Spent
    listener: Spent


BENCHMARKS = (
    Benchmark(
        name="stream",
        title="64 B messages, one way",
        count=200_000,
        contenders=(
            Contender(title="bare Trio, joined by hand", sides="bare_trio.Stream"),
            Contender(title="p2pchat, send_many", sides="p2pchat_node.Batches", goal="by CPU >= 0.45"),
            Contender(title="p2pchat, send_many, on the disk", sides="p2pchat_node.KeptBatches", goal="by CPU >= 0.18"),
            Contender(title="p2pchat, one send() each", sides="p2pchat_node.OneByOne", goal="by CPU >= 0.35"),
        ),
    ),
    Benchmark(
        name="echo",
        title="64 B round trips",
        count=4_000,
        contenders=(
            Contender(title="bare Trio", sides="bare_trio.Echo"),
            Contender(title="bare blocking sockets", sides="bare_sockets.Echo"),
            Contender(title="p2pchat", sides="p2pchat_node.Echo", goal="by time >= 0.50"),
            Contender(title="p2pchat, on the disk", sides="p2pchat_node.KeptEcho"),
        ),
    ),
    Benchmark(
        name="setup",
        title="dial, let in, leave",
        count=200,
        contenders=(
            Contender(title="bare Trio, a byte each way", sides="bare_trio.Setup"),
            Contender(title="p2pchat", sides="p2pchat_node.Setup"),
        ),
    ),
)


def run(benchmark: Benchmark, scheme: str, *, count: int, rounds: int) -> dict[Contender, list[Round]]:
    """Let the contenders take turns over `scheme`, and return what each of their rounds has cost."""
    results: dict[Contender, list[Round]] = {contender: [] for contender in benchmark.contenders}
    for _ in range(rounds):
        for contender in benchmark.contenders:
            results[contender].append(run_round(contender, scheme, count=count))
    return results


def run_round(contender: Contender, scheme: str, *, count: int) -> Round:
    """Let `contender` do the work once, in two processes."""
    with contextlib.ExitStack() as stack:
        where = "tcp:127.0.0.1:0"
        if scheme == "unix":
            where = f"unix:{stack.enter_context(tempfile.TemporaryDirectory(dir='/tmp'))}/socket"
        listener = _start(stack, "listen", contender.sides, where, str(count))
        dialer = _start(stack, "dial", contender.sides, _line(listener), str(count))
        return Round(dialer=Spent(**json.loads(_line(dialer))), listener=Spent(**json.loads(_line(listener))))


def _start(stack: contextlib.ExitStack, *arguments: str) -> IO[str]:
    """Start a side, which ends with `stack` at the latest; return what it prints."""
    command = [sys.executable, "-m", "tests.benchmarks.side", *arguments]
    process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    assert process.stdout
    return process.stdout


def _line(output: IO[str]) -> str:
    line = output.readline().strip()
    if not line:
        raise RuntimeError("one side has failed; its error is above")
    return line
