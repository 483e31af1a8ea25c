"""The inputs that are kept: those that once reached something new, and those that once broke a promise."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
CORPUS: Final = ROOT / "tests" / "fuzz" / "corpus"  # a file for each target, an input in hex on each line
FOUND: Final = ROOT / "tests" / "fuzz" / "found"  # a directory for each target, as libFuzzer writes them


def kept(name: str) -> list[bytes]:
    """Return what earlier runs found worth keeping for the target `name`."""
    path = CORPUS / f"{name}.hex"
    return [bytes.fromhex(line) for line in path.read_text(encoding="ascii").splitlines()] if path.exists() else []


def write_kept(name: str, inputs: Iterable[bytes]) -> None:
    """Replace what is kept."""
    CORPUS.mkdir(exist_ok=True)
    lines = sorted((data.hex() for data in inputs if data), key=lambda line: (len(line), line))
    (CORPUS / f"{name}.hex").write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def found(name: str) -> list[bytes]:
    """Return what has broken a promise of the target `name`, once or now."""
    return [path.read_bytes() for path in sorted((FOUND / name).glob("*"))]
