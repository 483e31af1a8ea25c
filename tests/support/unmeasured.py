"""Programs run as they run at a user's: coverage, which would ride along, has imports and costs of its own."""

from __future__ import annotations

import os
import subprocess
import sys

ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}


def modules_loaded_by(program: str) -> set[str]:
    """Run `program` in a new interpreter and return the names of all modules that are loaded when it ends."""
    code = f"{program}\nimport sys; print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRON, timeout=60
    )
    return set(done.stderr.splitlines()[-1].split())
