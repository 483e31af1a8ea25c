"""What a person in a chat looks up in the store: what was said before, and what became of it.

Whoever has no store is told so. Each answer is bounded; the verbs of the command line show everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import accumulate, takewhile
from typing import TYPE_CHECKING, Final, NamedTuple, final
from weakref import WeakKeyDictionary

from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store import history, journal, search, timeline
from p2pchat.ui import past, sanitize
from p2pchat.ui.log_words import LogWords
from p2pchat.ui.transcript import OURS

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.session import Session
    from p2pchat.store.database import Database
    from p2pchat.store.history import Row
    from p2pchat.store.store import Store
    from p2pchat.ui.marks import Marks
    from p2pchat.ui.names import Names
    from p2pchat.ui.posts import Post

CONTEXT: Final = 5  # messages that are shown again when a chat goes on
MAX_NEW: Final = 50  # unread ones that are shown then; the others are counted
MAX_SIZE: Final = 2**18  # bytes of all of them; older ones are left out
SHOWN: Final = 20  # messages that /history and /grep show, if nobody says how many
MAX_SHOWN: Final = 1000
NOTHING_KEPT: Final = f"{OURS}this program keeps nothing, so there is nothing to look up"
NOTHING_SAID: Final = f"{OURS}nothing was said yet"
NOTHING_FOUND: Final = f"{OURS}nothing was found"


class Opening(NamedTuple):
    """Where a chat goes on."""

    cursor: int  # of the newest event in the store: what comes later is told as it comes
    known: list[Row]  # messages that were seen before
    new: list[Row]  # unread ones, and what stands between them
    hidden: str  # how many unread ones are older than those; empty if none is
    breaks: list[int]  # cursors behind the first of all these where messages may be missing


@final
class Lookup:
    """Answers for one person."""

    def __init__(self, store: Store | None, marks: Marks, names: Names) -> None:
        self._store = store
        self._marks = marks
        self._names = names
        self._opened: WeakKeyDictionary[Session, int] = WeakKeyDictionary()  # up to which cursor it was shown

    # ---- where a chat goes on

    async def open(self, session: Session) -> Opening | None:
        """Return where the chat with the peer of `session` goes on; None if nothing is known, or it was told before.

        Raises:
          StoreError: if the store cannot be read.
        """
        if self._store is None or not session.pair.durable or session in self._opened:
            return None
        opening = await self._store.read(partial(_opening, peer=session.peer))
        self._opened[session] = opening.cursor
        return opening

    def shown_before(self, session: Session, cursors: Sequence[int]) -> int:
        """Return how many of the messages with these `cursors` were shown when the chat went on."""
        through = self._opened.get(session, 0)
        return sum(1 for _ in takewhile(lambda cursor: cursor <= through, cursors))

    # ---- answers to commands

    async def why(self, post: Post, name: str) -> list[str]:
        """Return the story of a message of ours to the peer called `name`.

        Raises:
          StoreError: if the store cannot be read.
        """
        told = None
        if self._store is not None and post.session.pair.durable:
            told = await self._store.read(partial(timeline.why, own=post.session.own, message_id=post.id.bytes))
        if told is not None:
            first, *rest = LogWords(self._marks, names=self._names).story(told, withdraw=f"/unsend {post.number}")
            return [f"#{post.number}: {first}", *rest]
        reason = f": {sanitize.clean_line(post.reason)}" if post.reason else ""
        return [
            f"#{post.number} to {name} is {post.state.value}{reason}",
            "this program keeps nothing, and knows no more",
        ]

    async def history(self, session: Session | None, count: int, *, width: int) -> list[str]:
        """Return lines, as on a terminal, for the newest messages with one peer or with all.

        Raises:
          StoreError: if the store cannot be read.
        """
        if self._store is None:
            return [NOTHING_KEPT]
        peer = None if session is None else session.peer

        def read(db: Database) -> list[str]:
            first = history.first_of_last(db, min(count or SHOWN, MAX_SHOWN), peer=peer)
            rows = history.between(db, peer=peer, after=first - 1)
            breaks = history.breaks(db, peer=peer, after=first - 1)
            return list(self._look(db, peer, width).day_by_day(rows, breaks)) or [NOTHING_SAID]

        return await self._store.read(read)

    async def grep(self, session: Session | None, words: str, *, width: int) -> list[str]:
        """Return lines, as on a terminal, for the messages with one peer or with all that fit best.

        Raises:
          StoreError: if the store cannot be read.
        """
        if self._store is None:
            return [NOTHING_KEPT]
        peer = None if session is None else session.peer
        while await self._store.read(search.fill):
            pass  # one batch after the other, so that others can read, and write, in between

        def read(db: Database) -> list[str]:
            look = self._look(db, peer, width)
            found = search.grep(db, search.Query(words=words.split(), peer=peer, limit=SHOWN))
            return [line for row in found for line in look.found(row)] or [NOTHING_FOUND]

        return await self._store.read(read)

    def _look(self, db: Database, peer: PeerId | None, width: int) -> past.Look:
        names = self._names.everyone(history.claims(db))
        return past.Look(marks=self._marks, names=names, width=width, with_one=peer is not None)


async def unsend(post: Post) -> str:
    """Withdraw a message of ours; returns what to say if that did not work, for else its state tells.

    Raises:
      StoreError: if the disk refuses.
    """
    match await post.session.unsend(post.id):
        case Withdrawal.WITHDRAWN:
            return ""
        case Withdrawal.TOO_LATE:
            return f"too late: #{post.number} has left, and cannot be called back"
        case Withdrawal.UNKNOWN:
            return f"#{post.number} does not wait any more: it is {post.state.value}"


def _opening(db: Database, peer: PeerId) -> Opening:
    cursor = journal.newest(db)
    unread = history.unread(db, peer)
    first = unread.first or cursor + 1
    new = _newest(row for row in history.last(db, MAX_NEW, peer=peer, before=cursor + 1) if row.cursor >= first)
    known = _newest(history.last(db, CONTEXT, peer=peer, before=first))
    hidden = unread.count - sum(not row.mine for row in new)
    many = f"{hidden} or more" if unread.count == history.COUNTED else f"{hidden}"
    after = min((row.cursor for row in (*known, *new)), default=cursor)
    breaks = [one.cursor for one in history.breaks(db, peer=peer, after=after, before=cursor + 1)]
    return Opening(cursor, known, new, many if hidden else "", breaks)


def _newest(rows: Iterable[Row]) -> list[Row]:
    """Return the newest of `rows` that are not too much to show."""
    found = list(rows)
    sizes = list(accumulate(len(row.body) for row in reversed(found)))
    return found[len(found) - sum(size <= MAX_SIZE for size in sizes) :]
