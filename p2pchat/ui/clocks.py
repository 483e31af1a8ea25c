"""Clocks that differ: remarked on once for each peer, for times are shown beside what was said. Order needs no clock.

A message bears the time at which its sender composed it, and may have waited for long before it came. So that it is old
proves nothing; but what comes over a link that has been up and quiet for a while has not waited, and where that happens
twice with the same difference, it is the clocks'. What was composed after it came shows it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from p2pchat.node.events import MessagesReceived
    from p2pchat.node.session import Session

REMARKABLE: Final = 300.0  # seconds between two clocks
QUIET: Final = 10.0  # seconds without a message, after which the next one has not waited for others
SAME: Final = 30.0  # seconds; two differences that are one


@dataclass(slots=True)
class _Heard:
    """What is known of one peer; seconds."""

    at: float  # by our clock: its newest message, or the beginning of its link
    behind: float = 0.0  # by how much its clock seemed to be behind ours, at the last message that had not waited
    is_told: bool = False


@final
class Clocks:
    """How the clocks of peers differ from ours."""

    def __init__(self) -> None:
        self._heard: WeakKeyDictionary[Session, _Heard] = WeakKeyDictionary()

    def link_began(self, session: Session, now: float) -> None:
        """Note a link to the peer of `session`: what comes first may have waited for it."""
        self._heard.setdefault(session, _Heard(now)).at = now

    def ahead(self, event: MessagesReceived, now: float) -> float | None:
        """Return by how many seconds a peer's clock is ahead of ours, once, as soon as that is certain and remarkable.

        Args:
          event: what came.
          now: the time by our clock, Unix seconds, where nothing else tells when that was.
        """
        heard = self._heard.setdefault(event.session, _Heard(now))
        entries, came = event.messages.entries, event.received_ms
        before, heard.at = heard.at, came[-1] / 1000 if came else now
        if heard.is_told or not entries:
            return None
        ahead = entries[-1].sent_ms / 1000 - heard.at
        if ahead >= REMARKABLE:
            heard.is_told = True
            return ahead
        if came and came[0] / 1000 - before >= QUIET:
            seemed, heard.behind = heard.behind, (came[0] - entries[0].sent_ms) / 1000
            if heard.behind >= REMARKABLE and abs(heard.behind - seemed) < SAME:
                heard.is_told = True
                return -heard.behind
        return None


def length(seconds: float) -> str:
    """Return about how long that is, for people."""
    for unit, size in (("day", 86_400), ("hour", 3600)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}s"
    return f"{seconds / 60:.0f} minutes"
