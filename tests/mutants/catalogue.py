"""All planted bugs: every module here that has a list of `MUTANTS`."""

from __future__ import annotations

import importlib
from pathlib import Path

from tests.mutants.mutant import Mutant


def all_mutants() -> list[Mutant]:
    """Return the planted bugs of all parts, those of one part together."""
    mutants: list[Mutant] = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.stem.startswith(("_", "test_")):
            module = importlib.import_module(f"tests.mutants.{path.stem}")
            mutants += getattr(module, "MUTANTS", [])
    return mutants
