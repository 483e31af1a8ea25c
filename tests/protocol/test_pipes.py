"""Pipes: the messages are the recorded ones, and the bytes that arrive are the bytes that were sent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.protocol.pipes import LineCutter, to_bytes
from p2pchat.wire.messages import MAX_TEXT, Data, Read, Text, Unreadable, encode_body
from tests.support import vectors

KAT = vectors.own("p2pchat-1-kat.json")["pipe"]
interesting = st.sampled_from(
    [b"a", b"\n", "€".encode(), "𝄞".encode(), b"\xff", b"\r", b"\0", "\ufeff".encode(), b"\xe2"]
)
streams = st.lists(interesting, max_size=40).map(b"".join) | st.binary(max_size=60)


def messages_of(data: bytes, *, max_text: int, cuts: list[int] | None = None) -> list[Text | Data]:
    cutter = LineCutter(max_text=max_text)
    messages: list[Text | Data] = []
    for start, end in pairwise(sorted({0, len(data), *(cut for cut in cuts or [] if cut < len(data))})):
        messages += cutter.feed(data[start:end])
    return messages + cutter.finish()


@pytest.mark.parametrize("recorded", KAT)
def test_recorded_input_makes_the_recorded_messages(recorded: dict[str, Any]) -> None:
    messages = messages_of(bytes.fromhex(recorded["input"]), max_text=recorded["instead_of_MAX_TEXT"])
    encoded = [encode_body(message) for message in messages]
    assert [[kind, body.hex()] for kind, body in encoded] == recorded["messages"]


@given(streams, st.integers(4, 9), st.lists(st.integers(0, 60), max_size=5))
def test_the_bytes_that_arrive_are_the_bytes_that_were_sent(data: bytes, max_text: int, cuts: list[int]) -> None:
    messages = messages_of(data, max_text=max_text, cuts=cuts)
    assert b"".join(map(to_bytes, messages)) == data
    assert messages == messages_of(data, max_text=max_text), "where the input was read in pieces made a difference"
    assert all(len(to_bytes(message).removesuffix(b"\n")) <= max_text for message in messages)


@given(st.text(), st.integers(4, 9))
def test_text_stays_text_however_long_its_lines_are(text: str, max_text: int) -> None:
    assert all(isinstance(message, Text) for message in messages_of(text.encode(), max_text=max_text))


def test_a_message_is_text_if_its_own_bytes_are() -> None:
    assert messages_of(b"ok\n\xff\nok", max_text=8) == [Text("ok"), Data(b"\xff"), Text("ok", more=True)]


def test_a_line_of_the_greatest_length_is_one_message() -> None:
    line = b"x" * MAX_TEXT
    assert messages_of(line + b"\n", max_text=MAX_TEXT) == [Text(line.decode())]
    assert messages_of(line + b"x\n", max_text=MAX_TEXT) == [Text(line.decode(), more=True), Text("x")]


def test_a_line_is_cut_before_it_ends() -> None:
    cutter = LineCutter(max_text=4)
    assert cutter.feed(b"12345") == [Text("1234", more=True)]
    assert cutter.finish() == [Text("5", more=True)]
    assert cutter.finish() == []


@pytest.mark.parametrize("other", [Read(bytes(16)), Unreadable(1, b"?")])
def test_what_is_neither_text_nor_bytes_writes_nothing(other: Read | Unreadable) -> None:
    assert to_bytes(other) == b""
