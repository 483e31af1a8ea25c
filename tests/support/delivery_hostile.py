"""What a hostile peer may say over a running link: I7, it changes nothing, and the link ends with the right code."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pchat.protocol.assembly import PART
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import LAST_SEQ, MAX_BODY, Ack, Entry, Msg, Resume
from p2pchat.wire.messages import Kind
from p2pchat.wire.violation import Violation
from tests.support.delivery_world import WINDOW, End

GOOD = Entry(b"g" * 16, Kind.TEXT, 0, b"", b"good")
FULL = bytes(MAX_BODY)


def part(number: int, body: bytes = FULL, conv: bytes = b"") -> Entry:
    return Entry(number.to_bytes(16), PART, 0, conv, body)


def arrive(end: End, first: int, *entries: Entry) -> None:
    """Let a batch arrive and be taken that begins `first` after what was seen."""
    end.delivery.arrive(Msg(end.side.disk.ledger.seen.seq + first, list(entries)))
    end.delivery.receive(end.side.disk.ledger)


def gap(end: End) -> None:
    arrive(end, 2, GOOD)


def numbers_that_cannot_be(end: End) -> None:
    arrive(end, LAST_SEQ, GOOD)


def ack_of_what_was_never_sent(end: End) -> None:
    sent_here = max(end.sent, default=end.acked)
    end.delivery.acked(end.side.disk.ledger, Ack(sent_here + 1))


def second_resume(end: End) -> None:
    resume = Resume(b"evilevil", 1, bytes(16), 1, b"", 0, bytes(16))
    end.delivery.resume(end.side.disk.ledger, resume, window=WINDOW, entropy=end.side.entropy)


def short_part(end: End) -> None:
    arrive(end, 1, GOOD, part(1, b"short"))


def another_conversation_inside(end: End) -> None:
    arrive(end, 1, GOOD, part(1, conv=b"x"), Entry(b"f" * 16, Kind.TEXT, 0, b"y", b"tail"))


def too_many_parts(end: End) -> None:
    arrive(end, 1, GOOD, *map(part, range(33)))


LIES: dict[Callable[[End], None], set[CloseCode]] = {
    gap: {CloseCode.SEQUENCE},
    numbers_that_cannot_be: {CloseCode.SEQUENCE},
    ack_of_what_was_never_sent: {CloseCode.SEQUENCE},
    second_resume: {CloseCode.PROTOCOL},
    short_part: {CloseCode.PROTOCOL},
    another_conversation_inside: {CloseCode.PROTOCOL},
    too_many_parts: {CloseCode.TOO_BIG, CloseCode.PROTOCOL},  # the latter if a message of another conversation goes on
}


def tell(end: End, lie: Callable[[End], None]) -> CloseCode:
    """Let the peer of `end`, where nothing waits, say what no honest one says; return the code that ends the link."""
    before = end.side.disk.picture()
    with pytest.raises(Violation) as caught, end.side.disk.transaction():
        lie(end)
    assert end.side.disk.picture() == before, "I7: a lie changed something"
    assert caught.value.code in LIES[lie]
    return caught.value.code
