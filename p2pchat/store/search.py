"""Finding what was said: an index of folded copies (`fold.py`), beside the messages, never in the way of them.

The index is filled later than the messages come, a bit at a time, by whoever has the time (`fill`). It holds words and
where they stand, not the text. What it was folded with is written down; by other rules it is begun anew.

A word that stands in every message costs little more than a rare one: only the newest `CANDIDATES` messages that hold
all the words are ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from p2pchat.crypto.identity import PeerId
from p2pchat.store import fold, history, ranking
from p2pchat.wire import messages

if TYPE_CHECKING:
    from p2pchat.store.database import Database

CANDIDATES: Final = 2000  # messages that are ranked, in some 20 ms
BATCH: Final = 2000  # messages that one transaction makes searchable: some 20 ms, in which nobody else can write
BATCH_SIZE: Final = 2**20  # bytes of bodies that end a batch earlier
MERGED: Final = 500  # pages of the index that one transaction writes anew


class Query(Struct, frozen=True, kw_only=True):
    """What to look for: messages in which all `words` occur."""

    words: Sequence[str]
    peer: PeerId | None = None  # only what was said with this peer,
    mine: bool | None = None  # and only by me, or not by me
    after: int = 0  # only after this cursor
    limit: int = 100


# ---- looking


def grep(db: Database, query: Query) -> list[history.Row]:
    """Return the messages in the index that fit, the best first, the newer of equals first.

    `fill` before, until nothing is left to do, makes sure that nothing is missed.
    """
    wanted = phrases(query.words)
    match = _match(db, query, wanted)
    if match is None:
        return []
    found = db.connection.execute(_CANDIDATES, (match, query.after, CANDIDATES))
    matches = [
        ranking.Match(cursor, size, _text(kind, body) if body is not None else "") for cursor, size, kind, body in found
    ]
    rows = (history.at(db, cursor) for cursor in ranking.best(matches, wanted, query.limit))
    return [row for row in rows if row is not None]


_CANDIDATES: Final = f"""
    SELECT m.cursor, length(m.body), m.kind, CASE WHEN length(m.body) <= {ranking.LONG} THEN m.body END
    FROM search(?) CROSS JOIN messages AS m ON m.cursor = search.rowid
    WHERE search.rowid > ? AND m.body IS NOT NULL ORDER BY search.rowid DESC LIMIT ?"""  # noqa: S608  (a constant)


def phrases(words: Iterable[str]) -> list[str]:
    """Return what really is looked for, each once: none if the words are nothing but punctuation."""
    return list(dict.fromkeys(phrase for word in words for piece in word.split() for phrase in fold.phrases(piece)))


def _match(db: Database, query: Query, wanted: Sequence[str]) -> str | None:
    """Return the query for the index, None if nothing can fit; what was typed stands in quotes, and holds none."""
    pairs: list[int] | None = None
    if query.peer is not None:
        sql = "SELECT pair FROM pairs WHERE peer = ?"
        pairs = [pair for (pair,) in db.connection.execute(sql, (query.peer.key,)).fetchall()]
    if not wanted or pairs == []:
        return None
    match = " AND ".join(f'folded : "{phrase}"' for phrase in wanted)
    sides = [_side(mine=mine) for mine in (True, False) if query.mine in {None, mine}]
    if pairs is not None:
        sides = [f"{side}{pair}" for side in sides for pair in pairs]
    elif query.mine is None:
        return match
    return f"{match} AND who : ({' OR '.join(sides)})"


def _side(*, mine: bool) -> str:
    return "me" if mine else "peer"


# ---- filling


def missing(db: Database) -> int:
    """Return how many messages are not in the index."""
    through, version, _ = db.one(_STATE)
    (count,) = db.one("SELECT count(*) FROM messages WHERE cursor > ?", (through if version == fold.VERSION else 0,))
    return int(count)


def fill(db: Database, limit: int = BATCH) -> bool:
    """Make the next `limit` messages searchable, in a transaction of its own; whether there is more to do.

    If nothing is to be done, nothing is written. Also takes the next step of `purge`.

    Raises:
      StoreError: if the disk refuses.
    """
    through, version, is_to_purge = db.one(_STATE)
    (newest,) = db.one("SELECT ifnull(max(cursor), 0) FROM messages")
    if through >= newest and version == fold.VERSION:
        return bool(is_to_purge) and purge(db)
    with db.transaction():
        through = _begin(db)
        rows, size = [], 0
        for row in db.connection.execute(f"{_SOURCE} WHERE cursor > ? ORDER BY cursor LIMIT ?", (through, limit)):
            rows.append(row)
            size += len(row[-1] or b"")
            if size >= BATCH_SIZE:
                break
        if rows:
            insert = "INSERT INTO search (rowid, folded, who) VALUES (?, ?, ?)"
            db.connection.executemany(insert, filter(None, map(_copy, rows)))
            db.connection.execute("UPDATE searchable SET through = ?", (rows[-1][0],))
    return True


def _begin(db: Database) -> int:
    """Return up to where the index goes, after it was emptied if other rules made it; inside a transaction."""
    through, version, _ = db.one(_STATE)
    if version == fold.VERSION:
        return int(through)
    db.connection.execute("INSERT INTO search (search) VALUES ('delete-all')")
    db.connection.execute("UPDATE searchable SET through = 0, version = ?, purge = 0", (fold.VERSION,))
    return 0


_STATE: Final = "SELECT through, version, purge FROM searchable"
_SOURCE: Final = "SELECT cursor, pair, mine, kind, body FROM messages"


def _copy(row: tuple[int, int, int, int, bytes | None]) -> tuple[int, str, str] | None:
    """Return what the index holds of a message; None if that is nothing."""
    cursor, pair, mine, kind, body = row
    text = "" if body is None else _text(kind, body)
    side = _side(mine=bool(mine))
    return (cursor, fold.fold(text), f"{side} {side}{pair}") if text else None


def _text(kind: int, body: bytes) -> str:
    match messages.decode_body(kind, body):
        case messages.Text(text):
            return text
        case messages.Data(data):
            return data.decode("utf-8", "replace")
        case _:
            return ""


# ---- forgetting


def forget(db: Database, cursors: Sequence[int]) -> None:
    """Take messages, whose bodies are still there, out of the index; inside the transaction that deletes them.

    Their words stay in the file, where nothing finds them, until `purge` is done.
    """
    through = _begin(db)
    marks = ", ".join("?" * len(cursors))
    rows = db.connection.execute(f"{_SOURCE} WHERE cursor IN ({marks}) AND cursor <= ?", (*cursors, through)).fetchall()
    delete = "INSERT INTO search (search, rowid, folded, who) VALUES ('delete', ?, ?, ?)"
    db.connection.executemany(delete, filter(None, map(_copy, rows)))
    db.connection.execute("UPDATE searchable SET purge = 1")


def purge(db: Database) -> bool:
    """Write a part of the index anew, without forgotten words, in a transaction of its own; whether more is to do.

    Raises:
      StoreError: if the disk refuses.
    """
    with db.transaction():
        (before,) = db.one("SELECT total_changes()")
        db.connection.execute("INSERT INTO search (search, rank) VALUES ('merge', ?)", (-MERGED,))
        (after,) = db.one("SELECT total_changes()")
        is_done = after - before < 2  # so says the documentation of FTS5
        if is_done:
            db.connection.execute("UPDATE searchable SET purge = 0")
    return not is_done
