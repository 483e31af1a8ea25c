"""Plant each bug of the catalogue in a copy of the project and see whether the tests notice: `python -m tests.mutants`.

Arguments are words: only mutants with one of them in their name are tried. The exit code is 1 if any survived.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.catalogue import all_mutants
from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parent.parent.parent
COPIED = ("p2pchat", "tests", "pyproject.toml")
TIMEOUT = 120.0  # seconds for one test: a mutant may loop
UNHARMED_TIMEOUT = 1200.0  # seconds for all of them without a mutant
FAILED = 1  # pytest's exit code when tests failed; any other trouble is no kill


@contextmanager
def copy_of_the_project() -> Iterator[Path]:
    """Yield a directory with the package and its tests, for one use."""
    with tempfile.TemporaryDirectory(prefix="p2pchat-mutants-") as name:
        for part in COPIED:
            source, target = ROOT / part, Path(name) / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
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


def survived(mutant: Mutant) -> tuple[list[str], str]:
    """Return the tests that did not notice `mutant`, and how those that did say it."""
    unnoticed, remarks = [], []
    with copy_of_the_project() as root:
        mutant.apply(root)
        for test in mutant.tests:
            code, output = run(root, test)
            seed = re.search(r"history (\d+)", output)
            if code != FAILED:
                unnoticed.append(f"{test} (exit code {code})")
            elif seed:
                remarks.append(f"history {seed[1]}")
    return unnoticed, " ".join(remarks)


def main(words: list[str]) -> int:
    """Try the mutants that `words` choose; return how the process is to end."""
    chosen = [mutant for mutant in all_mutants() if not words or any(word in mutant.name for word in words)]
    say = sys.stdout.write
    if not chosen:
        say(f"no mutant has any of these in its name: {' '.join(words)}\n")
        return 1
    with copy_of_the_project() as root:
        code, output = run(
            root, *sorted({test for mutant in chosen for test in mutant.tests}), timeout=UNHARMED_TIMEOUT
        )
        if code:
            say(f"{output}\nthe tests must pass before bugs are planted\n")
            return 1
    alive = 0
    width = max((len(mutant.name) for mutant in chosen), default=0)
    for mutant in chosen:
        began = time.perf_counter()
        unnoticed, remark = survived(mutant)
        alive += bool(unnoticed)
        verdict = "SURVIVED " + ", ".join(unnoticed) if unnoticed else f"killed {len(mutant.tests)} times"
        say(f"{mutant.name:{width}}  {verdict}  {remark}  {time.perf_counter() - began:.1f} s\n")
        sys.stdout.flush()
    say(f"{len(chosen)} planted, {alive} survived\n")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
