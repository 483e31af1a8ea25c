"""Frames in records: whatever is written can be read, and whatever is read is frames or a violation."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import msgpack

from p2pchat.errors import LocalProtocolError
from p2pchat.wire import codec, padding
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import (
    MAX_BODY,
    MAX_FRAME_BODY,
    Ack,
    Close,
    Entry,
    Frame,
    Hello,
    Msg,
    Ping,
    Typing,
    Unknown,
)
from p2pchat.wire.padding import MAX_PLAINTEXT
from p2pchat.wire.violation import Violation
from tests.support import golden_wire
from tests.support.framing import EXAMPLES, FILES_AND_ROOMS, frames, msg, plaintext
from tests.support.vectors import own


def read(data: bytes) -> list[Frame]:
    return list(codec.decode_frames(data))


def code_of(data: bytes) -> CloseCode | None:
    """Return the code of the violation that `data` is; None if it is frames."""
    try:
        read(data)
    except Violation as violation:
        return violation.code
    return None


# --- round trips


@pytest.mark.parametrize("frame", EXAMPLES.values(), ids=EXAMPLES)
def test_each_frame_is_read_as_it_was_written(frame: Frame) -> None:
    (plain,) = codec.encode_frames([frame])
    assert read(bytes(plain)) == [frame]


@pytest.mark.slow
@given(st.lists(frames, max_size=8))
def test_any_frames_are_read_as_they_were_written(said: list[Frame]) -> None:
    heard: list[Frame] = []
    for plain in codec.encode_frames(said):
        assert 1 <= len(plain) <= MAX_PLAINTEXT
        padding.pad(plain)
        heard += read(bytes(plain))
    assert heard == said


def test_each_frame_has_the_bytes_that_it_always_had() -> None:
    assert golden_wire.wire_vector() == own(golden_wire.NAME)


# --- filling records


def test_a_record_takes_whatever_fits_to_the_last_byte() -> None:
    filler = Unknown(0x90, bytes(MAX_PLAINTEXT - 3 - 5))  # leaves room for one ACK of 5 bytes
    assert [len(plain) for plain in codec.encode_frames([filler, Ack(1)])] == [MAX_PLAINTEXT]
    assert [len(plain) for plain in codec.encode_frames([filler, Ack(1), Ack(2)])] == [MAX_PLAINTEXT, 5]


def test_a_frame_never_spans_records() -> None:
    plains = codec.encode_frames([Ack(1), msg(count=2, body=bytes(MAX_BODY)), Ack(2)] * 3)
    assert [read(bytes(plain)) for plain in plains] == [
        [Ack(1), msg(count=2, body=bytes(MAX_BODY)), Ack(2), Ack(1)],
        [msg(count=2, body=bytes(MAX_BODY)), Ack(2), Ack(1)],
        [msg(count=2, body=bytes(MAX_BODY)), Ack(2)],
    ]


def test_nothing_to_say_makes_no_record() -> None:
    assert codec.encode_frames([]) == []


def test_the_largest_frame_fills_a_record() -> None:
    (plain,) = codec.encode_frames([Unknown(0xFF, bytes(MAX_FRAME_BODY))])
    assert len(plain) == MAX_PLAINTEXT
    assert read(bytes(plain)) == [Unknown(0xFF, bytes(MAX_FRAME_BODY))]


# --- what we do not write

OUT_OF_BOUNDS: dict[str, Frame] = {
    "hello with a long name": Hello("a", [], 1, 65536, "n" * 65),
    "hello with a small window": Hello("a", [], 1, 65535, ""),
    "half a surrogate pair": Close(0, "\ud800"),
    "negative ack": Ack(-1),
    "ping of 65 bits": Ping(2**64),
    "entries for two frames": msg(count=3, body=bytes(MAX_BODY)),
    "grease of a critical type": Unknown(0x7F, b"\x90"),
    "grease of a known type": Unknown(0x80, b"\x91\xc3"),
    "grease of no type": Unknown(0x100, b"\x90"),
    "grease too large": Unknown(0xFF, bytes(MAX_FRAME_BODY + 1)),
}


@pytest.mark.parametrize("frame", OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS)
def test_we_hold_ourselves_to_the_bounds(frame: Frame) -> None:
    with pytest.raises(
        LocalProtocolError, match=type(frame).__name__ if not isinstance(frame, Unknown) else "0x|65517"
    ):
        codec.encode_frames([Ack(1), frame])


# --- what newer peers may append


def test_extra_elements_of_every_array_are_ignored() -> None:
    more = ["new", {"deep": [1, 2.5, None]}, b"\xff"]
    old_entry = [bytes(16), 1, 0, b"", b""]
    new: list[tuple[int, list[object], Frame]] = [
        (0x01, ["a", [], 1, 65536, ""], Hello("a", [], 1, 65536, "")),
        (0x03, [1, [[*old_entry, *more], old_entry]], Msg(1, [Entry(bytes(16), 1, 0, b"", b"")] * 2)),
        (0x04, [1], Ack(1)),
        (0x07, [1, ""], Close(1)),
        (0x80, [False], Typing(on=False)),
    ]
    for frame_type, fields, frame in new:
        assert read(plaintext(frame_type, msgpack.encode([*fields, *more]))) == [frame]


@pytest.mark.parametrize("frame_type", [0x81, 0xF0, 0xFF])
def test_unknown_types_from_80_on_are_passed_over(frame_type: int) -> None:
    for body in (b"", b"\x90", b"no msgpack at all"):
        assert read(plaintext(frame_type, body) + plaintext(0x04, b"\x91\x01")) == [Unknown(frame_type, body), Ack(1)]


def test_an_unknown_frame_without_a_body_may_end_a_record() -> None:
    assert read(plaintext(0x04, b"\x91\x01") + plaintext(0x81, b"")) == [Ack(1), Unknown(0x81, b"")]


@pytest.mark.parametrize("frame_type", [0x0C, 0x0F, 0x14, 0x30, 0x7F, *FILES_AND_ROOMS])
def test_unknown_types_below_80_are_unsupported(frame_type: int) -> None:
    assert code_of(plaintext(frame_type, b"\x90")) is CloseCode.UNSUPPORTED


# --- what nobody may write

BAD: dict[str, bytes] = {
    "no header": b"\x04",
    "half a header": b"\x04\x00",
    "no body": b"\x04\x00\x02",
    "half a body": b"\x04\x00\x02\x91",
    "a body shorter than its length": b"\x04\x00\x03\x91\x01",
    "an unknown frame cut short": b"\x90\x00\x03ab",
    "empty body": b"\x04\x00\x00",
    "something after the array": plaintext(0x04, b"\x91\x01\x00"),
    "two arrays": plaintext(0x04, b"\x91\x01\x91\x01"),
    "no array": plaintext(0x04, b"\x01"),
    "a map": plaintext(0x04, b"\x81\x01\x01"),
    "an array that is too short": plaintext(0x04, b"\x90"),
    "an array that is cut short": plaintext(0x04, b"\x92\x01"),
    "a reserved byte": plaintext(0x04, b"\x92\x01\xc1"),
    "text that is not UTF-8": plaintext(0x07, b"\x92\x00\xa2\xff\xfe"),
    "half a surrogate pair": plaintext(0x07, b"\x92\x00\xa3\xed\xa0\x80"),
    "nesting bomb": plaintext(0x04, b"\x92\x01" + b"\x91" * 60_000 + b"\x01"),
    "four billion entries": plaintext(0x03, b"\x92\x01\xdd\xff\xff\xff\xff"),
    "four billion bytes": plaintext(0x03, b"\x92\x01\x91\x95\xc6\xff\xff\xff\xff"),
    "padding that is not zero": b"\x00\x01",
    "padding that is not zero at its end": plaintext(0x04, b"\x91\x01") + bytes(200) + b"\x01",
    "a frame after padding": b"\x00" + plaintext(0x04, b"\x91\x01"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_what_is_not_whole_frames_and_zeros_is_a_violation(data: bytes) -> None:
    assert code_of(data) is CloseCode.PROTOCOL


TOLD: dict[str, bytes] = {  # to our log and our user; the peer gets the code alone
    "padding is not zero": BAD["padding that is not zero"],
    "frame header is cut short": BAD["half a header"],
    "frame is cut short": BAD["half a body"],
    "bad frame of type 0x04: Expected `array` of at least length 1, got 0": plaintext(0x04, b"\x90"),
    "unknown frame type 0x0c": plaintext(0x0C, b"\x90"),
}


@pytest.mark.parametrize(("text", "data"), TOLD.items())
def test_a_violation_says_what_is_wrong(text: str, data: bytes) -> None:
    with pytest.raises(Violation) as violation:
        read(data)
    assert str(violation.value) == text


def test_frames_before_a_bad_one_still_count() -> None:
    decoded = codec.decode_frames(plaintext(0x04, b"\x91\x01") + b"\x00\x01")
    assert next(decoded) == Ack(1)
    with pytest.raises(Violation):
        next(decoded)


@pytest.mark.parametrize("size", [1, 2, 3, 178, MAX_PLAINTEXT])
def test_padding_alone_is_a_record(size: int) -> None:
    assert read(bytes(size)) == []


@pytest.mark.slow
@given(
    st.binary(min_size=1, max_size=400)
    | st.lists(st.builds(plaintext, st.integers(0, 255), st.binary(max_size=40)), min_size=1).map(b"".join)
)
@example(plaintext(0x03, msgpack.encode([1, [[bytes(16), 1, 0, b"", b"", {}]]])))
def test_any_bytes_are_frames_or_one_violation(data: bytes) -> None:
    assert code_of(data) in {None, CloseCode.PROTOCOL, CloseCode.UNSUPPORTED}


@pytest.mark.slow
@given(st.lists(frames, min_size=1, max_size=4), st.data())
def test_a_damaged_record_gives_frames_or_one_violation(said: list[Frame], data: st.DataObject) -> None:
    """Bytes near to good ones get deeper into the decoder than noise does."""
    plain = codec.encode_frames(said)[0]
    place = data.draw(st.integers(0, len(plain) - 1))
    plain[place] = data.draw(st.integers(0, 255))
    assert code_of(bytes(plain)) in {None, CloseCode.PROTOCOL, CloseCode.UNSUPPORTED}
