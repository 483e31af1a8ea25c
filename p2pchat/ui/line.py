"""The face for a terminal: what arrives scrolls by above a line in which a person types, undisturbed.

The keys' answers are called by asyncio: they put what is to be done into a channel, and one Trio task does it. What was
typed and not sent when the program has to end, for whatever reason, is kept for its next start.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol, TypeAlias, final
from weakref import WeakSet

import trio

from p2pchat import errors
from p2pchat.node import events
from p2pchat.ui import commands, sanitize
from p2pchat.ui.completion import Choices, Tab
from p2pchat.ui.person import Person
from p2pchat.ui.prompt import MAX_LINE, Answers, Prompt
from p2pchat.ui.reader import Reader
from p2pchat.ui.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.input import Input

    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.posts import Post
    from p2pchat.ui.reader import Manner
    from p2pchat.ui.terminal import Printer, Terminal

MAX_TYPED = 100  # texts that were entered and wait to be sent; beyond, Enter does nothing for a moment
RECEIPT_PATIENCE = 1.0  # seconds that a delivered message waits at the prompt for its receipt
UNDER_WAY = frozenset({events.State.SENT, events.State.DELIVERED})
LAST_WORDS = 1.0  # seconds to write what should be on the screen when all else has ended
FAREWELL = "Ctrl-C again ends at once, /q says goodbye first"
TOO_LONG = f"not inserted: the line takes {MAX_LINE} characters at most; send a file with p2pchat dial PEER < FILE"


class Draft(Protocol):
    """Where what was not sent waits for the next start."""

    def take(self) -> str:
        """Return it, and forget it."""

    def keep(self, text: str) -> None:
        """Keep `text`; raises StoreError if that is not possible."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to tell whoever types."""

    lines: tuple[str, ...]


Typed: TypeAlias = commands.Meaning | Remark


