"""One link: what may be sent, what an ACK may say. Two halves and what goes between them."""

from __future__ import annotations

from copy import deepcopy

from p2pchat.protocol import outbox
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.wire import codec
from p2pchat.wire.frames import MAX_BODY, Ack, Hello, Msg, entry_cost
from tests.support.delivery_pair import NOW_MS, connect, deliver, entry, pair

FULL = bytes(MAX_BODY)


# ---- the life of a message


def test_a_message_is_sent_shown_acknowledged_and_forgotten() -> None:
    a, b = pair()
    queued = a.say(b"hello")
    handed = a.hand()
    assert [each.id for each in handed.sent] == [queued.id]
    assert b.take(*handed.batches) == [b"hello"]
    assert b.ack() == Ack(1)
    assert [each.id for each in a.acked(1)] == [queued.id]
    assert a.ledger.log.base == a.ledger.next == 2


def test_nothing_is_sent_twice_over_one_link() -> None:
    a, _ = pair()
    a.say()
    assert len(a.hand().batches) == 1
    assert a.hand().batches == []


def test_what_a_lost_link_left_open_comes_again_and_is_shown_once() -> None:
    a, b = pair()
    a.say(b"one")
    a.say(b"two")
    assert b.take(*a.hand(max_cost=70).batches) == [b"one"]
    connect(a, b)  # the ACK was lost with the link
    handed = a.hand()
    assert [batch.first for batch in handed.batches] == [2]
    assert b.take(*handed.batches) == [b"two"]


def test_a_message_is_sent_for_the_first_time_once() -> None:
    a, b = pair()
    a.say(b"one")
    assert len(a.hand().sent) == 1
    connect(a, b)
    a.say(b"two")
    handed = a.hand()
    assert [len(batch.entries) for batch in handed.batches] == [2]
    assert [each.body for each in handed.sent] == [b"two"]


def test_a_resume_tells_what_was_delivered() -> None:
    a, b = pair()
    queued = a.say()
    b.take(*a.hand().batches)
    ours, _ = connect(a, b)
    assert [each.id for each in ours.delivered] == [queued.id]
    assert a.ledger.log.base == 2


def test_a_long_message_goes_on_where_a_lost_link_left_it() -> None:
    a, b = pair()
    a.say(FULL + FULL + b"tail")
    b.take(*a.hand(max_cost=33_000).batches)
    connect(a, b)
    assert a.ledger.log.base == 1, "the part stays until its message is acknowledged"
    handed = a.hand()
    assert handed.batches[0].first == 2
    assert b.take(*handed.batches) == [FULL + FULL + b"tail"]


def test_what_takes_several_batches_is_told_whole() -> None:
    a, b = pair()
    queued = [a.say(body) for body in [FULL] * 3 + [b"small"] * 5]
    handed = a.hand()
    assert [len(batch.entries) for batch in handed.batches] == [2, 6]
    assert [each.id for each in handed.sent] == [each.id for each in queued]
    assert len(b.take(*handed.batches)) == 8


# ---- the mark


def test_the_mark_is_raised_over_all_that_was_handed() -> None:
    a, _ = pair()
    for _ in range(3):
        a.say()
    a.hand(max_cost=2 * 66)
    assert a.ledger.log.handed == 2
    a.hand()
    assert a.ledger.log.handed == 3


def test_the_mark_is_not_lowered_by_sending_again() -> None:
    a, b = pair()
    queued = [a.say() for _ in range(2)]
    a.hand()
    connect(a, b)
    a.hand(max_cost=66)
    assert a.ledger.log.handed == 2
    assert outbox.void(a.ledger, queued[1].id) is Withdrawal.TOO_LATE


def test_what_expired_is_empty_before_it_leaves() -> None:
    a, b = pair()
    expiring = a.say(b"stale", expires_ms=NOW_MS)
    a.say(b"fresh")
    handed = a.hand()
    assert handed.expired == [expiring.id]
    assert [each.body for each in handed.sent] == [b"fresh"]
    assert b.take(*handed.batches) == [b"fresh"]
    assert b.ack() == Ack(2)


# ---- windows


def test_the_bytes_of_all_batches_under_way_count() -> None:
    window = 3 * entry_cost(entry(1, FULL))
    a, b = pair(window=Hello("", [], 4096, window, ""))
    for _ in range(5):
        a.say(FULL)
    handed = a.hand()
    assert [len(batch.entries) for batch in handed.batches] == [2, 1]
    assert a.hand().batches == []
    b.take(handed.batches[0])
    a.acked(2)
    assert [len(batch.entries) for batch in a.hand().batches] == [2]
    assert a.hand().batches == []


def test_what_was_taken_leaves_room_for_more() -> None:
    """However much that was: a link may live for months."""
    a, b = pair(window=Hello("", [], 3, 65536, ""))
    for _ in range(9):
        a.say(FULL)
        deliver(a, b)
        assert not b.link.is_full


def test_what_comes_again_is_acknowledged_again_though_more_has_come() -> None:
    a, b = pair()
    a.say(b"one")
    first = a.hand().batches
    b.take(*first)
    assert b.ack() == Ack(1)
    assert b.take(*first) == []
    a.say(b"two")
    assert b.take(*a.hand().batches, confirm=False) == [b"two"]
    assert b.ack() == Ack(1)


