"""A session: the conversation with one peer, which outlives its links.

It keeps the delivery state (its ledger) and what faces ask for. At most one `Exchange` runs it over a link at a time; a
newer link takes over from an older one (`docs/protocol.md` 6.4), and between links everything waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, final
from uuid import UUID

import trio

from p2pchat.errors import LocalProtocolError
from p2pchat.node.events import Connected, Disconnected, MessagesRead, Notice, StatesChanged
from p2pchat.node.feed import Arrival
from p2pchat.node.outgoing import Outgoing
from p2pchat.protocol.assembly import Messages
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire import messages
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.env import Env
    from p2pchat.node.exchange import Exchange
    from p2pchat.node.feed import Feed
    from p2pchat.node.link import LinkEnd
    from p2pchat.protocol.ledger import Ledger
    from p2pchat.protocol.limits import Limits

_log = logging.getLogger(__name__)

GUEST = "guest/1"  # the feature that says: my acks mean "shown", and my key dies with me
FAIRNESS = 256  # messages sent between two checkpoints: one each would cost more than the rest of the path together
FEW = 4  # messages under way: up to here it is a conversation, and each leaves at once; beyond, the writer joins them

FOR_US = frozenset({messages.Kind.READ, messages.Kind.PROFILE})  # kinds that a session heeds and nobody is shown


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was queued: the how manieth of its session it is, and the name that both sides know it by."""

    number: int
    id: UUID


