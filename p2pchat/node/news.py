"""News from the store: what happened in a conversation, read page by page when the listener gets to it.

The log is the one source of all that is durable: what came over our link, what other processes of the profile said, and
what became of it. So a listener may be far behind, and nothing of that waits in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final, final

from p2pchat.node.events import Event, Ids, MessagesReceived, SaidElsewhere, StatesChanged
from p2pchat.node.feed import Arrival
from p2pchat.protocol.assembly import Messages
from p2pchat.store import journal
from p2pchat.wire.frames import Entry

if TYPE_CHECKING:
    from p2pchat.node.session import Session
    from p2pchat.store.store import Store


@final
class News:
    """What the log has for a session."""

    def __init__(self, session: Session, store: Store, *, after: int) -> None:
        """Tell what comes after the cursor `after`."""
        self.first: Final = after  # what came before is told by nobody here
        self.after: int = after  # everything up to here was read
        self._session = session
        self._store = store
        self._through = after
        self._newest: Page | None = None

    def tell(self, through: int) -> None:
        """Note that there may be something to tell up to the cursor `through`."""
        if through <= self._through:
            return
        self._through = through
        feed = self._session.feed
        if self._newest is not None and feed.is_last(self._newest):
            self._newest.through = through
        else:
            self._newest = Page(self, through)
            feed.put(self._newest)

    async def read(self, through: int) -> list[Event]:
        """Return the next events up to the cursor `through`; none if all of them were read."""
        while self.after < through:
            page = partial(
                journal.since,
                cursor=self.after,
                through=through,
                peer=self._session.peer,
                besides=self._store.opening,
            )
            records = await self._store.read(page)
            self.after = records[-1].cursor if records else through
            if events := list(self._told(records)):
                return events
        return []

    def _told(self, records: Sequence[journal.Record]) -> Iterator[Event]:
        """Yield the events that `records` are for this process, which has told some of them itself."""
        for kind, alike in groupby(records, self._kind):
            if kind in {"theirs", "elsewhere"}:
                said = [(record, record.what) for record in alike if isinstance(record.what, journal.Said)]
                messages = Messages([what.seq for _, what in said], [_entry(what) for _, what in said])
                cursors = [record.cursor for record, _ in said]
                if kind == "theirs":
                    received = [record.at_ms for record, _ in said]
                    yield MessagesReceived(
                        session=self._session, messages=messages, cursors=cursors, received_ms=received
                    )
                else:
                    yield SaidElsewhere(session=self._session, messages=messages, cursors=cursors)
            elif kind == "states":
                yield from (self._changed(record.what) for record in alike if isinstance(record.what, journal.Became))

    def _kind(self, record: journal.Record) -> str:
        match record.what:
            case journal.Said(body=None):
                return "deleted"
            case journal.Said(mine=False):
                return "theirs"
            case journal.Said(opening=opening):
                return "ours" if opening == self._store.opening else "elsewhere"
            case journal.Became():
                return "states"
            case _:
                return "links"  # told by those who have them

    def _changed(self, what: journal.Became) -> StatesChanged:
        ids = Ids(what.ids)
        match what.state:
            case "sent":
                return StatesChanged(session=self._session, sent=ids)
            case "delivered":
                return StatesChanged(session=self._session, delivered=ids)
            case "read":
                return StatesChanged(session=self._session, read=ids)
            case _:
                return StatesChanged(session=self._session, failed=ids, reason=what.reason)


def _entry(what: journal.Said) -> Entry:
    return Entry(what.id, what.kind, what.sent_ms, b"", what.body or b"")


@final
class Page(Arrival):
    """The place in the feed at which the log is told up to a cursor: what was put there later comes later."""

    goes_on: bool = True

    def __init__(self, news: News, through: int) -> None:
        self.through = through
        self._news = news
        self._events: deque[Event] = deque()

    async def take(self) -> Event | None:
        """Return the next event; None if all was told."""
        while not self._events and self._news.after < self.through:  # which may rise while we read
            self._events += await self._news.read(self.through)
        if self._events:
            return self._events.popleft()
        self.goes_on = False
        return None
