"""My log: what is queued, what may still be withdrawn, what was acknowledged, and whether my store is the one I had.

Each function is one rule over a `Ledger`; none knows links, `delivery.py` does. Up to the mark `handed` an entry never
changes: a copy of it may be anywhere. Only there do equal ids mean equal content.

Source: docs/protocol.md, sections 3.4 and 6.3.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, repeat
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import assembly, chain
from p2pchat.wire.frames import ENTRY_OVERHEAD, MAX_BATCH_COST, MAX_BODY, Entry
from p2pchat.wire.messages import MAX_ASSEMBLED

if TYPE_CHECKING:
    from p2pchat.protocol.ids import EntryIds
    from p2pchat.protocol.ledger import Ledger
    from p2pchat.wire.frames import Resume

MAX_ENTRIES: Final = -(-MAX_ASSEMBLED // MAX_BODY)  # of one message: its PARTs and the final one


class Queued(Struct, frozen=True, gc=False):
    """A message that was appended to the log: its id, and the numbers of its first and its final entry."""

    id: bytes
    first: int
    last: int


class Withdrawal(enum.Enum):
    """What came of the wish to withdraw a message."""

    #: Nobody will see it; empty entries are left of it.
    WITHDRAWN = "withdrawn"
    #: A link has it, or has a part of it. Nothing was changed.
    TOO_LATE = "too late"
    #: The log holds no such message: it was delivered, or never queued.
    UNKNOWN = "unknown"


# ---- enqueue and void: any process of the identity, no fence


def enqueue(
    ledger: Ledger, ids: EntryIds, message: tuple[int, bytes], *, now_ms: int, expires_ms: int | None = None
) -> Queued:
    """Append one message, made at `now_ms` (Unix milliseconds): its kind and body, as `messages.encode_body` made them.

    If nothing of it was handed over by `expires_ms`, it is withdrawn.

    Raises:
      LocalProtocolError: if the body is longer than MAX_ASSEMBLED, or the kind is one that delivery uses itself.
    """
    entries = _entries(ids, message, now_ms)
    first = ledger.append(entries, expires_ms=expires_ms)
    return Queued(entries[-1].id, first, first + len(entries) - 1)


def enqueue_many(ledger: Ledger, ids: EntryIds, kind: int, bodies: Sequence[bytes], *, now_ms: int) -> list[bytes]:
    """Append several messages of one kind, at a fraction of what `enqueue` takes for each; return their ids, in order.

    Raises:
      LocalProtocolError: as `enqueue`; then none of them was appended.
    """
    if kind not in assembly.SHOWS_NOTHING and max(map(len, bodies), default=0) <= MAX_BODY:
        drawn = ids.draw_many(len(bodies), now_ms)
        ledger.append(list(map(Entry, drawn, repeat(kind), repeat(now_ms), repeat(b""), bodies)))
        return drawn
    cut = [_entries(ids, (kind, body), now_ms) for body in bodies]
    ledger.append([entry for entries in cut for entry in entries])
    return [entries[-1].id for entries in cut]


def _entries(ids: EntryIds, message: tuple[int, bytes], now_ms: int) -> list[Entry]:
    kind, body = message
    if kind in assembly.SHOWS_NOTHING:
        raise LocalProtocolError(f"kind {kind} is not for messages")
    if len(body) <= MAX_BODY:
        return [Entry(ids.draw(now_ms), kind, now_ms, b"", body)]
    if len(body) > MAX_ASSEMBLED:
        raise LocalProtocolError(f"a message of {len(body)} bytes is longer than any may be ({MAX_ASSEMBLED})")
    *parts, rest = assembly.cut(body)
    entries = [Entry(ids.draw(now_ms), assembly.PART, now_ms, b"", part) for part in parts]
    return [*entries, Entry(ids.draw(now_ms), kind, now_ms, b"", rest)]


def void(ledger: Ledger, message_id: bytes) -> Withdrawal:
    """Withdraw the message with this id, unless an entry of it was handed over.

    Only bodies and kinds go: ids and numbers stay, so the chain is what it was.
    """
    last = ledger.find(message_id)
    if last is None:
        return Withdrawal.UNKNOWN
    message = _message_ending_at(ledger, last)
    if message[-1].kind == assembly.PART:
        return Withdrawal.UNKNOWN
    return Withdrawal.WITHDRAWN if _void(ledger, last, message) else Withdrawal.TOO_LATE


def expire(ledger: Ledger, now_ms: int) -> list[bytes]:
    """Withdraw what was to be handed over before `now_ms` (Unix milliseconds); return the ids of those messages.

    A sender does this before it raises the mark, in the same transaction.
    """
    expired = []
    for last in ledger.expired(now_ms):
        message = _message_ending_at(ledger, last)
        if _void(ledger, last, message):
            expired.append(message[-1].id)
    return expired


def _void(ledger: Ledger, last: int, message: list[Entry]) -> bool:
    """Empty all entries of `message`, which ends at `last`, if the first of them was not handed over."""
    first = last - len(message) + 1
    if first <= ledger.log.handed:
        return False
    ledger.replace(
        first, [Entry(entry.id, assembly.VOID, entry.sent_ms, entry.conv, assembly.VOID_BODY) for entry in message]
    )
    return True


def _message_ending_at(ledger: Ledger, last: int) -> list[Entry]:
    """Return the entries of the message that ends at `last`, its PARTs first; perhaps without their bodies."""
    before = list(ledger.entries(max(ledger.log.base, last - MAX_ENTRIES + 1), last, bodies=False))
    start = len(before) - 1
    while start > 0 and before[start - 1].kind == assembly.PART:
        start -= 1
    return before[start:]


# ---- handing over


def batches(entries: list[Entry], budget: int) -> Iterator[tuple[list[Entry], int]]:
    """Cut of `entries` as many as cost no more than `budget` bytes into batches; yield each with its cost.

    Source: docs/protocol.md, section 3.3.
    """
    # `frames.entry_cost`, spelled out: in here the call would cost as much as all the rest.
    costs = [ENTRY_OVERHEAD + len(entry.conv) + len(entry.body) for entry in entries]
    total = sum(costs)
    if 0 < total <= min(budget, MAX_BATCH_COST):  # one batch takes them all, as when people type
        yield entries, total
        return
    sums = list(accumulate(costs, initial=0))  # in C, like the search: a loop over entries would take twice as long
    first, end = 0, bisect_right(sums, budget) - 1
    while first < end:
        after = min(end, bisect_right(sums, sums[first] + MAX_BATCH_COST) - 1)
        yield entries[first:after], sums[after] - sums[first]
        first = after


# ---- what the peer has


def acknowledged(ledger: Ledger, through: int) -> list[Entry]:
    """Drop the messages whose final entries are numbered up to `through`; return those entries, perhaps without bodies.

    Acknowledged PARTs of an unfinished message stay: base never lies inside a message, so that after a restored backup
    a message comes whole or not at all.
    """
    log = ledger.log
    entries = list(ledger.entries(log.base, through, bodies=False))
    while entries and entries[-1].kind == assembly.PART:
        entries.pop()
    if not entries:
        return []
    joined = b"".join([entry.id for entry in entries])
    ledger.drop(log.base + len(entries), chain.extend(log.epoch, log.base_state, joined))
    return assembly.shown(entries)


def is_rolled_back(ledger: Ledger, resume: Resume) -> bool:
    """Whether my store is an old backup: the peer has seen more of my log than I know of, or another of that name."""
    log = ledger.log
    if resume.peer_epoch != log.epoch:
        return False
    if resume.peer_seen > log.handed:
        return True
    if resume.peer_seen < log.base - 1:
        return False  # the entries are gone, so there is nothing to compare with; the peer will jump
    joined = b"".join([entry.id for entry in ledger.entries(log.base, resume.peer_seen, bodies=False)])
    state = chain.extend(log.epoch, log.base_state, joined)
    return chain.position(log.epoch, resume.peer_seen, state) != resume.peer_chain
