"""The greeting: from the first byte of a link until its session takes over; that of visitors is in `answering.py`.

Whom do we talk to, do we want to, and where did we stop? The two roles differ in the handshake, and who decides:

    initiator   Begin → PeerProved: judge, then Reveal and HELLO   → HELLO both ways → RESUME both ways → the session
    responder   HandshakeAsked: ration, then Answer → PeerProved: HELLO → HELLO both ways: admit, ask or refuse → …

RESUME is the gate (`docs/protocol.md` 3.2): a peer that was not admitted never gets ours, so it can deliver nothing.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import p2pchat
from p2pchat.node import failures
from p2pchat.node.claims import Claims
from p2pchat.node.events import WaitingToBeLetIn
from p2pchat.node.exchange import Exchange
from p2pchat.node.link import LinkEnd
from p2pchat.node.session import GUEST
from p2pchat.protocol import events as machine
from p2pchat.protocol.greeting import Hellos, greeting
from p2pchat.protocol.invites import CLAIM
from p2pchat.store import pins
from p2pchat.wire import frames
from p2pchat.wire.close_codes import CloseCode, close_code

if TYPE_CHECKING:
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.node.dialer import Dialer
    from p2pchat.node.link import Link
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session
    from p2pchat.protocol.events import Event

AGENT = f"p2pchat/{p2pchat.__version__}"
YOURSELF = "this is you: both sides have the same key"


class Greeting(ABC):
    """Owner of a link until RESUME went both ways."""

    dialed_by_us: bool

    def __init__(self, node: Node, link: Link, identity: Identity) -> None:
        """Own `link`, on which we are `identity`."""
        self.peer: PeerId | None = None
        self._node = node
        self._link = link
        self._identity = identity
        self._offered: frames.Hello | None = None  # our HELLO
        self._hello: frames.Hello | None = None  # theirs
        self._resume: frames.Resume | None = None
        self._vouched = False
        self._exchange: Exchange | None = None
        self._due = math.inf  # when `_overdue` is to be called; the machine has nearly all the timers of a greeting
        self._claims = Claims(node, link, identity.peer_id)
        link.owner = self

    @property
    def ran(self) -> bool:
        """Whether messages could flow at some time."""
        return self._exchange is not None and self._exchange.began < math.inf

    @property
    def deadline(self) -> float:
        """When something is due, or our patience with a claim ends."""
        return min(self._due, self._claims.deadline)

    def tick(self, now: float) -> None:
        """Let the time be `now`."""
        self._claims.tick(now)
        if now >= self._due and self._link.end is None:
            self._overdue()

    def _overdue(self) -> None:  # noqa: B027  (not abstract: for a dialer nothing is ever due)
        """Do what is due."""

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""
        match event:
            case machine.PeerProved(peer=peer, vouched=vouched):
                self.peer, self._vouched = peer, vouched
                self._peer_proved(peer)
            case frames.Hello(features=features):
                self._hello = event
                self._claims.guest = GUEST in features
                self._greeted(event)
            case frames.PakeClaim() | frames.PakeReply() | frames.PakeConfirm() | frames.PakeResult():
                self._claims.handle(event)
            case frames.Resume():
                self._resume = event
                self._start()
            case frames.Close(code=code, reason=reason):
                known = close_code(code)
                self._link.finish(LinkEnd(reason=failures.said_by_peer(known, reason), code=known, by_peer=True))
            case _:
                pass  # PONG, TYPING, the end after a goodbye: nothing to do before the session

    def next_frames(self) -> Sequence[frames.Frame]:
        """Return nothing: no message moves before the session owns the link."""
        return ()

    def go_away(self) -> None:
        """End the link; say so to whom we have greeted."""
        if self._offered is not None:
            self._link.close(CloseCode.GOING_AWAY)
        self._link.finish(LinkEnd(reason="this program ends", code=CloseCode.GOING_AWAY))

    def ended(self, end: LinkEnd) -> None:
        """Give the session back, if we have one."""
        if self._exchange is None:
            self._claims.ended()
        else:
            self._exchange.ended(end)

    def admit(self) -> None:
        """Let the peer in: claim its session and send RESUME. Needs both HELLOs."""
        if self.peer is None or self._hello is None or self._offered is None:
            return
        session = self._node.session_with(self.peer, self._identity)
        session.vouched = self._vouched
        session.dialed |= self.dialed_by_us
        self._exchange = Exchange(
            session,
            self._link,
            claims=self._claims,
            hellos=Hellos(self._offered, self._hello),
            dialed_by_us=self.dialed_by_us,
        )
        self._exchange.claim()
        self._start()

    def _start(self) -> None:
        if self._exchange is not None and self._resume is not None:
            self._exchange.meet(self._resume, self._running)

    def _running(self, session: Session) -> None:  # noqa: B027  (not abstract: only a dialer has somebody to tell)
        """Messages can flow."""

    def _say_hello(self, *features: str, name: str) -> None:
        env, limits = self._node.env, self._node.settings.limits
        if self._node.store is None or self._identity is not self._node.identity:
            features = (GUEST, *features)
        said = greeting(AGENT, features=features, name=name, limits=limits, entropy=env.urandom)
        self._offered = next(frame for frame in said if isinstance(frame, frames.Hello))
        self._link.say(*said)

    @abstractmethod
    def _peer_proved(self, peer: PeerId) -> None:
        """Judge who it is; for a dialer the last chance to leave without having said anything."""

    @abstractmethod
    def _greeted(self, hello: frames.Hello) -> None:
        """Go on after both HELLOs."""


class Dialing(Greeting):
    """The greeting of a link that we dialed: dialling is consent, and the peer must be who we expect."""

    dialed_by_us = True

    def __init__(self, node: Node, link: Link, dialer: Dialer, *, proved: Callable[[Dialing], None]) -> None:
        """Begin the handshake on `link` in the name of `dialer`, who tells who we are and what for.

        `proved` is called when the peer is who we expect: it is up to the caller to `go_on`, or to hang up.
        """
        super().__init__(node, link, dialer.identity)
        self._dialer = dialer
        self._proved = proved
        self._code: Code | None = None  # that we claim
        link.decide(machine.Begin())

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""
        if isinstance(event, machine.WaitingToBeLetIn) and self.peer is not None:
            if self._code is not None:
                return  # for an answer to that, and for nobody's decision
            self._node.feed.put(WaitingToBeLetIn(peer=self.peer, address=self._link.remote))
        elif isinstance(event, machine.RejectHint):
            self._link.finish(LinkEnd(reason=failures.hint_in_words(event), code=event.code, by_peer=True, hint=True))
        else:
            super().handle(event)

    def _peer_proved(self, peer: PeerId) -> None:
        if peer == self._identity.peer_id:
            self._link.finish(LinkEnd(reason=YOURSELF, code=CloseCode.SELF))
        elif self._dialer.expected not in {None, peer}:
            reason = f"{peer} answers there now, and not {self._dialer.expected}"
            self._link.finish(LinkEnd(reason=reason, code=CloseCode.NOT_AUTHORIZED))
        elif (why := self._node.keeps_out(peer)) is not None:
            self._link.refuse(str(why), cure=why.hint)
        else:
            self._proved(self)

    def go_on(self) -> None:
        """Say who we are to the peer that has proved itself, unless its link has ended meanwhile."""
        if self.peer is None or self._link.end is not None:
            return
        if not self._dialer.take_lock(self._node.session_with(self.peer, self._identity)):
            self._link.finish(LinkEnd(reason="another p2pchat of yours has this peer", code=CloseCode.DUPLICATE))
            return
        self._link.decide(machine.Reveal(voucher_by=self._dialer.voucher_by))
        self._code = self._dialer.code if self._identity is self._node.identity else None
        if self._code is None:
            self._say_hello(name=self._node.settings.name)
        else:
            at = None if self._link.remote is None else pins.canonical(self._link.remote)
            self._say_hello(CLAIM, name=self._node.settings.name)
            self._claims.succeeded = self._accepted
            self._claims.claim(self._code, at=at, tell=False)

    def _accepted(self) -> None:
        """Go on as somebody whose code was right; it has done its work, and later links do without."""
        self._code = self._dialer.code = None
        self._go_on()

    def _greeted(self, hello: frames.Hello) -> None:  # noqa: ARG002  (whoever we dialed is welcome)
        if self._code is None:  # else nothing of ours leaves before it is accepted
            self._go_on()

    def _go_on(self) -> None:
        if self._dialer.wanted:
            self.admit()
        else:
            self.go_away()

    def _running(self, session: Session) -> None:
        self._dialer.running(session)
