"""A planted bug: one change of a production file, and who must notice it: named tests, and the simulated world.

The tests are the test of the code; these are the test of the tests (docs/protocol.md, section 10), and of the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
    hunt: str = ""  # stories, as `p2pchat simulate --faults` takes them, one of which must break a promise

    def patched(self, text: str) -> str:
        """Return what the file says with the bug in it.

        Raises:
          ValueError: if the code is not, or not only once, what the patch was made for.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.path} has its old text {text.count(self.old)} times")
        return text.replace(self.old, self.new)

    @contextmanager
    def planted(self, root: Path) -> Iterator[None]:
        """Have the bug in the copy of the project at `root` for as long as the body runs."""
        path = root / self.path
        sound = path.read_text(encoding="utf-8")
        path.write_text(self.patched(sound), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(sound, encoding="utf-8")
