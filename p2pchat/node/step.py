"""A step: what one transaction does for a link, out of everything that waits for one.

The writer's wish for messages, ACKs that came and batches that came become one job, so that a busy link needs one
transaction at a time, however much arrives meanwhile. A job runs in the thread of the store, and nothing else touches
the delivery machine until it is back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from p2pchat.node.outgoing import NOTHING_YET, Extent
from p2pchat.protocol.fence import Fenced
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.protocol.assembly import Messages
    from p2pchat.protocol.delivery import LinkDelivery
    from p2pchat.store.base import Transaction
    from p2pchat.wire.frames import Ack, Entry, Frame


@dataclass(slots=True, kw_only=True)
class Step:
    """What is to be done in one transaction, and what came of it."""

    delivery: LinkDelivery
    now_ms: int
    acked: Ack | None = None  # the newest that came
    batches: int = 0  # how many that came to take
    hand: int = 0  # how much to hand over to the writer, in bytes of cost
    ack: bool = False  # whether an ACK may travel alone

    frames: list[Frame] = field(default_factory=list)  # to be sent now
    sent: list[Entry] = field(default_factory=list)  # final entries of what is sent for the first time
    delivered: list[Entry] = field(default_factory=list)  # final entries of what the peer has now
    expired: list[bytes] = field(default_factory=list)  # ids of messages whose time was up
    received: list[Messages] = field(default_factory=list)  # what was new in the batches
    more: bool = False  # entries wait, for the window or for the next step
    broken: Violation | Fenced | None = None  # why the link has to end; what came before is kept
    extent: Extent = NOTHING_YET

    def run(self, transaction: Transaction) -> Step:
        """Do it, and return itself."""
        try:
            self._run(transaction)
        except (Violation, Fenced) as broken:
            self.broken = broken
        self.extent = Extent.of(transaction)
        return self

    def _run(self, transaction: Transaction) -> None:
        ledger, delivery = transaction.ledger, self.delivery
        if self.acked is not None:
            self.delivered = delivery.acked(ledger, self.acked)
        for _ in range(self.batches):
            self.received.append(delivery.receive(ledger).messages)
        batches = []
        if self.hand:
            handed = delivery.hand(ledger, max_cost=self.hand, now_ms=self.now_ms)
            batches, self.sent, self.expired = handed.batches, handed.sent, handed.expired
            if self.expired:
                transaction.failed(self.expired, "expired")
        self.more = delivery.has_more(ledger)
        ack = delivery.ack(ledger) if batches or self.ack else None
        self.frames = [*batches] if ack is None else [ack, *batches]