@final
class LineFace:
    """A person at a terminal; see `p2pchat.ui.chat.Face`."""

    is_person = True

    def __init__(  # noqa: PLR0913  (what it is made of)
        self,
        terminal: Terminal,
        printer: Printer,
        manner: Manner,
        *,
        wall: Callable[[], float],
        draft: Draft | None = None,
        keys: Input | None = None,
    ) -> None:
        """Make a face for `terminal`.

        Args:
          terminal: where it draws.
          printer: what writes above the prompt.
          manner: how to treat the person.
          wall: the time of day.
          draft: where a draft waits for the next start; None to keep nothing.
          keys: what is typed, if not on standard input.
        """
        self._printer = printer
        self._words = manner.words
        self._screen = Transcript(printer, marks=self._words.marks, wall=wall)
        self._wall = wall
        self._draft = draft
        self._reader = Reader(manner, screen=self._screen, outlet=self._screen)
        self._person = Person(self._reader, screen=self._screen, words=manner.words)
        self._posts = self._reader.posts
        self._chat: Chat | None = None
        self._nursery: trio.Nursery | None = None
        self._told_by: WeakSet[Session] = WeakSet()  # those that have sent us a receipt
        self._doubted = ""  # the text that is sent only if Enter comes again
        self._restored = ""  # the draft that was put into the line, until Enter
        self._saying = ""  # what is being said, as typed: it may have to wait for room
        self._rest = ""  # of the draft, what did not fit into the line
        self._to_do, self._done = trio.open_memory_channel[Typed](MAX_TYPED)
        answers = Answers(
            head=self._head,
            entered=self._entered,
            warned=self._warned,
            interrupted=self._interrupted,
            ended=self._ended,
            refused=self._refused,
        )
        choices = Choices(peers=self._names, strangers=lambda: [n for n, _ in self._person.company.strangers.waiting()])
        self._prompt = Prompt(terminal, printer, answers, completer=Tab(choices), keys=keys)

    # ---- events

    async def show(self, event: events.Event, chat: Chat) -> None:
        """Print what is news above the prompt."""
        match event:
            case events.MessagesReceived(session=session):
                await self._print([post for post in self._posts.open(session) if post.state in UNDER_WAY])
                await self._reader.receive(event, chat)
            case events.SaidElsewhere():
                await self._reader.hear_myself(event, chat)
            case events.StatesChanged():
                await self._changed(event)
            case _:
                await self._person.follow(event, chat)
                if isinstance(event, events.Disconnected) and event.session.over:
                    await self._print(self._reader.give_up(event.session))
        self._prompt.refresh()

    async def _changed(self, event: events.StatesChanged) -> None:
        """Let messages of ours scroll whose fate is known; tell the fate of those that have scrolled.

        One that was delivered waits a moment for its receipt, where receipts come: it shall not take two lines.
        """
        news = self._reader.note_states(event)
        here = [post for post in news if self._posts.is_open(post)]
        told = [post for post in news if not self._posts.is_open(post)]
        waiting = [post for post in here if post.state is events.State.DELIVERED and event.session in self._told_by]
        await self._print([post for post in here if post.state is not events.State.SENT and post not in waiting])
        await self._reader.tell(self._posts.news(told))
        if event.read:
            self._told_by.add(event.session)
        if waiting and self._nursery is not None:
            self._nursery.start_soon(self._let_scroll, waiting)

    async def _let_scroll(self, waiting: list[Post]) -> None:
        await trio.sleep(RECEIPT_PATIENCE)
        await self._print([post for post in waiting if self._posts.is_open(post)])
        self._prompt.refresh()

    async def _print(self, done: list[Post]) -> None:
        """Let messages of ours scroll."""
        now = self._wall()
        self._posts.scroll(done)
        for author, same in groupby(done, key=attrgetter("author")):
            await self._screen.say(author, *(post.text + self._posts.tail(post, now) for post in same))

    # ---- input

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Let a person type until the chat is over; then keep what was not sent."""
        self._chat, self._nursery = chat, nursery
        draft = self._draft.take() if self._draft is not None else ""
        draft, self._rest = draft[:MAX_LINE], draft[MAX_LINE:]
        self._restored = draft.rstrip("\n")
        if draft:
            told = "this was typed and not sent when the last chat ended: Enter twice sends it, Ctrl-C clears it"
            await self._reader.tell([told])
        if self._rest:
            await self._reader.tell([f"the line takes {MAX_LINE} characters of that; the rest comes next time"])
        nursery.start_soon(chat.guard, self._obey, chat, nursery)
        nursery.start_soon(chat.guard, self._reader.attend)
        try:
            await self._prompt.run(draft)
        finally:
            with trio.move_on_after(LAST_WORDS, shield=True):
                await self._settle()

    async def _obey(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Do what was typed, one after the other."""
        async for typed in self._done:
            match typed:
                case commands.Say(text) | commands.Do(name="me", text=text):
                    self._saying = commands.written(typed)
                    await self._say(text, chat)
                    self._saying = ""
                case commands.Mistake(message, hint):
                    await self._screen.note([sanitize.clean_line(message), sanitize.clean_line(hint)])
                case Remark(lines):
                    await self._screen.note(lines)
                case commands.Do(name="clear"):
                    self._printer.clear()
                case commands.Do():
                    await self._person.obey(typed, chat, nursery)
            self._prompt.refresh()

    async def _say(self, text: str, chat: Chat) -> None:
        if await self._person.say(text, chat) is None:  # a cancellation in here leaves it to `_settle`
            self._prompt.give_back(self._saying)

    async def _settle(self) -> None:
        """Leave nothing behind that is neither on the screen nor kept."""
        unsent = [self._saying]
        while self._done.statistics().current_buffer_used:
            typed = self._done.receive_nowait()
            if not isinstance(typed, Remark):
                unsent.append(commands.written(typed))
        draft = "\n".join(text for text in (*unsent, self._prompt.unsent, self._rest) if text)
        kept = f"{self._words.marks.failed} not sent: {draft}"
        if draft and self._draft is not None:
            try:
                self._draft.keep(draft)  # before anything is printed: the terminal may be gone
                kept = "what you had not sent is kept for the next start"
            except errors.StoreError as exc:
                kept = f"{exc}; it was: {draft}"
        await self._print(self._reader.give_up())
        if draft:
            await self._screen.note(sanitize.clean(kept).split("\n"))

    # ---- answers to keys, called by asyncio: nothing here may wait

    def _head(self) -> list[str]:
        """Return our messages that are on their way, and what stands before the typed text."""
        marks = self._words.marks
        sessions = self._chat.sessions if self._chat is not None else []
        current = self._person.current
        several = current is not None and sum(session.reachable for session in sessions) > 1
        who = self._words.name(current, sessions) if several and current is not None else ""
        lines = [*self._posts.drawn(self._printer.columns), f"{who}> "]
        return [marks.encode(line).decode(marks.encoding) for line in lines]

    def _names(self) -> list[str]:
        sessions = self._chat.sessions if self._chat is not None else []
        return [self._words.name(session, sessions) for session in sessions]

    def _entered(self, text: str) -> bool:
        text = text.rstrip("\n")
        why = commands.doubt(text)
        asked = why or self._stale(text)
        if asked and text != self._doubted:
            self._doubted = text
            self._put(Remark((f"{asked}: Enter again sends it, Ctrl-C clears it",)))
            return False
        self._doubted = self._restored = ""
        plainly = commands.Say(text) if why else commands.parse(text)
        return not text or self._put(plainly)

    def _stale(self, text: str) -> str:
        """Return why to ask about a draft: what was typed before it was on the screen may be glued to it."""
        return "part of this is from the last chat" if self._restored and self._restored in text else ""

    def _ended(self) -> None:
        self._put(commands.Do("quit"))

    def _warned(self) -> None:
        if self._person.is_leaving:
            self._interrupted()
        else:
            self._put(Remark((FAREWELL,)))

    def _refused(self) -> None:
        self._put(Remark((TOO_LONG,)))

    def _interrupted(self) -> None:
        if self._chat is not None:
            self._chat.end(errors.Interrupted("interrupted"))

    def _put(self, typed: Typed) -> bool:
        try:
            self._to_do.send_nowait(typed)
        except trio.WouldBlock:
            return False
        return True
