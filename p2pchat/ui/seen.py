"""What a person, or a program, was shown: it is noted in the store; of a person's, those who said it are told, too.

Neither happens while something is shown: both take their time, and nothing on the screen waits for them. A receipt is
a courtesy, and strangers get none. Where there is no room for one, or the disk refuses, it is not sent, and the message
stays *delivered*. At an orderly end the rest is noted; after a crash, something may have been shown that is not.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, final
from uuid import UUID
from weakref import WeakKeyDictionary

import trio

from p2pchat.errors import P2PChatError
from p2pchat.store import history
from p2pchat.wire.messages import Kind, Read

if TYPE_CHECKING:
    from p2pchat.node.session import Session
    from p2pchat.protocol.assembly import Message
    from p2pchat.store.store import Store

MAX_RECEIPTS: Final = 1000  # of one conversation that nobody has looked at; the oldest are forgotten
PATIENCE: Final = 2.0  # seconds for room in an outbox that is full
LAST_NOTES: Final = 5.0  # seconds for what is left at the end: a transaction for each peer
READABLE: Final = frozenset({Kind.TEXT, Kind.DATA})

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Seen:
    """What was seen of one conversation, and is to be noted."""

    ids: deque[UUID] = field(default_factory=lambda: deque(maxlen=MAX_RECEIPTS))
    through: int = 0  # the cursor of the newest; 0 where nothing keeps a log

    def add(self, ids: Iterable[UUID], through: int) -> None:
        self.ids += ids
        self.through = max(self.through, through)


@final
class Seen:
    """What one person, or program, was shown in this run."""

    def __init__(self, store: Store | None, *, receipts: bool, pause: float = 0.0) -> None:
        """Begin with nothing seen.

        Args:
          store: where it is noted; None to note nothing.
          receipts: whether those who said it may know.
          pause: seconds from one note to the next, for those who are shown much: each is a transaction of its own.
        """
        self._store = store
        self._receipts = receipts
        self._pause = pause
        self._aside: WeakKeyDictionary[Session, _Seen] = (
            WeakKeyDictionary()
        )  # shown while the person talked to somebody else
        self._due: dict[Session, _Seen] = {}
        self._wake = trio.Event()

    def shown(self, session: Session, messages: Iterable[Message], *, through: int = 0, aside: bool) -> None:
        """Note that messages were shown, the newest at the cursor `through`; `aside`: nobody looks at them yet."""
        ids = [message.id for message in messages if message.entry.kind in READABLE] if self._receipts else []
        seen = self._aside if aside else self._due
        seen.setdefault(session, _Seen()).add(ids, through)
        self._wake.set()

    def look_at(self, session: Session) -> None:
        """Note that the person looks at what was shown of `session`."""
        if (seen := self._aside.pop(session, None)) is not None:
            self._due.setdefault(session, _Seen()).add(seen.ids, seen.through)
            self._wake.set()

    async def run(self) -> None:
        """Note and tell what was seen, until cancelled; what is left then is noted before the end."""
        try:
            while True:
                await self._wake.wait()
                self._wake = trio.Event()
                await self._tell_all(receipts=self._receipts)
                await trio.sleep(self._pause)
        finally:
            with trio.move_on_after(LAST_NOTES, shield=True):
                await trio.lowlevel.checkpoint()  # whoever is just done with showing something says so first
                await self._tell_all(receipts=False)

    async def _tell_all(self, *, receipts: bool) -> None:
        while self._due:
            session = next(iter(self._due))
            seen = self._due.pop(session)
            try:
                await self._tell(session, seen, receipts=receipts)
            except P2PChatError as error:  # whoever says or reads something next is told what is wrong
                _log.info("what was seen of %s is not noted: %s", session.peer, error)

    async def _tell(self, session: Session, seen: _Seen, *, receipts: bool) -> None:
        if self._store is not None and seen.through:
            with trio.CancelScope(shield=True):  # it is no longer due, and would be forgotten
                await self._store.read(partial(history.mark_read, peer=session.peer, through=seen.through))
        if receipts and session.known and seen.ids and not session.over:
            with trio.move_on_after(PATIENCE):
                await session.send_many([Read(message_id.bytes) for message_id in seen.ids])
