"""A chat as lines on a terminal, each appended to the last: ``HH:MM name: text``, and ``-- `` before our own words.

Nothing that a peer sends can begin at the left edge: further lines of a message, and what does not fit the width, are
indented. So nobody can forge a line of somebody else, or of ours.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple

from p2pchat.ui import sanitize
from p2pchat.wire import messages

if TYPE_CHECKING:
    from p2pchat.protocol.assembly import Message
    from p2pchat.ui.marks import Marks
    from p2pchat.ui.stdio import Sink

OURS = "-- "
ACTION = "/me "
NARROWEST = 20  # columns; below, folding would only tear words


class Spoken(NamedTuple):
    """Something that was said earlier."""

    at: float  # Unix seconds
    name: str
    text: str  # clean


class Transcript:
    """Writes both kinds of lines to one output; many tasks may do so."""

    def __init__(self, output: Sink, *, marks: Marks, wall: Callable[[], float]) -> None:
        self._output = output
        self._marks = marks
        self._wall = wall
        self._day: date | None = None

    async def show(self, name: str, received: Iterable[Message]) -> None:
        """Append messages of the peer called `name`; they are on their way to the screen when this returns."""
        await self.say(name, *map(readable, received))

    async def say(self, name: str, *texts: str) -> None:
        """Append clean `texts` that `name` said just now."""
        now = self._local(self._wall())
        lines = self._new_day(now.date())
        width = self._output.columns
        for text in texts:
            lines += said(now.strftime("%H:%M"), name, text, width)
        await self._write(lines)

    async def recall(self, spoken: Iterable[Spoken]) -> None:
        """Append what was said earlier, oldest first, each day under its date."""
        lines: list[str] = []
        today, width = self._local(self._wall()).date(), self._output.columns
        for at, name, text in spoken:
            moment = self._local(at)
            if moment.date() != (self._day or today):
                lines.append(f"{OURS}{moment.date().isoformat()} --")
            self._day = moment.date()
            lines += said(moment.strftime("%H:%M"), name, text, width)
        await self._write(lines)

    async def note(self, lines: Iterable[str]) -> None:
        """Append lines of our own."""
        width, further = self._output.columns - len(OURS), "\n" + " " * len(OURS)
        await self._write([OURS + further.join(fold(line, width)) for line in lines])

    def _new_day(self, today: date) -> list[str]:
        if today == self._day:
            return []
        is_first, self._day = self._day is None, today
        return [] if is_first else [f"{OURS}{today.isoformat()} --"]

    async def print(self, lines: Iterable[str]) -> None:
        """Append lines that are as they should be: `said` has made them."""
        await self._write(list(lines))

    @property
    def columns(self) -> int:
        """The width of the terminal now, 0 if it is none."""
        return self._output.columns

    @staticmethod
    def _local(at: float) -> datetime:
        return datetime.fromtimestamp(at, tz=UTC).astimezone()

    async def _write(self, lines: Sequence[str]) -> None:
        if lines:
            await self._output.send_all(self._marks.encode("\n".join(lines) + "\n"))


def readable(message: Message) -> str:
    """Return what a person sees of `message`, clean."""
    match message.body:
        case messages.Text(text):
            return sanitize.clean(text)
        case messages.Data(data):
            return sanitize.clean(data.decode("utf-8", "backslashreplace"))
        case messages.Profile(name):
            return f"({sanitize.clean_line(name) or 'no name'} is what I call myself now)"
        case messages.Unreadable():
            return "(unreadable message)"
        case _:
            return f"(a message of a kind that is not supported yet: {message.entry.kind})"


def said(time: str, name: str, text: str, width: int) -> list[str]:
    """Return the lines for a clean `text` that `name` said; `width` is the number of columns, 0 if it is not known."""
    margin = " " * (columns_of(time) + 1)
    whole = f"* {name} {text.removeprefix(ACTION)}" if text.startswith(ACTION) else f"{name}: {text}"
    first, *rest = (sanitize.isolate(piece) for line in whole.split("\n") for piece in fold(line, width - len(margin)))
    return [f"{time} {first}", *(margin + piece for piece in rest)]


def fold(line: str, width: int) -> list[str]:
    """Return `line` in pieces that fit `width` columns, broken at blanks, and inside of words that are wider.

    Whatever is wider than the screen would be broken by the terminal, which begins the rest at the left edge: where
    only lines of ours may begin.
    """
    if width < NARROWEST or columns_of(line) <= width:
        return [line]
    pieces, current = [], ""
    for word in re.findall(r" *[^ ]+| +$", line):
        if columns_of(current + word) <= width:
            current += word
            continue
        if current:
            pieces.append(current)
        *full, current = _hard(word.lstrip(" "), width)
        pieces += full
    return [*pieces, current]


def _hard(word: str, width: int) -> list[str]:
    """Return `word` in pieces of at most `width` columns; marks stay with what they stand on."""
    pieces, start, taken = [], 0, 0
    for index, char in enumerate(word):
        columns = columns_of(char)
        if taken + columns > width:
            pieces.append(word[start:index])
            start, taken = index, 0
        taken += columns
    return [*pieces, word[start:]]


def columns_of(text: str) -> int:
    """Return how many columns a clean line takes on most terminals."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in {"W", "F"} for char in text)
    nothing = sum(unicodedata.category(char) in {"Mn", "Me", "Cf"} for char in text)
    return len(text) + wide - nothing
