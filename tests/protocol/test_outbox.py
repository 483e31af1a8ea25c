"""My log: what is queued, withdrawn, expired, acknowledged; and how it finds out that its store is an old backup."""

from __future__ import annotations

from copy import deepcopy

import pytest

from p2pchat.errors import LocalProtocolError
from p2pchat.protocol import chain, outbox
from p2pchat.protocol.assembly import PART, VOID, cut
from p2pchat.protocol.ledger import Ledger, Log
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.wire.frames import MAX_BATCH_COST, MAX_BODY, Entry, Resume, entry_cost
from p2pchat.wire.messages import MAX_ASSEMBLED, Kind
from tests.support.delivery_pair import NOW_MS, Half, entry

LONG = bytes(range(250)) * 300  # bytes: three entries


def entries(ledger: Ledger) -> list[Entry]:
    return list(ledger.entries(ledger.log.base, ledger.next - 1))


def kinds(ledger: Ledger) -> list[int]:
    return [entry.kind for entry in entries(ledger)]


def handed(ledger: Ledger, through: int) -> None:
    ledger.hand(through)


# ---- batches


def test_batches_tell_what_each_of_them_costs() -> None:
    run = [entry(n, bytes(MAX_BODY), conv=b"room") for n in range(1, 6)]
    cut_up = list(outbox.batches(run, 4 * entry_cost(run[0])))
    assert [(len(batch), cost) for batch, cost in cut_up] == [(2, 2 * entry_cost(run[0]))] * 2
    assert list(outbox.batches(run[:1], MAX_BATCH_COST)) == [(run[:1], entry_cost(run[0]))]


# ---- enqueue


def test_a_message_becomes_an_entry() -> None:
    half = Half()
    queued = half.say(b"hello")
    assert (queued.first, queued.last) == (1, 1)
    assert entries(half.ledger) == [Entry(queued.id, Kind.TEXT, NOW_MS, b"", b"hello")]
    assert half.ledger.next == 2
    assert half.ledger.log == Log(epoch=half.ledger.log.epoch)


def test_a_long_message_becomes_parts_and_a_final_entry_that_has_its_id() -> None:
    half = Half()
    half.say()
    queued = half.say(LONG)
    assert (queued.first, queued.last) == (2, 4)
    assert kinds(half.ledger) == [Kind.TEXT, PART, PART, Kind.TEXT]
    assert {entry.sent_ms for entry in entries(half.ledger)} == {NOW_MS}
    assert [entry.body for entry in entries(half.ledger)[1:]] == cut(LONG)
    assert entries(half.ledger)[3].id == queued.id
    assert len({entry.id for entry in entries(half.ledger)}) == 4


@pytest.mark.parametrize("body", [b"", b"x", bytes(MAX_BODY)])
def test_many_messages_are_queued_at_once(body: bytes) -> None:
    half = Half()
    ids = outbox.enqueue_many(half.ledger, half.ids, Kind.DATA, [body] * 3, now_ms=NOW_MS)
    assert entries(half.ledger) == [Entry(id_, Kind.DATA, NOW_MS, b"", body) for id_ in ids]
    assert outbox.enqueue_many(half.ledger, half.ids, Kind.DATA, [], now_ms=NOW_MS) == []
    assert half.ledger.next == 4


def test_a_long_one_among_many_is_cut() -> None:
    half = Half()
    ids = outbox.enqueue_many(half.ledger, half.ids, Kind.TEXT, [b"a", LONG, b"b"], now_ms=NOW_MS)
    assert kinds(half.ledger) == [Kind.TEXT, PART, PART, Kind.TEXT, Kind.TEXT]
    assert [entry.id for entry in entries(half.ledger) if entry.kind == Kind.TEXT] == ids


@pytest.mark.parametrize(
    ("kind", "body"), [(Kind.TEXT, bytes(MAX_ASSEMBLED + 1)), (Kind.PART, b"x"), (Kind.VOID, b"\x90")]
)
def test_what_cannot_be_a_message_is_not_queued(kind: Kind, body: bytes) -> None:
    half = Half()
    with pytest.raises(LocalProtocolError):
        outbox.enqueue(half.ledger, half.ids, (kind, body), now_ms=NOW_MS)
    with pytest.raises(LocalProtocolError):
        outbox.enqueue_many(half.ledger, half.ids, kind, [b"good", body], now_ms=NOW_MS)
    assert half.ledger.next == 1


