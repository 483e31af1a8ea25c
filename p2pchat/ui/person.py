"""A person at a terminal: whom it talks to, and what its commands do. The faces with a keyboard share it.

How typed text is shown, and how its fate is told, differs between those faces and is theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from p2pchat.errors import LocalProtocolError, StoreError
from p2pchat.node import events
from p2pchat.ui import commands, sanitize
from p2pchat.ui.company import Company
from p2pchat.ui.transcript import OURS
from p2pchat.ui.verifying import Verifying
from p2pchat.wire.messages import MAX_DISPLAY_NAME, Text

if TYPE_CHECKING:
    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.posts import Post
    from p2pchat.ui.reader import Reader
    from p2pchat.ui.transcript import Transcript
    from p2pchat.ui.words import Words

OUTBOX_PATIENCE = 2.0  # seconds that Enter may take while too much waits to be sent; then the line is not sent


class Person:
    """What one person does and has before it."""

    def __init__(self, reader: Reader, *, screen: Transcript, words: Words) -> None:
        """Begin alone.

        Args:
          reader: what the person reads.
          screen: where our own lines go.
          words: how to say them.
        """
        self.company: Company = Company(reader, screen=screen, words=words)
        self._verifying = Verifying(screen=screen, words=words)
        self.is_leaving: bool = False
        self._reader = reader
        self._screen = screen
        self._words = words

    @property
    def current(self) -> Session | None:
        """Whom typed lines go to."""
        return self._reader.current

    # ---- events

    async def follow(self, event: events.Event, chat: Chat) -> None:
        """Tell what is news, and keep somebody to talk to."""
        if isinstance(event, events.Stranger) and event.waiting:
            await self._screen.note(self._words.question(event, self.company.strangers.add(event.peer)))
            return
        if isinstance(event, events.Invited):  # was asked for, also by those who want it quiet; a link is copied whole
            await self._screen.print(OURS + line for line in self._words.tell(event))
            return
        if isinstance(event, events.ClaimFailed):  # a warning, also for those who want it quiet
            await self._screen.note(self._words.tell(event, chat.sessions))
            return
        if self.company.has_told(event):
            return
        await self._reader.tell(self._words.tell(event, chat.sessions))
        match event:
            case events.Connected(session=session) | events.Elsewhere(session=session):
                if self.current is None or not self.current.reachable:
                    self._reader.look_at(session)
                await self._reader.open(session, chat)
            case events.Disconnected(session=session, clean=True) if session is self.current:
                self._reader.current = None
                other = next((other for other in chat.sessions if other.reachable), None)
                if other is not None:
                    await self._talk_to(other, chat)

    # ---- what is typed

    async def say(self, text: str, chat: Chat) -> Post | None:
        """Send `text` to whom we talk to; None if that is not possible, which was told then."""
        session = self.current
        if session is None and text:
            await self._screen.note(["nobody is here yet, so this was not sent"])
        if session is None or not text:  # Enter alone says nothing
            return None
        failed, said_at = self._words.marks.failed, chat.node.env.wall()
        try:
            with trio.move_on_after(OUTBOX_PATIENCE):
                message_id = await session.post(Text(text))
                author, clean = self._reader.author(session, chat), sanitize.clean(text)
                return self._reader.posts.add(session, message_id, author=author, text=clean, said_at=said_at)
        except LocalProtocolError as exc:
            await self._screen.note([f"{failed} not sent: {exc}"])
            return None
        except StoreError as exc:
            await self._screen.note([f"{failed} not accepted: {exc}", *filter(None, [exc.hint])])
            return None
        await self._screen.note([f"{failed} not sent: too much waits to be sent already"])
        return None

    async def obey(self, command: commands.Do, chat: Chat, nursery: trio.Nursery) -> None:
        """Do what `command` says; what only a face can do is the face's."""
        match command:
            case commands.Do(name="quit"):
                self.quit(chat, nursery)
            case commands.Do(name="help"):
                await self._screen.note(commands.table())
            case commands.Do(name="who", text=whom):
                await self.company.who(whom, chat)
            case commands.Do(name="switch", text=whom):
                if (session := await self.company.find(whom, chat)) is not None:
                    await self._talk_to(session, chat)
            case commands.Do(name="accept" | "reject" as name, number=number):
                await self.company.decide(number, chat, let_in=name == "accept")
            case commands.Do(name="block", text=whom):
                await self.company.block(whom, chat)
            case commands.Do(name="verify", text=text):
                await self._verifying.verify(text, self.current, chat)
            case commands.Do(name="nick", text=name):
                await self._rename(name, chat)
            case commands.Do(name="reconnect"):
                count = chat.node.reconnect()
                await self._screen.note(["dialling now" if count else "nobody waits to be dialled again"])
            case commands.Do(name="why" | "unsend" | "history" | "grep"):
                await self._reader.look_up(command, chat)
            case _:
                pass

    def quit(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Say goodbye and end; the second time without waiting for it."""
        if self.is_leaving:
            chat.end()
        self.is_leaving = True
        nursery.start_soon(chat.guard, self._leave, chat)

    async def _leave(self, chat: Chat) -> None:
        """Say goodbye, and what nobody will hear any more."""
        waiting = 0
        for session in chat.sessions:
            if session.connected and session.has_unsaid:
                waiting += await session.unsaid()
        if waiting:
            what = "1 message" if waiting == 1 else f"{waiting} messages"
            await self._reader.tell([f"waiting for {what} to arrive; /q again does not wait"])
        for session, count in (await chat.leave()).items():
            await self._screen.note(self._words.unsaid(session, count, chat.sessions))
        chat.end()

    async def _talk_to(self, session: Session, chat: Chat) -> None:
        self._reader.look_at(session)
        await self._screen.note([f"you now talk to {self._words.name(session, chat.sessions)}"])

    async def _rename(self, name: str, chat: Chat) -> None:
        try:
            chat.node.rename(name)
        except LocalProtocolError:
            await self._screen.note([f"a name has at most {MAX_DISPLAY_NAME} characters, so nothing has changed"])
        else:
            await self._screen.note(["others see your new name from now on, for this run"])
