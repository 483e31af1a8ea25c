"""A small world for delivery: two sides with disks, links between them that break, crashes, backups. No time, no bytes.

Everything that can happen is a method, so that a state machine can draw histories and a test can tell one. A frame on a
link is in the kernel of the machine it goes to: it may still be read after the link broke, and even after its sender
crashed. What must hold all the time is asserted where it could break; `invariants.py` says what must hold afterwards.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise

from p2pchat.protocol import outbox
from p2pchat.protocol.assembly import Messages
from p2pchat.protocol.delivery import LinkDelivery
from p2pchat.protocol.fence import Fenced
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Ack, Close, Entry, Frame, Hello, Msg, Resume, entry_cost
from p2pchat.wire.messages import Kind
from tests.support.entropy import seeded
from tests.support.stored import Kept

MAX_LINKS = 3
#: Small windows, so that they matter: a message of three parts does not fit without an ACK in the middle.
WINDOW = Hello("world", [], 4, 65536, "")


@dataclass
class Disk:
    """What survives a crash, and what a backup holds."""

    ledger: MemoryLedger | Kept
    inbox: list[tuple[bytes, bytes]] = field(default_factory=list)  # ids and bodies, as they were shown
    said: list[tuple[bytes, bytes]] = field(default_factory=list)  # ids and bodies, as they were enqueued
    withdrawn: set[bytes] = field(default_factory=set)  # ids of what was withdrawn in time
    told_gap: bool = False  # the user knows that messages of the peer may be missing
    excused: set[bytes] = field(default_factory=set)  # withdrawn ids that the user knows may have been delivered
    told_rollback: bool = False  # the user knows that this was an old backup
    expiries: dict[bytes, float] = field(default_factory=dict)  # ids -> seconds

    def transaction(self) -> AbstractContextManager[object]:
        """What one rule does is kept, or nothing of it if it raises."""
        return self.ledger.transaction() if isinstance(self.ledger, Kept) else nullcontext()

    def picture(self) -> object:
        """Return all that is kept, to be compared."""
        return self.ledger.picture() if isinstance(self.ledger, Kept) else deepcopy(vars(self.ledger))


class End:
    """One end of a link, in the process of `side`."""

    other: End

    def __init__(self, side: Side, *, dialed_by_smaller: bool, born: int) -> None:
        self.side = side
        self.born = born  # which link it belongs to
        self.delivery = LinkDelivery(offered=WINDOW, dialed_by_smaller=dialed_by_smaller)
        self.incoming: deque[tuple[Frame, int]] = deque()  # with the life of its sender in which each was sent
        self.open = True
        self.cut = False  # nothing comes any more, but what has come can be read
        self.claimed = False
        self.running = False
        self.kept_resume: tuple[Resume, int] | None = None  # with the life of its sender
        self.sent: dict[int, int] = {}  # number -> cost of each entry that was sent here
        self.acked = 0

    def say(self, frame: Frame) -> None:
        """Put `frame` into the kernel of the other side, if the link still stands."""
        if not self.cut and self.other.open:
            self.other.incoming.append((frame, self.side.life))

    def close(self) -> None:
        self.open = False
        self.incoming.clear()
        self.other.cut = True


class Side:
    """One of the two, with its disk and what its user was told.

    A *durable* side commits what it takes at once and survives crashes. A guest confirms later and never crashes, for
    its death would be the end of its identity. With `stored`, what is durable is in a database.
    """

    def __init__(self, number: int, *, durable: bool, stored: bool = False) -> None:
        self.number = number
        self.durable = durable
        self.entropy = seeded(number)
        self.ids = EntryIds(self.entropy)
        epoch = self.entropy(8)
        self.disk = Disk(Kept.fresh(epoch) if durable and stored else MemoryLedger(epoch))
        self.ends: list[End] = []
        self.holder: End | None = None  # who made the newest claim
        self.life = 0  # how many backups were restored
        self.backups: list[Disk] = []
        self.unconfirmed: deque[tuple[int, Messages]] = deque()
        self.committed: set[bytes] = set()  # ids of all that was ever shown and confirmed, or on disk
        self.ever_said: dict[bytes, bytes] = {}
        self.ever_withdrawn: set[bytes] = set()
        self.handed: dict[tuple[bytes, int], Entry] = {}  # by epoch and number, as they left in this life
        self.dropped: set[bytes] = set()  # ids of all that was ever delivered, so that the outbox forgot it
        self.lost: set[bytes] = set()  # ids of what the peer has dropped and a restored backup does not have
        self.changed_logs = False  # it began a new log before it went back to an even older backup

    @property
    def peer(self) -> Side:
        return self.world.sides[1 - self.number]

    world: World

    def confirm(self) -> None:
        """What was handed out first and is not confirmed yet was shown."""
        mark, messages = self.unconfirmed.popleft()
        self.disk.ledger.confirm(mark)
        self.committed |= {message.entry.id for message in messages}


class World:
    """Two sides, and the links between them. The key of side 0 is the smaller one."""

    def __init__(self, *, durable: tuple[bool, bool] = (True, True), stored: bool = False) -> None:
        self.sides = [Side(number, durable=durable[number], stored=stored) for number in (0, 1)]
        for side in self.sides:
            side.world = self
        self.now = 1000.0  # seconds
        self.links = 0  # that were ever opened

    @property
    def ends(self) -> list[End]:
        """All ends that a process still has open."""
        return [end for side in self.sides for end in side.ends if end.open]

    # ---- what people do

    def send(self, side: Side, size: int, *, lives: float | None = None) -> bytes:
        """Enqueue a message of `size` bytes that nobody else says, which may expire after `lives` seconds."""
        body = (b"%d:%d " % (side.number, len(side.ever_said))).ljust(size, b"x")
        expires_ms = None if lives is None else int((self.now + lives) * 1000)
        now_ms = int(self.now * 1000)
        message = (Kind.TEXT, body)
        with side.disk.transaction():
            queued = outbox.enqueue(side.disk.ledger, side.ids, message, now_ms=now_ms, expires_ms=expires_ms)
        side.disk.said.append((queued.id, body))
        if lives is not None:
            side.disk.expiries[queued.id] = self.now + lives
        side.ever_said[queued.id] = body
        return queued.id

    def void(self, side: Side, message_id: bytes) -> outbox.Withdrawal:
        with side.disk.transaction():
            result = outbox.void(side.disk.ledger, message_id)
        if result is outbox.Withdrawal.WITHDRAWN:
            self._withdrawn(side, [message_id])
        return result

    def _withdrawn(self, side: Side, ids: list[bytes]) -> None:
        side.disk.withdrawn.update(ids)
        side.ever_withdrawn.update(ids)

    # ---- links

    def dial(self, dialer: Side) -> None:
        """Open a link, over which nobody has said anything yet."""
        self.links += 1
        a, b = (End(side, dialed_by_smaller=dialer.number == 0, born=self.links) for side in self.sides)
        a.other, b.other = b, a
        for end in (a, b):
            end.side.ends = [old for old in end.side.ends if old.open]
            end.side.ends.append(end)

    def cut(self, end: End, keep: int) -> None:
        """Break the link of `end`; of what was under way to it, `keep` frames can still be read."""
        for one in (end, end.other):
            one.cut = True
        while len(end.incoming) > keep:
            end.incoming.pop()

    def claim(self, end: End) -> None:
        """Accept the peer: claim, and send RESUME."""
        side = end.side
        holder_lives = side.holder is not None and side.holder.open
        end.claimed = True
        try:
            with side.disk.transaction():
                resume = end.delivery.claim(side.disk.ledger, holder_lives=holder_lives, now=self.now)
        except Fenced:
            self.hang_up(end, CloseCode.DUPLICATE)
            return
        side.holder = end
        self._check_said_to_be_seen(side, resume.peer_epoch, resume.peer_seen)
        end.say(resume)
        if end.kept_resume is not None:
            self._resume(end, *end.kept_resume)

    def hang_up(self, end: End, code: CloseCode) -> None:
        end.say(Close(code))
        end.close()

    @contextmanager
    def _transaction(self, end: End) -> Iterator[None]:
        """I8: only the session with the newest claim does anything; all others are fenced, and end."""
        try:
            with end.side.disk.transaction():
                yield
        except Fenced:
            assert end.side.holder is not end, "I8: the newest session was fenced"
            self.hang_up(end, CloseCode.DUPLICATE)
        else:
            assert end.side.holder is end, "I8: an older session acted"

    # ---- what comes over them

    def read(self, end: End) -> None:
        """Deal with the next frame, or with the end of the stream."""
        if not end.incoming:
            if end.cut:
                end.close()
            return
        frame, life = end.incoming.popleft()
        match frame:
            case Resume() if end.claimed:
                self._resume(end, frame, life)
            case Resume():
                end.kept_resume = frame, life
            case Msg():
                end.delivery.arrive(frame)
            case Ack():
                self._acked(end, frame, life)
            case _:
                end.close()

    def _resume(self, end: End, resume: Resume, life: int) -> None:
        side = end.side
        with self._transaction(end):
            resumed = end.delivery.resume(side.disk.ledger, resume, window=WINDOW, entropy=side.entropy)
            self._delivered(side, [entry.id for entry in resumed.delivered], life)
            side.disk.told_gap |= resumed.gap
            if resumed.rolled_back:
                assert side.life, "I6: a store that was never restored was taken for an old backup"
                side.disk.told_rollback = True
                side.disk.excused |= side.disk.withdrawn
                self.hang_up(end, CloseCode.SEQUENCE)
            end.running = not resumed.rolled_back
            log = side.disk.ledger.log
            end.acked = max(log.base - 1, resume.peer_seen if resume.peer_epoch == log.epoch else 0)

    def _acked(self, end: End, ack: Ack, life: int) -> None:
        with self._transaction(end):
            delivered = end.delivery.acked(end.side.disk.ledger, ack)
            end.acked = max(end.acked, ack.seq)
            self._delivered(end.side, [entry.id for entry in delivered], life)

    def _delivered(self, side: Side, ids: list[bytes], life: int) -> None:
        """I4: what leaves the outbox was committed over there; if not in this life, the backup lost it."""
        doubtful = side.ever_withdrawn if side.life and side.peer.life else set()  # see `delivery_invariants`
        assert set(ids) <= side.peer.committed | doubtful, "I4: dropped before the peer committed it"
        side.dropped |= set(ids)
        if life < side.peer.life:
            side.peer.lost |= set(ids)

    # ---- what we do of our own accord

    def hand(self, end: End, max_cost: int, *, again: bool = False) -> None:
        """Send what the window lets go; `again`: in one batch with what is unacknowledged, as any peer may."""
        side = end.side
        ledger = side.disk.ledger
        before = ledger.log.handed
        with self._transaction(end):
            handed = end.delivery.hand(ledger, max_cost=max_cost, now_ms=int(self.now * 1000))
            self._withdrawn(side, handed.expired)
            self._check_expiry(side, before)
            unacked = [seq for seq in end.sent if seq > end.acked]
            for batch in handed.batches:
                entries = dict(enumerate(batch.entries, batch.first))
                end.sent |= {seq: entry_cost(entry) for seq, entry in entries.items()}
                side.handed |= {(ledger.log.epoch, seq): entry for seq, entry in entries.items()}
                if not again:
                    end.say(batch)
            if again and handed.batches:
                first = min(unacked, default=handed.batches[0].first)
                end.say(Msg(first, list(ledger.entries(first, max(end.sent)))))
            costs = [cost for seq, cost in end.sent.items() if seq > end.acked]
            assert len(costs) <= WINDOW.max_unacked, "the window was ignored: entries"
            assert sum(costs) <= WINDOW.max_unacked_bytes, "the window was ignored: bytes"

    def _check_expiry(self, side: Side, before: int) -> None:
        """Of an expired message nothing leaves for the first time; one whose PARTs had left before goes on."""
        log = side.disk.ledger.log
        fresh = list(side.disk.ledger.entries(max(log.base, before), log.handed))
        for previous, entry in pairwise(fresh):
            if entry.kind != Kind.VOID and previous.kind != Kind.PART:
                assert side.disk.expiries.get(entry.id, math.inf) > self.now, "sent after its time"

    def commit(self, end: End) -> None:
        """Take the oldest batch that has arrived."""
        side = end.side
        with self._transaction(end):
            received = end.delivery.receive(side.disk.ledger)
            side.disk.inbox += [(message.entry.id, message.entry.body) for message in received.messages]
            if received.messages:
                side.unconfirmed.append((received.mark, received.messages))
            if side.durable and received.messages:
                side.confirm()

    def ack(self, end: End) -> None:
        """Send the ACK that is due."""
        side = end.side
        with self._transaction(end):
            ack = end.delivery.ack(side.disk.ledger)
            if ack is not None:
                self._check_said_to_be_seen(side, side.disk.ledger.seen.epoch, ack.seq)
                end.say(ack)

    def _check_said_to_be_seen(self, side: Side, epoch: bytes, seq: int) -> None:
        """I3: nothing is acknowledged that was not committed; for a guest that was not confirmed as shown."""
        theirs = side.peer.disk.ledger
        if epoch != theirs.log.epoch:
            return
        for _, messages in side.unconfirmed:
            for message in messages:
                theirs_seq = theirs.find(message.entry.id)
                assert theirs_seq is None or theirs_seq > seq, "I3: acknowledged before it was committed"
        assert seq <= side.disk.ledger.seen.seq, "I3: acknowledged what never came"

    # ---- accidents

    def crash(self, side: Side) -> None:
        """Kill the process of a durable side: its links die, its disk stays. What it sent can still be read."""
        for end in side.ends:
            end.close()
        side.ends = []
        side.holder = None

    def backup(self, side: Side) -> None:
        side.backups.append(deepcopy(side.disk))

    def restore(self, side: Side, disk: Disk) -> None:
        """Start again with an old backup."""
        self.crash(side)
        side.handed = {}
        side.changed_logs |= disk.ledger.log.epoch != side.disk.ledger.log.epoch
        side.disk = deepcopy(disk)
        side.life += 1
        side.lost |= side.peer.dropped - {message_id for message_id, _ in side.disk.inbox}