def test_the_longest_message_fits() -> None:
    half = Half()
    half.say(bytes(MAX_ASSEMBLED))
    assert half.ledger.next - 1 == outbox.MAX_ENTRIES == 33


# ---- void


def test_a_withdrawn_message_is_empty_from_its_first_entry_to_its_last() -> None:
    half = Half()
    half.say()
    queued = half.say(LONG)
    before = entries(half.ledger)
    assert outbox.void(half.ledger, queued.id) is Withdrawal.WITHDRAWN
    after = entries(half.ledger)
    assert after[0] == before[0]
    assert [(entry.kind, entry.body) for entry in after[1:]] == [(VOID, b"\x90")] * 3


def test_ids_times_and_conversations_of_a_withdrawn_message_stay() -> None:
    half = Half()
    queued = half.say(LONG)
    names = [(entry.id, entry.sent_ms, entry.conv) for entry in entries(half.ledger)]
    outbox.void(half.ledger, queued.id)
    assert [(entry.id, entry.sent_ms, entry.conv) for entry in entries(half.ledger)] == names


def test_withdrawing_one_message_touches_no_other() -> None:
    """Each of them has neighbours, and those with parts are found from their last entry backwards."""
    for chosen in range(5):
        half = Half()
        queued = [half.say(body) for body in (b"one", LONG, b"two", LONG[: MAX_BODY + 1], b"three")]
        before = entries(half.ledger)
        assert outbox.void(half.ledger, queued[chosen].id) is Withdrawal.WITHDRAWN
        changed = {n for n, (old, new) in enumerate(zip(before, entries(half.ledger), strict=True), 1) if old != new}
        assert changed == set(range(queued[chosen].first, queued[chosen].last + 1))


def test_the_longest_message_is_withdrawn_whole() -> None:
    half = Half()
    queued = half.say(bytes(MAX_ASSEMBLED))
    assert outbox.void(half.ledger, queued.id) is Withdrawal.WITHDRAWN
    assert set(kinds(half.ledger)) == {VOID}


@pytest.mark.parametrize("mark", [1, 2, 3])
def test_a_message_of_which_one_entry_was_handed_over_cannot_be_withdrawn(mark: int) -> None:
    half = Half()
    queued = half.say(LONG)
    handed(half.ledger, mark)
    before = entries(half.ledger)
    assert outbox.void(half.ledger, queued.id) is Withdrawal.TOO_LATE
    assert entries(half.ledger) == before


def test_what_comes_after_the_mark_can_be_withdrawn() -> None:
    half = Half()
    half.say()
    queued = half.say(LONG)
    handed(half.ledger, 1)
    assert outbox.void(half.ledger, queued.id) is Withdrawal.WITHDRAWN


def test_withdrawing_twice_is_withdrawing_once() -> None:
    half = Half()
    queued = half.say(LONG)
    outbox.void(half.ledger, queued.id)
    before = entries(half.ledger)
    assert outbox.void(half.ledger, queued.id) is Withdrawal.WITHDRAWN
    assert entries(half.ledger) == before


def test_what_is_no_message_cannot_be_withdrawn() -> None:
    half = Half()
    half.say(LONG)
    before = entries(half.ledger)
    assert outbox.void(half.ledger, before[0].id) is Withdrawal.UNKNOWN
    assert outbox.void(half.ledger, bytes(16)) is Withdrawal.UNKNOWN
    assert entries(half.ledger) == before


# ---- expiry


def test_what_expires_is_withdrawn_when_its_time_is_up() -> None:
    half = Half()
    soon, later = half.say(LONG, expires_ms=NOW_MS + 10), half.say(b"later", expires_ms=NOW_MS + 20)
    half.say(b"for ever")
    assert outbox.expire(half.ledger, NOW_MS + 9) == []
    assert outbox.expire(half.ledger, NOW_MS + 10) == [soon.id]
    assert kinds(half.ledger) == [VOID, VOID, VOID, Kind.TEXT, Kind.TEXT]
    assert outbox.expire(half.ledger, NOW_MS + 1000) == [later.id]
    assert outbox.expire(half.ledger, NOW_MS + 1000) == []


@pytest.mark.parametrize("mark", [1, 3])
def test_what_was_handed_over_does_not_expire(mark: int) -> None:
    half = Half()
    half.say(LONG, expires_ms=NOW_MS)
    handed(half.ledger, mark)
    assert outbox.expire(half.ledger, NOW_MS) == []
    assert kinds(half.ledger) == [PART, PART, Kind.TEXT]


