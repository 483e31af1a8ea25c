"""The exchange: a session over one link, from our RESUME to the end of the link.

It moves what the delivery machine says between the store, the link and the feed; the manners of goodbye are in
`parting.py`, and what outlives the link is in the session. Everything is synchronous: where a store takes its time,
what comes meanwhile waits here, and is part of the next transaction (`step.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, final

from outcome import Outcome

from p2pchat.errors import StoreError
from p2pchat.node.batches import Batches, joined
from p2pchat.node.claims import do_nothing
from p2pchat.node.events import PeerTyping
from p2pchat.node.parting import Parting
from p2pchat.node.step import Step
from p2pchat.protocol.delivery import LinkDelivery, Received, Resumed
from p2pchat.protocol.events import EndOfStream
from p2pchat.protocol.fence import Fenced
from p2pchat.store import pins
from p2pchat.wire import frames
from p2pchat.wire.close_codes import CloseCode, close_code
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.node.claims import Claims
    from p2pchat.node.link import Link, LinkEnd
    from p2pchat.node.session import Session
    from p2pchat.protocol.assembly import Messages
    from p2pchat.protocol.events import Event
    from p2pchat.protocol.greeting import Hellos
    from p2pchat.store.base import Transaction

AT_ONCE = 262_144  # bytes of cost handed to the writer in one go: four full records, so that acks get their turn


@final
class Exchange:
    """The owner of a link while its session runs over it."""

    def __init__(self, session: Session, link: Link, *, claims: Claims, hellos: Hellos, dialed_by_us: bool) -> None:
        """Prepare to run `session` over `link`.

        Args:
          session: with the store of this pair.
          link: between the two, both HELLOs said.
          claims: over `link`, those made already included.
          hellos: of both sides.
          dialed_by_us: who dialed decides which of two simultaneous links stays.
        """
        self.running: bool = False
        self.began: float = math.inf  # when it began to run, seconds of the env's clock
        self.hello: frames.Hello = hellos.theirs
        self.dialed_by_us = dialed_by_us
        self.link = link
        self.session = session
        self.parting: Parting = Parting(self)
        self.claims = claims
        claims.succeeded = do_nothing  # from now on they verify, and decide about nothing
        own, peer = session.own, session.peer
        self._delivery = LinkDelivery(offered=hellos.ours, dialed_by_smaller=dialed_by_us == (own < peer))
        self._durable = session.pair.durable
        self._claimed = False
        self._resume: frames.Resume | None = None  # the peer's, until it is taken
        self._on_running: Callable[[Session], None] | None = None
        self._early: list[Event] = []  # what came while its RESUME was being taken
        self._busy = False  # a step is with the store
        self._hand_next = False  # something may be there to hand over
        self._look_again = False  # something may come to be there while a step is with the store
        self._more = False  # something is there, and the window did not let it go
        self._acked: frames.Ack | None = None  # the newest that waits for a step
        self._ready: list[frames.Frame] = []  # what steps have made durable, for the writer
        self._arrival: Batches | None = None  # the newest in the feed, while nothing came after it
        self._ack_at = math.inf  # what was confirmed waits until then for messages that its ACK can travel with

    # ---- the gate

    def claim(self) -> None:
        """Claim the session for this link and send RESUME; the link is closed if another is to stay."""
        self.session.pair.submit(self._gather_claim, self._after_claim)

    def _gather_claim(self) -> Callable[[Transaction], tuple[frames.Resume, int]]:
        lives, now = self.session.is_held(dialed_by_us=self.dialed_by_us), self.session.env.wall()
        self.session.claims.add(self)  # for those that are gathered after this one, for the same transaction maybe

        def claim(transaction: Transaction) -> tuple[frames.Resume, int]:
            resume = self._delivery.claim(transaction.ledger, holder_lives=lives, now=now)
            return resume, transaction.cursor

        return claim

    def _after_claim(self, result: Outcome[tuple[frames.Resume, int]]) -> None:
        self.session.claims.discard(self)
        try:
            resume, cursor = result.unwrap()
        except (Fenced, StoreError) as error:
            self._give_up(error)
            return
        if self.link.end is not None:
            self._release()
            return
        self._claimed = True
        self.link.say(resume)
        self.session.taken_over(self, cursor)
        self._start()

    def meet(self, resume: frames.Resume, on_running: Callable[[Session], None]) -> None:
        """Take the peer's RESUME as soon as ours has left; `on_running` is called once messages flow."""
        self._resume, self._on_running = resume, on_running
        self._start()

    def _start(self) -> None:
        if self._claimed and self._resume is not None and self.link.end is None:
            self.link.owner = self
            self.link.pause_reading()  # what is read already waits in `_early`
            self.session.pair.submit(self._gather_resume, self._after_resume)

    def _gather_resume(self) -> Callable[[Transaction], tuple[Resumed, Step, str | None]]:
        session, resume = self.session, self._resume
        assert resume is not None  # noqa: S101  (`_start` has seen it)
        self._resume = None
        rest = Step(delivery=self._delivery, now_ms=session.now_ms())
        remote = self.link.remote
        address = "" if remote is None else str(remote)
        pin = pins.canonical(remote) if remote is not None and self.dialed_by_us and not session.guest else None

        def start(transaction: Transaction) -> tuple[Resumed, Step, str | None]:
            ledger = transaction.ledger
            resumed = self._delivery.resume(ledger, resume, window=self.hello, entropy=session.env.urandom)
            is_new = False
            if resumed.rolled_back:
                transaction.rolled_back()
            else:
                transaction.connected(address, name=self.hello.name, guest=session.guest)
                if resumed.gap:
                    transaction.gap()
                is_new = pin is not None and transaction.pin(pin)
            return resumed, rest.run(transaction), pin if is_new else None

        return start

    def _after_resume(self, result: Outcome[tuple[Resumed, Step, str | None]]) -> None:
        try:
            resumed, rest, pinned = result.unwrap()
        except (Fenced, Violation, StoreError) as error:
            self._give_up(error)
            return
        session = self.session
        if resumed.rolled_back:
            session.rolled_back()
            self.link.close(CloseCode.SEQUENCE, "my store is older than what the other side knows of it")
            return
        if self.link.end is not None:
            return
        self.running = True
        self.began = session.env.clock()
        session.started(self, gap=resumed.gap, pinned=pinned)
        rest.delivered = resumed.delivered
        session.stepped(rest)
        if self._on_running is not None:
            self._on_running(session)
        self.link.go_on_reading()
        early, self._early = self._early, []
        for event in early:
            self.handle(event)
        self.look()
        self.parting.go_on()

    def _give_up(self, error: Fenced | Violation | StoreError) -> None:
        """End the link for what the store, or a rule, says."""
        if isinstance(error, StoreError):
            self.session.store_failed(error)
            self.link.close(CloseCode.STORE_FAILED, str(error))
        else:
            self.link.close(error.code, str(error))

    # ---- the owner of the link

    def handle(self, event: Event) -> None:
        """Deal with one event of the machine."""
        if not self.running:
            self._early.append(event)
            return
        match event:
            case frames.Msg():
                self._arrived(event)
            case frames.Ack(seq=seq):
                if self._acked is None or seq > self._acked.seq:
                    self._acked = event
                self._hand_next |= self._more
                self._step()
            case frames.Close(code=number, reason=reason):
                self.parting.heard(close_code(number), reason)
            case EndOfStream():
                self.parting.end_of_stream()
            case frames.Typing(on=on):
                if not self.session.feed.full:  # it means nothing to somebody who is that far behind
                    self.session.feed.put(PeerTyping(session=self.session, on=on))
            case frames.PakeClaim() | frames.PakeReply() | frames.PakeConfirm() | frames.PakeResult():
                self.claims.handle(event)
            case _:
                pass  # PONG has done its work in the machine

    def next_frames(self) -> Sequence[frames.Frame]:
        """Return what may leave: messages that the window lets go, and the ACK if it has company or cannot wait."""
        if not self._durable:
            self._step()
        ready, self._ready = self._ready, []
        if self._durable:
            self._step()  # the writer has taken what there was, so there may be more
        return ready

    def last_frames(self) -> Sequence[frames.Frame]:
        """Return what has to leave before our goodbye."""
        self._ack_at = -math.inf
        return self.next_frames()

    @property
    def deadline(self) -> float:
        """When the next ACK is due, or our patience with their goodbye or a claim ends."""
        return min(self._ack_at, self.parting.deadline, self.claims.deadline)

    def tick(self, now: float) -> None:
        """Let the time be `now`. A due ACK needs nothing: the writer looks for it next."""
        self.parting.tick(now)
        self.claims.tick(now)

    def go_away(self) -> None:
        """Say that this program ends, and let the link end."""
        self.parting.go_away()

    def ended(self, end: LinkEnd) -> None:
        """Let go of the session."""
        self.claims.ended()
        if self._claimed:
            self._claimed = False
            self._release(end)
        self.session.link_ended(self, end)

    def _release(self, end: LinkEnd | None = None) -> None:
        ran = self.running

        def release(transaction: Transaction) -> bool:
            stands = self._delivery.stands(transaction.ledger)
            self._delivery.release(transaction.ledger)
            if ran and end is not None:
                transaction.disconnected(end.reason, clean=end.clean)
            return stands

        def note(result: Outcome[bool]) -> None:
            try:
                stands = result.unwrap()
            except StoreError as error:
                self.session.store_failed(error)
                stands = True
            if end is not None:
                self.session.released(self, end, stands=stands)

        self.session.pair.submit(lambda: release, note)

    # ---- steps

    def said(self) -> None:
        """Note that something of ours is about to be in the log."""
        if self._durable:
            self.look()
        else:  # what else is said before the writer gets to it goes along
            self._hand_next = True
            if self.session.says_little:
                self.link.flush()
            else:
                self.link.wake()

    def look(self) -> None:
        """Look for what is to be sent, by whichever process it was said, and whether another has taken over."""
        if self._busy:
            self._look_again = True  # the step that is waiting may come before what is to be looked for
        else:
            self._hand_next = True
            self._step()
            if self._ready:
                self.link.wake()

    def _step(self) -> None:
        """Let the store take a step, if there is anything to do and none is under way."""
        if self._busy or not self.running or self.link.end is not None:
            return
        if not self._durable:
            self.session.outgoing.settle()
        ack_is_due = self._ack_at <= self.session.env.clock()
        if self._may_hand() or self._acked is not None or ack_is_due or (self._durable and self._delivery.waiting):
            self._busy = True
            self.session.pair.submit(self._gather, self._after_step)

    def _may_hand(self) -> bool:
        return self._hand_next and not self._ready and self.parting.may_send

    def _gather(self) -> Callable[[Transaction], Step]:
        step = Step(
            delivery=self._delivery,
            now_ms=self.session.now_ms(),
            acked=self._acked,
            batches=self._delivery.waiting if self._durable else 0,
            hand=AT_ONCE if self._may_hand() else 0,
            ack=self._durable or self._ack_at <= self.session.env.clock(),
        )
        self._acked = None
        if step.hand:
            self._hand_next = False
        return step.run

    def _after_step(self, result: Outcome[Step]) -> None:
        self._busy = False
        try:
            step = result.unwrap()
        except StoreError as error:
            self._give_up(error)
            return
        self._ready += step.frames
        self._more = step.more
        was_cut = step.hand > 0 and bool(step.frames)  # by `AT_ONCE`, perhaps
        may_open = self._acked is not None  # the window: this ACK came before we knew that something waits for it
        self._hand_next |= self._look_again or (step.more and (was_cut or may_open))
        self._look_again = False
        if step.ack or step.frames:
            self._ack_at = math.inf
        self.session.stepped(step)
        if not self._delivery.is_full:
            self.link.go_on_reading()
        if step.broken is not None:
            self._give_up(step.broken)
            return
        if self._durable:
            if self._ready:
                self.link.flush()
            self._step()
        self.parting.go_on()

    # ---- messages of the peer

    def _arrived(self, batch: frames.Msg) -> None:
        try:
            self._delivery.arrive(batch)
        except Violation as violation:
            self._give_up(violation)
            return
        self.parting.entries_came()
        if self._durable:
            self._step()
        else:
            feed = self.session.feed
            if self._arrival is not None and feed.is_last(self._arrival):
                self._arrival.count += 1
            else:
                self._arrival = Batches(self)
                feed.put(self._arrival)
        if self._delivery.is_full:
            self.link.pause_reading()

    def take(self, count: int) -> tuple[Messages, int | None]:
        """Take `count` batches, as a guest does when they are shown.

        Returns their messages and the mark that confirms them (None: nothing to confirm).
        """
        taken: list[Received] = []

        def receive(transaction: Transaction) -> None:
            taken.extend(self._delivery.receive(transaction.ledger) for _ in range(count))

        self.session.pair.submit(lambda: receive, self._after_take)
        if not self._delivery.is_full:
            self.link.go_on_reading()
        messages = joined([self.session.heed(received.messages) for received in taken])
        return messages, taken[-1].mark if taken else None

    def _after_take(self, result: Outcome[None]) -> None:
        try:
            result.unwrap()
        except (Fenced, Violation) as error:
            self._give_up(error)

    def confirmed(self, mark: int, *, few: bool) -> None:
        """Note that what was taken up to `mark` was shown, and let the ACK go: at once, or soon if there is little."""
        self.session.pair.submit(lambda: lambda transaction: transaction.ledger.confirm(mark), Outcome.unwrap)
        if self.link.end is None:
            if few:
                self._ack_at = self.session.env.clock() + self.session.limits.ack_delay
                self.link.wake_at(self._ack_at)
            else:
                self._ack_at = -math.inf
                self.link.wake()
