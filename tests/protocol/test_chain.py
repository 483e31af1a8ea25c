"""The names of logs: as recorded, and the same wherever batches were cut."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.protocol import chain
from tests.support import vectors

KAT = vectors.own("p2pchat-1-kat.json")["chain"]
EPOCH = bytes.fromhex(KAT["epoch"])


def ids(first: int, last: int) -> bytes:
    return b"".join(number.to_bytes(16) for number in range(first, last + 1))


@pytest.mark.parametrize("seq", [int(seq) for seq in KAT["at"]])
def test_recorded_logs_have_their_recorded_names(seq: int) -> None:
    recorded = KAT["at"][str(seq)]
    state = chain.extend(EPOCH, chain.EMPTY, ids(1, seq))
    assert len(state) == recorded["state_bytes"] == 16 * (1 + seq % 64)
    assert state[:16].hex() == recorded["block"]
    assert hashlib.sha256(state).hexdigest() == recorded["state_sha256"]
    assert chain.position(EPOCH, seq, state).hex() == recorded["position"]


def test_a_log_that_nothing_was_seen_of_has_the_recorded_name() -> None:
    assert chain.position(b"", 0, chain.EMPTY).hex() == KAT["empty"]


@given(st.lists(st.integers(0, 300), max_size=6))
def test_where_batches_were_cut_makes_no_difference(cuts: list[int]) -> None:
    state = chain.EMPTY
    for start, end in pairwise(sorted({0, 300, *cuts})):
        state = chain.extend(EPOCH, state, ids(start + 1, end))
    assert state == chain.extend(EPOCH, chain.EMPTY, ids(1, 300))


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 128])
def test_another_id_epoch_or_length_is_another_name(length: int) -> None:
    state = chain.extend(EPOCH, chain.EMPTY, ids(1, length))
    name = chain.position(EPOCH, length, state)
    longer = chain.extend(EPOCH, state, ids(900, 900))
    other = chain.extend(EPOCH, state, ids(901, 901))
    names = {
        name,
        chain.position(b"otherlog", length, chain.extend(b"otherlog", chain.EMPTY, ids(1, length))),
        chain.position(EPOCH, length + 1, longer),
        chain.position(EPOCH, length + 1, other),
        chain.position(EPOCH, length + 128, chain.extend(EPOCH, longer, ids(2, 128))),
        chain.position(EPOCH, length + 128, chain.extend(EPOCH, other, ids(2, 128))),
    }
    assert len(names) == 6
