"""Two network namespaces with a cable between them: hosts with kernels' own TCP, and nothing of this machine's network.

Everything is inside the two: their loopbacks, and both ends of the cable. Needs root, `ip` and `nsenter`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CABLE = "cable"  # what its end is called on either side
NAME = "p2pchat-netns"
PREFIX = "10.77.0."


class Unavailable(Exception):
    """There can be no namespaces here; the text says why."""


@dataclass(frozen=True)
class Side:
    """One of the two."""

    name: str  # of the namespace
    host: str  # its address

    @property
    def within(self) -> tuple[str, ...]:
        """What a command begins with that runs here; files, users and processes are those of everybody."""
        return "nsenter", f"--net=/run/netns/{self.name}"

    def run(self, *words: str) -> str:
        """Run a command here to its end, and return what it said."""
        return _run(*self.within, *words)

    def cut(self) -> None:
        """Pull the plug: the other side hears nothing any more, and neither is told."""
        self.run("ip", "link", "set", CABLE, "down")

    def plug(self) -> None:
        """Put it back."""
        self.run("ip", "link", "set", CABLE, "up")


@contextmanager
def two_sides() -> Iterator[tuple[Side, Side]]:
    """Make the two; they are gone after the block, with all that runs inside.

    Raises:
      Unavailable: if that is not possible here.
    """
    left, right = sides = [Side(f"{NAME}-{os.getpid()}-{number}", f"{PREFIX}{number}") for number in (1, 2)]
    made: list[Side] = []
    _sweep()
    try:
        for side in sides:
            _try("ip", "netns", "add", side.name)
            made.append(side)
        _try("ip", "-n", left.name, "link", "add", CABLE, "type", "veth", "peer", CABLE, "netns", right.name)
        for side in sides:
            side.run("ip", "address", "add", f"{side.host}/24", "dev", CABLE)
            side.run("ip", "link", "set", "lo", "up")
            side.plug()
        yield left, right
    finally:
        for side in made:
            _run("ip", "netns", "delete", side.name)


def _sweep() -> None:
    """Delete what test runs have left that were killed."""
    for path in Path("/run/netns").glob(f"{NAME}-*-[12]"):
        pid = path.name.split("-")[-2]
        if not Path("/proc", pid).exists():
            _run("ip", "netns", "delete", path.name)


def _try(*words: str) -> None:
    missing = [tool for tool in ("ip", "nsenter") if shutil.which(tool) is None]
    if os.getuid() != 0 or missing:
        raise Unavailable(f"there is no {missing[0]} here" if missing else "only root may make network namespaces")
    try:
        _run(*words)
    except RuntimeError as exc:
        raise Unavailable(f"this machine does not allow it: {exc}") from None


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
