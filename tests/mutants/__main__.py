"""Plant each bug of the catalogue in a copy of the project and see who notices: `python -m tests.mutants [WORD …]`.

Every bug is judged by the tests that are named for it. Those that can show in the simulated world are judged there,
too: stories are played from three first seeds until one breaks a promise, and a table at the end tells how many it
took. Arguments are words: only bugs with one of them in their name are tried, and `world` stands for all that the world
judges. The exit code is 1 if any survived.
"""

from __future__ import annotations

import argparse
import compileall
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final, final

from tests.mutants import hunter
from tests.mutants.catalogue import all_mutants
from tests.mutants.mutant import Mutant

ROOT: Final = Path(__file__).parent.parent.parent
COPIED: Final = ("p2pchat", "tests", "pyproject.toml")
TIMEOUT: Final = 240.0  # seconds for one test: a mutant may loop
UNHARMED_TIMEOUT: Final = 3600.0  # seconds for all of them without a mutant
FAILED: Final = 1  # pytest's exit code when tests failed; any other trouble is no kill
NICENESS: Final = 10  # it takes long, and people want to work meanwhile


@contextmanager
def copy_of_the_project() -> Iterator[Path]:
    """Yield a directory with the package and its tests, compiled: thousands of processes begin in there."""
    with tempfile.TemporaryDirectory(prefix="p2pchat-mutants-") as name:
        for part in COPIED:
            source, target = ROOT / part, Path(name) / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "_build"))
            else:
                shutil.copy(source, target)
        for part in ("p2pchat", "tests"):  # by content, so that no bug outlives its planting in a cache
            compileall.compile_dir(Path(name, part), quiet=1, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        yield Path(name)


def run(root: Path, *tests: str, timeout: float = TIMEOUT) -> tuple[int, str]:
    """Run `tests` in the copy at `root`; return pytest's exit code (FAILED if it takes too long) and its output."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile", "ci"]
    environment = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(root / ".hypothesis")}
    try:
        done = subprocess.run(
            [*command, *tests], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        return FAILED, "it took too long"
    return done.returncode, done.stdout + done.stderr


@final
@dataclass(eq=False)
class Trial:
    """One bug, and who noticed it."""

    mutant: Mutant
    unnoticed: list[str] = field(default_factory=list)  # by whom, of those who had to
    remarks: list[str] = field(default_factory=list)
    catches: list[hunter.Catch] = field(default_factory=list)

    def ask_tests(self, root: Path) -> None:
        """Run the tests that must notice it."""
        for test in self.mutant.tests:
            code, output = run(root, test)
            seed = re.search(r"history (\d+)", output)
            if code != FAILED:
                self.unnoticed.append(f"{test} (exit code {code})")
            elif seed:
                self.remarks.append(f"history {seed[1]}")

    def ask_world(self, root: Path) -> None:
        """Hunt it from each first seed; most of the hunts have to find it."""
        self.catches = hunter.hunt(root, self.mutant.hunt)
        self.remarks.append(f"{self.stories}: {self.verdicts}")
        if sum(not catch.verdict for catch in self.catches) > len(self.catches) // 2:
            self.unnoticed.append(f"the world ({self.mutant.hunt} stories)")

    @property
    def stories(self) -> str:
        """How many stories each hunt took."""
        return ", ".join(str(catch.stories) if catch.verdict else "-" for catch in self.catches)

    @property
    def verdicts(self) -> str:
        """What the stories broke."""
        return ", ".join(dict.fromkeys(catch.verdict for catch in self.catches if catch.verdict))

    @property
    def row(self) -> str:
        """What the table says of it."""
        median = sorted(catch.stories if catch.verdict else math.inf for catch in self.catches)[len(self.catches) // 2]
        return f"| {self.mutant.name} | {self.mutant.hunt} | {self.stories} | {median} | {self.verdicts} |"


def table(trials: Sequence[Trial]) -> str:
    """Return how many stories it took to find each bug, in Markdown."""
    firsts = ", ".join(map(str, hunter.FIRST_SEEDS))
    lines = [f"| bug | stories | until caught, from seeds {firsts} | median | verdict |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *(trial.row for trial in trials if trial.catches)])


def main(arguments: Sequence[str]) -> int:
    """Try the mutants that `arguments` choose; return how the process is to end."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="try bugs with one of these in their name; world: all hunted ones")
    parser.add_argument("--judge", choices=("tests", "world", "both"), default="both", help="who is asked")
    options = parser.parse_args(arguments)
    words: list[str] = options.words
    chosen = [
        mutant
        for mutant in all_mutants()
        if not words or any(word in mutant.name or (word == "world" and mutant.hunt) for word in words)
    ]
    say = sys.stdout.write
    if not chosen:
        say(f"no mutant has any of these in its name: {' '.join(words)}\n")
        return 1
    os.nice(NICENESS)
    with copy_of_the_project() as root:
        if options.judge != "world":
            named = sorted({test for mutant in chosen for test in mutant.tests})
            code, output = run(root, *named, timeout=UNHARMED_TIMEOUT)
            if code:
                say(f"{output}\nthe tests must pass before bugs are planted\n")
                return 1
        trials = [_tried(mutant, root, judge=options.judge) for mutant in chosen]
        doubtful = _broken_anyway(root, trials)
    alive = sum(bool(trial.unnoticed) for trial in trials)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if any(trial.catches for trial in trials):
        say(f"\n{table(trials)}\n\n")
    for story in doubtful:
        say(f"this story breaks a promise without any bug: {story}\n")
    say(f"{len(chosen)} planted, {alive} survived; {used.ru_utime + used.ru_stime:.0f} CPU seconds\n")
    return 1 if alive or doubtful else 0


def _broken_anyway(root: Path, trials: Sequence[Trial]) -> list[str]:
    """Return which of the stories that found something break a promise without a bug, too: they have found nothing."""
    seeds: dict[str, set[int]] = {}
    for trial in trials:
        seeds.setdefault(trial.mutant.hunt, set()).update(catch.seed for catch in trial.catches if catch.verdict)
    played = {kind: hunter.hunt(root, kind, sorted(found), count=1) for kind, found in seeds.items()}
    return [
        f"{kind} {catch.seed}: {catch.verdict}"
        for kind, catches in played.items()
        for catch in catches
        if catch.verdict
    ]


def _tried(mutant: Mutant, root: Path, *, judge: str) -> Trial:
    """Return what came of one bug, and say so."""
    began = time.perf_counter()
    trial = Trial(mutant)
    with mutant.planted(root):
        if judge != "world":
            trial.ask_tests(root)
        if judge != "tests" and mutant.hunt:
            trial.ask_world(root)
    verdict = "SURVIVED " + ", ".join(trial.unnoticed) if trial.unnoticed else "killed"
    sys.stdout.write(f"{mutant.name}  {verdict}  {'  '.join(trial.remarks)}  {time.perf_counter() - began:.1f} s\n")
    sys.stdout.flush()
    return trial


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
