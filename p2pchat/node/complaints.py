"""What the disk refuses is told: the same once in a while, for everybody who comes by meets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, final

from p2pchat.node.events import Notice

if TYPE_CHECKING:
    from p2pchat.errors import StoreError
    from p2pchat.node.feed import Feed

SAY_AGAIN: Final = 600.0  # seconds until the same refusal is told again


@final
class Complaints:
    """The refusals that a part of a node meets."""

    def __init__(self, feed: Feed, *, clock: Callable[[], float], prefix: str = "") -> None:
        """Put them into `feed`, with `prefix` before each."""
        self._feed = feed
        self._clock = clock
        self._prefix = prefix
        self._said = ""
        self._said_at = 0.0

    def tell(self, error: StoreError) -> None:
        """Tell `error`, unless it was the newest already, not long ago."""
        said, now = str(error), self._clock()
        if said != self._said or now >= self._said_at + SAY_AGAIN:
            self._said, self._said_at = said, now
            self._feed.put(Notice(text=f"{self._prefix}{said}", hint=error.hint))

    def settled(self) -> None:
        """Note that the disk does what it should: the next refusal is news."""
        self._said = ""
