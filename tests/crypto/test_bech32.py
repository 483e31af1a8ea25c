from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto import bech32

# Source of the vectors: BIP-350, "Test vectors for Bech32m" (of whole bytes and of prefixes that one may ask for).
VALID = {
    "A1LQFN3A": "",
    "a1lqfn3a": "",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6": "",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx": "ffbbcdeb38bdab49ca307b9ac5a928398a418820",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v": (
        "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d"
    ),
    "?1v759aa": "",
}
INVALID = {
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4": "longer than 90",
    "qyrz8wqd2c9m": "begin",
    "y1b0jsk6g": "never used",
    "lt1igcx5c0": "never used",
    "in1muywd": "checksum",
    "ap1e2gzx": "checksum",  # ours: five characters, under which the polynomial would hold
    "mm1crxm3i": "never used",
    "au1s5cgom": "never used",
    "M1VUXWEZ": "checksum",
    "a1LQFN3A": "mixes",
    "\N{KELVIN SIGN}1LQFN3A": "ASCII",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8": "whole byte",
    bech32.encode("a", b"x")[:-6]: "checksum",
}


def prefix(text: str) -> str:
    return text.lower().rpartition("1")[0] or "peer"


@pytest.mark.parametrize(("text", "data"), VALID.items())
def test_official_vectors_are_read_and_written(text: str, data: str) -> None:
    assert bech32.decode(prefix(text), text).hex() == data
    assert bech32.encode(prefix(text), bytes.fromhex(data)) == text.lower()


@pytest.mark.parametrize(("text", "reason"), INVALID.items())
def test_what_is_wrong_is_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        bech32.decode(prefix(text), text)


@pytest.mark.parametrize("count", [1, 3, 6])  # a group and 0, 2, 1 bits beyond whole bytes
def test_a_whole_group_of_filling_is_refused(count: int) -> None:
    groups = [0] * count
    checksum = bech32._polymod([*bech32._expand("a"), *groups, *[0] * 6]) ^ bech32.CHECKSUM
    text = "a1" + "".join(bech32.ALPHABET[g] for g in [*groups, *(checksum >> 5 * (5 - i) & 31 for i in range(6))])
    with pytest.raises(ValueError, match="whole byte"):
        bech32.decode("a", text)


@given(st.binary(max_size=45))
def test_bytes_survive_in_either_case(data: bytes) -> None:
    text = bech32.encode("peer", data)
    assert bech32.decode("peer", text) == bech32.decode("peer", text.upper()) == data


@given(
    st.binary(min_size=33, max_size=33), st.dictionaries(st.integers(5, 63), st.integers(1, 31), min_size=1, max_size=4)
)
def test_up_to_four_wrong_characters_are_always_found(data: bytes, errors: dict[int, int]) -> None:
    text = list(bech32.encode("peer", data))
    for place, shift in errors.items():
        text[place] = bech32.ALPHABET[bech32.ALPHABET.index(text[place]) ^ shift]
    with pytest.raises(ValueError, match="checksum"):
        bech32.decode("peer", "".join(text))
