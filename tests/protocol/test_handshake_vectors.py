"""The handshake against recorded bytes: the interop contract, and a guest's visit that we wrote ourselves."""

from __future__ import annotations

from p2pchat.crypto import proof
from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.protocol.handshake import Step
from tests.support import golden, kat, vectors

BINDING = bytes.fromhex(kat.KAT["binding"])
FIRST_RECORD = kat.STEPS[3][2:]
FIRST_PLAINTEXT = bytes.fromhex(kat.KAT["steps"][3]["frames"]).ljust(256, b"\0")


def test_the_initiator_says_what_the_contract_says() -> None:
    initiator = kat.initiator()
    assert initiator.begin() == kat.STEPS[0]
    assert initiator.receive(kat.STEPS[1]) is Step.PROVED
    assert initiator.peer == kat.BOB.peer_id
    assert initiator.reveal() == kat.STEPS[2]
    secured = initiator.secured
    assert (secured.peer, secured.vouched, secured.binding) == (kat.BOB.peer_id, False, BINDING)
    assert secured.send.seal(FIRST_PLAINTEXT) == FIRST_RECORD


def test_the_responder_says_what_the_contract_says() -> None:
    responder = kat.responder()
    assert responder.receive(kat.STEPS[0]) is Step.ASKED
    assert responder.answer() == kat.STEPS[1]
    assert responder.receive(kat.STEPS[2] + kat.STEPS[3]) is Step.SECURED
    secured = responder.secured
    assert (secured.peer, secured.vouched, secured.binding) == (kat.ALICE.peer_id, False, BINDING)
    assert secured.early == kat.STEPS[3]
    assert secured.receive.open(FIRST_RECORD) == FIRST_PLAINTEXT


def test_the_guests_payload_is_the_contracts() -> None:
    recorded = {name: bytes.fromhex(value) for name, value in kat.KAT["guest_payload"].items()}
    owner, guest = (Identity.from_seed(recorded[f"{who}_private"]) for who in ("owner", "guest"))
    bond = proof.Bond(role=Role.INITIATOR, hash=recorded["h"], static=recorded["static"])
    assert proof.prove(guest, bond, voucher_by=owner) == recorded["payload"]
    assert proof.verify(recorded["payload"], bond, owner=owner.peer_id) == proof.Proof(peer=guest.peer_id, vouched=True)


def test_a_guests_visit_and_the_changes_of_keys_are_as_recorded() -> None:
    recorded = vectors.own("handshake.json")
    assert golden.handshake_vector(recorded["encapsulation"]) == recorded
