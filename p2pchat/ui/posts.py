"""Our own messages on their way: each waits at the prompt until its fate is known, then scrolls up with it.

Nothing on a terminal can be changed once it has scrolled, so a message is not printed before its last sign is certain.
Until then it stands between what was printed and the prompt, where lines can be drawn again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, final

from p2pchat.ui import transcript

if TYPE_CHECKING:
    from p2pchat.node.session import Session
    from p2pchat.ui.marks import Marks

MAX_DRAWN = 5  # messages above the prompt; the others are counted
MAX_PER_COLUMN = 8  # characters, accents and the like; whatever has more is cut unmeasured, for it is drawn often
NARROWEST = 20  # columns for the beginning of a message, whatever the terminal says


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of ours."""

    number: int  # among all of this run, for people
    place: int  # among all of its session, as `StatesChanged` counts them
    author: str  # "you", or to whom
    text: str  # clean
    said_at: float  # wall clock


@final
class Posts:
    """All messages of ours whose fate is open, oldest first for each session."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._open: dict[Session, deque[Post]] = {}
        self._number = 0

    def add(self, session: Session, place: int, *, author: str, text: str, said_at: float) -> None:
        """Note that `text` is on its way to the peer of `session`."""
        self._number += 1
        post = Post(number=self._number, place=place, author=author, text=text, said_at=said_at)
        self._open.setdefault(session, deque()).append(post)

    def take_delivered(self, session: Session, delivered: int) -> list[Post]:
        """Return, and forget, what was said to `session` and is among its first `delivered` messages."""
        posts = self._open.get(session, deque())
        done = []
        while posts and posts[0].place <= delivered:
            done.append(posts.popleft())
        return done

    def take(self, session: Session) -> list[Post]:
        """Return, and forget, all that is open with `session`."""
        return list(self._open.pop(session, ()))

    def take_all(self) -> list[Post]:
        """Return, and forget, everything that is open."""
        return sorted(
            (post for session in list(self._open) for post in self.take(session)), key=lambda post: post.number
        )

    def drawn(self, columns: int) -> list[str]:
        """Return a line for each of the newest, with how far it has come; they fit `columns`."""
        rows = [(post, session) for session, posts in self._open.items() for post in islice(reversed(posts), MAX_DRAWN)]
        rows = sorted(rows, key=lambda row: row[0].number)[-MAX_DRAWN:]
        lines = [self._draw(post, session, columns) for post, session in rows]
        hidden = sum(map(len, self._open.values())) - len(lines)
        return [*([f"{self._marks.dots} {hidden} more on their way"] if hidden else []), *lines]

    def _draw(self, post: Post, session: Session, columns: int) -> str:
        mark = self._marks.sent if post.place <= session.counts[1] else self._marks.queued
        first, *rest = post.text.split("\n")
        line = f"{mark} #{post.number} {post.author}: {first}" + (f" {self._marks.dots}" if rest else "")
        return cut(line, max(columns, NARROWEST) - 1, self._marks.dots)


def tail(post: Post, mark: str, now: float) -> str:
    """Return what stands behind a message printed at `now`: its number, its fate, and when it was said if not now."""
    said_at, shown_at = _clock(post.said_at), _clock(now)
    return f"  #{post.number} {mark}" + (f", said {said_at}" if said_at != shown_at else "")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).astimezone().strftime("%H:%M")


def cut(line: str, width: int, dots: str) -> str:
    """Return a clean `line`, or the beginning of it that fits `width` columns, with `dots`."""
    if len(line) <= MAX_PER_COLUMN * width and transcript.columns_of(line) <= width:
        return line
    length = width - len(dots)
    while transcript.columns_of(line[:length]) > width - len(dots):
        length -= 1
    return line[:length] + dots
