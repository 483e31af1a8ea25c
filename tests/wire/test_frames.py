"""The bounds of every field, and what makes a RESUME impossible."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from msgspec import msgpack

from p2pchat.wire import codec
from p2pchat.wire.close_codes import CloseCode, close_code
from p2pchat.wire.frames import (
    LAST_SEQ,
    MAX_BATCH_COST,
    MAX_BODY,
    MAX_FRAME_BODY,
    Close,
    Entry,
    Frame,
    Msg,
    Resume,
    entry_cost,
)
from p2pchat.wire.violation import Violation
from tests.support.framing import batches, entries, entry, msg, plaintext

ID, EPOCH, STATE = bytes(16), bytes(8), bytes(16)
ENTRY: list[Any] = [ID, 1, 0, b"", b""]
HELLO = ["a", ["f"], 1, 65536, "n"]
RESUME = [EPOCH, 1, STATE, 1, b"", 0, STATE]
TOO_LARGE = LAST_SEQ + 1
OTHER_STATE = "the state does not belong to the base"
SHARE, TAG = bytes(32), bytes(64)
BAD_SLOTS, BAD_SHARES, BAD_TAGS = (
    [-1, 2**32, "7", 7.0],
    [b"", bytes(31), bytes(33), "s" * 32],
    [bytes(63), bytes(65), "t" * 64],
)

#: For each field of each frame: what it must not be.
BAD_FRAMES: list[tuple[int, list[Any], int, list[Any]]] = [
    (0x01, HELLO, 0, ["a" * 65, b"a", None]),
    (0x01, HELLO, 1, [["f"] * 65, ["f" * 33], [b"f"], "f"]),
    (0x01, HELLO, 2, [0, 2**32, -1, 1.0, True]),
    (0x01, HELLO, 3, [65535, 2**32]),
    (0x01, HELLO, 4, ["n" * 65, b"n"]),
    (0x02, RESUME, 0, [b"", bytes(7), bytes(9), "12345678"]),
    (0x02, RESUME, 1, [0, TOO_LARGE]),
    (0x02, RESUME, 2, [b"", bytes(15), bytes(1040)]),
    (0x02, RESUME, 3, [0, TOO_LARGE]),
    (0x02, RESUME, 4, [bytes(1), bytes(7), bytes(9)]),
    (0x02, RESUME, 5, [-1, TOO_LARGE]),
    (0x02, RESUME, 6, [b"", bytes(15), bytes(17)]),
    (0x03, [1, [ENTRY]], 0, [0, -1, TOO_LARGE, "1"]),
    (0x03, [1, [ENTRY]], 1, [[], [[]], [None], ENTRY, {}]),
    (0x04, [0], 0, [-1, TOO_LARGE, None]),
    (0x05, [0], 0, [-1, TOO_LARGE, 0.0]),
    (0x06, [0], 0, [-1, TOO_LARGE, b""]),
    (0x07, [0, ""], 0, [-1, 65536, "0"]),
    (0x07, [0, ""], 1, ["r" * 257, b"r", None]),
    (0x08, [7, SHARE], 0, BAD_SLOTS),
    (0x08, [7, SHARE], 1, BAD_SHARES),
    (0x09, [7, SHARE, TAG], 0, BAD_SLOTS),
    (0x09, [7, SHARE, TAG], 1, BAD_SHARES),
    (0x09, [7, SHARE, TAG], 2, BAD_TAGS),
    (0x0A, [7, TAG], 0, BAD_SLOTS),
    (0x0A, [7, TAG], 1, BAD_TAGS),
    (0x0B, [7, True], 0, BAD_SLOTS),
    (0x0B, [7, True], 1, [0, 1, None, "true"]),
    (0x80, [True], 0, [0, 1, None, "true"]),
]

#: The same for an entry.
BAD_ENTRIES: list[tuple[int, list[Any]]] = [
    (0, [bytes(15), bytes(17), "0123456789abcdef"]),
    (1, [-1, 65536]),
    (2, [-1, TOO_LARGE]),
    (3, [bytes(33), ""]),
    (4, [bytes(MAX_BODY + 1), "", None]),
]

#: RESUMEs that nobody can mean, though each of their fields could be; and what is said of them.
CONTRADICTIONS: dict[str, tuple[list[Any], str]] = {
    "ends before it begins": ([EPOCH, 2, bytes(32), 1, b"", 0, STATE], "the log ends before it begins"),
    "state of another base": ([EPOCH, 2, STATE, 2, b"", 0, STATE], OTHER_STATE),
    "state not of whole ids": ([EPOCH, 2, bytes(31), 2, b"", 0, STATE], OTHER_STATE),
    "state of a whole block, unfolded": ([EPOCH, 65, bytes(1024), 65, b"", 0, STATE], OTHER_STATE),
    "half an epoch": ([EPOCH, 1, STATE, 1, bytes(4), 0, STATE], "an epoch is 8 bytes"),
    "saw something of an unknown log": (
        [EPOCH, 1, STATE, 1, b"", 1, STATE],
        "something was seen of a log that is not known",
    ),
}


def decode(frame_type: int, fields: object) -> Frame:
    body = msgpack.encode(fields)
    (frame,) = codec.decode_frames(plaintext(frame_type, body))
    return frame


def replaced(fields: list[Any], place: int, value: object) -> list[Any]:
    return [*fields[:place], value, *fields[place + 1 :]]


@pytest.mark.parametrize(
    ("frame_type", "fields"),
    [
        pytest.param(frame_type, replaced(good, place, bad), id=f"{frame_type:02x}-field{place}-{i}")
        for frame_type, good, place, bads in BAD_FRAMES
        for i, bad in enumerate(bads)
    ],
)
def test_a_field_out_of_bounds_is_a_bad_frame(frame_type: int, fields: list[Any]) -> None:
    with pytest.raises(Violation) as violation:
        decode(frame_type, fields)
    assert violation.value.code is CloseCode.PROTOCOL


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(replaced(ENTRY, place, bad), id=f"field{place}-{i}")
        for place, bads in BAD_ENTRIES
        for i, bad in enumerate(bads)
    ],
)
def test_a_field_of_an_entry_out_of_bounds_is_a_bad_frame(fields: list[Any]) -> None:
    assert decode(0x03, [1, [ENTRY]]) == Msg(1, [Entry(*ENTRY)])
    with pytest.raises(Violation) as violation:
        decode(0x03, [1, [ENTRY, fields]])
    assert violation.value.code is CloseCode.PROTOCOL


@pytest.mark.parametrize(("fields", "text"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_resume_that_contradicts_itself_is_a_bad_frame(fields: list[Any], text: str) -> None:
    with pytest.raises(Violation, match=text) as violation:
        decode(0x02, fields)
    assert violation.value.code is CloseCode.PROTOCOL


@pytest.mark.parametrize(("fields", "text"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_nobody_here_can_make_such_a_resume_either(fields: list[Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        Resume(*fields)


@pytest.mark.parametrize(
    ("base", "state"), [(1, 16), (2, 32), (64, 1024), (65, 16), (66, 32), (LAST_SEQ, 16 * (1 + 62))]
)
def test_the_state_in_a_resume_has_one_id_for_each_entry_since_the_last_block(base: int, state: int) -> None:
    assert Resume(EPOCH, base, bytes(state), base, b"", 0, STATE).base == base


@pytest.mark.slow
@given(entries)
def test_an_entry_costs_at_least_its_encoded_size(entry: Entry) -> None:
    assert len(msgpack.encode(entry)) <= entry_cost(entry)


@pytest.mark.slow
@given(batches)
def test_a_batch_within_the_cost_fits_a_frame(run: list[Entry]) -> None:
    assert len(msgpack.encode(Msg(LAST_SEQ, run))) <= MAX_FRAME_BODY


def test_the_largest_batches_fit_a_frame() -> None:
    """Many small entries, whose headers weigh most, and few large ones that leave no cost unused."""
    many = msg(LAST_SEQ, count=MAX_BATCH_COST // 64, body=b"")
    few = Msg(1, [entry(1, bytes(MAX_BODY)), entry(2, bytes(MAX_BODY)), entry(3, bytes(MAX_BATCH_COST - 64192))])
    for batch in (many, few):
        cost = sum(map(entry_cost, batch.entries))
        assert MAX_BATCH_COST - 64 < cost <= MAX_BATCH_COST
        (plain,) = codec.encode_frames([batch])
        assert list(codec.decode_frames(bytes(plain))) == [batch]


def test_a_batch_knows_its_last_number() -> None:
    assert msg(first=7, count=3).last == 9
    assert msg(first=LAST_SEQ, count=2).last == LAST_SEQ + 1


def test_a_reason_may_be_missing() -> None:
    assert decode(0x07, [5]) == Close(5)


@pytest.mark.parametrize("number", [13, 99, 65535])
def test_a_close_code_from_the_future_means_internal(number: int) -> None:
    assert close_code(number) is CloseCode.INTERNAL


def test_only_the_first_two_codes_are_goodbyes() -> None:
    assert [code for code in CloseCode if code.is_goodbye] == [CloseCode.NORMAL, CloseCode.GOING_AWAY]
    assert close_code(0) is CloseCode.NORMAL
