"""What is said and shown in the chats of one person: messages of others, our own, and those that came earlier.

Each of our own messages has a number, by which the person can ask about it; how it is shown while its fate is open is
the face's business.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from p2pchat.errors import StoreError
from p2pchat.node import events
from p2pchat.protocol.assembly import Messages
from p2pchat.ui import clocks, commands, lookup, past, transcript
from p2pchat.ui.posts import Post, Posts
from p2pchat.ui.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from p2pchat.node.session import Session
    from p2pchat.store.history import Row
    from p2pchat.store.store import Store
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.outlets import Outlet
    from p2pchat.ui.transcript import Transcript
    from p2pchat.ui.words import Words

UNDELIVERED = frozenset({events.State.QUEUED, events.State.SENT})
WHICH = "which one? its number stands beside each message of yours"
ELSEWHERE = ", elsewhere"  # behind how we are called, before what another process of ours has said


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to treat one person."""

    words: Words  # how to say things
    store: Store | None = None  # where the node keeps what is said; None if it keeps nothing
    quiet: bool = False  # say only what needs an answer
    receipts: bool = True  # tell peers whom we know which of their messages were read


class Reader:
    """What a person reads."""

    def __init__(self, manner: Manner, *, screen: Transcript, outlet: Outlet) -> None:
        """Begin with nothing shown.

        Args:
          manner: how to treat the person.
          screen: where our own lines go.
          outlet: where messages go: `screen`, or a file, which nobody reads now.
        """
        self.current: Session | None = None  # whose messages the person looks at
        self.posts: Posts = Posts(manner.words.marks)
        self._screen = screen
        self._outlet = outlet
        self._words = manner.words
        self._quiet = manner.quiet
        self._reads = outlet is screen
        self._receipts = manner.receipts and self._reads
        self._seen = Seen(manner.store, receipts=manner.receipts)
        self._lookup = lookup.Lookup(manner.store, manner.words.marks, manner.words.names)
        self._clocks = clocks.Clocks()

    async def attend(self) -> None:
        """Note, and tell, what was seen, until cancelled."""
        await self._seen.run()

    async def tell(self, lines: list[str]) -> None:
        """Say what is good to know; nothing to those who want it quiet."""
        if not self._quiet:
            await self._screen.note(lines)

    def look_at(self, session: Session) -> None:
        """Let the person look at what the peer of `session` says, and has said."""
        self.current = session
        self._seen.look_at(session)

    def tells_receipts(self, session: Session) -> bool:
        """Whether the peer of `session` learns which of its messages were read."""
        return self._receipts and session.known

    def author(self, session: Session, chat: Chat) -> str:
        """Return how we are called in front of what we say to the peer of `session`."""
        alone = sum(other.reachable for other in chat.sessions) <= 1
        return "you" if alone else f"you to {self._words.name(session, chat.sessions)}"

    async def open(self, session: Session, chat: Chat) -> None:
        """Show where the chat with the peer of `session` goes on, once."""
        self._clocks.link_began(session, chat.node.env.wall())
        if not self._reads:
            return
        try:
            opening = await self._lookup.open(session)
        except StoreError as exc:
            await self._screen.note(_failure(exc))
            return
        if opening is None:
            return
        name = self._words.name(session, chat.sessions)
        breaks = deque(opening.breaks)
        await self._recall(opening.known, breaks, session, name)
        if opening.hidden:
            told = f"{opening.hidden} unread messages before these are not shown: p2pchat history {session.peer}"
            await self._screen.note([told])
        if opening.new:
            await self._screen.note(["new --"])
            await self._recall(opening.new, breaks, session, name)
        await self._missing(breaks, name, before=opening.cursor + 1)
        theirs = [row for row in opening.new if not row.mine]
        messages = Messages([row.seq for row in theirs], [row.message.entry for row in theirs])
        self._look_at(session, messages, through=opening.cursor)

    async def _recall(self, rows: Iterable[Row], breaks: deque[int], session: Session, name: str) -> None:
        for row in rows:
            await self._missing(breaks, name, before=row.cursor)
            await self._screen.recall([self._spoken(row, session, name)])

    async def _missing(self, breaks: deque[int], name: str, *, before: int) -> None:
        """Say once that messages may be missing if one of `breaks` is before a cursor; forget those that are."""
        count = sum(cursor < before for cursor in breaks)
        for _ in range(count):
            breaks.popleft()
        if count:
            await self._screen.note([past.MISSING.format(name)])

    def _spoken(self, row: Row, session: Session, name: str) -> transcript.Spoken:
        """Return a message of the store as it is shown; one of ours gets a number again."""
        at, text = row.at_ms / 1000, transcript.readable(row.message)
        if not row.mine:
            return transcript.Spoken(at, name, text)
        post = self.posts.add(
            session,
            UUID(bytes=row.id),
            text=text,
            said_at=at,
            state=events.State(row.state),
            reason=row.reason,
        )
        self.posts.scroll([post])
        return transcript.Spoken(at, post.author, text + self.posts.tail(post, at))

    async def receive(self, event: events.MessagesReceived, chat: Chat) -> None:
        """Show messages, but for those that were shown when the chat went on."""
        session, received = event.session, event.messages
        if skipped := self._lookup.shown_before(session, event.cursors):
            received = Messages(received.seqs[skipped:], received.entries[skipped:])
        if received:
            await self._outlet.show(self._words.name(session, chat.sessions), received)
            self._look_at(session, received, through=event.cursors[-1] if event.cursors else 0)
        ahead = self._clocks.ahead(event, chat.node.env.wall())
        if ahead is not None:
            await self.tell(self._words.clock(session, ahead, chat.sessions))

    async def hear_myself(self, event: events.SaidElsewhere, chat: Chat) -> None:
        """Show what another process of ours has said."""
        session, author = event.session, self.author(event.session, chat) + ELSEWHERE
        skipped = self._lookup.shown_before(session, event.cursors)
        posts = [
            self.posts.add(
                session, said.id, author=author, text=transcript.readable(said), said_at=said.entry.sent_ms / 1000
            )
            for said in list(event.messages)[skipped:]
        ]
        self.posts.scroll(posts)  # at once: of these there may be any number
        now = chat.node.env.wall()
        await self._screen.say(author, *(post.text + self.posts.tail(post, now) for post in posts))

    def note_states(self, event: events.StatesChanged) -> list[Post]:
        """Note how far messages of ours have come; returns those for which that is news."""
        posts = self.posts
        news = [
            *posts.reached(events.State.SENT, event.sent),
            *posts.reached(events.State.DELIVERED, event.delivered),
            *posts.reached(events.State.READ, event.read),
            *posts.reached(events.State.FAILED, event.failed, reason=event.reason),
        ]
        return sorted(set(news), key=lambda post: post.number)

    def give_up(self, session: Session | None = None) -> list[Post]:
        """Return what is at the prompt, of one conversation or of all; what nothing keeps, and is not there, failed."""
        posts = self.posts.open(session)
        lost = [post for post in posts if not post.session.pair.durable and post.state in UNDELIVERED]
        self.posts.reached(events.State.FAILED, [post.id for post in lost])
        return posts

    def _look_at(self, session: Session, received: Messages, *, through: int) -> None:
        if self._reads:
            self._seen.shown(session, received, through=through, aside=session is not self.current)

    # ---- looking up

    async def look_up(self, command: commands.Do, chat: Chat) -> None:
        """Do what `command` says, which is about what was said before."""
        try:
            await self._look_up(command, chat)
        except StoreError as exc:
            await self._screen.note(_failure(exc))

    async def _look_up(self, command: commands.Do, chat: Chat) -> None:
        width = self._screen.columns
        match command.name:
            case "history":
                await self._screen.print(await self._lookup.history(self.current, command.number, width=width))
            case "grep":
                await self._screen.print(await self._lookup.grep(self.current, command.text, width=width))
            case "why":
                if post := await self._numbered(command.number or self.posts.newest):
                    name = self._words.name(post.session, chat.sessions)
                    await self._screen.note(await self._lookup.why(post, name))
            case _:
                if post := await self._numbered(command.number):
                    await self._screen.note(filter(None, [await lookup.unsend(post)]))

    async def _numbered(self, number: int) -> Post | None:
        """Return the message that a person means by `number`; None if there is none, which was told then."""
        post = self.posts.numbered(number)
        if post is None:
            which = f"no message of yours here has the number {number}" if number else WHICH
            await self._screen.note([which])
        return post


def _failure(error: StoreError) -> list[str]:
    return [str(error), *filter(None, [error.hint])]
