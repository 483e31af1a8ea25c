"""What it costs to look into a long history: a page of it, and a search through all of it.

The words are drawn as in a language, few of them often and most of them seldom; one stands in every message.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path

from p2pchat.store import history, search
from p2pchat.store.database import Database
from p2pchat.wire import messages
from tests.support.logbook import ANN, BOB, START, Logbook

MESSAGES = 1_000_000
EVERYWHERE = "the"
GOAL = 100.0  # ms for a search
_VOCABULARY = [EVERYWHERE, *(f"word{n}" for n in range(20_000))]
_HOW_OFTEN = list(accumulate(1 / rank for rank in range(1, len(_VOCABULARY))))
_DIFFERENT = 50_001  # texts; then they come again
_BATCH = 10_000  # messages of one transaction


def run(count: int = MESSAGES, *, rounds: int) -> dict[str, float]:
    """Return the median seconds of each look into a store of `count` messages, and what it took to make it."""
    with tempfile.TemporaryDirectory() as directory:
        db = Database.open(Path(directory) / "history.db", wall=time.time)
        spent = {
            "writing all of it": _time(partial(_write, db, count)),
            "indexing all of it": _time(partial(_fill, db)),
        }
        for title, look in _looks(db, count).items():
            look()  # once, for the caches
            spent[title] = statistics.median(_time(look) for _ in range(rounds))
        db.close()
        return spent


def _looks(db: Database, count: int) -> dict[str, Callable[[], object]]:
    def grep(*words: str, **how: object) -> Callable[[], object]:
        query = search.Query(words=words, **how)  # type: ignore[arg-type]  # as they are named
        return lambda: search.grep(db, query)

    return {
        "history: the last 100": lambda: list(history.last(db, 100)),
        "history: 100 from the middle": lambda: list(history.last(db, 100, before=count // 2)),
        "history: the last 100 with one peer": lambda: list(history.last(db, 100, peer=ANN)),
        "history: since a time": lambda: history.page(db, after=history.since(db, START + count * 500), limit=100),
        "history: what is unread": lambda: history.unread(db, BOB),
        "grep: a word in every message": grep(EVERYWHERE),
        "grep: two common words": grep(EVERYWHERE, "word0"),
        "grep: two that never meet": grep("even", "odd"),
        "grep: four common words": grep(EVERYWHERE, "word0", "word1", "word2"),
        "grep: a common word of one peer": grep(EVERYWHERE, peer=ANN, mine=False),
        "grep: a common word of mine": grep(EVERYWHERE, mine=True),
        "grep: a common word, lately": grep(EVERYWHERE, after=count - 1000),
        "grep: a rare word": grep("word15000"),
        "grep: a common and a rare word": grep(EVERYWHERE, "word15000"),
        "grep: a word nobody said": grep("nothing"),
    }


def _write(db: Database, count: int) -> None:
    book = Logbook(db)
    pairs = [book.pair(BOB, name="bob"), book.pair(ANN, name="ann")]
    rows = _rows(pairs, count)
    columns = "cursor, pair, mine, id, seq, kind, sent_ms, at_ms, opening, body"
    for start in range(0, count, _BATCH):
        with db.transaction():
            db.connection.executemany(
                f"INSERT INTO messages ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [row for _, row in zip(range(start, min(start + _BATCH, count)), rows, strict=False)],
            )
    with db.transaction():
        db.connection.execute("UPDATE pairs SET delivered_through = ?, sent_through = ?", (count, count))


def _rows(pairs: list[int], count: int) -> Iterator[tuple[object, ...]]:
    """Yield rows of `messages`: half of them mine, one in a hundred with the second peer."""
    dice = random.Random(1)
    bodies = [_body(dice, n) for n in range(min(count, _DIFFERENT))]
    for cursor in range(1, count + 1):
        at_ms = START + cursor * 1000
        pair, mine = pairs[cursor % 100 == 0], cursor % 7 < 3
        body = bodies[cursor % len(bodies)]
        yield (cursor, pair, mine, cursor.to_bytes(16), cursor, messages.Kind.TEXT, at_ms, at_ms, 1, body)


def _body(dice: random.Random, number: int) -> bytes:
    words = dice.choices(_VOCABULARY[1:], cum_weights=_HOW_OFTEN, k=8)
    return messages.encode_body(messages.Text(" ".join([EVERYWHERE, ("even", "odd")[number % 2], *words])))[1]


def _fill(db: Database) -> None:
    while search.fill(db):
        pass


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
