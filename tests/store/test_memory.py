"""The ledger of a guest keeps the contract, and does not grow for ever."""

from __future__ import annotations

from copy import deepcopy

import pytest

from p2pchat.protocol.ledger import Ledger
from p2pchat.store.memory import KNOWN_IDS, MemoryLedger, MemoryPair
from p2pchat.wire.frames import LAST_SEQ, Entry
from p2pchat.wire.messages import Kind
from tests.store.ledger_contract import EPOCH, LedgerContract, numbered
from tests.support.delivery_pair import HELLO


class TestMemoryLedger(LedgerContract):
    durable = False

    def make(self, epoch: bytes) -> Ledger:
        return MemoryLedger(epoch)


def ids(first: int, last: int) -> list[bytes]:
    return [number.to_bytes(16) for number in range(first, last)]


@pytest.mark.parametrize("size", [1, 3, 10, 64])
def test_the_newest_ids_are_known_and_the_oldest_forgotten(size: int) -> None:
    ledger = MemoryLedger(EPOCH, known_ids=100)
    for first in range(0, 1000, size):
        assert set(ledger.enter(ids(first, first + size))) == set(ids(first, first + size))
    end = first + size
    assert list(ledger.enter(ids(end - 100, end))) == [], "the last hundred"
    assert set(ledger.enter(ids(0, 500))) == set(ids(0, 500)), "but not the first"
    assert len(ledger._recent) + len(ledger._older) <= 2 * 100 + 500 + size


def test_an_id_of_an_older_generation_is_known_among_new_ones() -> None:
    ledger = MemoryLedger(EPOCH, known_ids=2)
    ledger.enter(ids(0, 2))
    assert set(ledger.enter(ids(1, 3))) == set(ids(2, 3))


def test_more_ids_are_known_than_may_be_under_way() -> None:
    assert HELLO.max_unacked * 2 <= KNOWN_IDS


def test_a_copy_is_a_backup() -> None:
    ledger = MemoryLedger(EPOCH)
    ledger.append(numbered(1, 3))
    backup = deepcopy(ledger)
    ledger.hand(2)
    ledger.drop(3, bytes(48))
    assert backup.log.handed == 0
    assert list(backup.entries(1, LAST_SEQ)) == numbered(1, 3)


def test_receipts_and_names_are_nothing_that_was_said() -> None:
    pair = MemoryPair(EPOCH)
    kinds = [Kind.TEXT, Kind.PART, Kind.READ, Kind.DATA, Kind.PROFILE]
    pair.ledger.append([Entry(bytes([n]) * 16, kind, 0, b"", b"") for n, kind in enumerate(kinds)])
    assert pair.unsaid() == 2


def test_a_guest_remembers_nobody() -> None:
    pair = MemoryPair(EPOCH)
    pair.connected("memory:home", name="ann", guest=True)
    assert (pair.name, pair.guest) == ("", False)
