"""Delivery over one link: who may send what, what is new, what may be acknowledged. Exactly once, in order.

The rules themselves are in `fence.py`, `outbox.py` and `inbox.py`; what outlives the link is in a `Ledger`. This
machine adds the numbers that live and die with one link: where sending began, what is under way, what has come. The
owner calls each method inside one transaction of the ledger and sends what it returns once that transaction is durable.
Transactions may run in another thread, one at a time; only `arrive`, `waiting` and `is_full` may be used meanwhile.

The life of a link: `claim` (send the RESUME), `resume` (the peer's has come), then in any order `hand`, `acked`,
`arrive`, `receive`, `ack`; `release` at the end. A method that raises has changed nothing in the ledger:

* `Fenced`: another link took over; say CLOSE(DUPLICATE), drop what had arrived.
* `Violation`: the peer broke a rule; say CLOSE with its code.

Source: docs/protocol.md, section 6.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import assembly, chain, fence, inbox, outbox
from p2pchat.protocol.assembly import Messages
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import ENTRY_OVERHEAD, LAST_SEQ, Ack, Entry, Hello, Msg, Resume
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.protocol.ledger import Ledger


class Resumed(Struct, frozen=True, kw_only=True, gc=False):
    """What the peer's RESUME meant."""

    #: My store is an old backup. A new log was begun with what is queued. Say CLOSE(SEQUENCE) and redial with back-off;
    #: tell the user that what was withdrawn since the backup may have been delivered.
    rolled_back: bool = False
    #: Tell the user that messages of the peer may be missing: it no longer has the entries after the last that came.
    gap: bool = False
    #: Final entries, perhaps without their bodies, of messages that turn out to have been delivered.
    delivered: list[Entry] = []


class Handed(Struct, frozen=True, kw_only=True, gc=False):
    """What is to be sent now."""

    batches: list[Msg]
    sent: list[Entry]  # final entries among them that no link had before: messages that are *sent* now
    expired: list[bytes]  # ids of messages whose time was up before they could be sent


class Received(Struct, frozen=True, kw_only=True, gc=False):
    """What came of one batch. Once `messages` were shown, `Ledger.confirm(mark)` says so, and an ACK may be due."""

    messages: Messages
    mark: int


