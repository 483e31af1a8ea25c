"""Cutting a stream into records, however it comes in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.records import MAX_RECORD, MIN_RECORD, RecordReader, record
from p2pchat.wire.violation import Violation
from tests.support import pieces

ciphertexts = st.lists(st.binary(min_size=MIN_RECORD, max_size=80), max_size=8)


def feed(reader: RecordReader, data: bytes | bytearray | memoryview) -> list[bytes]:
    return [bytes(ciphertext) for ciphertext in reader.records(data)]


@given(ciphertexts, st.lists(st.integers(0, 1000)), st.integers(0, 40))
def test_records_are_the_same_however_they_are_cut(sent: list[bytes], places: list[int], missing: int) -> None:
    """The last bytes may be missing too: what has not come in full is neither told nor lost."""
    stream = b"".join(map(record, sent)) + record(bytes(40))[:missing]
    reader = RecordReader()
    received = [ciphertext for piece in pieces.at(places)(stream) for ciphertext in feed(reader, piece)]
    assert received == sent
    assert reader.held == missing
    assert feed(reader, record(bytes(40))[missing:]) == [bytes(40)]
    assert reader.held == 0


def test_every_byte_alone_makes_the_same_records() -> None:
    sent = [bytes([i]) * (MIN_RECORD + i) for i in range(4)]
    reader = RecordReader()
    stream = b"".join(map(record, sent))
    assert [found for i in range(len(stream)) for found in feed(reader, stream[i : i + 1])] == sent


@pytest.mark.parametrize("length", range(17))
@pytest.mark.parametrize("split", [False, True])
def test_a_record_shorter_than_a_tag_and_a_byte_is_a_violation(length: int, *, split: bool) -> None:
    reader = RecordReader()
    prefix = length.to_bytes(2)
    if split:
        assert feed(reader, prefix[:1]) == []
        prefix = prefix[1:]
    with pytest.raises(Violation, match=f"^a record of {length} bytes$") as violation:
        feed(reader, prefix)
    assert violation.value.code is CloseCode.PROTOCOL


def test_records_before_a_bad_one_still_count() -> None:
    records = RecordReader().records(record(bytes(MIN_RECORD)) + b"\0\0")
    assert bytes(next(records)) == bytes(MIN_RECORD)
    with pytest.raises(Violation):
        next(records)


def test_no_more_than_one_incomplete_record_is_ever_kept() -> None:
    """Its length is 65535 at most, because a length has no more than 16 bits; and a byte of it is missing."""
    reader = RecordReader()
    whole = record(bytes(MAX_RECORD))
    assert feed(reader, whole * 3 + whole[:-1]) == [bytes(MAX_RECORD)] * 3
    assert reader.held == MAX_RECORD + 1
    assert feed(reader, whole[-1:] + whole) == [bytes(MAX_RECORD)] * 2
    assert reader.held == 0


def test_records_are_views_and_the_callers_buffer_may_be_reused() -> None:
    buffer = bytearray(record(b"a" * 20) + record(b"b" * 20)[:10])
    reader = RecordReader()
    (view, *_) = reader.records(memoryview(buffer))
    assert view.obj is buffer
    view.release()
    buffer[:] = bytes(len(buffer))
    assert feed(reader, record(b"b" * 20)[10:]) == [b"b" * 20]
