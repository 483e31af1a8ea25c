"""The exchange: a session over one link, from our RESUME to the end of the link.

It moves what the delivery machine says between the ledger, the link and the feed, and keeps the manners of goodbye
(`docs/protocol.md` 4.2). What outlives the link is in the session. Everything is synchronous.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from p2pchat.node.events import Leaving, MessagesReceived, PeerTyping
from p2pchat.node.feed import Arrival
from p2pchat.node.link import LinkEnd
from p2pchat.protocol.assembly import Messages
from p2pchat.protocol.delivery import LinkDelivery, Resumed
from p2pchat.protocol.events import EndOfStream
from p2pchat.protocol.fence import Fenced
from p2pchat.wire import frames
from p2pchat.wire.close_codes import CloseCode, close_code
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.node.link import Link
    from p2pchat.node.session import Session
    from p2pchat.protocol.events import Event

AT_ONCE = 262_144  # bytes of cost handed to the writer in one go: four full records, so that acks get their turn


@final
class Exchange:
    """The owner of a link while its session runs over it."""

    def __init__(
        self,
        session: Session,
        link: Link,
        *,
        hello: frames.Hello,
        offered: frames.Hello,
        dialed_by_us: bool,
    ) -> None:
        """Prepare to run `session` over `link`.

        Args:
          session: with the ledger of this pair.
          link: between the two, both HELLOs said.
          hello: the peer's.
          offered: ours.
          dialed_by_us: who dialed decides which of two simultaneous links stays.
        """
        self.running: bool = False
        self.began: float = math.inf  # when it began to run, seconds of the env's clock
        self.hello = hello  # the peer's
        self.link = link
        self.session = session
        own, peer = session.own, session.peer
        self._delivery = LinkDelivery(offered=offered, dialed_by_smaller=dialed_by_us == (own < peer))
        self._arrival: Batches | None = None  # the newest in the feed, while nothing came after it
        self._ack_at = math.inf  # what was confirmed waits until then for messages that its ACK can travel with
        self._leaving: CloseCode | None = None  # the goodbye that we shall say once all is acknowledged
        self._said: CloseCode | None = None
        self._heard: CloseCode | None = None
        self._linger_until = math.inf

    # ---- the gate

    def claim(self, *, holder_lives: bool) -> bool:
        """Claim the session for this link and send RESUME; False if another is to stay (then this one was closed)."""
        session = self.session
        try:
            resume = self._delivery.claim(session.ledger, holder_lives=holder_lives, now=session.env.wall())
        except Fenced as fenced:
            self.link.close(CloseCode.DUPLICATE, str(fenced))
            return False
        self.link.say(resume)
        return True

    def start(self, resume: frames.Resume) -> bool:
        """Take the peer's RESUME; True if messages flow from here on, False if the link was closed instead."""
        session = self.session
        try:
            resumed: Resumed = self._delivery.resume(
                session.ledger, resume, window=self.hello, entropy=session.env.urandom
            )
        except Fenced as fenced:
            self.link.close(CloseCode.DUPLICATE, str(fenced))
            return False
        if resumed.rolled_back:
            session.rolled_back()
            self.link.close(CloseCode.SEQUENCE, "my store is older than what the other side knows of it")
            return False
        self.link.owner = self
        self.running = True
        self.began = session.env.clock()
        session.started(self, gap=resumed.gap)
        session.delivered(len(resumed.delivered))
        self._say_goodbye_if_drained()
        self.link.wake()
        return True

    # ---- the owner of the link

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""
        try:
            match event:
                case frames.Msg():
                    self._arrived(event)
                case frames.Ack():
                    self.session.delivered(len(self._delivery.acked(self.session.ledger, event)))
                    self._say_goodbye_if_drained()
                    if self._delivery.has_more(self.session.ledger):
                        self.link.wake()  # the window has opened
                case frames.Close(code=number, reason=reason):
                    self._closed(close_code(number), reason)
                case EndOfStream():
                    self._end_of_stream()
                case frames.Typing(on=on):
                    if not self.session.feed.full:  # it means nothing to somebody who is that far behind
                        self.session.feed.put(PeerTyping(session=self.session, on=on))
                case _:
                    pass  # PONG has done its work in the machine
        except Violation as violation:
            self.link.close(violation.code, str(violation))
        except Fenced as fenced:
            self.link.close(CloseCode.DUPLICATE, str(fenced))

    def next_frames(self) -> Sequence[frames.Frame]:
        """Return the messages that the window lets go, and the ACK if it has their company or cannot wait for it."""
        try:
            batches = [] if self._said is not None else self._hand()
            if not batches and self._ack_at > self.session.env.clock():
                return ()
            ack = self._delivery.ack(self.session.ledger)
        except Fenced as fenced:
            self.link.close(CloseCode.DUPLICATE, str(fenced))
            return ()
        self._ack_at = math.inf
        return batches if ack is None else [ack, *batches]

    def _hand(self) -> list[frames.Msg]:
        self.session.outgoing.settle()
        handed = self._delivery.hand(self.session.ledger, max_cost=AT_ONCE, now_ms=self.session.now_ms())
        if handed.sent:
            self.session.sent(len(handed.sent))
        return handed.batches

    @property
    def deadline(self) -> float:
        """When the next ACK is due, or our patience with their goodbye ends."""
        return min(self._ack_at, self._linger_until)

    def tick(self, now: float) -> None:
        """Wait no longer for a goodbye that does not come. A due ACK needs nothing: the writer looks for it next."""
        if now >= self._linger_until:
            self.link.finish(LinkEnd(reason="said goodbye", code=CloseCode.NORMAL, clean=True))

    def ended(self, end: LinkEnd) -> None:
        """Let go of the session."""
        if end.clean or end.code is CloseCode.GOING_AWAY:
            self._delivery.release(self.session.ledger)
        self.session.link_ended(self, end)

    # ---- messages of the peer

    def _arrived(self, batch: frames.Msg) -> None:
        self._delivery.arrive(batch)
        if self._linger_until < math.inf:
            self._linger()
        feed = self.session.feed
        if self._arrival is not None and feed.is_last(self._arrival):
            self._arrival.count += 1
        else:
            self._arrival = Batches(self)
            feed.put(self._arrival)
        if self._delivery.is_full:
            self.link.pause_reading()

    def take(self, count: int) -> tuple[Messages, int | None]:
        """Take `count` batches; return their messages and the mark that confirms them (None: nothing to confirm)."""
        taken: list[Messages] = []
        mark = None
        try:
            for _ in range(count):
                received = self._delivery.receive(self.session.ledger)
                taken.append(self.session.heed(received.messages))
                mark = received.mark
        except Fenced as fenced:
            self.link.close(CloseCode.DUPLICATE, str(fenced))
        except Violation as violation:
            self.link.close(violation.code, str(violation))
        if not self._delivery.is_full:
            self.link.go_on_reading()
        return joined(taken), mark

    def confirmed(self, mark: int, *, few: bool) -> None:
        """Note that what was taken up to `mark` was shown, and let the ACK go: at once, or soon if there is little."""
        self.session.ledger.confirm(mark)
        if self.link.end is None:
            if few:
                self._ack_at = self.session.env.clock() + self.session.limits.ack_delay
                self.link.wake_at(self._ack_at)
            else:
                self._ack_at = -math.inf
                self.link.wake()

    # ---- goodbyes, which need both sides

    def goodbye(self, code: CloseCode) -> None:
        """Say `code` (NORMAL or GOING_AWAY) once everything of ours is acknowledged."""
        self._leaving = code
        self._say_goodbye_if_drained()

    def _say_goodbye_if_drained(self) -> None:
        if self._leaving is None or self._said is not None or not self.running or self.session.unacknowledged:
            return
        self._say(self._leaving)

    def go_away(self) -> None:
        """Say GOING_AWAY and end the link as soon as that is out; what is not acknowledged stays ours."""
        if self._said is None:
            self._say(CloseCode.GOING_AWAY)
        self.link.finish(LinkEnd(reason="this program ends", code=CloseCode.GOING_AWAY))

    def _say(self, code: CloseCode) -> None:
        self._ack_at = -math.inf  # it goes before the goodbye
        self.link.say(*self.next_frames())
        self._said = code
        self.link.close(code)
        if self._heard is not None:
            self._part()
        else:
            self._linger()

    def _linger(self) -> None:
        self._linger_until = self.session.env.clock() + self.session.limits.linger
        self.link.wake_at(self._linger_until)

    def _closed(self, code: CloseCode, reason: str) -> None:
        if not code.is_goodbye:
            self.link.finish(LinkEnd(reason=reason, code=code, by_peer=True))
            return
        self._heard = code
        self.session.feed.put(Leaving(session=self.session, going_away=code is CloseCode.GOING_AWAY, reason=reason))
        if self._said is not None:
            self._part()
        elif code is CloseCode.GOING_AWAY:
            self.goodbye(code)

    def _part(self) -> None:
        """Both have said goodbye: the link is over, and so is the session unless one of them will be back."""
        clean = CloseCode.GOING_AWAY not in {self._said, self._heard}
        reason = "said goodbye" if clean else "went away"
        self.link.finish(LinkEnd(reason=reason, code=max(self._said or 0, self._heard or 0), clean=clean, by_peer=True))

    def _end_of_stream(self) -> None:
        if self._heard is None:
            self.link.finish(LinkEnd(reason="connection lost"))
        else:
            self._said = self._said or self._heard
            self._part()


@final
class Batches(Arrival):
    """Batches that came over one link, one after the other, and wait in the feed."""

    def __init__(self, exchange: Exchange) -> None:
        self.count = 1
        self._exchange = exchange
        self._mark: int | None = None
        self._few = False

    def take(self) -> MessagesReceived | None:
        """Take them all; None if nothing of them is to be shown."""
        messages, mark = self._exchange.take(self.count)
        if not messages:
            if mark is not None:
                self._exchange.confirmed(mark, few=False)
            return None
        self._mark = mark
        self._few = len(messages) == 1
        return MessagesReceived(session=self._exchange.session, messages=messages)

    def confirm(self) -> None:
        """Let their ACK go."""
        if self._mark is not None:
            self._exchange.confirmed(self._mark, few=self._few)


def joined(batches: Sequence[Messages]) -> Messages:
    """Return all messages of `batches`, in order."""
    if len(batches) == 1:
        return batches[0]
    return Messages(
        [seq for batch in batches for seq in batch.seqs], [entry for batch in batches for entry in batch.entries]
    )
