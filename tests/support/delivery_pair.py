"""Two halves of a conversation, each with its ledger and its link, for tests that tell one thing."""

from __future__ import annotations

from p2pchat.protocol import outbox
from p2pchat.protocol.delivery import Handed, LinkDelivery, Resumed
from p2pchat.protocol.ids import EntryIds
from p2pchat.protocol.outbox import Queued
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire.frames import Ack, Entry, Hello, Msg, Resume
from p2pchat.wire.messages import Kind
from tests.support.entropy import seeded

HELLO = Hello("pair", [], 4096, 2**20, "")
NOW_MS = 1_700_000_000_000


def entry(number: int, body: bytes = b"body", *, kind: int = Kind.TEXT, conv: bytes = b"") -> Entry:
    """Return an entry whose id is `number`."""
    return Entry(number.to_bytes(16), kind, NOW_MS, conv, body)


class Half:
    """One side. It makes a new link with `claim`; by default what it takes is confirmed at once."""

    def __init__(self, number: int = 0, *, window: Hello = HELLO) -> None:
        self.entropy = seeded(number)
        self.ledger = MemoryLedger(self.entropy(8))
        self.ids = EntryIds(self.entropy)
        self.window = window  # what it offers
        self.link = LinkDelivery(offered=window, dialed_by_smaller=True)

    def say(self, body: bytes = b"hi", *, expires_ms: int | None = None) -> Queued:
        return outbox.enqueue(self.ledger, self.ids, (Kind.TEXT, body), now_ms=NOW_MS, expires_ms=expires_ms)

    def claim(self) -> Resume:
        self.link = LinkDelivery(offered=self.window, dialed_by_smaller=True)
        return self.link.claim(self.ledger, holder_lives=False, now=0.0)

    def resume(self, resume: Resume, *, window: Hello = HELLO) -> Resumed:
        return self.link.resume(self.ledger, resume, window=window, entropy=self.entropy)

    def hand(self, *, max_cost: int = 2**20, now_ms: int = NOW_MS) -> Handed:
        return self.link.hand(self.ledger, max_cost=max_cost, now_ms=now_ms)

    def take(self, *batches: Msg, confirm: bool = True) -> list[bytes]:
        """Let `batches` arrive and take them; return the bodies of the messages that they bring."""
        bodies = []
        for batch in batches:
            self.link.arrive(batch)
            received = self.link.receive(self.ledger)
            bodies += [message.entry.body for message in received.messages]
            if confirm:
                self.ledger.confirm(received.mark)
        return bodies

    def ack(self) -> Ack | None:
        return self.link.ack(self.ledger)

    def acked(self, seq: int) -> list[Entry]:
        return self.link.acked(self.ledger, Ack(seq))


def connect(a: Half, b: Half) -> tuple[Resumed, Resumed]:
    """Let a new link begin between the two; return what each made of the other's RESUME."""
    theirs, ours = b.claim(), a.claim()
    return a.resume(theirs, window=b.window), b.resume(ours, window=a.window)


def deliver(a: Half, b: Half) -> list[bytes]:
    """Let all that the window lets go come from `a` to `b` and be acknowledged; return the bodies that it brings."""
    bodies = b.take(*a.hand().batches)
    ack = b.ack()
    if ack is not None:
        a.acked(ack.seq)
    return bodies


def pair(*, window: Hello = HELLO) -> tuple[Half, Half]:
    """Return two halves over a running link, each offering `window`."""
    a, b = Half(1, window=window), Half(2, window=window)
    connect(a, b)
    return a, b
