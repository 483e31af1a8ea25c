"""What a pipe, or a program, was shown, and what it was not: a process that is killed has not written all that came.

Messages are acknowledged once they are on the disk, whoever reads our output and however slowly. So what was written is
noted, and at the first meeting with a peer it is told what an earlier process has left: nothing is lost in silence.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final, final
from weakref import WeakSet

from p2pchat.errors import StoreError
from p2pchat.store import history
from p2pchat.ui.seen import Seen

if TYPE_CHECKING:
    from p2pchat.node.events import MessagesReceived
    from p2pchat.node.session import Session
    from p2pchat.store.history import Unread
    from p2pchat.store.store import Store

PAUSE: Final = 0.5  # seconds between two notes of what was written
NOTHING: Final = history.Unread(0, 0)

_log = logging.getLogger(__name__)


@final
class Unshown:
    """What one process writes, and what those before it have not written."""

    def __init__(self, store: Store | None) -> None:
        """Begin with nothing written; `store` is where it is noted, None to note nothing."""
        self._store = store
        self._seen = Seen(store, receipts=False, pause=PAUSE)
        self._asked: WeakSet[Session] = WeakSet()

    async def attend(self) -> None:
        """Note what was written, until cancelled."""
        await self._seen.run()

    def wrote(self, event: MessagesReceived) -> None:
        """Note, when there is time, that these messages were written."""
        if event.cursors:
            self._seen.shown(event.session, event.messages, through=event.cursors[-1], aside=False)

    async def left(self, session: Session) -> Unread:
        """Return what came from the peer of `session` before this process told of it, and was not written; once."""
        if self._store is None or not session.pair.durable or session in self._asked:
            return NOTHING
        self._asked.add(session)
        before = session.follows_from + 1
        try:
            return await self._store.read(partial(history.unread, peer=session.peer, before=before, most=history.LAST))
        except StoreError as error:  # whoever says or reads something next is told what is wrong
            _log.info("what was not shown of %s is not known: %s", session.peer, error)
            return NOTHING
