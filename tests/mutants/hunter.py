"""The hunt for a planted bug: stories of the simulated world, one after the other, until one breaks a promise.

    python -m tests.mutants.hunter KIND FIRST COUNT       plays up to COUNT stories from seed FIRST on
    python -m tests.mutants.hunter KIND:SEED …            plays these stories, all of them

It is a process of its own, for it imports the package with the bug in it. What it finds is one line of JSON for each
story that broke something.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from p2pchat.testing import scenario
from p2pchat.testing.checker import Broken
from p2pchat.testing.scenario import Scenario
from p2pchat.testing.world import play

FIRST_SEEDS: Final = (0, 400, 800)
STORIES: Final = 150  # from each first seed; then the bug counts as not found
ENDLESS: Final = 60.0  # CPU seconds for one story: it runs in circles, which is a way to be found
PATIENCE: Final = 7200.0  # seconds for a hunt, on a machine that has other things to do

#: Stories in which people do what people do; in which old bytes come after a backup; in which links overlap. And
#: ``at:POINT``: somebody dies at that point (`p2pchat.testing.watch.POINTS`).
AT: Final = "at:"
KINDS: Final[dict[str, Callable[[int], Scenario]]] = {"drawn": scenario.draw, "haunted": scenario.haunted}


@final
@dataclass(frozen=True, slots=True)
class Catch:
    """What a hunt has come to."""

    stories: int  # that it took; STORIES if none of them broke anything
    seed: int | None  # of the one that did
    verdict: str  # what was broken, in a word or two


def hunt(root: Path, kind: str, first: int, *, count: int = STORIES) -> Catch:
    """Play stories of `kind` with the package at `root`, from the seed `first` on, until one breaks a promise."""
    found = _played(root, [kind, str(first), str(count)])
    if not found:
        return Catch(count, None, "")
    seed, verdict = found[0]
    return Catch(seed - first + 1, seed, verdict)


def broken(root: Path, stories: Iterable[tuple[str, int]]) -> list[tuple[int, str]]:
    """Return seed and verdict of each of `stories`, by kind and seed, that breaks a promise with the package there."""
    return _played(root, [f"{kind}:{seed}" for kind, seed in stories])


def _played(root: Path, arguments: Sequence[str]) -> list[tuple[int, str]]:
    command = [sys.executable, "-B", "-m", "tests.mutants.hunter", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode:
        raise RuntimeError(f"the hunter has failed:\n{done.stderr}")
    return [(found["seed"], found["verdict"]) for found in map(json.loads, done.stdout.splitlines())]


def teller(kind: str) -> Callable[[int], Scenario]:
    """Return who tells the stories of a kind, by seed."""
    if kind.startswith(AT):
        return lambda seed: scenario.aimed(seed, kind.removeprefix(AT))
    return KINDS[kind]


def verdict_of(error: BaseException) -> str:
    """Return the first words of a broken promise, or the name of what production code raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).partition(":")[0] if isinstance(error, Broken) else type(error).__name__


def breaks(kind: str, seed: int) -> bool:
    """Play one story and say what it broke, if anything; return whether it did."""

    def give_up(*_: object) -> None:
        _say(seed, "NO END")
        os._exit(0)  # whoever runs in circles here catches exceptions, too

    signal.signal(signal.SIGPROF, give_up)
    signal.setitimer(signal.ITIMER_PROF, ENDLESS)
    try:
        play(teller(kind)(seed))
    except Exception as exc:  # noqa: BLE001  (whatever it is, the bug was seen)
        _say(seed, verdict_of(exc))
        return True
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return False


def _say(seed: int, verdict: str) -> None:
    sys.stdout.write(json.dumps({"seed": seed, "verdict": verdict}) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Hunt."""
    gc.freeze()
    match arguments:
        case [kind, first, count] if first.isdecimal():
            any(breaks(kind, seed) for seed in range(int(first), int(first) + int(count)))
        case stories:
            for kind, _, seed in (story.rpartition(":") for story in stories):
                breaks(kind, int(seed))


if __name__ == "__main__":
    main(sys.argv[1:])
