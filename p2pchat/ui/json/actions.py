"""What commands do. Whatever cannot be done is an `error` line, and the next command is read."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, assert_never

import trio

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import PeerId
from p2pchat.errors import AddressError, LocalProtocolError, P2PChatError, StoreError
from p2pchat.node.events import State
from p2pchat.ui import verifying
from p2pchat.ui.json import commands, company
from p2pchat.ui.json import events as tell
from p2pchat.ui.json.commands import Refused
from p2pchat.wire import messages

if TYPE_CHECKING:
    from uuid import UUID

    from p2pchat.node.session import Session
    from p2pchat.ui.chat import Chat
    from p2pchat.ui.json.conversation import Conversations
    from p2pchat.ui.json.lines import Lines

SEND_PATIENCE: Final = 10.0  # seconds for room in the outbox of one peer, where other peers wait behind it

WARNING: Final = "were they misheard? if not, this is not whom you mean, or somebody is in the middle"


class Actions:
    """Does what a program asks for, while `chat` lasts."""

    def __init__(
        self,
        chat: Chat,
        nursery: trio.Nursery,
        *,
        talks: Conversations,
        lines: Lines,
        code_of: Callable[[P2PChatError], str],
    ) -> None:
        """Begin with nothing done.

        Args:
          chat: what is acted upon.
          nursery: lives as long as it.
          talks: what is known of its conversations.
          lines: where answers go.
          code_of: returns what programs call an error.
        """
        self._chat = chat
        self._code_of = code_of
        self._nursery = nursery
        self._talks = talks
        self._lines = lines
        self._number = 0  # of the command, as lines of input are counted

    async def obey(self, line: bytes | None) -> None:
        """Do what `line` asks for (None: it was too long), or tell why not. What it tells is not always flushed."""
        self._number += 1
        if line is not None and not line.strip():
            return
        ref = None
        try:
            command = commands.parse(line)
            ref = command.ref
            await self._do(command)
        except Refused as refused:
            told = tell.error(refused.code, str(refused), hint=refused.hint)
            self._lines.say(told | {"ref": refused.ref or ref, "line": self._number})
        if self._lines.is_full:
            await self._lines.flush()

    async def _do(self, command: commands.Command) -> None:
        match command:
            case commands.Send():
                await self._send(command)
            case commands.Accept(peer=peer):
                await self._may_fail(self._chat.node.accept(_peer_id(peer)))
            case commands.Reject(peer=peer):
                if not self._chat.node.reject(_peer_id(peer)):
                    raise Refused("not_waiting", f"{peer} does not wait to be let in")
            case commands.Block(peer=peer):
                await self._may_fail(self._chat.node.block(_peer_id(peer)))
            case commands.Verify():
                await self._may_fail(self._verify(command))
            case commands.Who(ref=ref):
                await self._chat.node.contacts.refresh()  # another program of ours may have changed something
                talks = map(self._talks.of, self._chat.sessions)
                self._lines.say(company.who(self._chat.node, talks, ref=ref))
            case commands.Read():
                await self._read(command)
            case commands.Close(peer=peer):
                self._chat.close(self._addressee(peer), self._nursery)
            case _:
                assert_never(command)

    async def _may_fail(self, deed: Awaitable[object]) -> None:
        """Wait for `deed`; what p2pchat reports of it becomes the answer to the command."""
        try:
            await deed
        except P2PChatError as exc:
            raise Refused(self._code_of(exc), str(exc), hint=exc.hint) from exc

    async def _verify(self, command: commands.Verify) -> None:
        session = self._addressee(command.peer)
        node = self._chat.node
        if (digits := verifying.digits_of(command.code)) is None:
            node.verify(session, Code.parse(command.code))
        elif await verifying.compare(node, session, digits):
            self._lines.say(tell.compared(self._talks.of(session), durable=verifying.keeps(node, session)))
        else:
            raise Refused("not_verified", f"these are not the digits of {command.peer}", hint=WARNING)

    async def _send(self, command: commands.Send) -> None:
        if len(command.text.encode()) > messages.MAX_TEXT:
            raise Refused("too_long", f"a text has at most {messages.MAX_TEXT} bytes of UTF-8")
        session = self._addressee(command.peer)
        posted = await self._post(session, messages.Text(command.text), command.ref)
        talk = self._talks.of(session)
        reason = None if session.reachable else "the connection is lost"
        self._lines.say(tell.state(talk, talk.queued(posted, command.ref), State.QUEUED, reason=reason))

    async def _read(self, command: commands.Read) -> None:
        talk = next((talk for talk in self._talks if talk.has_heard(command.id)), None)
        if talk is None:
            raise Refused("unknown_message", f"{command.id} is no message that still awaits a receipt")
        if not talk.session.known:
            raise Refused("not_accepted", "strangers get no receipts", hint="`accept` the peer first")
        await self._post(talk.session, messages.Read(command.id.bytes))
        talk.receipted(command.id)

    async def _post(self, session: Session, body: messages.Readable, ref: str | None = None) -> UUID:
        """Queue a message. A peer that does not read makes us wait; where it is not the only one, not for long."""
        if session in self._chat.parting:
            raise Refused("closing", "this conversation is being closed")
        if session.outgoing.room <= 0:
            await self._lines.flush()  # it may take a while
        try:
            with trio.move_on_after(math.inf if self._chat.dials else SEND_PATIENCE):
                posted = await session.post(body, ref=ref)
                self._chat.note_said()
                return posted
        except LocalProtocolError as exc:
            raise Refused("closing", str(exc)) from exc
        except StoreError as exc:
            raise Refused(self._code_of(exc), f"not accepted: {exc}", hint=exc.hint) from exc
        raise Refused("outbox_full", "too much waits to be sent to this peer already", hint="send it later")

    def _addressee(self, peer: str | None) -> Session:
        """Return whom a command means that names `peer`, or nobody."""
        sessions = self._chat.sessions
        if peer is not None:
            named = [session for session in sessions if self._talks.of(session).peer == peer.lower()]
            if not named:
                raise Refused("unknown_peer", f"there is no conversation with {peer}")
            return named[0]
        here = [session for session in sessions if session.reachable] or sessions
        if not here:
            raise Refused("not_connected", "nobody is here", hint="wait for `connected`")
        if len(here) > 1:
            raise Refused("ambiguous_peer", f"{len(here)} peers are here", hint='say which one: "peer"')
        return here[0]


def _peer_id(text: str) -> PeerId:
    try:
        return PeerId.parse(text)
    except AddressError as exc:
        raise Refused("bad_command", str(exc), hint=exc.hint) from exc
