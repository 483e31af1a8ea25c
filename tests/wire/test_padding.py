"""Sizes that say little."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.wire.padding import MAX_PLAINTEXT, MIN_PADDED, is_padding, pad, padded_length
from tests.support.vectors import own

RECORDED = own("p2pchat-1-kat.json")["padded"]
lengths = st.integers(1, MAX_PLAINTEXT)


@pytest.mark.parametrize(("length", "padded"), RECORDED.items())
def test_recorded_lengths_are_padded_as_recorded(length: str, padded: int) -> None:
    plaintext = bytearray(b"x" * int(length))
    pad(plaintext)
    assert len(plaintext) == padded
    assert is_padding(plaintext, int(length))


@given(lengths)
def test_padding_adds_at_most_an_eighth_to_what_is_not_short(length: int) -> None:
    padded = padded_length(length)
    assert length <= padded <= max(MIN_PADDED, min(MAX_PLAINTEXT, length * 1.125))


@given(lengths)
def test_padding_what_is_padded_changes_nothing(length: int) -> None:
    assert padded_length(padded_length(length)) == padded_length(length)


def test_all_records_have_one_of_few_sizes() -> None:
    assert len({padded_length(length) for length in range(1, MAX_PLAINTEXT + 1)}) < 150


@given(st.integers(1, 300), st.data())
def test_one_bit_in_the_padding_shows(size: int, data: st.DataObject) -> None:
    padding = bytearray(size)
    assert is_padding(padding, 0)
    place = data.draw(st.integers(0, size - 1))
    padding[place] = 1 << data.draw(st.integers(0, 7))
    assert not is_padding(padding, data.draw(st.integers(0, place)))
    assert is_padding(padding, place + 1)
