"""Planted bugs in who is let in, and as whom: own keys, pins, strangers, codes between two nodes.

What concerns proofs and vouchers is in `handshake.py`, the exchange of a code in `trust.py`, what is kept of all that
in `trust_store.py` (docs/protocol.md, section 10).
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ANSWERING = "p2pchat/node/answering.py"
CLAIMS = "p2pchat/node/claims.py"
DIALER = "p2pchat/node/dialer.py"
GATE = "p2pchat/node/gate.py"
GREETING = "p2pchat/node/greeting.py"
IDENTITY = "p2pchat/crypto/identity.py"
PROOF = "p2pchat/crypto/proof.py"

ADMISSION = "tests/node/test_admission.py::test_"
BAD_KEYS = "tests/security/test_bad_keys.py::test_"
CODES = "tests/security/test_codes.py::test_"
MIDDLE = "tests/security/test_middle.py::test_"
ONE_ADDRESS = "tests/security/test_one_address.py::test_"
OWN_KEY = "tests/security/test_own_key.py::test_"
PROOFS = "tests/crypto/test_proof.py::test_"
UNDER_ATTACK = "tests/security/test_under_attack.py::test_a_burst_stays_within_the_limits_while_a_friend_chats"


MUTANTS = [
    # --- identities
    Mutant(
        name="identity: the Noise static left out of the signature",
        path=PROOF,
        old="bond.role.value + bond.hash + bond.static",
        new="bond.role.value + bond.hash",
        tests=(
            f"{PROOFS}a_proof_holds_nowhere_else",
            "tests/protocol/test_handshake_vectors.py::test_the_initiator_says_what_the_contract_says",
        ),
    ),
    Mutant(
        name="identity: a key that is not canonical verifies",
        path=IDENTITY,
        old="        if not is_usable(self.key):\n            return False\n",
        new="",
        tests=(f"{BAD_KEYS}an_identity_in_message_b", f"{BAD_KEYS}an_identity_in_message_c"),
    ),
    Mutant(
        name="identity: own key let in by the listener",
        path=ANSWERING,
        old="        if peer == self._identity.peer_id:\n            self._link.close",
        new="        if peer is None:\n            self._link.close",
        tests=(f"{OWN_KEY}who_dials_with_our_own_key_is_not_let_in",),
    ),
    Mutant(
        name="identity: own key let in by the dialer",
        path=GREETING,
        old="        if peer == self._identity.peer_id:\n            self._link.finish",
        new="        if peer is None:\n            self._link.finish",
        tests=(f"{OWN_KEY}who_answers_with_our_own_key_learns_no_more_than_that_somebody_called",),
    ),
    # --- pins
    Mutant(
        name="pin: another key is talked to",
        path=GREETING,
        old="        elif self._dialer.expected not in {None, peer}:\n",
        new="        elif peer is None:\n",
        tests=(
            f"{MIDDLE}where_a_key_is_expected_it_learns_nothing",
            f"{MIDDLE}once_somebody_is_pinned_it_comes_too_late",
            f"{ONE_ADDRESS}who_is_dialed_there_second_is_refused_until_somebody_decides",
        ),
        hunt="key=2",
    ),
    Mutant(
        name="pin: not looked at",
        path=DIALER,
        old="self.expected = self._peer or await self._node.pinned(addresses[0])",
        new="self.expected = self._peer",
        tests=(
            f"{MIDDLE}where_a_key_is_expected_it_learns_nothing[pin]",
            f"{ONE_ADDRESS}who_is_dialed_there_second_is_refused_until_somebody_decides",
        ),
        hunt="key=2",
    ),
    Mutant(
        name="pin: whoever is at the address is the one whose id was given",
        path=DIALER,
        old="        return self._asked_for\n",
        new="        return None\n",
        tests=(
            f"{MIDDLE}where_a_key_is_expected_it_learns_nothing[id]",
            f"{ONE_ADDRESS}whose_id_is_known_is_reached_there_and_the_pin_is_not_moved",
        ),
    ),
    # --- strangers
    Mutant(
        name="admission: strangers are let in",
        path=ANSWERING,
        old="return self._vouched or self._node.settings.accept is Accept.ANYONE or self._node.accepts(peer)",
        new="return True",
        tests=(f"{ADMISSION}a_stranger_is_refused_by_default_and_learns_only_that",),
        hunt="swarm",
    ),
    Mutant(
        name="admission: half-open handshakes are not counted in all",
        path=GATE,
        old="if self._half_open >= limits.half_open:",
        new="if False:",
        tests=(f"{UNDER_ATTACK}[silent-crowd]", f"{UNDER_ATTACK}[announcers]"),
    ),
    Mutant(
        name="admission: half-open handshakes are not counted by address",
        path=GATE,
        old="if mine >= limits.half_open_per_address:",
        new="if False:",
        tests=(f"{UNDER_ATTACK}[silence]",),
    ),
    Mutant(
        name="admission: connections are not counted",
        path="p2pchat/node/node.py",
        old="if len(self._links) >= MAX_LINKS:",
        new="if False:",
        tests=("tests/security/test_under_attack.py::test_no_more_connections_are_held_than_are_published",),
    ),
    # --- codes
    Mutant(
        name="claim: whoever answers is trusted before it has proven a thing",
        path=CLAIMS,
        old="        if self._machine.holds:\n            self._claims.node.start_soon(self._remember, confirm)",
        new="        if self._machine:\n            self._claims.node.start_soon(self._remember, confirm)",
        tests=(f"{CODES}a_code_finds_somebody_in_the_middle_on_both_sides",),
    ),
    Mutant(
        name="claim: RESUME leaves while the code is still judged",
        path=GREETING,
        old="        if self._code is None:  # else nothing of ours leaves before it is accepted\n",
        new="        if hello is not None:\n",
        tests=(f"{CODES}a_code_finds_somebody_in_the_middle_on_both_sides[anyone]",),
    ),
    Mutant(
        name="claim: whoever claims is judged without its code",
        path=ANSWERING,
        old="        if CLAIM in hello.features and self.peer is not None",
        new="        if not hello.features and self.peer is not None",
        tests=(f"{CODES}a_code_finds_somebody_in_the_middle_on_both_sides[anyone]",),
    ),
    Mutant(
        name="claim: honoured and not burnt",
        path=CLAIMS,
        old=" or not invites.burn(db, slot, secret)",
        new="",
        tests=(f"{CODES}of_two_who_know_it_one_gets_in", f"{CODES}whatever_is_lost_both_find_together_again"),
        hunt="swarm",
    ),
]
