"""The fence: of two connections one stays, the same one on both sides, and the dead keep nobody out."""

from __future__ import annotations

from itertools import product

import pytest

from p2pchat.protocol import fence
from p2pchat.protocol.fence import Fenced
from p2pchat.protocol.ledger import Fence, Held
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire.close_codes import CloseCode


def held_by(*, dialed_by_smaller: bool, since: float = 100.0) -> MemoryLedger:
    ledger = MemoryLedger(bytes(8))
    fence.claim(ledger, dialed_by_smaller=dialed_by_smaller, holder_lives=False, now=since)
    return ledger


def wins(ledger: MemoryLedger, *, dialed_by_smaller: bool, now: float, holder_lives: bool = True) -> bool:
    before = ledger.fence
    try:
        gen = fence.claim(ledger, dialed_by_smaller=dialed_by_smaller, holder_lives=holder_lives, now=now)
    except Fenced:
        assert ledger.fence == before
        return False
    assert ledger.fence == Fence(gen=gen, held=Held(since=now, dialed_by_smaller=dialed_by_smaller))
    assert gen == before.gen + 1
    return True


def test_the_newer_connection_wins() -> None:
    for old, new in product([True, False], repeat=2):
        assert wins(held_by(dialed_by_smaller=old), dialed_by_smaller=new, now=110.0)


@pytest.mark.parametrize("now", [100.0, 109.999])
def test_of_two_simultaneous_dials_that_of_the_smaller_key_stays(now: float) -> None:
    assert not wins(held_by(dialed_by_smaller=True), dialed_by_smaller=False, now=now)
    assert wins(held_by(dialed_by_smaller=False), dialed_by_smaller=True, now=now)
    assert wins(held_by(dialed_by_smaller=True), dialed_by_smaller=True, now=now)
    assert wins(held_by(dialed_by_smaller=False), dialed_by_smaller=False, now=now)


def test_who_is_fenced_is_told_why() -> None:
    ledger = held_by(dialed_by_smaller=True)
    with pytest.raises(Fenced, match=r"^both sides dialed at the same time, and the other connection stays$"):
        fence.claim(ledger, dialed_by_smaller=False, holder_lives=True, now=100.0)
    with pytest.raises(Fenced, match=r"^a newer connection took over$"):
        fence.check(ledger, ledger.fence.gen - 1)


def test_a_dead_holder_is_forgotten_and_its_claim_counts_on() -> None:
    ledger = held_by(dialed_by_smaller=True)
    gen = ledger.fence.gen
    fence.forget(ledger)
    assert ledger.fence == Fence(gen=gen, held=None)
    assert wins(ledger, dialed_by_smaller=False, now=101.0)


@pytest.mark.parametrize("now", [99.999, 110.0, 1e9])
def test_a_holder_that_is_not_new_keeps_nobody_out(now: float) -> None:
    assert wins(held_by(dialed_by_smaller=True), dialed_by_smaller=False, now=now)


def test_a_dead_holder_keeps_nobody_out() -> None:
    assert wins(held_by(dialed_by_smaller=True), dialed_by_smaller=False, now=101.0, holder_lives=False)


def test_who_let_go_keeps_nobody_out() -> None:
    ledger = held_by(dialed_by_smaller=True)
    fence.release(ledger, ledger.fence.gen)
    assert wins(ledger, dialed_by_smaller=False, now=101.0)


def test_only_the_holder_can_let_go() -> None:
    ledger = held_by(dialed_by_smaller=True)
    wins(ledger, dialed_by_smaller=True, now=100.0)
    before = ledger.fence
    fence.release(ledger, before.gen - 1)
    assert ledger.fence == before


def test_a_fenced_link_says_duplicate() -> None:
    assert Fenced("taken over").code == CloseCode.DUPLICATE


def test_a_claim_stands_until_there_is_a_newer_one() -> None:
    ledger = held_by(dialed_by_smaller=True)
    gen = ledger.fence.gen
    fence.check(ledger, gen)
    fence.release(ledger, gen)
    fence.check(ledger, gen)
    wins(ledger, dialed_by_smaller=False, now=0.0)
    with pytest.raises(Fenced):
        fence.check(ledger, gen)


@pytest.mark.parametrize("orders", list(product([True, False], repeat=2)))
def test_simultaneous_dials_end_on_one_connection_in_whatever_order_they_are_seen(orders: tuple[bool, bool]) -> None:
    """Each side claims for both connections, in its own order; the same one is the last on both."""
    last = []
    for smaller_first in orders:
        ledger = MemoryLedger(bytes(8))
        newest = None
        for number, dialed_by_smaller in enumerate((smaller_first, not smaller_first)):
            if wins(ledger, dialed_by_smaller=dialed_by_smaller, now=100.0 + number):
                newest = dialed_by_smaller
        last.append(newest)
    assert last == [True, True]
