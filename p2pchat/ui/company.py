"""Whom a person has before it: those it talks to, those who wait to be let in, and what is decided about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from p2pchat.errors import P2PChatError
from p2pchat.node.events import Disconnected
from p2pchat.store.contacts import Trust
from p2pchat.ui import honesty
from p2pchat.ui.honesty import Me, Path, Standing
from p2pchat.ui.strangers import Strangers
from p2pchat.ui.transcript import OURS

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.events import Event
    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.reader import Reader
    from p2pchat.ui.transcript import Transcript
    from p2pchat.ui.words import Words

#: How well a peer is known, in a list.
TRUST: Final = {
    Trust.NEW: "for this run",
    Trust.KNOWN: "not verified",
    Trust.VERIFIED: "verified",
    Trust.BLOCKED: "blocked",
}


@final
class Company:
    """The answers to /who, /accept, /reject and /block."""

    def __init__(self, reader: Reader, *, screen: Transcript, words: Words) -> None:
        """Begin alone.

        Args:
          reader: what the person reads.
          screen: where our own lines go.
          words: how to say them.
        """
        self.strangers: Strangers = Strangers()
        self._blocked: set[PeerId] = set()  # whose connection ends because of /block, which tells that itself
        self._reader = reader
        self._screen = screen
        self._words = words

    # ---- who is here

    async def who(self, whom: str, chat: Chat) -> None:
        """List who is here; tell how safe it is to talk to `whom`, or to the only one who is."""
        await chat.node.contacts.refresh()  # a dial, or another program, may have changed something
        found = await self.find(whom, chat) if whom else None
        if whom and found is None:
            return
        if not whom:
            await self._screen.note(self._list(chat))
        if found is None and len(chat.sessions) == 1:
            [found] = chat.sessions
        if found is not None:
            await self._screen.note(self._standing(found, chat))
        elif chat.sessions:
            await self._screen.note(["/who and a name or a number tells how safe it is to talk to that one"])

    def _list(self, chat: Chat) -> list[str]:
        own = next((session.own for session in chat.sessions), chat.node.id)
        lines = [f"you are {own}" if own == chat.node.id else f"you are {own}, a guest of {chat.node.id}"]
        for number, session in enumerate(chat.sessions, 1):
            name = self._words.with_id(session, chat.sessions)
            trust = "" if self._words.is_me(session) else f", {TRUST[session.trust]}"
            state = "" if session.connected else ", by another p2pchat" if session.elsewhere else ", connection lost"
            current = ", whom you talk to" if session is self._reader.current else ""
            lines.append(f"{number}: {name}{trust}{state}{current}")
        here = chat.node.waiting_room.peers
        for number, peer in self.strangers.waiting():
            lines.append(f"stranger {number}: {peer}, {'waiting' if peer in here else 'who has left'}")
        return lines if len(lines) > 1 else [*lines, "nobody else is here"]

    def _standing(self, session: Session, chat: Chat) -> list[str]:
        name = self._words.name(session, chat.sessions)
        path = Path(
            address="" if session.address is None else str(session.address),
            user="" if session.user is None else str(session.user),
            is_ours=session.connected,
        )
        standing = Standing(
            peer=session.peer,
            contact=chat.node.contacts.of(session.peer),
            verify="/verify",
            path=path if session.reachable else None,
            me=Me(
                name=chat.node.settings.name,
                guest=session.own != chat.node.id or chat.node.store is None,
                receipts=self._reader.tells_receipts(session),
            ),
            guest=session.guest,
            is_me=self._words.is_me(session),
        )
        width = self._screen.columns
        return [f"{name}:", *honesty.lines(standing, width=width - len(OURS) if width else 0)]

    # ---- whom a word means

    async def find(self, whom: str, chat: Chat) -> Session | None:
        """Return the one peer of /who that `whom` means; None if that is nobody, or several, which was told then."""
        found = self._fitting(whom, chat)
        if len(found) == 1:
            return found[0]
        if found:
            await self._screen.note(["this fits several of those in /who; their numbers do not"])
        else:
            what = f"number {whom}" if is_number(whom) else "such name"
            await self._screen.note([f"there is no {what} in /who"])
        return None

    def _fitting(self, whom: str, chat: Chat) -> list[Session]:
        """Return whom `whom` may mean: a number of /who, a whole name, or the beginning of one."""
        if is_number(whom):
            return chat.sessions[int(whom) - 1 : int(whom)] if int(whom) else []
        names = [(self._words.name(session, chat.sessions).casefold(), session) for session in chat.sessions]
        exact = [session for name, session in names if name == whom.casefold()]
        return exact or [session for name, session in names if name.startswith(whom.casefold())]

    # ---- what is decided

    async def decide(self, number: int, chat: Chat, *, let_in: bool) -> None:
        """Let stranger `number` in, or send it away."""
        peer = await self._stranger(number)
        if peer is None:
            return
        name = self._words.peer(peer)
        try:
            still_there = await chat.node.accept(peer) if let_in else chat.node.reject(peer)
        except P2PChatError as exc:
            await self._screen.note([f"{name} is not let in: {exc}", *filter(None, [exc.hint])])
            return
        self.strangers.forget(peer)
        long = "from now on" if chat.node.contacts.keeps(peer) else "for this run"
        what = f"let in, {long}" if let_in else "refused"
        absent = "" if still_there else "; it does not wait any more" + (", but it may come back" if let_in else "")
        await self._screen.note([f"{name} {what}{absent}"])

    async def block(self, whom: str, chat: Chat) -> None:
        """Refuse `whom` for good: a number is that of a stranger, for two lists of numbers are easily confused."""
        if is_number(whom):
            peer = await self._stranger(int(whom))
        else:
            session = await self.find(whom, chat)
            peer = None if session is None else session.peer
        if peer is None:
            return
        session = next((session for session in chat.sessions if session.peer == peer), None)
        name = self._words.peer(peer) if session is None else self._words.name(session, chat.sessions)
        is_here = session is not None and session.connected
        if is_here:
            self._blocked.add(peer)
        try:
            await chat.node.block(peer)
        except P2PChatError as exc:
            self._blocked.discard(peer)
            await self._screen.note([f"{name} is not blocked: {exc}", *filter(None, [exc.hint])])
            return
        self.strangers.forget(peer)
        kept = chat.node.contacts.keeps(peer)
        undo = f"; {self._words.command('unblock', peer)} takes that back" if kept else ""
        long = "" if kept else " for this run"
        closed = ", the connection is closed, and it" if is_here else ", and"
        await self._screen.note([f"{name} is blocked{long}{closed} learns only that it was refused{undo}"])

    def has_told(self, event: Event) -> bool:
        """Whether `event` is no news: the end of a connection that /block has told of, or is about to."""
        if not isinstance(event, Disconnected) or event.session.peer not in self._blocked:
            return False
        self._blocked.remove(event.session.peer)
        return event.session.trust is Trust.BLOCKED

    async def _stranger(self, number: int) -> PeerId | None:
        """Return who has `number`; None if nobody does, which was told then."""
        peer = self.strangers.find(number)
        if peer is None:
            await self._screen.note([f"no stranger number {number} waits; /who lists those who do"])
        return peer


def is_number(text: str) -> bool:
    """Whether `text` is a number as people type it."""
    return text.isascii() and text.isdigit() and len(text) < 10
