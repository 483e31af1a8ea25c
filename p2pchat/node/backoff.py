"""When to dial again. Delays, and what each close code means for them: `docs/protocol.md`, 4.2 and 4.3."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from p2pchat.wire.close_codes import CloseCode, close_code

if TYPE_CHECKING:
    import random

FIRST_CEILING = 1.0  # seconds; doubled after every failure
STERN_FLOOR = 60.0  # seconds; after PROTOCOL and TOO_BIG: the same bytes would only do the same again


class Redial(Enum):
    """What the dialer does after a link has ended."""

    NEVER = auto()
    BACK_OFF = auto()
    BACK_OFF_STERN = auto()


_VERDICTS = {
    CloseCode.NORMAL: Redial.NEVER,
    CloseCode.UNSUPPORTED: Redial.NEVER,
    CloseCode.NOT_AUTHORIZED: Redial.NEVER,
    CloseCode.SELF: Redial.NEVER,  # going on as a guest is not a redial (1.3), and happens once
    CloseCode.PROTOCOL: Redial.BACK_OFF_STERN,
    CloseCode.TOO_BIG: Redial.BACK_OFF_STERN,
}


def verdict(code: int | None) -> Redial:
    """Return what to do after the end of a link with `code`; None is a link that was lost without a word."""
    if code is None:
        return Redial.BACK_OFF
    return _VERDICTS.get(close_code(code), Redial.BACK_OFF)


class Backoff:
    """Full jitter below a ceiling that doubles: clients that lost the same peer do not come back in step."""

    def __init__(self, rng: random.Random, *, cap: float) -> None:
        """Begin without failures; `cap` is what the ceiling ends at, in seconds (`Limits.redial_cap`)."""
        self._rng = rng
        self._cap = cap
        self._ceiling = min(FIRST_CEILING, self._cap)

    def next_delay(self, redial: Redial = Redial.BACK_OFF) -> float:
        """Return the seconds to wait before the next attempt, and raise the ceiling for the one after."""
        delay = self._rng.uniform(0.0, self._ceiling)
        self._ceiling = min(self._cap, self._ceiling * 2)
        if redial is Redial.BACK_OFF_STERN:
            delay += STERN_FLOOR
        return delay

    def reset(self) -> None:
        """Forget earlier failures; call it when a link has run for `Limits.redial_reset` seconds."""
        self._ceiling = min(FIRST_CEILING, self._cap)
