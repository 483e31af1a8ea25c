"""A planted bug: one change of a production file, and the tests that must notice it.

The tests are the test of the code; these are the test of the tests (docs/protocol.md, section 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted bug."""

    name: str  # what it does wrong, in the words of docs/protocol.md where it has any
    path: str  # the file, from the root of the project
    old: str  # occurs there exactly once
    new: str
    tests: tuple[str, ...]  # as pytest takes them; every one of them must fail

    def apply(self, root: Path) -> None:
        """Plant the bug in the copy of the project at `root`.

        Raises:
          ValueError: if the code is not, or not only once, what the patch was made for.
        """
        path = root / self.path
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.path} has its old text {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
