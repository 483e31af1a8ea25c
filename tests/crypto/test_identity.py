from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto import bech32, identity
from p2pchat.crypto.identity import FIELD, Identity, PeerId
from p2pchat.errors import AddressError
from tests.support import vectors
from tests.support.entropy import scripted

KAT = vectors.own("p2pchat-1-kat.json")
ALICE, BOB = Identity.from_seed(bytes([7]) * 32), Identity.from_seed(bytes([8]) * 32)

Point = tuple[int, int]
D = -121665 * pow(121666, -1, FIELD) % FIELD
ORDER = 2**252 + 27742317777372353535851937790883648493


def add(p: Point, q: Point) -> Point:
    """Add on the curve of RFC 8032, section 5.1, in the plainest way."""
    (x1, y1), (x2, y2) = p, q
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, FIELD)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, FIELD)
    return x % FIELD, y % FIELD


def times(k: int, p: Point) -> Point:
    total = (0, 1)
    for bit in bin(k)[2:]:
        total = add(total, total)
        total = add(total, p) if bit == "1" else total
    return total


def decompress(y: int) -> Point | None:
    x2 = (y * y - 1) * pow(D * y * y + 1, -1, FIELD) % FIELD
    x = pow(x2, (FIELD + 3) // 8, FIELD)
    x = x if x * x % FIELD == x2 else x * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    return (x, y) if x * x % FIELD == x2 else None


def compress(p: Point) -> bytes:
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


@pytest.fixture(scope="module")
def torsion() -> list[Point]:
    """The eight points of small order: multiples of one of order eight, found by dropping the large order."""
    for y in range(2, 100):
        point = decompress(y)
        candidate = times(ORDER, point) if point else (0, 1)
        if times(4, candidate) != (0, 1):
            return [times(k, candidate) for k in range(8)]
    raise AssertionError("there is one below 100")


@pytest.mark.parametrize("which", [0, 1])
def test_ids_and_fingerprints_are_those_of_the_interop_contract(which: int) -> None:
    peer = (ALICE, BOB)[which].peer_id
    assert str(peer) == KAT["peer_ids"][which]
    assert peer.fingerprint == KAT["fingerprints"][which]
    assert PeerId.parse(str(peer)) == PeerId.parse(str(peer).upper()) == peer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bob", "does not begin with peer1"),
        (str(ALICE.peer_id)[:-1] + "p", "checksum"),
        (bech32.encode("peer", b"\x02" + ALICE.peer_id.key), "does not know"),
        (bech32.encode("peer", b"\x01" + ALICE.peer_id.key[1:]), "does not know"),
        (bech32.encode("peer", b"\x01" + bytes(32)), "does not know"),
        (bech32.encode("peer", b""), "does not know"),
    ],
)
def test_a_wrong_id_says_what_is_wrong_and_shows_a_right_one(text: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason) as caught:
        PeerId.parse(text)
    shown = caught.value.hint.split()[-1]
    assert str(PeerId.parse(shown)) == shown


def test_a_text_without_end_is_not_repeated_in_the_error() -> None:
    with pytest.raises(AddressError) as caught:
        PeerId.parse("\x1b" * 10_000)
    assert len(str(caught.value)) < 600
    assert "\x1b" not in str(caught.value)


def test_ids_are_ordered_bytewise_by_key() -> None:
    assert PeerId(b"\x01" * 32) < PeerId(b"\x80" + bytes(31)) < PeerId(b"\xff" * 32)


def test_an_identity_is_its_seed() -> None:
    made = Identity.generate(scripted(bytes([7]) * 32))
    assert made.peer_id == ALICE.peer_id
    assert made.seed == ALICE.seed == bytes([7]) * 32


def test_an_identity_shows_its_public_half_only() -> None:
    assert repr(ALICE) == f"Identity({ALICE.peer_id})"
    assert not hasattr(ALICE, "__dict__")


@given(st.binary(max_size=200))
def test_a_signature_holds_for_its_message_and_its_signer(message: bytes) -> None:
    signature = ALICE.sign(message)
    assert ALICE.peer_id.verify(signature, message)
    assert not ALICE.peer_id.verify(signature, message + b"!")
    assert not BOB.peer_id.verify(signature, message)
    assert not ALICE.peer_id.verify(signature[:-1], message)


def test_every_point_of_small_order_is_refused(torsion: list[Point]) -> None:
    assert {y for _, y in torsion} == identity.SMALL_ORDER
    encodings = {compress(p) for p in torsion} | {compress((1 - (p[0] & 1), p[1])) for p in torsion}
    assert not any(identity.is_usable(key) for key in encodings)


def test_the_signature_that_fits_every_message_fits_none() -> None:
    """Under the identity point R = S·B fits whatever was signed; here S = 0, so R is that point again."""
    anybody = PeerId(compress((0, 1)))
    assert not anybody.verify(anybody.key + bytes(32), b"whatever")


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("excess", range(19))
def test_keys_that_are_written_with_a_y_over_the_field_are_refused(excess: int, sign: int) -> None:
    assert not identity.is_usable((FIELD + excess | sign).to_bytes(32, "little"))


def test_a_key_that_is_no_point_verifies_nothing() -> None:
    y = next(y for y in range(2, 100) if decompress(y) is None)
    nobody = PeerId(y.to_bytes(32, "little"))
    assert identity.is_usable(nobody.key)  # not a question of how it is written
    assert not nobody.verify(bytes(64), b"")


def test_a_key_of_another_length_is_not_one() -> None:
    assert not identity.is_usable(ALICE.peer_id.key + b"\0")
    assert not identity.is_usable(ALICE.peer_id.key[:-1])
