"""A session: the conversation with one peer, which outlives its links.

It has what faces ask for; what must not be lost is in its `pair`, on the disk or, for a guest, in memory. At most one
`Exchange` runs it over a link at a time; a newer link takes over from an older one (`docs/protocol.md` 6.4), and
between links everything waits. Another process of the profile may have the link: then what is said goes by the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, final

import trio

from p2pchat.errors import LocalProtocolError, StoreError
from p2pchat.node import notices
from p2pchat.node.complaints import Complaints
from p2pchat.node.events import Connected, Disconnected, Elsewhere, Renamed
from p2pchat.node.lock import Lock
from p2pchat.node.news import News
from p2pchat.node.outgoing import Extent, Settled, standing
from p2pchat.node.speaking import Speaking
from p2pchat.node.states import States
from p2pchat.protocol.assembly import Messages
from p2pchat.store.contacts import Trust
from p2pchat.store.memory import MemoryPair
from p2pchat.wire import messages
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from outcome import Outcome

    from p2pchat.address import Address
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.node.exchange import Exchange
    from p2pchat.node.link import LinkEnd
    from p2pchat.node.node import Node
    from p2pchat.node.step import Step
    from p2pchat.store.base import Pair
    from p2pchat.transports.credentials import LocalUser

_log = logging.getLogger(__name__)

GUEST = "guest/1"  # the feature that says: my acks mean "shown", and my key dies with me
FEW = 4  # messages under way: up to here it is a conversation, and each leaves at once; beyond, the writer joins them

FOR_US = frozenset({messages.Kind.READ, messages.Kind.PROFILE})  # kinds that a session heeds and nobody is shown


@final
class Session(Speaking):
    """The conversation of `own` with `peer`. Its verbs may be called whether a link runs or not."""

    def __init__(self, node: Node, peer: PeerId, identity: Identity) -> None:
        """Begin, or go on with, the conversation of `identity` with `peer` in `node`."""
        store = node.store if identity is node.identity else None  # as our own guest we keep nothing
        pair: Pair = store.pair(identity.peer_id, peer) if store else MemoryPair(node.env.urandom(8))
        super().__init__(pair, node.feed, env=node.env, limits=node.settings.limits)
        self.peer = peer
        self.own: PeerId = identity.peer_id
        self._store = store
        self._contacts = node.contacts
        self._states = States(self)
        self.name: str = ""  # what the peer calls itself: a claim, unfiltered
        self.guest: bool = False  # the peer keeps nothing: *delivered* means that it was shown over there
        self.vouched: bool = False  # the peer is a guest of our own identity: "you"
        self.address: Address | None = None  # of the newest link
        self.user: LocalUser | None = None  # of this machine, whose process was at its other end
        self.dialed: bool = False  # by us, which is consent
        self.over: bool = False  # somebody said goodbye, or we shall not dial again
        self.elsewhere: bool = False  # another process of ours has the link
        self.after_loss: Callable[[LinkEnd, float], float | None] | None = None  # the dialer's, if we dialed
        self.lock: Lock = Lock(self, self._store)
        self.claims: set[Exchange] = set()  # of links of this process, under way in the store
        self._exchange: Exchange | None = None
        self._said_goodbye = False  # on the link that runs
        self._undecided = False  # the link is gone, and whether another process has one is not known yet
        self._ran_before = False
        self._complaints = Complaints(node.feed, clock=node.env.clock)
        self._unsaid = 0  # entries that the peer has not acknowledged, as of the newest transaction
        self._news: News | None = None

    # ---- what faces ask for

    @property
    def trust(self) -> Trust:
        """How well the peer is known here, now; a link over which it blocked is about to end."""
        trust = self._contacts.trust(self.peer)
        return Trust.KNOWN if trust is Trust.NEW and (self.dialed or self.vouched) else trust

    @property
    def known(self) -> bool:
        """Whether the peer is more than let in like anyone: we dialed it, or somebody here accepted it."""
        return self.trust in {Trust.KNOWN, Trust.VERIFIED}

    @property
    def idle(self) -> bool:
        """Whether nothing would be missed if this session were forgotten."""
        return self._exchange is None and not self.elsewhere and (self.pair.durable or not self.has_unsaid)

    @property
    def abandoned(self) -> bool:
        """Whether it is over with messages that nothing keeps: who comes back begins anew, and never hears them."""
        return self.over and self._exchange is None and self.has_unsaid and not self.pair.durable

    @property
    def connected(self) -> bool:
        """Whether messages can flow now, over a link of this process."""
        return self._exchange is not None and self._exchange.running

    @property
    def reachable(self) -> bool:
        """Whether messages can flow now, over a link of whichever process."""
        return self.connected or self.elsewhere

    @property
    def has_unsaid(self) -> bool:
        """Whether the peer has not acknowledged everything that was said."""
        return self._unsaid > 0 or self.outgoing.is_unsettled

    @property
    def says_little(self) -> bool:
        """Whether so few messages are under way that each may leave by itself."""
        return self._unsaid < FEW

    @property
    def follows_from(self) -> int:
        """The cursor after which the log is told here; 0 if it is not."""
        return 0 if self._news is None else self._news.first

    # ---- goodbyes

    async def drained(self) -> None:
        """Wait until all our messages are acknowledged, or the conversation is over."""
        await trio.lowlevel.checkpoint()
        while self.has_unsaid and not self.over:
            await self._changed.wait()

    def goodbye(self) -> None:
        """Say goodbye once everything of ours is acknowledged; from now on nothing can be sent. Does not wait.

        It is for the link that is there: without one this does nothing (`finish` ends the session then), and if the
        link gets lost before the peer knows, the conversation goes on with the next one.
        """
        if self._exchange is None:
            if self.elsewhere and not self.over:  # the link is not ours to end; what the log has by now is told first
                self._said_goodbye = True
                self.pair.submit(lambda: Extent.of, self._leave_elsewhere)
        else:
            self._said_goodbye = True
            self._exchange.parting.goodbye(CloseCode.NORMAL)
            self._note_change()

    def _leave_elsewhere(self, result: Outcome[Extent]) -> None:
        try:
            self._extended(result.unwrap())
        except StoreError as error:
            self.store_failed(error)
        if self.elsewhere and not self.over:  # no link of ours has come meanwhile: that one would need a goodbye
            self.finish()
            self.feed.put(Disconnected(session=self, reason="goes on elsewhere", code=None, clean=True, redial=None))

    async def leave(self) -> int:
        """Say goodbye, wait `Limits.leave` seconds at most for it to be heard; return how many messages stay unsaid.

        Without a link it does not wait at all. The session is over afterwards, also when cancelled.

        Raises:
          StoreError: if the disk does not tell how many that are.
        """
        try:
            if self.connected:
                self.goodbye()
                with trio.move_on_after(self.limits.leave):
                    await self.wait_disconnected()
        finally:
            self.finish()
        return await self.unsaid() if self.has_unsaid else 0

    def finish(self) -> None:
        """End the session without another word: nobody will dial again for it."""
        if not self.over:
            self.over = True
            self._note_change()
            if self._exchange is not None:
                self._exchange.link.owner.go_away()
            else:
                self.lock.release()

    def claim(self, code: Code) -> None:
        """Use `Node.verify`."""
        if self._exchange is None or not self._exchange.running:
            raise LocalProtocolError("a code is claimed over a link, and this program has none to that peer now")
        self._exchange.claims.claim(code)

    # ---- for the dialer, the greeting and the exchange

    async def wait_disconnected(self) -> None:
        """Wait until no link carries the session."""
        await trio.lowlevel.checkpoint()
        while self._exchange is not None or self._undecided:
            await self._changed.wait()

    async def wait_connected_or_over(self) -> None:
        """Wait until a link of this process carries the session, or there is no more need of one."""
        await trio.lowlevel.checkpoint()
        while not self.connected and not self.over:
            await self._changed.wait()

    def is_held(self, *, dialed_by_us: bool) -> bool:
        """Whether the link that has the session, if one does, lives: in this process, or in another one.

        While we dial the lock is ours; who has the session all the same was visited since we took it.
        """
        is_here = self._exchange is not None or bool(self.claims)
        return is_here or self.lock.is_elsewhere or (dialed_by_us and self.lock.is_ours)

    def taken_over(self, exchange: Exchange, cursor: int) -> None:
        """Let `exchange`, whose claim stands since `cursor`, have the session; a link that had it before is closed."""
        old, self._exchange = self._exchange, exchange
        if old is not None:
            old.link.close(CloseCode.DUPLICATE, "a newer connection took over")
        self.over = self._said_goodbye = self.elsewhere = False
        self.guest = GUEST in exchange.hello.features
        self.address, self.user = exchange.link.remote, exchange.link.user
        self.name = exchange.hello.name or self.name
        self.follow_log(cursor)

    def follow_log(self, cursor: int) -> None:
        """Tell what comes after `cursor` in the log, unless it is being told already."""
        if self._store is not None and self._news is None:
            self._news = News(self, self._store, after=cursor)

    def continued_elsewhere(self) -> None:
        """Note that another process of ours has the link."""
        if not self.elsewhere:
            self.elsewhere = True
            self.over = False
            self.pair.submit(lambda: standing, self._go_on_elsewhere)
            self._note_change()

    def _go_on_elsewhere(self, result: Outcome[tuple[Extent, str, bool]]) -> None:
        try:
            extent, name, guest = result.unwrap()
        except StoreError as error:
            self.store_failed(error)
            self.feed.put(Elsewhere(session=self))
            return
        if self._exchange is None:
            self.name, self.guest = name or self.name, guest
        self.feed.put(Elsewhere(session=self))
        self.follow_log(extent.cursor)
        self._extended(extent)

    def look(self) -> None:
        """Look at what other processes may have changed in the store."""
        if self._exchange is not None and self._exchange.running:
            self._exchange.look()
        else:
            self.pair.submit(lambda: Extent.of, self._after_look)

    def _after_look(self, result: Outcome[Extent]) -> None:
        try:
            extent = result.unwrap()
        except StoreError as error:
            self.store_failed(error)
            return
        self._extended(extent)
        if self.elsewhere and self.after_loss is None and not self.lock.is_elsewhere:
            self.elsewhere = False  # whoever dials waits for the lock; we wait for the peer
            self._note_change()

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
                    read.append(message_id)
                case _:
                    pass
        if before not in {"", self.name}:
            self.feed.put(Renamed(session=self, before=before))
        if read and self._store is None:
            self._states.add(read=read)
        rest = [message for message in received if message.entry.kind not in FOR_US]
        return Messages([message.seq for message in rest], [message.entry for message in rest])

    def started(self, exchange: Exchange, *, gap: bool, pinned: str | None) -> None:
        """Tell that `exchange` runs; `pinned` is where its peer is expected from now on, if nobody was before."""
        _log.info("%s: connected by way of %s", self.peer, exchange.link.remote)
        self.feed.put(Connected(session=self, address=exchange.link.remote, resumed=self._ran_before))
        self._ran_before = True
        self._note_change()
        if pinned is not None:
            self.feed.put(notices.pinned(self.peer, pinned))
        if gap:
            self.feed.put(notices.gap(self.peer))

    def link_ended(self, exchange: Exchange, end: LinkEnd) -> None:
        """Note that `exchange` is gone; tell it, unless another link has taken over."""
        if self._exchange is not exchange:
            return
        self._exchange = None
        self._said_goodbye = False
        _log.info("%s: disconnected: %r", self.peer, end.reason)
        if exchange.running and self.pair.durable and end.code is CloseCode.DUPLICATE:
            self._undecided = True  # lost, or taken over by another process: the store is being asked
        elif exchange.running:
            self._lost(exchange, end)
        self._note_change()

    def released(self, exchange: Exchange, end: LinkEnd, *, stands: bool) -> None:
        """Note whether the claim of `exchange`, which is gone, still stands in the store."""
        if not self._undecided:
            return
        self._undecided = False
        if self._exchange is None and stands:
            self._lost(exchange, end)
        elif self._exchange is None:
            self.lock.release(to_another=True)
            self.continued_elsewhere()
        self._note_change()

    def _lost(self, exchange: Exchange, end: LinkEnd) -> None:
        seconds = self.env.clock() - exchange.began
        redial = None if self.after_loss is None or self.over else self.after_loss(end, seconds)
        self.over = self.over or end.clean or (redial is None and self.after_loss is not None)
        if redial is None:
            self.lock.release()
        self.feed.put(notices.disconnected(self, end, redial))

    def stepped(self, step: Step) -> None:
        """Note what one transaction has changed."""
        for received in step.received:
            self.heed(received)
            self._complaints.settled()  # what comes is kept again
        if self._store is None and (step.sent or step.delivered or step.expired):
            self._states.add(
                sent=[entry.id for entry in step.sent if entry.kind not in FOR_US],
                delivered=[entry.id for entry in step.delivered if entry.kind not in FOR_US],
                failed=step.expired,
                reason="expired" if step.expired else "",
            )
        self._extended(step.extent)

    def _extended(self, extent: Extent) -> None:
        """Note how far things have come."""
        has_changed = (extent.entries > 0) != (self._unsaid > 0)
        self._unsaid = extent.entries
        if self.outgoing.dropped(extent.base) or has_changed:
            self._note_change()
        if self._news is not None:
            self._news.tell(extent.cursor)

    def store_failed(self, error: StoreError) -> None:
        """Tell that the disk refuses."""
        _log.warning("%s: the store failed: %s", self.peer, error)
        self._complaints.tell(error)

    def rolled_back(self) -> None:
        """Tell that our own past is not the one the peer knows."""
        self.outgoing.renumbered()
        self.feed.put(notices.rolled_back(self.peer))

    def _settled(self, settled: Settled) -> None:
        if settled.extent is None:
            self._note_change()
        else:
            self.follow_log(settled.before)
            self._extended(settled.extent)

    @property
    def may_say(self) -> bool:
        """Whether anything can be said now: not after our goodbye, or when all is over."""
        return not self.over and not self._said_goodbye

    def _leave_soon(self) -> None:
        if self._exchange is not None and self._exchange.running:
            self._exchange.said()

    def _require_may_say(self) -> None:
        if self.over:
            raise LocalProtocolError("the conversation is over")
        if self._said_goodbye:
            raise LocalProtocolError("we have said goodbye, and nothing can be sent after that")