def test_what_was_withdrawn_does_not_expire_too() -> None:
    half = Half()
    queued = half.say(expires_ms=NOW_MS)
    outbox.void(half.ledger, queued.id)
    assert outbox.expire(half.ledger, NOW_MS) == []


# ---- acknowledged


def state_after(ledger: Ledger, ids: list[bytes]) -> bytes:
    return chain.extend(ledger.log.epoch, chain.EMPTY, b"".join(ids))


def test_what_was_acknowledged_leaves_the_outbox() -> None:
    half = Half()
    queued = [half.say() for _ in range(70)]
    handed(half.ledger, 70)
    delivered = outbox.acknowledged(half.ledger, 66)
    assert [entry.id for entry in delivered] == [one.id for one in queued[:66]]
    assert half.ledger.log.base == 67
    assert half.ledger.log.base_state == state_after(half.ledger, [one.id for one in queued[:66]])
    assert [entry.id for entry in entries(half.ledger)] == [one.id for one in queued[66:]]


def test_parts_stay_until_their_message_is_acknowledged() -> None:
    half = Half()
    half.say()
    queued = half.say(LONG)
    handed(half.ledger, 4)
    assert len(outbox.acknowledged(half.ledger, 3)) == 1
    assert half.ledger.log.base == 2
    assert outbox.acknowledged(half.ledger, 3) == []
    assert [entry.id for entry in outbox.acknowledged(half.ledger, 4)] == [queued.id]
    assert half.ledger.log.base == half.ledger.next == 5


def test_what_was_withdrawn_is_not_delivered() -> None:
    half = Half()
    queued = half.say(LONG)
    outbox.void(half.ledger, queued.id)
    handed(half.ledger, 3)
    assert outbox.acknowledged(half.ledger, 2) == []
    assert half.ledger.log.base == 3, "for base each VOID is a message"


def test_acknowledging_what_is_gone_changes_nothing() -> None:
    half = Half()
    half.say()
    handed(half.ledger, 1)
    outbox.acknowledged(half.ledger, 1)
    before = deepcopy(vars(half.ledger))
    assert outbox.acknowledged(half.ledger, 0) == []
    assert outbox.acknowledged(half.ledger, 1) == []
    assert vars(half.ledger) == before


# ---- is it an old backup?


def seen_of(ledger: Ledger, seq: int, state: bytes, *, epoch: bytes | None = None) -> Resume:
    """Return the RESUME of a peer that has seen my log up to `seq`."""
    epoch = ledger.log.epoch if epoch is None else epoch
    return Resume(b"theirlog", 1, chain.EMPTY, 1, epoch, seq, chain.position(epoch, seq, state))


def test_a_peer_that_has_seen_a_part_of_my_log_finds_nothing_wrong() -> None:
    half = Half()
    ids = [half.say().id for _ in range(70)]
    handed(half.ledger, 70)
    for seq in (0, 1, 63, 64, 65, 70):
        assert not outbox.is_rolled_back(half.ledger, seen_of(half.ledger, seq, state_after(half.ledger, ids[:seq])))
    outbox.acknowledged(half.ledger, 65)
    for seq in (65, 70):
        assert not outbox.is_rolled_back(half.ledger, seen_of(half.ledger, seq, state_after(half.ledger, ids[:seq])))


def test_a_peer_that_has_seen_more_than_was_handed_over_proves_an_old_backup() -> None:
    half = Half()
    ids = [half.say().id for _ in range(3)]
    handed(half.ledger, 2)
    assert outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 3, state_after(half.ledger, ids)))
    assert outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 2**63 - 1, chain.EMPTY))


def test_a_peer_that_has_seen_other_entries_of_the_same_numbers_proves_an_old_backup() -> None:
    half = Half()
    ids = [half.say().id for _ in range(3)]
    handed(half.ledger, 3)
    others = state_after(half.ledger, [*ids[:2], bytes(16)])
    assert outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 3, others))
    outbox.acknowledged(half.ledger, 3)
    assert outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 3, others))


def test_a_peer_with_an_old_backup_proves_nothing_about_mine() -> None:
    half = Half()
    half.say()
    half.say()
    handed(half.ledger, 2)
    outbox.acknowledged(half.ledger, 2)
    assert not outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 1, state_after(half.ledger, [bytes(16)])))


def test_a_peer_that_has_met_another_log_proves_nothing() -> None:
    half = Half()
    assert not outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 5, chain.EMPTY, epoch=b"otherlog"))
    assert not outbox.is_rolled_back(half.ledger, seen_of(half.ledger, 0, chain.EMPTY, epoch=b""))