def test_no_more_entries_leave_than_the_peer_offered_to_hold() -> None:
    a, b = pair(window=Hello("", [], 3, 2**20, ""))
    for _ in range(5):
        a.say()
    batches = a.hand().batches
    assert [len(batch.entries) for batch in batches] == [3]
    b.take(*batches)
    a.acked(1)
    assert [len(batch.entries) for batch in a.hand().batches] == [1]
    a.acked(4)
    assert [len(batch.entries) for batch in a.hand().batches] == [1]


def test_no_more_bytes_leave_than_the_peer_offered_to_hold() -> None:
    a, _ = pair(window=Hello("", [], 4096, 65536, ""))
    for _ in range(4):
        a.say(bytes(30_000))
    assert [len(batch.entries) for batch in a.hand().batches] == [2]
    a.acked(1)
    assert a.hand().batches == [], "a batch counts until the last of it is acknowledged"
    a.acked(2)
    assert [len(batch.entries) for batch in a.hand().batches] == [2]


def test_what_was_under_way_on_a_lost_link_does_not_fill_the_window_of_the_next() -> None:
    a, b = pair(window=Hello("", [], 2, 65536, ""))
    for _ in range(2):
        a.say(bytes(30_000))
    a.hand()
    connect(a, b)
    assert [len(batch.entries) for batch in a.hand().batches] == [2]


def test_batches_fit_a_frame() -> None:
    a, _ = pair()
    for size in (0, 1, 30_000, 31_999, MAX_BODY, 900, *[64] * 1500):
        a.say(bytes(size))
    batches = a.hand().batches
    assert sum(len(batch.entries) for batch in batches) == 1506
    for batch in batches:
        assert sum(map(entry_cost, batch.entries)) <= 65500
        (plaintext,) = codec.encode_frames([batch])
        assert len(plaintext) <= 3 + 65516


def test_a_caller_takes_as_much_as_it_has_room_for() -> None:
    a, _ = pair()
    for _ in range(4):
        a.say(bytes(36))
    assert a.hand(max_cost=99).batches == []
    assert [len(batch.entries) for batch in a.hand(max_cost=299).batches] == [2]


def test_a_side_that_has_enough_entries_waiting_is_full() -> None:
    _, b = pair(window=Hello("", [], 3, 65536, ""))
    b.link.arrive(Msg(1, [entry(1), entry(2)]))
    assert not b.link.is_full
    b.link.arrive(Msg(3, [entry(3)]))
    assert b.link.is_full
    b.link.receive(b.ledger)
    assert not b.link.is_full
    assert b.link.waiting == 1


def test_a_side_that_has_enough_bytes_waiting_is_full() -> None:
    _, b = pair(window=Hello("", [], 4096, 65536, ""))
    b.link.arrive(Msg(1, [entry(1, FULL), entry(2, FULL)]))
    assert not b.link.is_full
    b.link.arrive(Msg(3, [entry(3, bytes(65536 - 2 * 32064 - 64))]))
    assert b.link.is_full
    b.link.receive(b.ledger)
    assert not b.link.is_full


# ---- acknowledgements


def test_an_ack_is_due_once_for_all_that_was_taken() -> None:
    a, b = pair()
    for _ in range(5):
        a.say()
    b.take(*a.hand(max_cost=66).batches, *a.hand().batches)
    assert b.ack() == Ack(5)
    assert b.ack() is None


def test_nothing_is_acknowledged_that_has_only_arrived() -> None:
    a, b = pair()
    for _ in range(2):
        a.say()
        b.link.arrive(a.hand().batches[0])
    assert b.ack() is None
    mark = b.link.receive(b.ledger).mark
    assert b.ack() is None, "a guest's ACK means shown"
    b.ledger.confirm(mark)
    assert b.ack() == Ack(1)


def test_a_batch_that_was_skipped_is_acknowledged_again() -> None:
    a, b = pair()
    a.say()
    (batch,) = a.hand().batches
    b.take(batch)
    assert b.ack() == Ack(1)
    assert b.take(batch) == []
    assert b.ack() == Ack(1)
    assert b.ack() is None


def test_an_ack_that_says_nothing_new_changes_nothing() -> None:
    a, b = pair()
    for _ in range(3):
        a.say()
    b.take(*a.hand().batches)
    a.acked(2)
    before, link = deepcopy(vars(a.ledger)), deepcopy(vars(a.link))
    for seq in (0, 1, 2):
        assert a.acked(seq) == []
        assert (vars(a.ledger), vars(a.link)) == (before, link)


def test_what_was_acknowledged_before_the_link_may_be_acknowledged_again() -> None:
    a, b = pair()
    a.say()
    deliver(a, b)
    connect(a, b)
    assert a.acked(1) == []


def test_a_link_knows_whether_anything_waits_for_it() -> None:
    a, _ = pair(window=Hello("", [], 1, 65536, ""))
    assert not a.link.has_more(a.ledger)
    a.say()
    a.say()
    assert a.link.has_more(a.ledger)
    a.hand()
    assert a.link.has_more(a.ledger), "for the window"
    a.acked(1)
    a.hand()
    assert not a.link.has_more(a.ledger)
