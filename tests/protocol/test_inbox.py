"""The peer's log: what is new is taken once and whole, and a change of log is noticed."""

from __future__ import annotations

from copy import deepcopy

import pytest

from p2pchat.protocol import chain, inbox
from p2pchat.protocol.assembly import NO_PARTS, PART, VOID, Messages
from p2pchat.protocol.ledger import Seen
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import MAX_BODY, Entry, Msg, Resume
from p2pchat.wire.violation import Violation
from tests.support.delivery_pair import entry

EPOCH = b"theirlog"
FULL = bytes(MAX_BODY)


class CountingLedger(MemoryLedger):
    """A ledger that counts the steps in which it was changed."""

    takes = 0

    def take(self, seen: Seen, messages: Messages) -> int:
        self.takes += 1
        return super().take(seen, messages)


@pytest.fixture
def ledger() -> CountingLedger:
    ledger = CountingLedger(bytes(8))
    ledger.begin(Seen(epoch=EPOCH))
    return ledger


def receive(ledger: MemoryLedger, first: int, *entries: Entry) -> list[tuple[int, bytes]]:
    """Take a batch; return the numbers and bodies of its messages."""
    messages, mark = inbox.receive(ledger, Msg(first, list(entries)))
    ledger.confirm(mark)
    return [(message.seq, message.entry.body) for message in messages]


def state(*entries: Entry) -> bytes:
    return chain.extend(EPOCH, chain.EMPTY, b"".join(entry.id for entry in entries))


def test_what_is_new_is_shown_once(ledger: CountingLedger) -> None:
    batch = [entry(1, b"one"), entry(2, b"two")]
    assert receive(ledger, 1, *batch) == [(1, b"one"), (2, b"two")]
    assert ledger.seen == Seen(epoch=EPOCH, seq=2, state=state(*batch))
    assert receive(ledger, 1, *batch) == []
    assert ledger.seen == Seen(epoch=EPOCH, seq=2, state=state(*batch))


def test_of_a_batch_that_overlaps_the_new_entries_are_taken(ledger: CountingLedger) -> None:
    batch = [entry(number, b"%d" % number) for number in range(1, 6)]
    receive(ledger, 1, *batch[:3])
    assert receive(ledger, 2, *batch[1:]) == [(4, b"4"), (5, b"5")]
    assert ledger.seen.state == state(*batch)


def test_what_was_taken_before_is_skipped_whatever_it_holds(ledger: CountingLedger) -> None:
    receive(ledger, 1, entry(1), entry(2))
    assert receive(ledger, 1, entry(7, b"short", kind=PART), entry(8), entry(3, b"new")) == [(3, b"new")]
    assert ledger.seen.state == state(entry(1), entry(2), entry(3))


def test_an_id_that_was_shown_counts_and_is_not_shown_again(ledger: CountingLedger) -> None:
    receive(ledger, 1, entry(1))
    batch = [entry(1), entry(2, b"new"), entry(2, b"again")]
    assert receive(ledger, 2, *batch) == [(3, b"new")]
    assert ledger.seen == Seen(epoch=EPOCH, seq=4, state=state(entry(1), *batch))


def test_a_long_message_that_was_shown_is_not_shown_again(ledger: CountingLedger) -> None:
    long = [entry(1, FULL, kind=PART), entry(2, b"tail")]
    assert receive(ledger, 1, *long) == [(2, FULL + b"tail")]
    assert receive(ledger, 3, *long) == []
    assert ledger.seen.parts == NO_PARTS


def test_ids_of_parts_and_voids_are_not_entered(ledger: CountingLedger) -> None:
    receive(ledger, 1, entry(1, FULL, kind=PART), entry(2, b"tail"), entry(3, b"\x90", kind=VOID))
    assert receive(ledger, 4, entry(1, b"one"), entry(3, b"three")) == [(4, b"one"), (5, b"three")]


def test_parts_wait_for_their_message(ledger: CountingLedger) -> None:
    assert receive(ledger, 1, entry(1, FULL, kind=PART)) == []
    assert ledger.seen.parts.bodies == (FULL,)
    assert receive(ledger, 2, entry(2, b"tail")) == [(2, FULL + b"tail")]


def test_a_batch_is_taken_in_one_step(ledger: CountingLedger) -> None:
    receive(ledger, 1, entry(1), entry(2, FULL, kind=PART), entry(3), entry(4, b"\x90", kind=VOID), entry(5))
    assert ledger.takes == 1


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ([entry(8, b"short", kind=PART)], CloseCode.PROTOCOL),
        ([entry(8, FULL, kind=PART, conv=b"a"), entry(9, conv=b"b")], CloseCode.PROTOCOL),
        ([entry(8, FULL, kind=PART)] * 33, CloseCode.TOO_BIG),
    ],
)
def test_of_a_bad_batch_nothing_is_kept(ledger: CountingLedger, bad: list[Entry], code: CloseCode) -> None:
    before = deepcopy(vars(ledger))
    with pytest.raises(Violation) as caught:
        receive(ledger, 1, entry(1, b"good"), *bad)
    assert caught.value.code == code
    assert vars(ledger) == before
    assert receive(ledger, 1, entry(1, b"good")) == [(1, b"good")]


# ---- the peer's RESUME


def resume(*, epoch: bytes = EPOCH, base: int = 1) -> Resume:
    first_ids = b"".join(number.to_bytes(16) for number in range(1, base))
    return Resume(epoch, base, chain.extend(epoch, chain.EMPTY, first_ids), base + 5, b"", 0, bytes(16))


@pytest.mark.parametrize("base", [1, 2, 3])
def test_a_log_that_goes_on_is_followed_from_where_it_was_left(ledger: CountingLedger, base: int) -> None:
    receive(ledger, 1, entry(1), entry(2, FULL, kind=PART))
    before = ledger.seen
    assert not inbox.meet(ledger, resume(base=base))
    assert ledger.seen == before


def test_a_log_that_is_new_is_followed_from_its_beginning() -> None:
    ledger = MemoryLedger(bytes(8))
    assert not inbox.meet(ledger, resume())
    assert ledger.seen == Seen(epoch=EPOCH)


def test_a_log_that_jumped_may_have_lost_messages(ledger: CountingLedger) -> None:
    receive(ledger, 1, entry(1), entry(2, FULL, kind=PART))
    jumped = resume(base=4)
    assert inbox.meet(ledger, jumped)
    assert ledger.seen == Seen(epoch=EPOCH, seq=3, state=jumped.base_state), "and parts are forgotten"
    assert ledger.confirmed == 3


@pytest.mark.parametrize("base", [1, 2, 70])
def test_another_log_is_followed_from_its_beginning(ledger: CountingLedger, base: int) -> None:
    receive(ledger, 1, *(entry(number) for number in range(1, 80)), entry(80, FULL, kind=PART))
    other = resume(epoch=b"otherlog", base=base)
    assert inbox.meet(ledger, other) == (base > 1)
    assert ledger.seen == Seen(epoch=b"otherlog", seq=base - 1, state=other.base_state)


def test_parts_are_not_joined_across_logs(ledger: CountingLedger) -> None:
    receive(ledger, 1, entry(1, FULL, kind=PART))
    inbox.meet(ledger, resume(epoch=b"otherlog"))
    assert receive(ledger, 1, entry(5, b"whole")) == [(1, b"whole")]
