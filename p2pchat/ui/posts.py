"""Our own messages, by the numbers under which a person knows them, and how far each has come.

Nothing on a terminal can be changed once it has scrolled. So a message first stands between what was printed and the
prompt, where lines can be drawn again, and scrolls up when the face lets it. What becomes of it later is told in a line
about its number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, final

from p2pchat.node.events import State
from p2pchat.ui import sanitize, transcript

if TYPE_CHECKING:
    from uuid import UUID

    from p2pchat.node.session import Session
    from p2pchat.ui.marks import Marks

MAX_DRAWN: Final = 5  # messages above the prompt; the others are counted
MAX_KNOWN: Final = 1000  # messages that have scrolled and whose numbers still mean something; the oldest are forgotten
MAX_PER_COLUMN: Final = 8  # characters, accents and the like; what has more is cut unmeasured, for it is drawn often
NARROWEST: Final = 20  # columns for the beginning of a message, whatever the terminal says


@dataclass(slots=True, kw_only=True, eq=False)
class Post:
    """One message of ours."""

    number: int  # among all of this run, for people
    id: UUID
    session: Session
    author: str  # "you", or to whom
    text: str  # clean
    said_at: float  # wall clock
    state: State = State.QUEUED
    reason: str = ""  # why it failed


@final
class Posts:
    """All messages of ours that a person can still ask about, oldest first."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._open: dict[UUID, Post] = {}  # at the prompt
        self._scrolled: dict[UUID, Post] = {}
        self._numbered: dict[int, Post] = {}
        self._number = 0

    def add(  # noqa: PLR0913  (what a message is)
        self,
        session: Session,
        message_id: UUID,
        *,
        author: str = "you",
        text: str,
        said_at: float,
        state: State = State.QUEUED,
        reason: str = "",
    ) -> Post:
        """Give a number to a message for the peer of `session`; it stands at the prompt."""
        self._number += 1
        post = Post(
            number=self._number,
            id=message_id,
            session=session,
            author=author,
            text=text,
            said_at=said_at,
            state=state,
            reason=reason,
        )
        self._open[message_id] = self._numbered[post.number] = post
        return post

    def numbered(self, number: int) -> Post | None:
        """Return the message that a person knows under `number`."""
        return self._numbered.get(number)

    def scroll(self, posts: Iterable[Post]) -> None:
        """Note that `posts` stand at the prompt no longer."""
        for post in posts:
            if self._open.pop(post.id, None) is not None:
                self._scrolled[post.id] = post
        for post in list(islice(self._scrolled.values(), max(len(self._scrolled) - MAX_KNOWN, 0))):
            del self._scrolled[post.id], self._numbered[post.number]

    def reached(self, state: State, ids: Iterable[UUID], *, reason: str = "") -> list[Post]:
        """Note that messages have reached `state`; returns those for which that is news."""
        news = []
        for message_id in ids:
            post = self._open.get(message_id) or self._scrolled.get(message_id)
            if post is not None and post.state.leads_to(state):
                post.state, post.reason = state, reason
                news.append(post)
        return news

    def is_open(self, post: Post) -> bool:
        """Whether `post` stands at the prompt."""
        return post.id in self._open

    def open(self, session: Session | None = None) -> list[Post]:
        """Return what stands at the prompt, of one conversation or of all."""
        return [post for post in self._open.values() if session is None or post.session is session]

    # ---- on the screen

    def drawn(self, columns: int) -> list[str]:
        """Return a line for each of the newest at the prompt, with how far it has come; they fit `columns`."""
        posts = list(islice(reversed(self._open.values()), MAX_DRAWN))[::-1]
        hidden = len(self._open) - len(posts)
        lines = [self._draw(post, columns) for post in posts]
        return [*([f"{self._marks.dots} {hidden} more on their way"] if hidden else []), *lines]

    def _draw(self, post: Post, columns: int) -> str:
        first, *rest = post.text.split("\n")
        line = f"{self.sign(post)} #{post.number} {post.author}: {first}" + (f" {self._marks.dots}" if rest else "")
        return cut(line, max(columns, NARROWEST) - 1, self._marks.dots)

    def sign(self, post: Post) -> str:
        """Return the mark of how far `post` has come, and what has to stand beside it."""
        marks = self._marks
        match post.state:
            case State.QUEUED:
                return marks.queued
            case State.SENT:
                return marks.sent
            case State.DELIVERED:
                return marks.delivered + (" guest" if post.session.guest else "")
            case State.READ:
                return marks.read
            case State.FAILED:
                return marks.failed

    def tail(self, post: Post, now: float) -> str:
        """Return what stands behind a message printed at `now`: its number, its state, when it was said if not now."""
        said_at, shown_at = _clock(post.said_at), _clock(now)
        why = f" {sanitize.clean_line(post.reason)}" if post.reason else ""
        return f"  #{post.number} {self.sign(post)}{why}" + (f", said {said_at}" if said_at != shown_at else "")

    def news(self, posts: Sequence[Post]) -> list[str]:
        """Return a line for each state that `posts`, oldest first, have reached."""
        alike: dict[tuple[str, str], list[Post]] = {}
        for post in posts:
            why = f", {sanitize.clean_line(post.reason)}" if post.reason else ""
            alike.setdefault((self.sign(post), f"{post.state.value}{why}"), []).append(post)
        return [f"{sign} {numbers(some)}: {what}" for (sign, what), some in alike.items()]

    @property
    def newest(self) -> int:
        """The newest number, 0 if there is none."""
        return self._number


def numbers(posts: Iterable[Post]) -> str:
    """Return the numbers of `posts` for people: ``#1, #3 to #5``."""
    runs: list[list[int]] = []
    for post in posts:
        if runs and runs[-1][-1] == post.number - 1:
            runs[-1].append(post.number)
        else:
            runs.append([post.number])
    return ", ".join(f"#{run[0]}" if len(run) == 1 else f"#{run[0]} to #{run[-1]}" for run in runs)


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
