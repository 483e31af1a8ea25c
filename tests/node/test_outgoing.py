"""What was said gets into the log, together and in order, and is paid for until it is acknowledged."""

from __future__ import annotations

import pytest

from p2pchat.errors import LocalProtocolError
from p2pchat.node.outgoing import Outgoing
from p2pchat.protocol.ids import EntryIds
from p2pchat.store.memory import MemoryLedger
from p2pchat.wire.frames import ENTRY_OVERHEAD
from p2pchat.wire.messages import Kind
from tests.support.entropy import seeded

ROOM = 1000


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(bytes(8))


@pytest.fixture
def outgoing(ledger: MemoryLedger) -> Outgoing:
    return Outgoing(ledger, EntryIds(seeded(1)), max_cost=ROOM)


def log(ledger: MemoryLedger) -> list[tuple[int, bytes, int]]:
    return [(entry.kind, entry.body, entry.sent_ms) for entry in ledger.entries(1, 99)]


def test_the_writer_is_told_once_of_what_is_said_in_one_millisecond(outgoing: Outgoing, ledger: MemoryLedger) -> None:
    assert outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    assert not outgoing.say(Kind.TEXT, [b"b", b"c"], now_ms=5)
    assert log(ledger) == []
    outgoing.settle()
    assert log(ledger) == [(Kind.TEXT, body, 5) for body in (b"a", b"b", b"c")]
    assert outgoing.say(Kind.TEXT, [b"d"], now_ms=5)


def test_each_entry_has_its_own_kind_and_time(outgoing: Outgoing, ledger: MemoryLedger) -> None:
    outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    outgoing.say(Kind.TEXT, [b"b"], now_ms=6)
    outgoing.say(Kind.DATA, [b"c"], now_ms=6)
    outgoing.settle()
    outgoing.settle()
    assert log(ledger) == [(Kind.TEXT, b"a", 5), (Kind.TEXT, b"b", 6), (Kind.DATA, b"c", 6)]
    assert outgoing.last_id == ledger.entries(3, 3)[0].id


def test_room_comes_back_with_acknowledgements(outgoing: Outgoing) -> None:
    outgoing.say(Kind.TEXT, [b"a"], now_ms=5)
    outgoing.say(Kind.TEXT, [b"bb", b"cc"], now_ms=6)
    outgoing.settle()
    assert outgoing.room == ROOM - 3 * ENTRY_OVERHEAD - 5
    outgoing.acknowledged(2)
    assert outgoing.room == ROOM - 2 * ENTRY_OVERHEAD - 4
    assert outgoing.unacknowledged == 1
    outgoing.acknowledged(1)
    assert outgoing.room == ROOM
    assert (outgoing.queued, outgoing.sent, outgoing.delivered) == (3, 3, 3)


def test_what_delivery_says_itself_nobody_else_says(outgoing: Outgoing) -> None:
    with pytest.raises(LocalProtocolError):
        outgoing.say(Kind.VOID, [b"\x90"], now_ms=5)
    assert outgoing.queued == 0
