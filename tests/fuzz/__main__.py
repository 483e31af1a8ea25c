"""Guess inputs that break a promise, guided by what code they reach: `python -m tests.fuzz [--seconds N] [TARGET …]`.

Each target begins with its seeds, with what earlier runs found worth keeping (``.fuzz/TARGET``, and the lines of
``tests/fuzz/corpus``), and with a dictionary of pieces that chance would not find. An input that breaks a promise is
kept under ``tests/fuzz/found/TARGET``, from where `test_corpus.py` plays it in every run of the tests until it is
mended, and ever after. ``--keep`` writes the least inputs that reach everything reached so far to the corpus.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, final

from tests.fuzz.catalogue import TARGETS
from tests.fuzz.corpus import FOUND, ROOT, found, kept, write_kept

WORK: Final = ROOT / ".fuzz"
SECONDS: Final = 60  # for each target
LIMITS: Final = ("-rss_limit_mb=1024", "-timeout=20")  # of one input; both are found like any broken promise
LONGEST_KEPT: Final = (
    1500  # bytes of an input in the corpus: it is read by people, and played by every run of the tests
)

_EXECUTED: Final = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_REACHED: Final = re.compile(r"cov: (\d+) ft: (\d+)")


@final
@dataclass(frozen=True)
class Outcome:
    """What libFuzzer said of one target."""

    executions: int
    edges: int  # of the bytecode of p2pchat that were reached
    features: int  # edges, and how often each: what guides the search
    broken: bool

    @classmethod
    def read(cls, output: str, *, broken: bool) -> Self:
        """Return what the last lines of `output` say."""
        executed = _EXECUTED.findall(output) or ["0"]
        edges, features = (_REACHED.findall(output) or [("0", "0")])[-1]
        return cls(int(executed[-1]), int(edges), int(features), broken)


def prepare(name: str) -> tuple[Path, Path]:
    """Write what the target begins with; return its directory of inputs and its dictionary."""
    inputs = WORK / name
    inputs.mkdir(parents=True, exist_ok=True)
    for data in {*TARGETS[name].seeds(), *kept(name), *found(name)}:
        _write(inputs, data)
    dictionary = WORK / f"{name}.dict"
    tokens = dict.fromkeys(token for token in TARGETS[name].tokens() if token)
    lines = ("".join(f"\\x{byte:02x}" for byte in token[:60]) for token in tokens)
    dictionary.write_text("".join(f'"{line}"\n' for line in lines), encoding="ascii")
    return inputs, dictionary


def _write(directory: Path, data: bytes) -> None:
    (directory / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def one(name: str, *arguments: str) -> tuple[int, str]:
    """Run libFuzzer on a target; return its exit code and what it said."""
    command = [sys.executable, "-m", "tests.fuzz.one", name, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


def fuzz(name: str, seconds: int) -> Outcome:
    """Search for `seconds`, or until a promise is broken."""
    inputs, dictionary = prepare(name)
    cases = FOUND / name
    cases.mkdir(parents=True, exist_ok=True)
    limits = (*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={cases}/")
    code, output = one(name, str(inputs), f"-dict={dictionary}", "-print_final_stats=1", *limits)
    if code:
        sys.stdout.write(output[-4000:])
    elif not any(cases.iterdir()):
        cases.rmdir()
    return Outcome.read(output, broken=code != 0)


def keep(name: str) -> int:
    """Write the least inputs that reach what all of them reach to the corpus; return how many those are."""
    inputs, _ = prepare(name)
    seeds = set(TARGETS[name].seeds())
    with tempfile.TemporaryDirectory() as least:
        one(name, "-merge=1", least, str(inputs))
        small = {path.read_bytes() for path in Path(least).iterdir() if path.stat().st_size <= LONGEST_KEPT}
    write_kept(name, small - seeds)
    return len(small - seeds)


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Guess inputs that break a promise.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all of them if none")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for each target (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="only write what was reached so far to tests/fuzz/corpus")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    if unknown := set(asked.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    broken = False
    for name in asked.targets or TARGETS:
        if asked.keep:
            sys.stdout.write(f"{name}: {keep(name)} inputs kept\n")
            continue
        outcome = fuzz(name, asked.seconds)
        broken = broken or outcome.broken
        rate = outcome.executions / asked.seconds
        sys.stdout.write(
            f"{name:<10} {outcome.executions:>9} executions {rate:>7.0f}/s  {outcome.edges:>5} edges "
            f"{outcome.features:>6} features  {'BROKEN' if outcome.broken else 'holds'}\n"
        )
        sys.stdout.flush()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
