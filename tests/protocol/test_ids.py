"""Ids: UUIDs of version 7 that tell the time and never repeat."""

from __future__ import annotations

import uuid

from p2pchat.protocol.ids import EntryIds
from tests.support.entropy import seeded

NOW_MS = 1_700_000_000_000


def test_ids_are_uuids_of_version_7_and_tell_when_they_were_made() -> None:
    source = EntryIds(seeded(1))
    ids = [*source.draw_many(100, NOW_MS), *(source.draw(NOW_MS) for _ in range(100))]
    assert len(set(ids)) == 200
    for id_ in ids:
        one = uuid.UUID(bytes=id_)
        assert one.version == 7
        assert one.variant == uuid.RFC_4122
        assert one.int >> 80 == NOW_MS


def test_every_bit_that_says_nothing_else_is_random() -> None:
    ones, zeros = 0, 0
    for id_ in EntryIds(seeded(2)).draw_many(500, 0):
        ones |= int.from_bytes(id_)
        zeros |= ~int.from_bytes(id_)
    assert ones == (0x7FFF << 64) | (0xBFFF << 48) | (2**48 - 1)
    assert zeros & (2**80 - 1) == (0x8FFF << 64) | (0x7FFF << 48) | (2**48 - 1)


def test_randomness_is_drawn_for_many_ids_at_once() -> None:
    sizes = []

    def entropy(size: int) -> bytes:
        sizes.append(size)
        return bytes(size)

    source = EntryIds(entropy)
    for _ in range(64):
        source.draw(NOW_MS)
    assert sizes == [640]
    source.draw_many(500, NOW_MS)
    assert sizes == [640, 5000]


def test_of_no_ids_there_are_none() -> None:
    assert EntryIds(seeded(1)).draw_many(0, NOW_MS) == []


def test_a_clock_that_is_out_of_its_mind_still_makes_ids() -> None:
    assert len(EntryIds(seeded(1)).draw(-1)) == 16
    assert len(EntryIds(seeded(1)).draw(2**60)) == 16
