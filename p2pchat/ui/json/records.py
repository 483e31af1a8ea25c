"""The log as a program reads it: the same objects that a live face writes, and of each its place and its time.

`cursor` is where to go on, `at` is when it happened here. One record may be many lines: a range of messages that were
sent or delivered together is a `state` object for each of them, each with a cursor of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, assert_never
from uuid import UUID

from p2pchat.node.events import State
from p2pchat.store import journal
from p2pchat.ui.json import events
from p2pchat.ui.json.conversation import Mine

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.journal import Became, Record, Said
    from p2pchat.ui.json.events import Line


class LogLines:
    """Turns records into lines."""

    def __init__(self) -> None:
        self._spelled: dict[PeerId, str] = {}  # making it costs as much as a message

    def of(self, record: Record) -> Iterator[Line]:
        """Yield the lines that tell `record`, in order."""
        peer = self._peer(record.peer)
        line: Line
        match record.what:
            case journal.Said(mine=True) as said:
                line = _state(record, peer, Mine(UUID(bytes=said.id), said.ref), State.QUEUED)
            case journal.Said() as said:
                line = _heard(record, peer, said)
            case journal.Became() as became:
                yield from _each(record, peer, became)
                return
            case journal.LinkUp(address=address, link=link):
                line = events.link_up(peer, record.name, address, trust=None, link=link)
            case journal.LinkDown(reason=reason, clean=clean):
                line = events.link_down(peer, reason, clean=clean, redial=None)
            case journal.Gap():
                line = events.gap(peer)
            case journal.RolledBack():
                line = events.rolled_back(peer)
            case never:
                assert_never(never)
        yield _placed(line, record, record.cursor)

    def _peer(self, peer: PeerId) -> str:
        text = self._spelled.get(peer)
        if text is None:
            text = self._spelled[peer] = str(peer)
        return text


def _each(record: Record, peer: str, became: Became) -> Iterator[Line]:
    """Yield a line for each message of a range; the last one has the cursor of the record."""
    reached, reason = State(became.state), became.reason or None
    first = record.cursor - len(became.ids) + 1
    for cursor, (message_id, ref) in enumerate(zip(became.ids, became.refs, strict=True), first):
        line = _state(record, peer, Mine(UUID(bytes=message_id), ref), reached, reason=reason)
        yield _placed(line, record, cursor)


def _state(record: Record, peer: str, mine: Mine, reached: State, *, reason: str | None = None) -> Line:
    return events.reached_state(peer, mine, reached, reason=reason, durable=not record.guest)


def _heard(record: Record, peer: str, said: Said) -> Line:
    line = events.heard(peer, record.name, said.message, received_ms=record.at_ms, cursor=record.cursor)
    if said.body is None:
        del line["unreadable"]
        line["deleted"] = True
    return line


def _placed(line: Line, record: Record, cursor: int) -> Line:
    return line | {"cursor": events.cursor_text(cursor), "at": events.timestamp(record.at_ms)}
