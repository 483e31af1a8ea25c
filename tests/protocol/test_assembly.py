"""Long messages are cut as recorded, joined whole, and refused when their parts break the rules."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from p2pchat.protocol.assembly import NO_PARTS, PART, VOID, Message, Messages, Parts, assemble, cut
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import MAX_BODY, Entry
from p2pchat.wire.messages import MAX_ASSEMBLED, Kind, Text
from p2pchat.wire.violation import Violation
from tests.support import vectors
from tests.support.delivery_pair import entry

KAT = vectors.own("p2pchat-1-kat.json")["fragments"]
FULL = bytes(MAX_BODY)


def entries_of(body: bytes, *, first: int = 1) -> list[Entry]:
    *parts, rest = cut(body)
    cuts = [entry(number, part, kind=PART) for number, part in enumerate(parts, first)]
    return [*cuts, entry(first + len(parts), rest)]


def test_a_long_body_is_cut_as_recorded() -> None:
    body = msgpack.encode(["x" * 70000, None, False])
    assert len(body) == KAT["bytes"]
    assert [(each.kind, len(each.body), hashlib.sha256(each.body).hexdigest()) for each in entries_of(body)] == [
        (recorded["kind"], recorded["bytes"], recorded["sha256"]) for recorded in KAT["entries"]
    ]


@pytest.mark.parametrize("size", [0, 1, MAX_BODY, MAX_BODY + 1, 2 * MAX_BODY, MAX_ASSEMBLED])
def test_what_was_cut_is_joined_whole(size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    entries = entries_of(body[:size])
    parts, messages = assemble(NO_PARTS, 1, entries)
    assert parts == NO_PARTS
    assert [(message.seq, message.entry.body) for message in messages] == [(len(entries), body[:size])]


@given(st.lists(st.sampled_from([3, MAX_BODY, MAX_BODY + 1, 2 * MAX_BODY + 9]), max_size=4), st.data())
def test_where_batches_were_cut_makes_no_difference(sizes: list[int], data: st.DataObject) -> None:
    entries: list[Entry] = []
    for size in sizes:
        entries += entries_of(bytes([size % 251]) * size, first=len(entries) + 1)
    cut_at = data.draw(st.integers(0, len(entries)))
    parts, before = assemble(NO_PARTS, 1, entries[:cut_at])
    left, after = assemble(parts, cut_at + 1, entries[cut_at:])
    assert left == NO_PARTS
    assert [*before, *after] == list(assemble(NO_PARTS, 1, entries)[1])
    assert [len(message.entry.body) for message in (*before, *after)] == sizes


def test_a_message_is_named_by_its_final_entry() -> None:
    body = msgpack.encode(Text("long " * MAX_BODY))
    entries = entries_of(body)
    (message,) = assemble(NO_PARTS, 7, entries)[1]
    assert message == Message(7 + len(entries) - 1, message.entry, Text("long " * MAX_BODY))
    assert message.id.bytes == entries[-1].id
    assert message.entry.kind == Kind.TEXT


def test_parts_are_never_shown() -> None:
    parts, messages = assemble(NO_PARTS, 1, entries_of(bytes(MAX_BODY + 1))[:1])
    assert parts.bodies == (FULL,)
    assert not messages


def test_a_batch_without_parts_is_its_own_answer() -> None:
    entries = [entry(1), entry(2)]
    assert assemble(NO_PARTS, 5, entries) == (NO_PARTS, Messages(range(5, 7), entries))


def test_a_void_shows_nothing_and_ends_what_was_waiting() -> None:
    void = entry(2, b"\x90", kind=VOID)
    parts, messages = assemble(Parts(b"", (FULL,)), 2, [void, entry(3, b"after")])
    assert parts == NO_PARTS
    assert [(message.seq, message.entry.body) for message in messages] == [(3, b"after")]
    assert not assemble(NO_PARTS, 1, [void])[1]


@pytest.mark.parametrize("size", [0, 1, MAX_BODY - 1])
def test_a_part_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Violation) as caught:
        assemble(NO_PARTS, 1, [entry(1, bytes(size), kind=PART)])
    assert caught.value.code == CloseCode.PROTOCOL


@pytest.mark.parametrize("kind", [PART, VOID, Kind.TEXT, 0x1234])
def test_another_conversation_inside_a_message_is_refused(kind: int) -> None:
    with pytest.raises(Violation) as caught:
        assemble(Parts(b"one", (FULL,)), 2, [entry(2, FULL, kind=kind, conv=b"two")])
    assert caught.value.code == CloseCode.PROTOCOL


def test_conversations_may_change_between_messages() -> None:
    entries = [entry(1, conv=b"one"), entry(2, FULL, kind=PART, conv=b"two"), entry(3, conv=b"two"), entry(4)]
    assert [message.entry.conv for message in assemble(NO_PARTS, 1, entries)[1]] == [b"one", b"two", b""]


def test_a_message_longer_than_any_may_be_is_refused() -> None:
    most = Parts(b"", (FULL,) * 32)
    room = MAX_ASSEMBLED - 32 * MAX_BODY
    assert len(assemble(most, 33, [entry(33, bytes(room))])[1]) == 1
    for too_much in (entry(33, bytes(room + 1)), entry(33, FULL, kind=PART)):
        with pytest.raises(Violation) as caught:
            assemble(most, 33, [too_much])
        assert caught.value.code == CloseCode.TOO_BIG
