"""Planted bugs in the handshake: proofs, vouchers, keys that nobody can use, limits, the key file."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HANDSHAKE = "p2pchat/protocol/handshake.py"
IDENTITY = "p2pchat/crypto/identity.py"
KEM = "p2pchat/crypto/kem.py"
KEYFILE = "p2pchat/store/keyfile.py"
NOISE = "p2pchat/crypto/noise.py"
PROOF = "p2pchat/crypto/proof.py"
RECORDS = "p2pchat/crypto/records.py"

ATTACKS = "tests/protocol/test_handshake_attacks.py"
CONTRACT = "tests/protocol/test_handshake_vectors.py::test_the_{}_says_what_the_contract_says"
LIMITS = "tests/protocol/test_handshake.py"
PROOFS = "tests/crypto/test_proof.py"
KEY_FILES = "tests/store/test_keyfile.py"

MUTANTS = [
    Mutant(
        name="identity: role byte swapped by the writer",
        path=HANDSHAKE,
        old="proof.Bond(role=self._role, ",
        new="proof.Bond(role=self._role.other, ",
        tests=(CONTRACT.format("initiator"), CONTRACT.format("responder")),
    ),
    Mutant(
        name="identity: role byte left out of the signature",
        path=PROOF,
        old="IDENTITY_CONTEXT + bond.role.value + bond.hash",
        new="IDENTITY_CONTEXT + bond.hash",
        tests=(
            f"{PROOFS}::test_a_proof_holds_nowhere_else",
            f"{ATTACKS}::test_a_proof_made_in_the_other_role_is_refused_by_the_responder",
            f"{ATTACKS}::test_a_proof_made_in_the_other_role_is_refused_by_the_initiator",
        ),
    ),
    Mutant(
        name="identity: the connection left out of the signature",
        path=PROOF,
        old="bond.role.value + bond.hash + bond.static",
        new="bond.role.value + bond.static",
        tests=(f"{PROOFS}::test_a_proof_holds_nowhere_else", CONTRACT.format("initiator")),
    ),
    Mutant(
        name="identity: signature unchecked",
        path=PROOF,
        old="if not peer.verify(signature, _identity_statement(bond)):",
        new="if False:",
        tests=(
            f"{ATTACKS}::test_claiming_another_key_is_refused",
            f"{ATTACKS}::test_a_proof_given_to_one_peer_cannot_be_passed_on_to_another",
            f"{ATTACKS}::test_a_proof_taken_in_message_b_cannot_be_sent_on_in_message_c",
        ),
    ),
    Mutant(
        name="identity: points of small order let in",
        path=IDENTITY,
        old=" and y not in SMALL_ORDER",
        new="",
        tests=(
            f"{ATTACKS}::test_the_key_under_which_one_signature_fits_everything_is_refused",
            "tests/crypto/test_identity.py::test_every_point_of_small_order_is_refused",
        ),
    ),
    Mutant(
        name="identity: encodings over the field let in",
        path=IDENTITY,
        old=" and y < FIELD",
        new="",
        tests=("tests/crypto/test_identity.py::test_keys_that_are_written_with_a_y_over_the_field_are_refused",),
    ),
    Mutant(
        name="voucher: unchecked",
        path=PROOF,
        old="if not owner.verify(voucher, _guest_statement(peer, bond)):",
        new="if False:",
        tests=(
            f"{ATTACKS}::test_a_voucher_of_another_connection_is_refused",
            f"{ATTACKS}::test_a_voucher_by_somebody_else_is_refused",
        ),
    ),
    Mutant(
        name="voucher: shown to a stranger",
        path=HANDSHAKE,
        old="if voucher_by is not None and voucher_by.peer_id != self.peer:",
        new="if False:",
        tests=(f"{LIMITS}::test_a_voucher_is_never_shown_to_a_stranger",),
    ),
    Mutant(
        name="voucher: good for any guest",
        path=PROOF,
        old="GUEST_CONTEXT + bond.hash + bond.static + guest.key",
        new="GUEST_CONTEXT + bond.hash + bond.static",
        tests=(f"{PROOFS}::test_a_voucher_for_another_guest_ends_the_connection",),
    ),
    Mutant(
        name="extensions: two of one type",
        path=PROOF,
        old="if kind <= previous:",
        new="if kind < previous:",
        tests=(f"{PROOFS}::test_malformed_extensions_are_refused",),
    ),
    Mutant(
        name="noise: an all-zero DH result goes on",
        path=NOISE,
        old='raise RemoteProtocolError("the Diffie-Hellman result is zero") from exc',
        new="secret = bytes(32)",
        tests=(
            "tests/crypto/test_noise.py::test_a_key_that_makes_the_secret_zero_is_refused",
            f"{ATTACKS}::test_an_ephemeral_that_makes_the_secret_zero_ends_it_before_message_b",
        ),
    ),
    Mutant(
        name="noise: an ML-KEM key out of range goes on",
        path=KEM,
        old='raise RemoteProtocolError("the ML-KEM key is not one") from exc',
        new="return bytes(32), bytes(CIPHERTEXT_LENGTH)",
        tests=(f"{ATTACKS}::test_an_ml_kem_key_out_of_range_ends_it_before_message_b",),
    ),
    Mutant(
        name="noise: the KEM's secret is not mixed in",
        path=NOISE,
        old="self._symmetric.mix_key(self._kem_secret(ciphertext))",
        new="self._kem_secret(ciphertext)",
        tests=(CONTRACT.format("initiator"),),
    ),
    Mutant(
        name="records: one key in both directions",
        path=NOISE,
        old="            first, second = second, first\n",
        new="            second = first\n",
        tests=("tests/crypto/test_noise.py::test_what_one_side_sends_the_other_receives_under_keys_of_their_own",),
    ),
    Mutant(
        name="records: rekeyed one too early",
        path=RECORDS,
        old="self._cipher.nonce % REKEY_INTERVAL == 0",
        new="self._cipher.nonce % REKEY_INTERVAL == REKEY_INTERVAL - 1",
        tests=(
            "tests/crypto/test_records.py::test_the_key_changes_after_every_4096th_record_and_the_count_goes_on",
            "tests/protocol/test_handshake_vectors.py::test_a_guests_visit_and_the_changes_of_keys_are_as_recorded",
        ),
    ),
    Mutant(
        name="handshake: a message A of any length is waited for",
        path=HANDSHAKE,
        old="MESSAGE_A_LENGTHS = range(1216, 1216 + 1)",
        new="MESSAGE_A_LENGTHS = range(65536)",
        tests=(f"{LIMITS}::test_a_message_a_of_another_length_is_not_waited_for",),
    ),
    Mutant(
        name="handshake: messages B and C of any length are waited for",
        path=HANDSHAKE,
        old="MESSAGE_LENGTHS = range(1, 4096 + 1)",
        new="MESSAGE_LENGTHS = range(1, 65536)",
        tests=(f"{LIMITS}::test_messages_b_and_c_over_their_bound_are_not_waited_for",),
    ),
    Mutant(
        name="handshake: the first records are lost",
        path=HANDSHAKE,
        old="early=bytes(self._buffer)",
        new='early=b""',
        tests=(f"{LIMITS}::test_it_does_not_matter_how_the_bytes_are_cut", CONTRACT.format("responder")),
    ),
    Mutant(
        name="handshake: everybody is told our version",
        path=HANDSHAKE,
        old="if start[:-1] == PREFACE[:-1] else",
        new="if start else",
        tests=(f"{LIMITS}::test_a_visitor_who_is_no_p2pchat_is_found_at_its_first_byte",),
    ),
    Mutant(
        name="key file: replaced by who comes second",
        path=KEYFILE,
        old="            os.link(scratch, name,",
        new="            name in os.listdir(directory) and os.unlink(name, dir_fd=directory)\n"
        "            os.link(scratch, name,",
        tests=(f"{KEY_FILES}::test_who_comes_second_takes_the_key_of_who_came_first",),
    ),
    Mutant(
        name="key file: linked before it is whole",
        path=KEYFILE,
        old="            file.flush()\n",
        new="",
        tests=(f"{KEY_FILES}::test_killed_at_any_step_it_leaves_no_key_or_a_whole_one",),
    ),
    Mutant(
        name="key file: others may read it",
        path=KEYFILE,
        old="OTHERS = 0o077",
        new="OTHERS = 0o022",
        tests=(f"{KEY_FILES}::test_a_key_that_others_may_touch_is_refused_with_the_cure",),
    ),
    Mutant(
        name="key file: a symbolic link is followed",
        path=KEYFILE,
        old="os.O_RDONLY | os.O_NOFOLLOW | ",
        new="os.O_RDONLY | ",
        tests=(f"{KEY_FILES}::test_a_symbolic_link_is_refused",),
    ),
]
