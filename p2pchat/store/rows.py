"""Many rows with few statements: a statement costs as much as a row or two, a parameter much less.

What all rows share is bound once, and what counts up is computed by SQLite. Statements come in a few sizes, so that
each is compiled once and stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from p2pchat.store.database import Connection

_SIZES: Final = (64, 8, 1)  # rows in one statement


@final
class Insertion:
    """A kind of row that is inserted in numbers."""

    def __init__(self, into: str, row: str, *, shared: int) -> None:
        """Take the parts of a statement.

        Args:
          into: ``INSERT INTO table (columns)``.
          row: the values of one row: ``?1`` and so on for what is shared, ``?`` for its own, ``#`` for its place among
            the rows of one call, 0 first.
          shared: how many parameters are shared, without the place.
        """
        self._into = into
        self._row = row
        self._shared = shared
        self._own = row.count("?,") + row.count("?)")
        self._statement = cache(self._make)

    def run(self, connection: Connection, shared: Sequence[Any], own: Sequence[Any]) -> None:
        """Insert rows: `own` has the parameters of the first row, then those of the second, and so on."""
        count, done = len(own) // self._own, 0
        for size in _SIZES:
            while count - done >= size:
                some = own[done * self._own : (done + size) * self._own]
                connection.execute(self._statement(size), (*shared, done, *some))
                done += size

    def _make(self, size: int) -> str:
        number = self._shared + 1
        rows = []
        for place in range(size):
            pieces = self._row.replace("#", f"(?{self._shared + 1} + {place})").split("?")
            text = pieces[0]
            for piece in pieces[1:]:
                if piece[0].isdigit():
                    text += f"?{piece}"
                else:
                    number += 1
                    text += f"?{number}{piece}"
            rows.append(text)
        return f"{self._into} VALUES {', '.join(rows)}"
