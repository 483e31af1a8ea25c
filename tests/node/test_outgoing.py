"""What was said gets into the log, together and in order, and is paid for until it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from outcome import Error, Outcome

from p2pchat.errors import LocalProtocolError, StoreError
from p2pchat.node.outgoing import Extent, Outgoing, Saying, Settled
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.base import Pair, Transaction
from p2pchat.store.memory import MemoryLedger, MemoryPair
from p2pchat.wire.frames import ENTRY_OVERHEAD
from p2pchat.wire.messages import Kind
from tests.support.entropy import seeded

T = TypeVar("T")

ROOM = 1000


class FullDisk:
    """A pair whose transactions fail."""

    durable = True

    def submit(self, gather: Callable[[], Callable[[Transaction], T]], done: Callable[[Outcome[T]], None]) -> None:
        gather()
        done(Error(StoreError("the disk is full")))


class Settling:
    """Outgoing messages over a pair, and what each transaction came to."""

    def __init__(self, pair: Pair) -> None:
        self.results: list[Settled] = []
        self.outgoing = Outgoing(pair, EntryIds(seeded(1)), max_cost=ROOM, settled=self.results.append)


@pytest.fixture
def pair() -> MemoryPair:
    return MemoryPair(bytes(8))


@pytest.fixture
def outgoing(pair: MemoryPair) -> Outgoing:
    return Settling(pair).outgoing


def log(ledger: MemoryLedger) -> list[tuple[int, bytes, int]]:
    return [(entry.kind, entry.body, entry.sent_ms) for entry in ledger.entries(1, 99)]


def test_what_is_said_in_one_millisecond_goes_into_the_log_together(outgoing: Outgoing, pair: MemoryPair) -> None:
    assert not outgoing.is_waiting
    one = outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    assert outgoing.is_waiting
    assert outgoing.say(Kind.TEXT, [b"b", b"c"], now_ms=5) is one
    assert log(pair.ledger) == []
    outgoing.settle()
    assert log(pair.ledger) == [(Kind.TEXT, body, 5) for body in (b"a", b"b", b"c")]
    assert one.settled
    assert one.ids == [entry.id for entry in pair.ledger.entries(1, 3)]
    assert not outgoing.is_unsettled
    assert outgoing.say(Kind.TEXT, [b"d"], now_ms=5) is not one


def test_each_entry_has_its_own_kind_and_time(outgoing: Outgoing, pair: MemoryPair) -> None:
    outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    outgoing.say(Kind.TEXT, [b"b"], now_ms=6)
    outgoing.say(Kind.DATA, [b"c"], now_ms=6)
    outgoing.settle()
    outgoing.settle()
    assert log(pair.ledger) == [(Kind.TEXT, b"a", 5), (Kind.TEXT, b"b", 6), (Kind.DATA, b"c", 6)]


def test_room_comes_back_when_the_peer_has_it(outgoing: Outgoing) -> None:
    outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    outgoing.settle()
    outgoing.say(Kind.TEXT, [b"bb", b"cc"], now_ms=6)
    outgoing.settle()
    assert outgoing.room == ROOM - 3 * ENTRY_OVERHEAD - 5
    assert outgoing.dropped(3)
    assert outgoing.room == ROOM - 2 * ENTRY_OVERHEAD - 4
    assert not outgoing.dropped(3)
    assert outgoing.dropped(4)
    assert outgoing.room == ROOM


def test_room_comes_back_when_numbers_mean_nothing_any_more(outgoing: Outgoing) -> None:
    outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    outgoing.settle()
    outgoing.renumbered()
    assert outgoing.room == ROOM
    assert not outgoing.dropped(9)


def test_what_has_a_key_is_said_once(outgoing: Outgoing, pair: MemoryPair) -> None:
    sayings = [Saying(Kind.TEXT, 5, key="k") for _ in range(2)]
    for saying in sayings:
        saying.bodies = [b"a"]
        outgoing.add(saying)
        outgoing.settle()
    assert log(pair.ledger) == [(Kind.TEXT, b"a", 5)]
    assert sayings[0].ids == sayings[1].ids
    assert outgoing.room == ROOM - ENTRY_OVERHEAD - 1


def test_what_expires_is_not_joined_by_others(outgoing: Outgoing, pair: MemoryPair) -> None:
    saying = Saying(Kind.TEXT, 5, expires_ms=9)
    outgoing.add(saying)
    saying.bodies = [b"a"]
    assert outgoing.say(Kind.TEXT, [b"b"], now_ms=5) is not saying
    outgoing.settle()
    assert list(pair.ledger.expired(9)) == [1]


class ClosedStore:
    """A pair of a store that was closed: it asks for nothing any more."""

    durable = True

    def submit(self, gather: Callable[[], Callable[[Transaction], T]], done: Callable[[Outcome[T]], None]) -> None:
        done(Error(StoreError("closed")))


async def test_what_a_closed_store_does_not_even_ask_for_is_not_accepted() -> None:
    settling = Settling(ClosedStore())
    saying = settling.outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    settling.outgoing.settle()
    with pytest.raises(StoreError, match="closed"):
        await saying.wait()
    assert settling.outgoing.room == ROOM
    assert not settling.outgoing.is_unsettled


async def test_what_the_disk_does_not_take_is_not_accepted() -> None:
    settling = Settling(FullDisk())
    saying = settling.outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    settling.outgoing.settle()
    with pytest.raises(StoreError, match="full"):
        await saying.wait()
    assert settling.outgoing.room == ROOM
    assert not settling.outgoing.is_unsettled
    assert [result.extent for result in settling.results] == [None]


def test_how_far_things_are_is_told_after_each_transaction(pair: MemoryPair) -> None:
    settling = Settling(pair)
    settling.outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    settling.outgoing.settle()
    assert settling.results == [Settled(0, Extent(base=1, entries=1, cursor=0))]


def test_what_delivery_says_itself_nobody_else_says(outgoing: Outgoing) -> None:
    with pytest.raises(LocalProtocolError):
        outgoing.say(Kind.VOID, [b"\x90"], now_ms=5)
    assert not outgoing.is_waiting
    assert outgoing.said == 0