class LinkDelivery:
    """The delivery state of one link."""

    def __init__(self, *, offered: Hello, dialed_by_smaller: bool) -> None:
        """Begin with what our HELLO `offered`, on a link that the peer with the bytewise smaller key dialed, or not."""
        self._offered = offered
        self._dialed_by_smaller = dialed_by_smaller
        self._gen = 0  # no claim has this number
        self._window: Hello | None = None  # the peer's; set while we are RUNNING
        # Out: entries from `_cursor` on were not sent here, those up to `_acked` came to the peer.
        self._cursor = 0
        self._acked = 0
        self._in_flight: deque[tuple[int, int]] = deque()  # last entry and cost of each unacknowledged batch
        self._in_flight_cost = 0
        # In: `_arrived` is the highest number that came here, `_ack_said` what the peer knows that we have.
        self._arrived = 0
        self._waiting: deque[tuple[Msg, int]] = deque()  # batches that came and were not yet taken, with their costs
        # How much has come and how much was taken, ever: each is counted by one thread, and compared by any.
        self._came_cost = self._came_entries = 0
        self._taken_cost = self._taken_entries = 0
        self._ack_said = 0
        self._ack_due = False

    # ---- the gate

    def claim(self, ledger: Ledger, *, holder_lives: bool, now: float) -> Resume:
        """Claim the conversation and return our RESUME; call this once the peer is accepted.

        `now` is in seconds since 1970. `holder_lives`: the session that holds the conversation now, if any, is a link
        of this very process, or another process is known to run it.

        Raises:
          Fenced: if two connections were dialed at the same time, and the other one is to stay.
        """
        self._gen = fence.claim(ledger, dialed_by_smaller=self._dialed_by_smaller, holder_lives=holder_lives, now=now)
        ledger.rewind()
        log, seen = ledger.log, ledger.seen
        return Resume(
            epoch=log.epoch,
            base=log.base,
            base_state=log.base_state,
            next=ledger.next,
            peer_epoch=seen.epoch,
            peer_seen=seen.seq,
            peer_chain=chain.position(seen.epoch, seen.seq, seen.state),
        )

    def resume(self, ledger: Ledger, resume: Resume, *, window: Hello, entropy: Callable[[int], bytes]) -> Resumed:
        """Take the peer's RESUME; `window` is its HELLO. Unless `rolled_back`, the link is RUNNING afterwards.

        Raises:
          Fenced: if a newer link took over.
          Violation: if it is the second one.
          LocalProtocolError: if we have not claimed yet; keep the RESUME until then.
        """
        if self._gen == 0:
            raise LocalProtocolError("the peer's RESUME is taken after our own was sent")
        if self._window is not None:
            raise Violation(CloseCode.PROTOCOL, "a second RESUME")
        fence.check(ledger, self._gen)
        if outbox.is_rolled_back(ledger, resume):
            ledger.renumber(entropy(8))
            return Resumed(rolled_back=True)
        has = resume.peer_seen if resume.peer_epoch == ledger.log.epoch else 0
        delivered = outbox.acknowledged(ledger, has)
        gap = inbox.meet(ledger, resume)
        self._acked = max(ledger.log.base - 1, has)
        self._cursor = self._acked + 1
        self._arrived = ledger.seen.seq
        self._ack_said = ledger.confirmed
        self._window = window
        return Resumed(gap=gap, delivered=delivered)

    def stands(self, ledger: Ledger) -> bool:
        """Whether our claim is still the newest."""
        return ledger.fence.gen == self._gen

    def release(self, ledger: Ledger) -> None:
        """Let go of the conversation: nothing keeps the next link out."""
        fence.release(ledger, self._gen)

    # ---- my log

    def hand(self, ledger: Ledger, *, max_cost: int, now_ms: int) -> Handed:
        """Return what the peer's window lets go now, in batches, at most `max_cost` bytes of cost in all.

        What has expired by `now_ms` (Unix milliseconds) and was never handed over is withdrawn first. Everything
        returned counts as handed over, whether it is sent or not.

        Raises:
          Fenced: if a newer link took over.
          LocalProtocolError: if the link is not RUNNING.
        """
        window = self._running()
        fence.check(ledger, self._gen)
        expired = outbox.expire(ledger, now_ms)
        fresh_from = ledger.log.handed + 1
        budget = min(max_cost, window.max_unacked_bytes - self._in_flight_cost)
        last = min(self._acked + window.max_unacked, self._cursor + budget // ENTRY_OVERHEAD)  # more cannot fit
        batches: list[Msg] = []
        sent: list[Entry] = []
        for entries, cost in outbox.batches(list(ledger.entries(self._cursor, last, enough=budget)), budget):
            batches.append(Msg(self._cursor, entries))
            sent += assembly.shown(entries if self._cursor >= fresh_from else entries[fresh_from - self._cursor :])
            self._cursor += len(entries)
            self._in_flight.append((self._cursor - 1, cost))
            self._in_flight_cost += cost
        if self._cursor > fresh_from:
            ledger.hand(self._cursor - 1)
        return Handed(batches=batches, sent=sent, expired=expired)

    def has_more(self, ledger: Ledger) -> bool:
        """Whether entries wait to be handed over on this link: for the window, or for `hand`."""
        return self._cursor < ledger.next

    def acked(self, ledger: Ledger, ack: Ack) -> list[Entry]:
        """Take the peer's ACK; return the final entries, perhaps without bodies, of the messages delivered by it.

        Raises:
          Fenced: if a newer link took over.
          Violation: if it speaks of what was not sent here.
        """
        self._running()
        fence.check(ledger, self._gen)
        if ack.seq >= self._cursor:
            raise Violation(CloseCode.SEQUENCE, f"entry {ack.seq} was acknowledged and never sent here")
        if ack.seq <= self._acked:
            return []
        self._acked = ack.seq
        while self._in_flight and self._in_flight[0][0] <= ack.seq:
            self._in_flight_cost -= self._in_flight.popleft()[1]
        return outbox.acknowledged(ledger, ack.seq)

    # ---- the peer's log

    def arrive(self, batch: Msg) -> None:
        """Let a batch wait for `receive`; no transaction.

        Raises:
          Violation: if entries are missing before it, or its numbers cannot be.
        """
        self._running()
        if batch.first > self._arrived + 1:
            raise Violation(CloseCode.SEQUENCE, f"entry {batch.first} came, {self._arrived + 1} is missing")
        if batch.last > LAST_SEQ:
            raise Violation(CloseCode.SEQUENCE, "entries have numbers that cannot be")
        # What they cost, but for `conv`, which every entry has room for in its overhead: this bound is our own affair.
        cost = ENTRY_OVERHEAD * len(batch.entries) + sum(map(len, [entry.body for entry in batch.entries]))
        self._arrived = max(self._arrived, batch.last)
        self._waiting.append((batch, cost))
        self._came_entries += len(batch.entries)
        self._came_cost += cost

    @property
    def waiting(self) -> int:
        """How many batches have arrived and were not taken yet."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether as much is waiting as our HELLO offered to hold: read nothing more before `receive`."""
        return (
            self._came_entries - self._taken_entries >= self._offered.max_unacked
            or self._came_cost - self._taken_cost >= self._offered.max_unacked_bytes
        )

    def receive(self, ledger: Ledger) -> Received:
        """Take the batch that has waited longest; call this only while `waiting`.

        Raises:
          Fenced: if a newer link took over: what is waiting comes again there.
          Violation: if its parts break the rules; nothing of it was taken.
        """
        fence.check(ledger, self._gen)
        batch, cost = self._waiting[0]
        seen = ledger.seen.seq
        messages, mark = inbox.receive(ledger, batch)
        self._waiting.popleft()
        self._taken_entries += len(batch.entries)
        self._taken_cost += cost
        self._ack_due |= ledger.seen.seq == seen  # all of it was skipped: the peer does not know that we have it
        return Received(messages=messages, mark=mark)

    def ack(self, ledger: Ledger) -> Ack | None:
        """Return the ACK that is due, if one is; after `receive`, and again after `Ledger.confirm`.

        Raises:
          Fenced: if a newer link took over.
        """
        self._running()
        fence.check(ledger, self._gen)
        if ledger.confirmed == self._ack_said and not self._ack_due:
            return None
        self._ack_said = ledger.confirmed
        self._ack_due = False
        return Ack(self._ack_said)

    def _running(self) -> Hello:
        if self._window is None:
            raise LocalProtocolError("the link is not running: one of the two RESUMEs is missing")
        return self._window
