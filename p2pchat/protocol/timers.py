"""The timers of one link: when something is due, never what to do about it.

No clock: every call says what time it is. A timer that has expired is off until it is started again.

Source: docs/protocol.md, section 4.3.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from p2pchat.protocol.limits import Limits


class Timer(enum.StrEnum):  # of strings, since these are hashed in C, at every record
    """What is waited for."""

    #: Both identities, from the beginning.
    HANDSHAKE = enum.auto()
    #: The peer's HELLO, from the end of the handshake.
    HELLO = enum.auto()
    #: The peer's RESUME, from both HELLOs: until it is worth a word to the user …
    NOTICE = enum.auto()
    #: … and until the end of patience.
    RESUME = enum.auto()
    #: Any record: until we ask for one …
    PING = enum.auto()
    #: … and until the link is dead.
    DEAD = enum.auto()


@final
class Timers:
    """The running timers of one link."""

    __slots__ = ("_due", "_durations")

    def __init__(self, limits: Limits, *, jitter: float) -> None:
        """Start with none running.

        Args:
          limits: how long each of them runs.
          jitter: factor on the time between pings, 0.8 … 1.2: else all links that one cut has made would ping as one.
        """
        self._durations = {
            Timer.HANDSHAKE: limits.handshake,
            Timer.HELLO: limits.hello,
            Timer.NOTICE: limits.resume_notice,
            Timer.RESUME: limits.resume,
            Timer.PING: limits.ping * jitter,
            Timer.DEAD: limits.dead,
        }
        self._due: dict[Timer, float] = {}

    @property
    def deadline(self) -> float:
        """When the next timer expires; infinity if none runs."""
        return min(self._due.values(), default=math.inf)

    def start(self, *timers: Timer, now: float) -> None:
        """Let `timers` run from now on, also if they ran already."""
        for timer in timers:
            self._due[timer] = now + self._durations[timer]

    def heard(self, now: float, *, pinging: bool) -> None:
        """Start the timers of silence again: a record came, at `now`. `pinging`: one was asked for already."""
        self._due[Timer.DEAD] = now + self._durations[Timer.DEAD]
        if not pinging:
            self._due[Timer.PING] = now + self._durations[Timer.PING]

    def stop(self, *timers: Timer) -> None:
        """Forget `timers`, also if they did not run."""
        for timer in timers:
            self._due.pop(timer, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._due.clear()

    def expired(self, now: float) -> list[Timer]:
        """Return those whose time has come, the earliest first, and turn them off."""
        expired = sorted((due, timer) for timer, due in self._due.items() if due <= now)
        for _, timer in expired:
            del self._due[timer]
        return [timer for _, timer in expired]