@final
class Session:
    """The conversation of `own` with `peer`. Its verbs may be called whether a link runs or not."""

    def __init__(self, peer: PeerId, identity: Identity, *, env: Env, limits: Limits, feed: Feed) -> None:
        self.peer = peer
        self.own: PeerId = identity.peer_id
        self.env = env
        self.limits = limits
        self.feed = feed
        self.ledger: Ledger = MemoryLedger(env.urandom(8))
        self.name: str = ""  # what the peer calls itself: a claim, unfiltered
        self.guest: bool = False  # the peer keeps nothing: *delivered* means that it was shown over there
        self.vouched: bool = False  # the peer is a guest of our own identity: "you"
        self.address: Address | None = None  # of the newest link
        self.over: bool = False  # somebody said goodbye, or we shall not dial again
        self.after_loss: Callable[[LinkEnd, float], float | None] | None = None  # the dialer's, if we dialed
        self._exchange: Exchange | None = None
        self.outgoing: Outgoing = Outgoing(
            self.ledger, EntryIds(env.urandom), max_cost=limits.outgoing + limits.max_unacked_bytes
        )
        self._changed = trio.Event()
        self._said_goodbye = False  # on the link that runs
        self._ran_before = False
        self._breathe_at = FAIRNESS  # the next message that waits until others had their turn
        self._states = States(self)

    # ---- what faces ask for

    @property
    def idle(self) -> bool:
        """Whether nothing would be missed if this session were forgotten."""
        return self._exchange is None and not self.unacknowledged

    @property
    def abandoned(self) -> bool:
        """Whether it is over with messages unsaid: who comes back then begins anew, and never hears them."""
        return self.over and self._exchange is None and self.unacknowledged > 0

    @property
    def connected(self) -> bool:
        """Whether messages can flow now."""
        return self._exchange is not None and self._exchange.running

    @property
    def unacknowledged(self) -> int:
        """How many of our messages the peer has not acknowledged."""
        return self.outgoing.unacknowledged

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many of our messages were queued, sent and delivered since the session began."""
        return self.outgoing.queued, self.outgoing.sent, self.outgoing.delivered

    # ---- what faces say

    async def send(self, text: str, *, more: bool = False) -> int:
        """Queue one message and return its number: 1, 2, … in this session; `StatesChanged` tells what becomes of it.

        `more` says that no newline follows (pipes). Waits while the outbox is full, so a peer that does not read makes
        its sender wait. Cancelled, the message was not queued; once it returns, it is. To be fast it is a
        checkpoint only when it waits, and at every `FAIRNESS`-th message.

        Raises:
          LocalProtocolError: if the text is none or over `MAX_TEXT` bytes, if we have said goodbye, or if the
            conversation is over.
        """
        if type(text) is not str:
            _require_text(text)
        if self.outgoing.queued >= self._breathe_at or self.outgoing.room <= 0:
            await self._breathe()
        kind, body = messages.encode_body(messages.Text(text, None, more))
        self._say(kind, [body])
        return self.outgoing.queued

    async def post(self, body: messages.Readable) -> Posted:
        """Queue one message of any kind; otherwise like `send`."""
        if self.outgoing.queued >= self._breathe_at or self.outgoing.room <= 0:
            await self._breathe()
        kind, encoded = messages.encode_body(body)
        self._say(kind, [encoded])
        self.outgoing.settle()
        return Posted(self.outgoing.queued, UUID(bytes=self.outgoing.last_id))

    async def send_many(self, bodies: Sequence[messages.Readable]) -> int:
        """Queue several messages, at less cost each, and return the number of the last; otherwise like `send`."""
        await self._breathe()
        for kind, encoded in [messages.encode_bodies(list(alike)) for _, alike in groupby(bodies, type)]:
            self._say(kind, encoded)
        return self.outgoing.queued

    async def drained(self) -> None:
        """Wait until all our messages are acknowledged, or the conversation is over."""
        await trio.lowlevel.checkpoint()
        while self.unacknowledged and not self.over:
            await self._changed.wait()

    def goodbye(self) -> None:
        """Say goodbye once everything of ours is acknowledged; from now on nothing can be sent. Does not wait.

        It is for the link that is there: without one this does nothing (`finish` ends the session then), and if the
        link gets lost before the peer knows, the conversation goes on with the next one.
        """
        if self._exchange is not None:
            self._said_goodbye = True
            self._exchange.goodbye(CloseCode.NORMAL)
            self._note_change()

    async def leave(self) -> int:
        """Say goodbye, wait `Limits.leave` seconds at most for it to be heard; return how many messages stay unsaid.

        Without a link it does not wait at all. The session is over afterwards, also when cancelled.
        """
        try:
            if self.connected:
                self.goodbye()
                with trio.move_on_after(self.limits.leave):
                    await self.wait_disconnected()
        finally:
            self.finish()
        return self.unacknowledged

    def finish(self) -> None:
        """End the session without another word: nobody will dial again for it."""
        if not self.over:
            self.over = True
            self._note_change()
            if self._exchange is not None:
                self._exchange.link.owner.go_away()

    # ---- for the dialer

    async def wait_disconnected(self) -> None:
        """Wait until no link carries the session."""
        await trio.lowlevel.checkpoint()
        while self._exchange is not None:
            await self._changed.wait()

    async def wait_connected_or_over(self) -> None:
        """Wait until a link carries the session, or there is no more need of one."""
        await trio.lowlevel.checkpoint()
        while not self.connected and not self.over:
            await self._changed.wait()

    # ---- for the greeting and the exchange

    def open(self, exchange: Exchange, *, vouched: bool) -> bool:
        """Let `exchange` claim the session; False if another link stays (and that of `exchange` was closed)."""
        if not exchange.claim(holder_lives=self._exchange is not None):
            return False
        old, self._exchange = self._exchange, exchange
        if old is not None:
            old.link.close(CloseCode.DUPLICATE, "a newer connection took over")
        self.over = self._said_goodbye = False
        self.vouched = vouched
        self.guest = GUEST in exchange.hello.features
        self.address = exchange.link.remote
        self.name = exchange.hello.name or self.name
        return True

    def introduce(self, name: str) -> None:
        """Tell the peer what we call ourselves; HELLO goes without a name to whom we have not accepted yet."""
        if not self._said_goodbye:
            kind, body = messages.encode_body(messages.Profile(name))
            self._say(kind, [body])

    def heed(self, received: Messages) -> Messages:
        """Act upon what is for us and not for people; return the rest."""
        if FOR_US.isdisjoint({entry.kind for entry in received.entries}):
            return received
        before = self.name
        read = []
        for message in received:
            match message.body:
                case messages.Profile(name=name):
                    self.name = name
                case messages.Read(id=message_id):
                    read.append(UUID(bytes=message_id))
                case _:
                    pass
        if before not in {"", self.name}:
            self.feed.put(Notice(text=f"{before} now calls itself {self.name or 'nothing'}", hint=f"it is {self.peer}"))
        if read:
            self.feed.put(MessagesRead(session=self, ids=read))
        rest = [message for message in received if message.entry.kind not in FOR_US]
        return Messages([message.seq for message in rest], [message.entry for message in rest])

    def started(self, exchange: Exchange, *, gap: bool) -> None:
        """Tell that `exchange` runs."""
        _log.info("%s: connected by way of %s", self.peer, exchange.link.remote)
        self.feed.put(Connected(session=self, address=exchange.link.remote, resumed=self._ran_before))
        self._ran_before = True
        self._note_change()
        if gap:
            self.feed.put(Notice(text=f"messages of {self.peer} may be missing: it no longer has all it once sent"))

    def link_ended(self, exchange: Exchange, end: LinkEnd) -> None:
        """Note that `exchange` is gone; tell it, unless another link has taken over."""
        if self._exchange is not exchange:
            return
        self._exchange = None
        self._said_goodbye = False
        _log.info("%s: disconnected: %r", self.peer, end.reason)
        if exchange.running:
            seconds = self.env.clock() - exchange.began
            redial = None if self.after_loss is None or self.over else self.after_loss(end, seconds)
            self.over = self.over or end.clean or (redial is None and self.after_loss is not None)
            self.feed.put(Disconnected(session=self, reason=end.reason, code=end.code, clean=end.clean, redial=redial))
        self._note_change()

    def sent(self, count: int) -> None:
        """Note that `count` more messages were handed to the link."""
        self.outgoing.sent += count
        self._note_states()

    def delivered(self, count: int) -> None:
        """Note that the oldest `count` messages were acknowledged."""
        if count:
            self.outgoing.acknowledged(count)
            self._note_states()
            self._note_change()

    def rolled_back(self) -> None:
        """Tell that our own past is not the one the peer knows."""
        self.feed.put(
            Notice(
                text=f"{self.peer} knows more of this conversation than this program does",
                hint="a new log was begun; what was withdrawn since may have been delivered",
            )
        )

    def now_ms(self) -> int:
        """Return the wall clock in Unix milliseconds: for people, and for expiry."""
        return int(self.env.wall() * 1000)

    def _say(self, kind: messages.Kind, bodies: Sequence[bytes]) -> None:
        if self.over:
            raise LocalProtocolError("the conversation is over")
        if self._said_goodbye:
            raise LocalProtocolError("we have said goodbye, and nothing can be sent after that")
        is_first = self.outgoing.say(kind, bodies, now_ms=self.now_ms())
        if is_first and self._exchange is not None and self._exchange.running:
            if self.outgoing.unacknowledged <= FEW:
                self._exchange.link.flush()
            else:
                self._exchange.link.wake()

    async def _breathe(self) -> None:
        """Let others run; while the outbox is full, wait until there is room in it."""
        self._breathe_at = self.outgoing.queued + FAIRNESS
        await trio.lowlevel.checkpoint()
        while self.outgoing.room <= 0 and not self.over and not self._said_goodbye:
            await self._changed.wait()

    def _note_change(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _note_states(self) -> None:
        if not self._states.queued:
            self._states.queued = True
            self.feed.put(self._states)


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        hint = "`post` and `send_many` take `Data`, for bytes, and all other kinds of messages"
        raise LocalProtocolError(f"`send` takes a str and not {type(text).__name__}", hint=hint)


@final
class States(Arrival):
    """The newest counts of a session, at most once in the feed however many there were."""

    def __init__(self, session: Session) -> None:
        self.queued: bool = False
        self._session = session

    def take(self) -> StatesChanged:
        """Return the counts as they are now."""
        self.queued = False
        _, sent, delivered = self._session.counts
        return StatesChanged(session=self._session, sent=sent, delivered=delivered)

    def confirm(self) -> None:
        """Counts need no confirmation."""
