"""What every ledger must do: subclass `LedgerContract`, say how to make one, and pytest finds the tests.

A ledger decides nothing, so these tests know no rules: they put things in and take them out. `durable` tells which of
the two kinds it is: one that commits with the transaction, or a guest's, for which *confirmed* comes later.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from p2pchat.protocol import chain
from p2pchat.protocol.assembly import Messages, Parts
from p2pchat.protocol.ledger import Fence, Held, Ledger, Log, Seen
from p2pchat.wire.frames import MAX_BODY, Entry, entry_cost
from tests.support.delivery_pair import entry

EPOCH = b"my epoch"
THEIRS = b"an epoch"


def numbered(first: int, last: int) -> list[Entry]:
    return [entry(number, b"%d" % number) for number in range(first, last + 1)]


def messages(*numbers: int) -> Messages:
    return Messages(list(numbers), [entry(number) for number in numbers])


def seen_at(seq: int) -> Seen:
    return Seen(epoch=THEIRS, seq=seq, state=bytes([seq]) * 16 * (1 + seq % 64))


class LedgerContract(ABC):
    """The contract; a fresh ledger for each test."""

    durable: bool

    @abstractmethod
    def make(self, epoch: bytes) -> Ledger:
        """Return an empty ledger whose log is named `epoch`."""

    @pytest.fixture
    def ledger(self) -> Ledger:
        return self.make(EPOCH)

    # ---- my log

    def test_a_fresh_one_is_empty(self, ledger: Ledger) -> None:
        assert ledger.fence == Fence()
        assert ledger.log == Log(epoch=EPOCH, base=1, base_state=chain.EMPTY, handed=0)
        assert ledger.next == 1
        assert ledger.seen == Seen()
        assert ledger.confirmed == 0
        assert list(ledger.entries(1, 10)) == []

    def test_the_fence_is_kept(self, ledger: Ledger) -> None:
        fence = Fence(gen=7, held=Held(since=12.5, dialed_by_smaller=True))
        ledger.fence = fence
        assert ledger.fence == fence

    def test_entries_are_numbered_in_order(self, ledger: Ledger) -> None:
        assert ledger.append(numbered(1, 3)) == 1
        assert ledger.append(numbered(4, 5)) == 4
        assert ledger.next == 6
        assert list(ledger.entries(1, 5)) == numbered(1, 5)

    @pytest.mark.parametrize(
        ("first", "last", "found"), [(1, 1, 1), (2, 4, 3), (5, 99, 1), (6, 9, 0), (3, 2, 0), (3, 0, 0), (1, -5, 0)]
    )
    def test_entries_are_found_as_far_as_there_are_any(self, ledger: Ledger, first: int, last: int, found: int) -> None:
        ledger.append(numbered(1, 5))
        assert list(ledger.entries(first, last)) == numbered(first, first + found - 1)

    @pytest.mark.parametrize("enough", [0, 64, 65, 66, 130, 195, 325, 326, 9999])
    def test_reading_goes_on_until_it_is_enough(self, ledger: Ledger, enough: int) -> None:
        ledger.append(numbered(1, 5))
        read = list(ledger.entries(1, 5, enough=enough))
        assert read == numbered(1, len(read))
        assert len(read) == 5 or sum(map(entry_cost, read)) > enough

    def test_entries_are_found_by_their_ids(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 5))
        ledger.drop(3, bytes(48))
        assert ledger.find((4).to_bytes(16)) == 4
        assert ledger.find((2).to_bytes(16)) is None
        assert ledger.find(bytes(16)) is None

    def test_what_is_dropped_is_forgotten_and_numbers_go_on(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 5))
        ledger.hand(4)
        ledger.drop(4, b"s" * 64)
        assert ledger.log == Log(epoch=EPOCH, base=4, base_state=b"s" * 64, handed=4)
        assert list(ledger.entries(4, 9)) == numbered(4, 5)
        ledger.drop(6, b"t" * 96)
        assert ledger.log.base == ledger.next == 6
        assert ledger.append(numbered(6, 6)) == 6

    def test_entries_are_replaced_in_their_place(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 5))
        ledger.drop(2, bytes(32))
        ledger.replace(3, [entry(3, b"new"), entry(4, b"newer")])
        assert [each.body for each in ledger.entries(2, 5)] == [b"2", b"new", b"newer", b"5"]
        assert ledger.next == 6

    def test_a_new_log_begins_with_what_is_kept(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 5))
        ledger.hand(3)
        ledger.drop(3, bytes(48))
        ledger.renumber(b"newepoch")
        assert ledger.log == Log(epoch=b"newepoch", base=1, base_state=chain.EMPTY, handed=3)
        assert list(ledger.entries(1, 3)) == numbered(3, 5)
        assert ledger.next == 4
        assert ledger.find((5).to_bytes(16)) == 3

    def test_an_empty_log_begins_again(self, ledger: Ledger) -> None:
        ledger.renumber(b"newepoch")
        assert ledger.log == Log(epoch=b"newepoch")
        assert ledger.next == 1

    # ---- expiry

    def test_what_expires_is_found_by_its_final_entry(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 3), expires_ms=50)
        ledger.append(numbered(4, 4), expires_ms=60)
        ledger.append(numbered(5, 5))
        assert list(ledger.expired(49)) == []
        assert list(ledger.expired(50)) == [3]
        assert sorted(ledger.expired(60)) == [3, 4]

    def test_what_was_handed_does_not_expire(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 3), expires_ms=50)
        ledger.append(numbered(4, 4), expires_ms=60)
        ledger.hand(2)
        assert list(ledger.expired(50)) == [3]
        ledger.hand(3)
        assert list(ledger.expired(99)) == [4]
        ledger.drop(4, bytes(64))
        assert list(ledger.expired(99)) == [4]

    def test_what_was_replaced_does_not_expire(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 2), expires_ms=50)
        ledger.replace(1, numbered(1, 2))
        ledger.replace(2, numbered(2, 2))
        assert list(ledger.expired(99)) == []

    def test_in_a_new_log_nothing_expires(self, ledger: Ledger) -> None:
        ledger.append(numbered(1, 1), expires_ms=50)
        ledger.renumber(b"newepoch")
        assert list(ledger.expired(99)) == []

    # ---- the peer's log

    def test_an_id_is_new_once(self, ledger: Ledger) -> None:
        ids = [number.to_bytes(16) for number in range(5)]
        assert set(ledger.enter(ids[:2])) == set(ids[:2])
        assert set(ledger.enter(ids[1:4])) == set(ids[2:4])
        assert list(ledger.enter(ids[:4])) == []
        assert list(ledger.enter([ids[4], ids[4], ids[0]])) == [ids[4]]
        assert list(ledger.enter([])) == []

    def test_a_log_is_followed(self, ledger: Ledger) -> None:
        parts = Parts(b"conv", (bytes(MAX_BODY),) * 2)
        place = Seen(epoch=THEIRS, seq=5, state=bytes(96), parts=parts)
        ledger.take(place, messages(4))
        assert ledger.seen == place
        ledger.take(seen_at(6), messages())
        assert ledger.seen == seen_at(6)

    def test_a_log_is_followed_from_anywhere(self, ledger: Ledger) -> None:
        ledger.begin(seen_at(6))
        assert ledger.seen == seen_at(6)
        assert ledger.confirmed == 6

    def test_what_is_confirmed_is_never_more_than_what_was_taken(self, ledger: Ledger) -> None:
        marks = [ledger.take(seen_at(seq), messages(seq)) for seq in (1, 2, 3)]
        assert ledger.confirmed == (3 if self.durable else 0)
        ledger.confirm(marks[1])
        assert ledger.confirmed == (3 if self.durable else 2)
        ledger.confirm(marks[1])
        ledger.confirm(marks[0])
        assert ledger.confirmed == (3 if self.durable else 2)
        ledger.confirm(marks[2])
        assert ledger.confirmed == 3

    def test_where_nothing_is_to_be_shown_what_came_before_is_waited_for(self, ledger: Ledger) -> None:
        ledger.take(seen_at(1), messages())
        assert ledger.confirmed == 1
        mark = ledger.take(seen_at(2), messages(2))
        assert ledger.take(seen_at(3), messages()) == mark
        assert ledger.confirmed == (3 if self.durable else 1)
        ledger.confirm(mark)
        assert ledger.confirmed == 3

    def test_what_is_not_confirmed_can_be_undone_but_its_ids_stay_known(self, ledger: Ledger) -> None:
        ledger.confirm(ledger.take(seen_at(1), messages(1)))
        ledger.enter([bytes(16)])
        mark = ledger.take(seen_at(2), messages(2))
        ledger.rewind()
        assert ledger.seen == (seen_at(2) if self.durable else seen_at(1))
        assert ledger.seen.seq == ledger.confirmed
        ledger.confirm(mark)
        assert ledger.seen.seq == ledger.confirmed == (2 if self.durable else 1)
        assert list(ledger.enter([bytes(16)])) == []

    def test_what_comes_again_is_confirmed_with_what_was_shown(self, ledger: Ledger) -> None:
        mark = ledger.take(seen_at(1), messages(1))
        ledger.rewind()
        ledger.take(seen_at(1), messages())
        ledger.take(seen_at(2), messages())
        assert ledger.confirmed == (2 if self.durable else 0)
        ledger.confirm(mark)
        assert ledger.confirmed == 2

    def test_a_late_confirmation_says_nothing_about_another_log(self, ledger: Ledger) -> None:
        mark = ledger.take(seen_at(9), messages(9))
        ledger.begin(Seen(epoch=b"newepoch"))
        ledger.confirm(mark)
        assert ledger.confirmed == ledger.seen.seq == 0
