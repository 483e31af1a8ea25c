"""The face for programs: every event is a line on standard output, every line on standard input is a command.

Standard output carries nothing else. What has no event yet (notices, a dial that waits to be let in) is told to people,
on standard error. Nothing is acknowledged to a peer that was not written.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import TYPE_CHECKING, Final

import trio

from p2pchat import errors
from p2pchat.env import unix_ms
from p2pchat.node import events
from p2pchat.ui import chat as chats
from p2pchat.ui.json import events as tell
from p2pchat.ui.json.actions import Actions
from p2pchat.ui.json.conversation import Conversations
from p2pchat.ui.json.lines import Splitter
from p2pchat.ui.unshown import Unshown

if TYPE_CHECKING:
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat, Plan
    from p2pchat.ui.json.lines import Lines
    from p2pchat.ui.reader import Manner
    from p2pchat.ui.stdio import Sink, Source

LAST_WORDS: Final = 2.0  # seconds that a program has to read our last lines
PREFIX: Final = "p2pchat: "
ELSEWHERE: Final = "said by another p2pchat of this profile"


class JsonFace:
    """A program on both pipes; see `p2pchat.ui.chat.Face`."""

    is_person = False

    def __init__(
        self,
        *,
        source: Source | None,
        lines: Lines,
        status: Sink | None,
        manner: Manner,
        code_of: Callable[[errors.P2PChatError], str],
    ) -> None:
        """Begin with nothing read and nothing told.

        Args:
          source: where commands come from; None to take none.
          lines: where events go.
          status: where sentences for people go; None for nowhere.
          manner: how to say those, and where it is noted what was told.
          code_of: returns what programs call an error.
        """
        self._source = source
        self._lines = lines
        self._status = status
        self._words = manner.words
        self._unshown = Unshown(manner.store)
        self._code_of = code_of
        self._talks = Conversations()
        self._links = 0  # that have run
        self._seen = 0  # messages; where nothing keeps them, these are their cursors

    async def run(self, node: Node, plan: Plan) -> None:
        """Chat until it is over, then tell which messages nobody will hear of any more.

        Raises:
          P2PChatError: as `p2pchat.ui.chat.run`.
        """
        self._lines.say(tell.ready(node.id))
        error = None
        try:
            await chats.run(node, self, plan)
        except errors.P2PChatError as exc:
            error = exc
        finally:
            for talk in self._talks:
                self._tell_failed(talk.session, "this program ended before it was acknowledged")
            with trio.move_on_after(LAST_WORDS, shield=True) as last_words:
                await self._lines.flush()
        if last_words.cancelled_caught:
            raise errors.StdoutClosed("nobody reads our output any more") from error
        if error is not None:
            raise error

    # ---- commands

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Do what the input says: for a dialer once its peer is there, for a listener at once."""
        nursery.start_soon(chat.guard, self._unshown.attend)
        await self._lines.flush()
        session = await chat.first_session() if chat.dials else None
        if self._source is None:
            return
        splitter = Splitter()
        actions = Actions(chat, nursery, talks=self._talks, lines=self._lines, code_of=self._code_of)
        while data := await self._source.receive_some():
            for line in splitter.feed(data):
                await actions.obey(line)
            await self._lines.flush()  # once for all that came together
        for line in splitter.finish():
            await actions.obey(line)
            await self._lines.flush()
        await chat.finish_input(session)

    # ---- events

    async def show(self, event: events.Event, chat: Chat) -> None:
        """Write the line, or lines, for `event`."""
        match event:
            case events.MessagesReceived():
                await self._tell_messages(event, chat)
                await self._lines.flush()
                self._unshown.wrote(event)
            case events.SaidElsewhere():
                await self._tell_queued(event)
            case events.StatesChanged():
                await self._tell_states(event)
            case events.Connected() | events.Elsewhere():
                await self._connected(event, chat)
            case events.Disconnected():
                self._disconnected(event, chat)
            case events.PeerTyping(session=session):
                self._lines.say(tell.typing(self._talks.of(session), event))
            case events.Leaving(session=session, going_away=False):
                self._lines.say(tell.leaving(self._talks.of(session), event))
            case events.Listening() | events.Invited() | events.Verified() | events.ClaimFailed():
                self._lines.say(tell.news(event))
            case events.Stranger(peer=peer, name=name):
                self._lines.say(tell.stranger(event, imitated=self._words.names.imitated(peer, name)))
            case events.DialFailed(error=error, redial=redial) if redial is not None:
                self._dials_again(redial, chat)
                again = f"{error}; dialling again in {redial:.0f} s"
                self._lines.say(tell.error(self._code_of(error), again, hint=error.hint))
            case events.Notice() | events.WaitingToBeLetIn() | events.Renamed():
                await self._tell_people(self._words.tell(event, chat.sessions))
            case _:
                pass  # who goes away is told as disconnected; a dial that failed for good, by whoever ends us
        await self._lines.flush()

    async def _tell_messages(self, event: events.MessagesReceived, chat: Chat) -> None:
        talk = self._talks.of(event.session)
        now_ms = unix_ms(chat.node.env.wall())
        count = len(event.messages)
        first, self._seen = self._seen + 1, self._seen + count
        cursors, times = event.cursors or range(first, first + count), event.received_ms or repeat(now_ms, count)
        for message, cursor, received_ms in zip(event.messages, cursors, times, strict=True):
            talk.heard(message.id)
            self._lines.say(tell.message(talk, message, received_ms=received_ms, cursor=cursor))
            if self._lines.is_full:
                await self._lines.flush()

    async def _tell_queued(self, event: events.SaidElsewhere) -> None:
        talk = self._talks.of(event.session)
        for message in event.messages:
            self._lines.say(tell.state(talk, talk.queued(message.id, None), events.State.QUEUED, reason=ELSEWHERE))
            if self._lines.is_full:
                await self._lines.flush()

    async def _tell_states(self, event: events.StatesChanged) -> None:
        talk = self._talks.of(event.session)
        for mine, reached in talk.reached(event):
            reason = event.reason or None if reached is events.State.FAILED else None
            self._lines.say(tell.state(talk, mine, reached, reason=reason))
            if self._lines.is_full:
                await self._lines.flush()

    def _tell_failed(self, session: Session, reason: str) -> None:
        talk = self._talks.of(session)
        for mine in talk.failed():
            self._lines.say(tell.state(talk, mine, events.State.FAILED, reason=reason))

    async def _connected(self, event: events.Connected | events.Elsewhere, chat: Chat) -> None:
        self._talks.keep(chat.sessions)
        self._links += 1
        talk = self._talks.of(event.session)
        talk.next_attempt, talk.link = None, self._links
        peer, names = event.session.peer, self._words.names
        line = tell.connected(talk, event, petname=names.petname(peer), link=self._links)
        line |= tell.imitates(names.imitated(peer, event.session.name))
        left = await self._unshown.left(event.session)
        self._lines.say(line | tell.unshown(left) if left.count else line)
        await self._tell_people(self._words.unshown(event.session, left.count, chat.sessions))

    def _disconnected(self, event: events.Disconnected, chat: Chat) -> None:
        talk = self._talks.of(event.session)
        self._lines.say(tell.disconnected(talk, event))
        if event.redial is not None:
            self._dials_again(event.redial, chat)
        elif event.clean or chat.dials:
            self._tell_failed(event.session, event.reason)
            self._talks.over(event.session)

    def _dials_again(self, seconds: float, chat: Chat) -> None:
        for talk in self._talks:  # a dialer has one at the most
            talk.next_attempt = chat.node.env.wall() + seconds

    async def _tell_people(self, lines: list[str]) -> None:
        if self._status is not None:
            await self._status.send_all(self._words.marks.encode("".join(f"{PREFIX}{line}\n" for line in lines)))
