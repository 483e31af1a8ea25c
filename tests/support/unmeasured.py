"""Programs run as they run at a user's: coverage, which would ride along, has imports and costs of its own.

It would cost each of hundreds of processes half a second: what they run is covered by tests in this process as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import coverage

MEASURING = "COVERAGE_PROCESS"  # begins the names of what makes it ride along
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(MEASURING)}


def modules_loaded_by(program: str) -> set[str]:
    """Run `program` in a new interpreter and return the names of all modules that are loaded when it ends."""
    code = f"{program}\nimport sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRON, timeout=60
    )
    return set(done.stderr.splitlines()[-1].split())


@contextmanager
def unmeasured() -> Iterator[None]:
    """Measure nothing in this process for a while: what runs here runs elsewhere too, and would take twice as long."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
    try:
        yield
    finally:
        if measuring is not None:
            measuring.start()
