"""What a command costs before it does anything."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence

COMMANDS = ("python -c pass", "python -m p2pchat --version", "python -m p2pchat --help")


def run(commands: Sequence[str] = COMMANDS, *, rounds: int) -> dict[str, float]:
    """Return the CPU seconds of each command; the first one is the measure of the others."""
    spent: dict[str, list[float]] = {command: [] for command in commands}
    with tempfile.TemporaryDirectory() as cache:  # compiled modules, once, whatever the environment says of them
        env = os.environ | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(1 + rounds):
            for command in commands:
                spent[command].append(_cpu_of(command, env))
    return {command: statistics.median(times[1:]) for command, times in spent.items()}  # the first one compiles


def _cpu_of(command: str, env: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command.split()[1:]], check=True, env=env, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
