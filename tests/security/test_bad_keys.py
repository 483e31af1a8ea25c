"""Keys that nobody can have honestly, in each place of the handshake where a key stands.

Whoever sends one knows the protocol, and could choose a key so that the secret, or what a signature proves, does not
depend on anything: all are refused, and nothing is said but that the connection ends.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pchat.crypto import kem, proof
from p2pchat.crypto.identity import FIELD, SMALL_ORDER, Identity
from p2pchat.protocol.handshake import HandshakeFailed, Initiator, Responder, Step
from tests.support.handshakes import ALICE, BOB, Handshake, between

MALLORY = Identity.from_seed(bytes([66]) * 32)

#: The points of small order of Curve25519, and encodings of them that are not canonical (RFC 7748, section 6.1).
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
ZERO_SECRETS = [
    u.to_bytes(32, "little")
    for u in (0, 1, *ORDER_8, FIELD - 1, FIELD, FIELD + 1, 2**255, 2**255 + 1, 2**255 + FIELD - 1)
]

#: Ed25519 keys of small order, with either sign, and encodings with a y that is not below the field's order.
UNUSABLE_IDENTITIES = [
    (y | sign << 255).to_bytes(32, "little")
    for y in (*sorted(SMALL_ORDER), *(FIELD + low for low in (0, 1, 2, 18)))
    for sign in (0, 1)
]

#: ML-KEM keys with one coefficient out of range, at the start, in the middle, at the end; and with all of them.
BAD_KEM_KEYS = {
    "first": lambda key: b"\xff\xff" + key[2:],
    "middle": lambda key: key[:576] + b"\xff\xff\xff" + key[579:],
    "last": lambda key: key[:1149] + b"\xff\xff\xff" + key[1152:],
    "all": lambda key: b"\xff" * kem.PUBLIC_KEY_LENGTH,
}


def named(data: bytes) -> str:
    return data.hex()[:16] + data.hex()[-4:]


def ends(side: Initiator | Responder, act: Callable[[], object], reason: str) -> None:
    """Check that it ends, for this reason, and that the other side is told nothing."""
    with pytest.raises(HandshakeFailed, match=reason) as caught:
        act()
    assert side.step is Step.OVER
    assert caught.value.reply == b""


def with_key(side: Initiator | Responder, place: str, key: bytes) -> None:
    """Let `side` say `key` where its own ephemeral ("e") or static ("s") would stand."""
    real = side._noise._public
    side._noise._public = lambda letter: key if letter == place else real(letter)  # type: ignore[method-assign]


@pytest.mark.parametrize("key", ZERO_SECRETS, ids=named)
def test_an_ephemeral_in_message_a(key: bytes) -> None:
    handshake = between()
    opening = handshake.initiator.begin()
    handshake.responder.receive(opening[:10] + key + opening[42:])
    ends(handshake.responder, handshake.responder.answer, "message A: .*zero")


@pytest.mark.parametrize("spoil", BAD_KEM_KEYS.values(), ids=list(BAD_KEM_KEYS))
def test_an_ml_kem_key_in_message_a(spoil: Callable[[bytes], bytes]) -> None:
    handshake = between()
    opening = handshake.initiator.begin()
    handshake.responder.receive(opening[:42] + spoil(opening[42:]))
    ends(handshake.responder, handshake.responder.answer, "message A: .*ML-KEM")


@pytest.mark.parametrize("key", ZERO_SECRETS, ids=named)
def test_an_ephemeral_in_message_b(key: bytes) -> None:
    handshake = between()
    handshake.until_asked()
    answer = handshake.responder.answer()
    ends(handshake.initiator, lambda: handshake.initiator.receive(answer[:2] + key + answer[34:]), "message B: .*zero")


@pytest.mark.parametrize("key", ZERO_SECRETS, ids=named)
def test_a_static_in_message_b(key: bytes) -> None:
    handshake = between()
    handshake.until_asked()
    opened = handshake.responder._open_noise

    def open_noise(encapsulate: kem.Encapsulate) -> None:
        opened(encapsulate)
        with_key(handshake.responder, "s", key)

    handshake.responder._open_noise = open_noise  # type: ignore[method-assign]
    answer = handshake.responder.answer()
    ends(handshake.initiator, lambda: handshake.initiator.receive(answer), "message B: .*zero")


@pytest.mark.parametrize("key", ZERO_SECRETS, ids=named)
def test_a_static_in_message_c(key: bytes) -> None:
    handshake = between()
    handshake.until_proved()
    with_key(handshake.initiator, "s", key)
    message = handshake.initiator.reveal()
    ends(handshake.responder, lambda: handshake.responder.receive(message), "message C: .*zero")


def test_a_ciphertext_that_leads_to_another_secret() -> None:
    """ML-KEM rejects by itself, and implicitly: what follows is sealed under a key that the other side has not."""
    handshake = Handshake(
        between().initiator, Responder(BOB, entropy=lambda size: bytes(range(size)), encapsulate=_another_secret)
    )
    handshake.until_asked()
    answer = handshake.responder.answer()
    ends(handshake.initiator, lambda: handshake.initiator.receive(answer), "message B: .*tag")


def _another_secret(key: bytes) -> tuple[bytes, bytes]:
    secret, ciphertext = kem.encapsulate(key)
    return secret, bytes([ciphertext[0] ^ 1]) + ciphertext[1:]


def under(key: bytes) -> bytes:
    """Return an identity payload under `key`, with the signature that fits any message if its order is small."""
    return b"\x01" + key + b"\x01" + bytes(31) + bytes(32)


@pytest.mark.parametrize("key", UNUSABLE_IDENTITIES, ids=named)
def test_an_identity_in_message_b(key: bytes) -> None:
    handshake = between(ALICE, MALLORY)
    handshake.until_asked()
    handshake.responder._prove = lambda channel, **_: under(key)  # type: ignore[method-assign]
    answer = handshake.responder.answer()
    ends(handshake.initiator, lambda: handshake.initiator.receive(answer), "message B: .*not proven")


@pytest.mark.parametrize("key", UNUSABLE_IDENTITIES, ids=named)
def test_an_identity_in_message_c(key: bytes) -> None:
    handshake = between(MALLORY, BOB)
    handshake.until_proved()
    handshake.initiator._prove = lambda channel, **_: under(key)  # type: ignore[method-assign]
    message = handshake.initiator.reveal()
    ends(handshake.responder, lambda: handshake.responder.receive(message), "message C: .*not proven")


@pytest.mark.parametrize("key", UNUSABLE_IDENTITIES, ids=named)
def test_an_identity_that_a_voucher_is_for(key: bytes) -> None:
    """A guest that our own key vouches for must have a key that can be had: its voucher is not looked at before."""
    handshake = between(MALLORY, ALICE)
    handshake.until_proved()
    bond = proof.Bond(role=handshake.initiator._role, hash=bytes(32), static=handshake.initiator._noise.static)
    voucher = proof.prove(MALLORY, bond, voucher_by=ALICE)[97:]
    handshake.initiator._prove = lambda channel, **_: under(key) + voucher  # type: ignore[method-assign]
    message = handshake.initiator.reveal()
    ends(handshake.responder, lambda: handshake.responder.receive(message), "message C: .*not proven")
