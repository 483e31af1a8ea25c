"""The greeting of a visitor, until it is let in, sent away, or gone.

Who it is shows at the end of the handshake, and whether it comes in is judged by its key alone: never by where it comes
from, or what it calls itself (`docs/protocol.md`, section 5).
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, final

from p2pchat.node.events import Stranger
from p2pchat.node.greeting import Greeting
from p2pchat.node.link import LinkEnd
from p2pchat.node.session import GUEST
from p2pchat.node.settings import Accept
from p2pchat.protocol import events as machine
from p2pchat.protocol.invites import CLAIM
from p2pchat.wire import frames
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.node.link import Link
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session
    from p2pchat.protocol.events import Event

_log = logging.getLogger(__name__)


@final
class Answering(Greeting):
    """The greeting of a visitor: it costs us little before it is known, and gets nothing in before it is accepted."""

    dialed_by_us = False

    def __init__(self, node: Node, link: Link, identity: Identity, *, source: str | None) -> None:
        """Wait for the visitor to begin; the gate counts it as one of `source`."""
        super().__init__(node, link, identity)
        self._source = source
        self._claims.succeeded = self._redeemed
        self._in_gate = node.gate.enter(source)
        if not self._in_gate:
            self.turn_away()

    def turn_away(self) -> None:
        """Hint that we are busy, and end: nothing was computed."""
        if self._link.end is None:
            self._link.decide(machine.Reject(CloseCode.RATE))
            self._link.finish(LinkEnd(reason="too many handshakes", code=CloseCode.RATE, silent=True))

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""
        if isinstance(event, machine.HandshakeAsked):
            if self._node.gate.may_answer(self._source, self._node.env.clock()):
                self._link.decide(machine.Answer())
            else:
                self.turn_away()
            return
        if isinstance(event, frames.PakeClaim) and self._in_gate:
            self._due = math.inf  # from here on the claim has times of its own
        super().handle(event)

    def ended(self, end: LinkEnd) -> None:
        """Leave the waiting room, too."""
        super().ended(end)
        self._leave_gate()
        if self.peer is not None:
            self._node.waiting_room.leave(self.peer, self)

    def _leave_gate(self) -> None:
        if self._in_gate:
            self._in_gate = False
            self._node.gate.leave(self._source)

    def _overdue(self) -> None:
        """Send a stranger away about whom nobody has decided in time; judge one that has not claimed what it wanted."""
        if self._in_gate and self._hello is not None:
            self._due = math.inf
            self._judge(self._hello)
        else:
            self._link.close(CloseCode.TIMEOUT, "nobody let it in")

    def let_in(self) -> None:
        """Admit a stranger, and say what we call ourselves if HELLO did not."""
        self._due = math.inf
        self._leave_gate()
        self.admit()
        if self.peer is not None and self._offered is not None and self._node.settings.name != self._offered.name:
            self._node.session_with(self.peer, self._identity).introduce(self._node.settings.name)

    def _redeemed(self) -> None:
        """Let in who had a code, if we are not for another peer alone."""
        if self.peer is None or self._node.is_taken(self.peer):
            self.refuse()
            return
        self._node.waiting_room.leave(self.peer, self)
        self.let_in()

    def refuse(self) -> None:
        """Tell the peer that it was not let in, and nothing else."""
        self._link.close(CloseCode.NOT_AUTHORIZED)

    def _peer_proved(self, peer: PeerId) -> None:
        if peer == self._identity.peer_id:
            self._link.close(CloseCode.SELF)
        else:
            self._say_hello(name=self._node.settings.name if self._welcome(peer) else "")

    def _running(self, session: Session) -> None:
        self._node.keep_lock(session)

    def _welcome(self, peer: PeerId) -> bool:
        if self._node.keeps_out(peer) is not None:
            return False
        return self._vouched or self._node.settings.accept is Accept.ANYONE or self._node.accepts(peer)

    def _greeted(self, hello: frames.Hello) -> None:
        if CLAIM in hello.features and self.peer is not None and self._node.keeps_out(self.peer) is None:
            self._due = self._node.env.clock() + self._node.settings.limits.claim
            self._link.wake_at(self._due)
        else:
            self._judge(hello)

    def _judge(self, hello: frames.Hello) -> None:
        """Admit the visitor, ask about it, or refuse it."""
        peer = self.peer
        self._leave_gate()
        if peer is None:
            return
        if self._node.keeps_out(peer) is not None or self._node.is_taken(peer):
            self.refuse()
            return
        if self._welcome(peer):
            self.admit()
            return
        now = self._node.env.clock()
        room = self._node.waiting_room
        if self._node.settings.accept is Accept.ASK:
            if room.may_ask(peer, self._source, now) and room.enter(peer, self):
                self._due = now + self._node.settings.limits.stranger_wait
                self._link.wake_at(self._due)
                self._tell(peer, hello, waiting=True)
                return
        elif room.may_tell(peer, self._source, now):
            self._tell(peer, hello, waiting=False)
        self.refuse()

    def _tell(self, peer: PeerId, hello: frames.Hello, *, waiting: bool) -> None:
        self._node.waiting_room.introduce(peer, guest=GUEST in hello.features)
        _log.info("%s %s a stranger", peer, "waits as" if waiting else "was refused as")
        where, user = self._link.remote, self._link.user
        self._node.feed.put(Stranger(peer=peer, name=hello.name, address=where, waiting=waiting, user=user))
