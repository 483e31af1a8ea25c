"""A guest's ACK means *shown*: what was taken and not confirmed is not said to be seen, and never shown again."""

from __future__ import annotations

from p2pchat.protocol.assembly import NO_PARTS
from p2pchat.wire.frames import MAX_BODY, Ack
from tests.support.delivery_pair import connect, deliver, pair

FULL = bytes(MAX_BODY)


def test_what_was_taken_and_not_shown_is_not_said_to_be_seen() -> None:
    a, b = pair()
    a.say(b"one")
    b.take(*a.hand().batches, confirm=False)
    assert b.ack() is None
    assert b.claim().peer_seen == 0


def test_what_was_taken_and_not_shown_comes_again_and_is_not_shown_again() -> None:
    a, b = pair()
    a.say(b"one")
    b.link.arrive(a.hand().batches[0])
    mark = b.link.receive(b.ledger).mark
    connect(a, b)
    a.say(b"two")
    (again,) = a.hand().batches
    assert again.first == 1
    assert b.take(again, confirm=False) == [b"two"]
    assert b.ack() is None
    b.ledger.confirm(mark)
    assert b.ack() is None, "the batch is shown when the rest of it is"
    b.ledger.confirm(mark + 1)
    assert b.ack() == Ack(2)


def test_what_comes_again_is_acknowledged_when_it_was_shown_the_first_time() -> None:
    a, b = pair()
    a.say(b"one")
    b.link.arrive(a.hand().batches[0])
    mark = b.link.receive(b.ledger).mark
    connect(a, b)
    assert b.take(*a.hand().batches, confirm=False) == []
    assert b.ack() is None
    b.ledger.confirm(mark)
    assert b.ack() == Ack(1)


def test_a_confirmation_that_comes_after_another_log_began_says_nothing_about_it() -> None:
    a, b = pair()
    for _ in range(3):
        a.say()
    b.link.arrive(a.hand().batches[0])
    mark = b.link.receive(b.ledger).mark
    a.ledger.renumber(b"newepoch")
    connect(a, b)
    b.ledger.confirm(mark)
    assert b.ack() is None
    assert b.ledger.confirmed == 0
    assert deliver(a, b) == [], "all was shown"
    assert a.ledger.log.base == 4


def test_parts_that_were_not_confirmed_come_again() -> None:
    a, b = pair()
    a.say(b"short")
    a.say(FULL + FULL + b"tail")
    assert b.take(*a.hand(max_cost=33_000).batches, confirm=False) == [b"short"]
    assert b.ledger.seen.parts.bodies == (FULL,)
    connect(a, b)
    assert b.ledger.seen.parts == NO_PARTS
    assert b.take(*a.hand().batches) == [FULL + FULL + b"tail"]
