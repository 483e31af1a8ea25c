"""The face of a terminal that draws nothing: lines are appended, keys are the terminal's own business.

The terminal stays as it was found: it echoes, edits and keeps a half-typed line, and gives it to us at Enter. So what
arrives may stand beside something half-typed, which is not lost; Ctrl-R shows it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from p2pchat.errors import LocalProtocolError
from p2pchat.node import events
from p2pchat.ui import commands, sanitize
from p2pchat.ui.strangers import Strangers

if TYPE_CHECKING:
    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.outlets import Outlet
    from p2pchat.ui.stdio import Source
    from p2pchat.ui.transcript import Transcript
    from p2pchat.ui.words import Words

OUTBOX_PATIENCE = 2.0  # seconds that Enter may take while too much waits to be sent; then the line is not sent


class PlainFace:
    """A person at a terminal; see `p2pchat.ui.chat.Face`."""

    is_person = True

    def __init__(self, *, source: Source, outlet: Outlet, screen: Transcript, words: Words, quiet: bool) -> None:
        """Begin with an empty screen.

        Args:
          source: the terminal's keys.
          outlet: where messages go: `screen`, or a file.
          screen: where our own lines go.
          words: how to say them.
          quiet: whether to say only what needs an answer.
        """
        self._source = source
        self._outlet = outlet
        self._screen = screen
        self._words = words
        self._quiet = quiet
        self._current: Session | None = None  # whom typed lines go to
        self._strangers = Strangers()
        self._promised: dict[Session, int] = {}  # the message whose delivery will be told
        self._is_leaving = False

    # ---- events

    async def show(self, event: events.Event, chat: Chat) -> None:
        """Append what is news."""
        match event:
            case events.MessagesReceived(session=session, messages=received):
                await self._outlet.show(self._words.name(session, chat.sessions), received)
            case events.Stranger(waiting=True):
                await self._screen.note(self._words.question(event, self._strangers.add(event.peer)))
            case events.StatesChanged(session=session, delivered=delivered):
                await self._show_delivery(session, delivered)
            case _:
                await self._tell(self._words.tell(event, chat.sessions))
                await self._follow(event, chat)

    async def _tell(self, lines: list[str]) -> None:
        if not self._quiet:
            await self._screen.note(lines)

    async def _follow(self, event: events.Event, chat: Chat) -> None:
        """Keep somebody to talk to."""
        match event:
            case events.Connected(session=session) if self._current is None or not self._current.connected:
                self._current = session
                self._promised.setdefault(session, session.counts[0] + 1)  # the next message: how it fared is told
            case events.Disconnected(session=session, clean=True):
                self._promised.pop(session, None)
                if session is self._current:
                    self._current = next((other for other in chat.sessions if other.connected), None)
                    if self._current is not None:
                        await self._tell([f"you now talk to {self._words.name(self._current, chat.sessions)}"])

    async def _show_delivery(self, session: Session, delivered: int) -> None:
        """Tell the first delivery of each link, and those of messages that had to wait for one; the rest is quiet."""
        if delivered >= self._promised.get(session, delivered + 1):
            del self._promised[session]
            what = "guest: shown over there, kept nowhere" if session.guest else "delivered"
            await self._tell([f"{self._words.marks.delivered} {what}"])

    # ---- input

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Send and obey what is typed; /quit and Ctrl-D say goodbye, and the second time they do not wait for it."""
        unfinished = b""
        while True:
            data = await self._source.receive_some()
            *lines, unfinished = (unfinished + data).split(b"\n")
            if not data and unfinished:
                lines, unfinished = [unfinished], b""  # Ctrl-D behind a half-typed line is like Enter
            elif not data:
                self._quit(chat, nursery)
            for line in lines:
                await self._typed(line, chat, nursery)

    async def _typed(self, line: bytes, chat: Chat, nursery: trio.Nursery) -> None:
        try:
            meaning = commands.parse(line.decode())
        except UnicodeDecodeError:
            meaning = commands.Mistake("this line is not UTF-8, and was not sent", "set the terminal to UTF-8")
        match meaning:
            case commands.Say(text):
                await self._say(text, chat)
            case commands.Mistake(message, hint):
                await self._screen.note([sanitize.clean_line(message), sanitize.clean_line(hint)])
            case commands.Do(name="quit"):
                self._quit(chat, nursery)
            case commands.Do(name="me", text=text):
                await self._say(f"/me {text}", chat)
            case commands.Do(name="help"):
                await self._screen.note(commands.table())
            case commands.Do(name="who"):
                await self._screen.note(self._who(chat))
            case commands.Do(name="switch", number=number):
                await self._switch(number, chat)
            case commands.Do(name="accept" | "reject" as name, number=number):
                await self._decide(number, chat, let_in=name == "accept")

    async def _say(self, text: str, chat: Chat) -> None:
        session = self._current
        if session is None and text:
            await self._screen.note(["nobody is here yet, so this was not sent"])
        if session is None or not text:  # Enter alone says nothing
            return
        number = None
        try:
            with trio.move_on_after(OUTBOX_PATIENCE):
                number = await session.send(text)
        except LocalProtocolError as exc:
            await self._screen.note([f"{self._words.marks.failed} not sent: {exc}"])
            return
        if number is None:
            await self._screen.note([f"{self._words.marks.failed} not sent: too much waits to be sent already"])
        elif not session.connected:
            self._promised[session] = number
            name = self._words.name(session, chat.sessions)
            await self._screen.note([f"{self._words.marks.queued} queued until {name} is back"])

    def _quit(self, chat: Chat, nursery: trio.Nursery) -> None:
        if self._is_leaving:
            chat.end()
        self._is_leaving = True
        nursery.start_soon(chat.guard, self._leave, chat)

    async def _leave(self, chat: Chat) -> None:
        """Say goodbye, and what nobody will hear any more."""
        if waiting := sum(session.unacknowledged for session in chat.sessions if session.connected):
            await self._tell([f"waiting for {waiting} messages to arrive; /q again does not wait"])
        if lost := await chat.leave():
            mark = self._words.marks.failed
            await self._screen.note([f"{mark} messages that were not delivered, and that nothing keeps: {lost}"])
        chat.end()

    def _who(self, chat: Chat) -> list[str]:
        lines = [f"you are {chat.node.id}"]
        for number, session in enumerate(chat.sessions, 1):
            name = self._words.name(session, chat.sessions)
            state = "" if session.connected else ", connection lost"
            current = ", whom you talk to" if session is self._current else ""
            lines.append(f"{number}: {name} ({session.peer}){state}{current}")
        lines += [f"stranger {number}: {peer}, waiting" for number, peer in self._strangers.waiting()]
        return lines if len(lines) > 1 else [*lines, "nobody else is here"]

    async def _switch(self, number: int, chat: Chat) -> None:
        if 1 <= number <= len(chat.sessions):
            self._current = chat.sessions[number - 1]
            await self._screen.note([f"you now talk to {self._words.name(self._current, chat.sessions)}"])
        else:
            await self._screen.note([f"there is no number {number} in /who"])

    async def _decide(self, number: int, chat: Chat, *, let_in: bool) -> None:
        peer = self._strangers.take(number)
        if peer is None:
            await self._screen.note([f"no stranger number {number} waits; /who lists those who do"])
            return
        still_there = chat.node.accept(peer) if let_in else chat.node.reject(peer)
        what = "let in for this run" if let_in else "refused"
        absent = "" if still_there else "; it does not wait any more" + (", but it may come back" if let_in else "")
        await self._screen.note([f"{self._words.peer(peer)} {what}{absent}"])
