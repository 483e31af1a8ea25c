"""Those who know the protocol and cheat: each planted bug of docs/protocol.md, section 10, that is the handshake's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from p2pchat.crypto import kem, proof
from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.protocol.handshake import PREFACE, HandshakeFailed, Initiator, Step
from tests.support.handshakes import ALICE, BOB, GUEST, Handshake, between

MALLORY = Identity.from_seed(bytes([66]) * 32)


def refused(handshake: Handshake, message_c: bytes, reason: str) -> None:
    with pytest.raises(HandshakeFailed, match=f"message C: .*{reason}") as caught:
        handshake.responder.receive(message_c)
    assert handshake.responder.step is Step.OVER
    assert caught.value.reply == b""  # the other side is told nothing


def revealing(initiator: Initiator, prove: Callable[[bytes], bytes]) -> bytes:
    """Return a message C whose identity payload is made by `prove`."""
    initiator._prove = lambda channel, **_: prove(channel)  # type: ignore[method-assign]
    return initiator.reveal()


def bond(initiator: Initiator, channel: bytes, role: Role = Role.INITIATOR) -> proof.Bond:
    return proof.Bond(role=role, hash=channel, static=initiator._noise.static)


def test_a_proof_made_in_the_other_role_is_refused_by_the_responder() -> None:
    handshake = between(ALICE, BOB)
    handshake.until_proved()
    swapped = revealing(
        handshake.initiator,
        lambda channel: proof.prove(ALICE, bond(handshake.initiator, channel, Role.RESPONDER)),
    )
    refused(handshake, swapped, "not proven")


def test_a_proof_made_in_the_other_role_is_refused_by_the_initiator() -> None:
    handshake = between(ALICE, BOB)
    handshake.until_asked()
    responder = handshake.responder
    responder._prove = lambda channel, **_: proof.prove(  # type: ignore[method-assign]
        BOB, proof.Bond(role=Role.INITIATOR, hash=channel, static=responder._noise.static)
    )
    with pytest.raises(HandshakeFailed, match=r"message B: .*not proven"):
        handshake.initiator.receive(responder.answer())


def test_claiming_another_key_is_refused() -> None:
    handshake = between(MALLORY, BOB)
    handshake.until_proved()

    def claim(channel: bytes) -> bytes:
        payload = proof.prove(MALLORY, bond(handshake.initiator, channel))
        return payload[:1] + ALICE.peer_id.key + payload[33:]

    refused(handshake, revealing(handshake.initiator, claim), "not proven")


def test_the_key_under_which_one_signature_fits_everything_is_refused() -> None:
    """Small order: R = the identity point, S = 0."""
    handshake = between(MALLORY, BOB)
    handshake.until_proved()
    point = b"\x01" + bytes(31)
    refused(handshake, revealing(handshake.initiator, lambda _: b"\x01" + point + point + bytes(32)), "not proven")


def test_a_proof_given_to_one_peer_cannot_be_passed_on_to_another() -> None:
    """Alice dials Mallory; Mallory, dialing Bob, shows him Alice's proof."""
    with_mallory = between(ALICE, MALLORY, seed=1)
    with_mallory.until_proved()
    message_c = with_mallory.initiator.reveal()
    stolen, _ = with_mallory.responder._noise.read_message(message_c[2:])

    with_bob = between(MALLORY, BOB, seed=2)
    with_bob.until_proved()
    refused(with_bob, revealing(with_bob.initiator, lambda _: stolen), "not proven")


def test_a_proof_taken_in_message_b_cannot_be_sent_on_in_message_c() -> None:
    """Reflection of the payload: Mallory dials Bob and shows him Bob's own proof."""
    handshake = between(MALLORY, BOB)
    handshake.until_asked()
    taken: list[bytes] = []
    read = handshake.initiator._noise.read_message

    def taking(message: bytes) -> tuple[bytes, bytes]:
        payload, channel = read(message)
        taken.append(payload)
        return payload, channel

    handshake.initiator._noise.read_message = taking  # type: ignore[method-assign]
    handshake.initiator.receive(handshake.responder.answer())
    refused(handshake, revealing(handshake.initiator, lambda _: taken[0]), "not proven")


def test_a_recorded_initiator_cannot_be_replayed() -> None:
    recorded = between(ALICE, BOB)
    opening = recorded.initiator.begin()
    recorded.responder.receive(opening)
    recorded.initiator.receive(recorded.responder.answer())
    message_c = recorded.initiator.reveal()

    again = between(ALICE, BOB, seed=7)
    again.responder.receive(opening)
    again.responder.answer()
    refused(again, message_c, "tag")


def test_a_recorded_responder_cannot_be_replayed() -> None:
    recorded = between(ALICE, BOB)
    recorded.until_asked()
    answer = recorded.responder.answer()

    again = between(ALICE, BOB, seed=7)
    again.initiator.begin()
    with pytest.raises(HandshakeFailed, match=r"message B: .*tag"):
        again.initiator.receive(answer)


def test_messages_of_two_connections_cannot_be_spliced() -> None:
    one, two = between(ALICE, BOB, seed=1), between(ALICE, BOB, seed=2)
    one.until_proved()
    two.until_proved()
    refused(two, one.initiator.reveal(), "tag")


@pytest.mark.parametrize("skip", [0, len(PREFACE)], ids=["whole", "without preface"])
def test_what_an_initiator_says_cannot_be_reflected_to_it(skip: int) -> None:
    initiator = between().initiator
    opening = initiator.begin()
    with pytest.raises(HandshakeFailed):
        initiator.receive(opening[skip:])
    assert initiator.step is Step.OVER


def test_a_voucher_of_another_connection_is_refused() -> None:
    earlier = between(GUEST, ALICE, seed=1)
    earlier.until_proved()
    stolen = proof.prove(GUEST, bond(earlier.initiator, bytes(32)), voucher_by=ALICE)[97:]

    handshake = between(MALLORY, ALICE, seed=2)
    handshake.until_proved()
    with_stolen = revealing(
        handshake.initiator, lambda channel: proof.prove(MALLORY, bond(handshake.initiator, channel)) + stolen
    )
    refused(handshake, with_stolen, "voucher is not ours")


def test_a_voucher_by_somebody_else_is_refused() -> None:
    handshake = between(GUEST, ALICE)
    handshake.until_proved()
    by_mallory = revealing(
        handshake.initiator,
        lambda channel: proof.prove(GUEST, bond(handshake.initiator, channel), voucher_by=MALLORY),
    )
    refused(handshake, by_mallory, "voucher is not ours")


def test_an_ephemeral_that_makes_the_secret_zero_ends_it_before_message_b() -> None:
    handshake = between()
    opening = handshake.initiator.begin()
    handshake.responder.receive(opening[:10] + bytes(32) + opening[42:])
    with pytest.raises(HandshakeFailed, match=r"message A: .*zero"):
        handshake.responder.answer()
    assert handshake.responder.step is Step.OVER


def test_an_ml_kem_key_out_of_range_ends_it_before_message_b() -> None:
    handshake = between()
    opening = handshake.initiator.begin()
    handshake.responder.receive(opening[:42] + b"\xff" * kem.PUBLIC_KEY_LENGTH)
    with pytest.raises(HandshakeFailed, match=r"message A: .*ML-KEM"):
        handshake.responder.answer()
    assert handshake.responder.step is Step.OVER
