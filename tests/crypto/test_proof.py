from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto import proof
from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.crypto.proof import Bond, Proof
from p2pchat.errors import RemoteProtocolError

ALICE, BOB, GUEST = (Identity.from_seed(bytes([n]) * 32) for n in (7, 8, 9))
BOND = Bond(role=Role.INITIATOR, hash=bytes([0x11]) * 32, static=bytes([0x22]) * 32)
ELSEWHERE = {
    "role": replace(BOND, role=Role.RESPONDER),
    "connection": replace(BOND, hash=bytes(32)),
    "static": replace(BOND, static=bytes(32)),
}

extensions = st.dictionaries(st.integers(2, 255), st.binary(max_size=60), max_size=8)


def test_a_proof_holds_where_it_was_made() -> None:
    assert proof.verify(proof.prove(ALICE, BOND), BOND, owner=None) == Proof(peer=ALICE.peer_id, vouched=False)


@pytest.mark.parametrize("difference", ELSEWHERE)
def test_a_proof_holds_nowhere_else(difference: str) -> None:
    """The planted bug "role byte swapped", and with it reflection, replay and a stolen static."""
    with pytest.raises(RemoteProtocolError, match="not proven"):
        proof.verify(proof.prove(ALICE, BOND), ELSEWHERE[difference], owner=None)


def test_what_is_signed_is_what_the_protocol_says() -> None:
    for role, letter in ((Role.INITIATOR, b"I"), (Role.RESPONDER, b"R")):
        payload = proof.prove(ALICE, replace(BOND, role=role))
        assert payload[:33] == b"\x01" + ALICE.peer_id.key
        assert ALICE.peer_id.verify(payload[33:], b"p2pchat/1 identity\0" + letter + BOND.hash + BOND.static)


def test_somebody_elses_key_under_a_signature_proves_nothing() -> None:
    payload = proof.prove(ALICE, BOND)
    with pytest.raises(RemoteProtocolError, match="not proven"):
        proof.verify(payload[:1] + BOB.peer_id.key + payload[33:], BOND, owner=None)


def test_the_signature_that_fits_every_connection_is_refused() -> None:
    """The planted bug "small order": under the identity point S = 0, R = the point fits whatever is signed."""
    point = b"\x01" + bytes(31)
    with pytest.raises(RemoteProtocolError, match="not proven"):
        proof.verify(b"\x01" + point + point + bytes(32), BOND, owner=None)


def test_unknown_identity_types_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="type 2"):
        proof.verify(b"\x02" + proof.prove(ALICE, BOND)[1:], BOND, owner=None)


@pytest.mark.parametrize("length", [0, 1, 33, 96])
def test_a_payload_that_is_cut_short_is_refused(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match="cut short"):
        proof.verify(proof.prove(ALICE, BOND)[:length], BOND, owner=None)


@given(extensions)
def test_unknown_extensions_are_skipped(unknown: dict[int, bytes]) -> None:
    payload = proof.prove(ALICE, BOND) + proof.encode_extensions(unknown)
    assert proof.verify(payload, BOND, owner=ALICE.peer_id) == Proof(peer=ALICE.peer_id, vouched=False)


@given(extensions)
def test_extensions_are_written_by_rising_type_and_read_back(values: dict[int, bytes]) -> None:
    decoded = proof.decode_extensions(proof.encode_extensions(values))
    assert list(decoded.items()) == sorted(values.items())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x02\0", "cut short"),
        (b"\x02\0\x02x", "cut short"),
        (b"\x03\0\0\x02\0\0", "rise"),
        (b"\x03\0\0\x03\0\0", "rise"),
        (b"\x02\x04\0" + bytes(1022), "too many"),
    ],
)
def test_malformed_extensions_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        proof.verify(proof.prove(ALICE, BOND) + data, BOND, owner=None)


def test_extensions_may_fill_their_bound() -> None:
    assert proof.decode_extensions(b"\x02\x03\xfd" + bytes(1021)) == {2: bytes(1021)}


def test_a_voucher_is_what_the_protocol_says() -> None:
    extension = proof.prove(GUEST, BOND, voucher_by=ALICE)[97:]
    assert extension[:3] == b"\x01\x00\x40"
    statement = b"p2pchat/1 guest\0" + BOND.hash + BOND.static + GUEST.peer_id.key
    assert ALICE.peer_id.verify(extension[3:], statement)


def test_a_voucher_lets_the_guest_in_at_its_owners() -> None:
    payload = proof.prove(GUEST, BOND, voucher_by=ALICE)
    assert proof.verify(payload, BOND, owner=ALICE.peer_id) == Proof(peer=GUEST.peer_id, vouched=True)


def test_a_voucher_of_somebody_else_ends_the_connection() -> None:
    """The planted bug "voucher unchecked"."""
    with pytest.raises(RemoteProtocolError, match="voucher"):
        proof.verify(proof.prove(GUEST, BOND, voucher_by=BOB), BOND, owner=ALICE.peer_id)


@pytest.mark.parametrize("difference", ["connection", "static"])
def test_a_voucher_of_another_connection_ends_this_one(difference: str) -> None:
    stolen = proof.prove(GUEST, ELSEWHERE[difference], voucher_by=ALICE)[97:]
    with pytest.raises(RemoteProtocolError, match="voucher"):
        proof.verify(proof.prove(GUEST, BOND) + stolen, BOND, owner=ALICE.peer_id)


def test_a_voucher_for_another_guest_ends_the_connection() -> None:
    stolen = proof.prove(GUEST, BOND, voucher_by=ALICE)[97:]
    with pytest.raises(RemoteProtocolError, match="voucher"):
        proof.verify(proof.prove(BOB, BOND) + stolen, BOND, owner=ALICE.peer_id)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_voucher_of_another_length_ends_the_connection(length: int) -> None:
    payload = proof.prove(GUEST, BOND) + proof.encode_extensions({proof.VOUCHER: bytes(length)})
    with pytest.raises(RemoteProtocolError, match="voucher"):
        proof.verify(payload, BOND, owner=ALICE.peer_id)


def test_where_vouchers_mean_nothing_they_are_not_looked_at() -> None:
    payload = proof.prove(GUEST, BOND) + proof.encode_extensions({proof.VOUCHER: b"anything"})
    assert proof.verify(payload, BOND, owner=None) == Proof(peer=GUEST.peer_id, vouched=False)


@given(st.binary(max_size=300))
def test_garbage_is_refused_cleanly(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        proof.verify(payload, BOND, owner=ALICE.peer_id)


@given(st.binary(max_size=300))
def test_garbage_after_a_proof_is_skipped_or_refused_cleanly(tail: bytes) -> None:
    try:
        proven = proof.verify(proof.prove(ALICE, BOND) + tail, BOND, owner=None)
    except RemoteProtocolError:
        return
    assert proven.peer == ALICE.peer_id
