"""What became of our messages in a session without a store, collected until the listener asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, final

from p2pchat.node.events import Ids, StatesChanged
from p2pchat.node.feed import Arrival

if TYPE_CHECKING:
    from p2pchat.node.session import Session


@final
class States(Arrival):
    """The newest states of a session: at most one in the feed, however many steps there were."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._is_queued = False
        self._forget()

    def _forget(self) -> None:
        self._sent: list[bytes] = []
        self._delivered: list[bytes] = []
        self._read: list[bytes] = []
        self._failed: list[bytes] = []
        self._reason = ""

    def add(
        self,
        *,
        sent: Iterable[bytes] = (),
        delivered: Iterable[bytes] = (),
        read: Iterable[bytes] = (),
        failed: Iterable[bytes] = (),
        reason: str = "",
    ) -> None:
        """Note what has changed."""
        self._sent += sent
        self._delivered += delivered
        self._read += read
        self._failed += failed
        self._reason = reason or self._reason
        if not self._is_queued:
            self._is_queued = True
            self._session.feed.put(self)

    async def take(self) -> StatesChanged:
        """Return all that was noted."""
        event = StatesChanged(
            session=self._session,
            sent=Ids(self._sent),
            delivered=Ids(self._delivered),
            read=Ids(self._read),
            failed=Ids(self._failed),
            reason=self._reason,
        )
        self._is_queued = False
        self._forget()
        return event
