"""The hunt for a planted bug: stories of the simulated world, one after the other, until one breaks a promise.

    python -m tests.mutants.hunter KIND COUNT FIRST …      plays up to COUNT stories from each seed FIRST on

KIND is what `p2pchat simulate --faults` takes: `swarm` where each seed has its own mix of trouble, `haunted`, `cut=3`.

It is a process of its own, for it imports the package with the bug in it. It prints one line of JSON for each seed that
it began with: how many stories it took, and what was broken.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, final

from p2pchat.testing.judges.checker import Broken
from p2pchat.testing.story.options import Options, story
from p2pchat.testing.world import play

FIRST_SEEDS: Final = (0, 400, 800)
STORIES: Final = 150  # from each first seed; then the bug counts as not found
ENDLESS: Final = 240.0  # seconds for one story: it runs in circles or not at all, which is a way to be found
PATIENCE: Final = 7200.0  # seconds for a hunt, on a machine that has other things to do


@final
@dataclass(frozen=True, slots=True)
class Catch:
    """What a hunt has come to."""

    first: int  # the seed that it began with
    stories: int  # that it took, or that were played in vain
    verdict: str  # what was broken, in a word or two; empty: nothing was

    @property
    def seed(self) -> int:
        """The last story."""
        return self.first + self.stories - 1


def hunt(root: Path, kind: str, firsts: Sequence[int] = FIRST_SEEDS, *, count: int = STORIES) -> list[Catch]:
    """Play stories of `kind` with the package at `root`, from each of `firsts` on, until one breaks a promise.

    Raises:
      RuntimeError: if the hunter does not come back with an answer.
    """
    catches: list[Catch] = []
    while len(catches) < len(firsts):  # one process does them all, unless one story makes an end of it
        command = [sys.executable, "-B", "-m", "tests.mutants.hunter", kind, str(count)]
        command += map(str, firsts[len(catches) :])
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=PATIENCE)
        if done.returncode or not done.stdout:
            raise RuntimeError(f"the hunter has failed:\n{done.stderr}")
        catches += [Catch(**json.loads(line)) for line in done.stdout.splitlines()]
    return catches


def verdict_of(error: BaseException) -> str:
    """Return the first words of a broken promise, or the name of what production code raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).partition(":")[0] if isinstance(error, Broken) else type(error).__name__


def breaks(kind: str, seed: int) -> str:
    """Play one story; return what it broke, or nothing."""
    try:
        play(story(seed, Options(faults=kind)))
    except Exception as exc:  # noqa: BLE001  (whatever it is, the bug was seen)
        return verdict_of(exc)
    return ""


def _hunt(kind: str, first: int, count: int) -> None:
    """Hunt from one seed on, and say what came of it."""
    stories, verdict = 0, ""

    def give_up(*_: object) -> None:
        _say(Catch(first, stories, "NO END"))
        os._exit(0)  # whoever runs in circles here catches exceptions, too

    signal.signal(signal.SIGALRM, give_up)
    while stories < count and not verdict:
        signal.setitimer(signal.ITIMER_REAL, ENDLESS)
        stories += 1
        verdict = breaks(kind, first + stories - 1)
    signal.setitimer(signal.ITIMER_REAL, 0)
    _say(Catch(first, stories, verdict))


def _say(catch: Catch) -> None:
    sys.stdout.write(json.dumps(asdict(catch)) + "\n")
    sys.stdout.flush()


def main(arguments: Sequence[str]) -> None:
    """Hunt."""
    gc.freeze()  # what is loaded is no garbage, and need not be looked through after every story
    kind, count, *firsts = arguments
    for first in firsts:
        _hunt(kind, int(first), int(count))


if __name__ == "__main__":
    main(sys.argv[1:])
