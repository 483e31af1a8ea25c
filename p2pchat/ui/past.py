"""What was said before, as lines on a terminal: those of `transcript.py`, with the state of what I said myself.

Between the time and a name stand two columns that are empty for a peer, so that no name can look like a state; and
nobody but me is called *you*.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from p2pchat.ui import sanitize, transcript

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.history import Break, Row
    from p2pchat.ui.marks import Marks

ME: Final = "you"  # as nobody else is called: see `p2pchat.ui.names`
MYSELF: Final = "me"  # as I call myself where I type the name of somebody
MISSING: Final = "messages with {} may be missing here --"
NEW: Final = f"{transcript.OURS}new --"
APART: Final = "--"  # stands between two places that have nothing to do with each other
FOUND, AROUND = "> ", "  "  # begin what was found, and what stands around it


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the past looks on one terminal."""

    marks: Marks
    names: Mapping[PeerId, str]  # what to call each peer: see `p2pchat.ui.names`
    width: int = 0  # columns, 0 if that is not known
    with_one: bool = False  # everything was said with one and the same peer

    def day_by_day(self, rows: Iterable[Row], breaks: Iterable[Break] = (), *, new_from: int = 0) -> Iterator[str]:
        """Yield the lines for messages, oldest first.

        There is a line for each day, one where messages may be missing, and one before the cursor `new_from`.
        """
        day: date | None = None
        broken = deque(breaks)
        for row in rows:
            yield from self._missing(broken, row.cursor)
            moment = _local(row.at_ms)
            if moment.date() != day:
                day = moment.date()
                yield f"{transcript.OURS}{day.isoformat()} --"
            if 0 < new_from <= row.cursor:
                new_from = 0
                yield NEW
            yield from self._said(f"{moment:%H:%M}", row)
        yield from self._missing(broken)

    def found(self, row: Row, before: Iterable[Row] = (), after: Iterable[Row] = ()) -> list[str]:
        """Return the lines for a message that was found, and for what stands around it."""
        around = [*before, *after]
        lines = []
        for one in (*before, row, *after):
            sign = (FOUND if one is row else AROUND) if around else ""
            lines += self._said(f"{sign}{_local(one.at_ms):%Y-%m-%d %H:%M}", one)
        return lines

    def _missing(self, broken: deque[Break], before: int | None = None) -> Iterator[str]:
        """Yield a line for each peer of whom messages may be missing before a cursor, and forget these places."""
        peers: dict[PeerId, None] = {}
        while broken and (before is None or broken[0].cursor < before):
            peers[broken.popleft().peer] = None
        for peer in peers:
            first, *rest = transcript.fold(MISSING.format(self.names[peer]), self.width - len(transcript.OURS))
            yield transcript.OURS + first
            yield from (" " * len(transcript.OURS) + piece for piece in rest)

    def _said(self, time: str, row: Row) -> list[str]:
        text = transcript.readable(row.message)
        if row.reason:
            text += f"\n({row.state}: {sanitize.clean_line(row.reason)})"
        name = self.names[row.peer]
        if row.mine:
            name = ME if self.with_one else f"{ME} to {name}"
        return transcript.said(f"{time} {self._mark(row):2}", name, text, self.width)

    def _mark(self, row: Row) -> str:
        if not row.mine:
            return ""
        mark: str = getattr(self.marks, row.state)
        return f"{mark} guest" if row.guest and row.state in {"delivered", "read"} else mark


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone()
