"""Counting what a peer may do often, but not too often.

Source: docs/protocol.md, section 4.4.
"""

from __future__ import annotations

from collections import deque
from typing import final


@final
class Budget:
    """At most `limit` things in any `window` seconds; it remembers no more than that."""

    __slots__ = ("_limit", "_times", "_window")

    def __init__(self, limit: int, *, window: float) -> None:
        self._limit = limit
        self._window = window
        self._times: deque[float] = deque(maxlen=limit + 1)

    def spend(self, now: float) -> bool:
        """Count one more thing; return whether it is still within the budget."""
        self._times.append(now)
        return len(self._times) <= self._limit or now - self._times[0] >= self._window
