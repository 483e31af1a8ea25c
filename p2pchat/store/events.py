"""What happened, noted in the log: each event takes the next cursors, as many as there are messages it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from p2pchat.store.database import Database

_INSERT: Final = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Event(Struct, frozen=True, gc=False):
    """One row of `events`, but for what it gets when it is written."""

    kind: str
    pair: int
    gen: int = 0  # the link
    count: int = 1  # how many messages of mine it is about; at least 1
    first: int = 0  # their cursors
    last: int = 0
    detail: str = ""


def write(database: Database, event: Event) -> None:
    """Append `event` to the log."""
    cursor = database.take_cursors(event.count) + event.count - 1
    span = (event.gen, event.first, event.last)
    row = (cursor, event.count, database.now_ms(), event.kind, event.pair, *span, event.detail)
    database.connection.execute(_INSERT, row)
