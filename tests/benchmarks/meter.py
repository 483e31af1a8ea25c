"""What a side has spent: CPU of its process, and time on the wall."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Seconds for one unit of work."""

    cpu: float  # user and system, of the whole process
    time: float  # the median, where every unit was timed; else the mean


class Meter:
    """Runs from its making, or from `start`, to `stop`."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin, again."""
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def stop(self, count: int, times: Sequence[float] = ()) -> Spent:
        """Return what each of `count` units has taken; `times`, if each of them was timed."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        return Spent(cpu=cpu / count, time=statistics.median(times) if times else wall / count)
