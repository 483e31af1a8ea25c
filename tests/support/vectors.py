"""Recorded bytes: our own under tests/vectors, and foreign ones, which are not ours to publish.

The foreign files lie where `P2PCHAT_VECTORS` points, else in ``../shared/vectors`` beside the project; docs/security.md
names their origins. Where they are not, their tests say *skipped*.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
OWN = ROOT / "tests" / "vectors"
FOREIGN = Path(os.environ.get("P2PCHAT_VECTORS", ROOT.parent / "shared" / "vectors"))


def own(name: str) -> Any:
    """Return the JSON of a file of ours."""
    return json.loads((OWN / name).read_text(encoding="utf-8"))


def foreign(name: str) -> list[Any]:
    """Return the vectors of a foreign file as parameters of a test; one that is skipped if the file is not there."""
    path = FOREIGN / name
    if not path.exists():
        return [pytest.param(None, id=f"{path.stem}-absent", marks=pytest.mark.skip(reason=_absent(name)))]
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(vector, id=f"{path.stem}-{_name(vector)}") for vector in vectors]


def foreign_file(name: str) -> Any:
    """Return the JSON of a foreign file that has a layout of its own; skip the test if the file is not there."""
    path = FOREIGN / name
    if not path.exists():
        pytest.skip(_absent(name))
    return json.loads(path.read_text(encoding="utf-8"))


def _absent(name: str) -> str:
    return f"no {name} in {FOREIGN}: set P2PCHAT_VECTORS to a directory that has it"


def _name(vector: dict[str, Any]) -> str:
    return str(vector.get("protocol_name") or vector.get("name") or "vector").removeprefix("Noise_")
