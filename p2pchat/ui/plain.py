"""The face of a terminal that draws nothing: lines are appended, keys are the terminal's own business.

The terminal stays as it was found: it echoes, edits and keeps a half-typed line, and gives it to us at Enter. So what
arrives may stand beside something half-typed, which is not lost; Ctrl-R shows it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pchat.node import events
from p2pchat.ui import commands, sanitize
from p2pchat.ui.person import Person
from p2pchat.ui.reader import Reader

if TYPE_CHECKING:
    import trio

    from p2pchat.ui.chat import Chat
    from p2pchat.ui.outlets import Outlet
    from p2pchat.ui.posts import Post
    from p2pchat.ui.reader import Manner
    from p2pchat.ui.stdio import Source
    from p2pchat.ui.transcript import Transcript


class PlainFace:
    """A person at a terminal; see `p2pchat.ui.chat.Face`."""

    is_person = True

    def __init__(self, manner: Manner, *, source: Source, outlet: Outlet, screen: Transcript) -> None:
        """Begin with an empty screen.

        Args:
          manner: how to treat the person.
          source: the terminal's keys.
          outlet: where messages go: `screen`, or a file.
          screen: where our own lines go.
        """
        self._source = source
        self._screen = screen
        self._words = manner.words
        self._reader = Reader(manner, screen=screen, outlet=outlet)
        self._person = Person(self._reader, screen=screen, words=manner.words)
        self._waited: set[Post] = set()  # what was queued while nobody could be reached

    # ---- events

    async def show(self, event: events.Event, chat: Chat) -> None:
        """Append what is news."""
        match event:
            case events.MessagesReceived():
                await self._reader.receive(event, chat)
            case events.SaidElsewhere():
                await self._reader.hear_myself(event, chat)
            case events.StatesChanged():
                await self._changed(event)
            case _:
                await self._person.follow(event, chat)

    async def _changed(self, event: events.StatesChanged) -> None:
        """Tell how messages fare: that one has left is only news if it had to wait for that."""
        news = self._reader.note_states(event)
        waited = {post for post in self._waited if post in news}
        self._waited -= waited
        told = [post for post in news if post.state is not events.State.SENT or post in waited]
        await self._reader.tell(self._reader.posts.news(told))

    # ---- input

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Send and obey what is typed; /quit and Ctrl-D say goodbye, and the second time they do not wait for it."""
        nursery.start_soon(chat.guard, self._reader.attend)
        unfinished = b""
        while True:
            data = await self._source.receive_some()
            *lines, unfinished = (unfinished + data).split(b"\n")
            if not data and unfinished:
                lines, unfinished = [unfinished], b""  # Ctrl-D behind a half-typed line is like Enter
            elif not data:
                self._person.quit(chat, nursery)
            for line in lines:
                await self._typed(line, chat, nursery)

    async def _typed(self, line: bytes, chat: Chat, nursery: trio.Nursery) -> None:
        try:
            meaning = commands.parse(line.decode())
        except UnicodeDecodeError:
            meaning = commands.Mistake("this line is not UTF-8, and was not sent", "set the terminal to UTF-8")
        match meaning:
            case commands.Say(text) | commands.Do(name="me", text=text):
                await self._say(text, chat)
            case commands.Mistake(message, hint):
                await self._screen.note([sanitize.clean_line(message), sanitize.clean_line(hint)])
            case commands.Do(name="clear"):
                await self._screen.note(["nothing was drawn here, so there is nothing to clear"])
            case commands.Do():
                await self._person.obey(meaning, chat, nursery)

    async def _say(self, text: str, chat: Chat) -> None:
        post = await self._person.say(text, chat)
        if post is None:
            return
        self._reader.posts.scroll([post])
        if not post.session.reachable:
            self._waited.add(post)
            name = self._words.name(post.session, chat.sessions)
            await self._screen.note([f"{self._words.marks.queued} #{post.number} queued until {name} is back"])
