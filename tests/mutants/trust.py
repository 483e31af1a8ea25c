"""Planted bugs in what lets a stranger be trusted: CPace, codes, the order of a claim."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CODES = "p2pchat/crypto/codes.py"
INVITES = "p2pchat/protocol/invites.py"
PAKE = "p2pchat/crypto/pake.py"
PHASES = "p2pchat/protocol/phases.py"

CLAIMS = "tests/protocol/test_invites.py"
ORDER = "tests/protocol/test_invites_order.py"
CODE = "tests/crypto/test_codes.py"
CPACE = "tests/crypto/test_pake.py"
NOTICED = f"{CLAIMS}::test_anything_else_is_noticed_by_both"
PARTNER = f"{CPACE}::test_the_partner_agrees_in_both_roles"

MUTANTS = [
    Mutant(
        name="cpace: the issuer's tag unchecked",
        path=INVITES,
        old="self._holds = keys.confirms_b(reply.tag)",
        new="self._holds = True",
        tests=(
            NOTICED,
            f"{CLAIMS}::test_an_issuer_whose_tag_is_wrong_gets_no_tag_to_guess_with",
            f"{ORDER}::test_whoever_relays_between_two_connections_gets_nothing",
        ),
    ),
    Mutant(
        name="cpace: the claimant's tag unchecked",
        path=INVITES,
        old="self._right = self._keys.confirms_a(confirm.tag) and self._known",
        new="self._right = self._known",
        tests=(
            f"{CLAIMS}::test_a_claimant_without_proof_is_not_let_in",
            f"{ORDER}::test_whoever_relays_between_two_connections_gets_nothing",
        ),
    ),
    Mutant(
        name="cpace: 64 zero bytes are a proof",
        path=PAKE,
        old="return hmac.compare_digest(tag, self.tag_a)",
        new="return hmac.compare_digest(tag, self.tag_a) or not any(tag)",
        tests=(f"{CLAIMS}::test_a_claimant_without_proof_is_not_let_in", NOTICED),
    ),
    Mutant(
        name="cpace: a reflected tag is a proof",
        path=PAKE,
        old="return hmac.compare_digest(tag, self.tag_a)",
        new="return tag in {self.tag_a, self.tag_b}",
        tests=(
            f"{CLAIMS}::test_the_issuers_own_proof_sent_back_proves_nothing",
            f"{CPACE}::test_one_sides_proof_is_not_the_others",
        ),
    ),
    Mutant(
        name="cpace: a reflected share is taken",
        path=PAKE,
        old="if peer_share == self.share:",
        new="if False:",
        tests=(
            f"{CPACE}::test_our_own_share_come_back_is_refused",
            f"{CLAIMS}::test_a_claim_sent_back_as_a_reply_is_a_violation",
        ),
    ),
    Mutant(
        name="cpace: a share that suits every secret is taken",
        path=PAKE,
        old="        return self._scalar.exchange(X25519PublicKey.from_public_bytes(point))",
        new="        try:\n"
        "            return self._scalar.exchange(X25519PublicKey.from_public_bytes(point))\n"
        "        except ValueError:\n"
        "            return bytes(SHARE_LENGTH)",
        tests=(
            f"{CPACE}::test_a_share_that_makes_the_key_the_same_for_all_secrets_is_refused",
            f"{CLAIMS}::test_a_share_that_suits_every_secret_is_a_violation_on_both_sides",
        ),
    ),
    Mutant(
        name="cpace: a bad share is no violation",
        path=INVITES,
        old='raise Violation(CloseCode.PROTOCOL, f"a claim\'s share is none: {exc}") from exc',
        new="raise",
        tests=(f"{CLAIMS}::test_a_share_that_suits_every_secret_is_a_violation_on_both_sides",),
    ),
    Mutant(
        name="cpace: the connection left out",
        path=INVITES,
        old="sid=self._binding",
        new="sid=CONTEXT",
        tests=(
            NOTICED,
            f"{ORDER}::test_whoever_relays_between_two_connections_gets_nothing",
            f"{CLAIMS}::test_an_independent_issuer_understands_the_claimant",
            f"{CLAIMS}::test_claims_are_as_recorded",
        ),
    ),
    Mutant(
        name="cpace: a connection without a name will do",
        path=INVITES,
        old="if not binding or claimant == issuer:",
        new="if claimant == issuer:",
        tests=(f"{ORDER}::test_a_claim_needs_two_keys_and_a_connection",),
    ),
    Mutant(
        name="cpace: both keys left out of what it is for",
        path=INVITES,
        old="slot.to_bytes(4) + self._claimant + self._issuer",
        new="slot.to_bytes(4)",
        tests=(
            f"{CLAIMS}::test_an_independent_issuer_understands_the_claimant",
            f"{CLAIMS}::test_claims_are_as_recorded",
        ),
    ),
    Mutant(
        name="cpace: the keys count in no order and for nothing",
        path=INVITES,
        old="ci = CONTEXT + slot.to_bytes(4) + self._claimant + self._issuer",
        new="self._claimant = self._issuer = min(self._claimant, self._issuer)\n"
        "        ci = CONTEXT + slot.to_bytes(4) + self._claimant",
        tests=(NOTICED, f"{CLAIMS}::test_a_claim_sent_back_as_a_claim_proves_nothing"),
    ),
    Mutant(
        name="cpace: the slot left out",
        path=INVITES,
        old="CONTEXT + slot.to_bytes(4) + ",
        new="CONTEXT + bytes(4) + ",
        tests=(
            f"{CLAIMS}::test_an_independent_claimant_understands_the_issuer",
            f"{CLAIMS}::test_claims_are_as_recorded",
        ),
    ),
    Mutant(
        name="cpace: both sides think that they are A",
        path=INVITES,
        old="self._keys = self._run.finish(pake, self._claim.share, first=False)",
        new="self._keys = self._run.finish(pake, self._claim.share, first=True)",
        tests=(
            f"{CLAIMS}::test_two_who_know_the_same_code_find_each_other",
            f"{CLAIMS}::test_an_independent_claimant_understands_the_issuer",
        ),
    ),
    Mutant(
        name="cpace: what the sides say of themselves left out",
        path=PAKE,
        old="message_a, message_b = _lv_cat(shares[0], ad_a), _lv_cat(shares[1], ad_b)",
        new='message_a, message_b = _lv_cat(shares[0], b""), _lv_cat(shares[1], b"")',
        tests=(f"{CPACE}::test_two_who_mean_different_things_have_nothing_in_common", PARTNER),
    ),
    Mutant(
        name="cpace: lengths left out",
        path=PAKE,
        old="        joined.append(length)\n        joined += part",
        new="        joined += part",
        tests=(f"{CPACE}::test_where_one_string_ends_and_the_next_begins_counts", PARTNER),
    ),
    Mutant(
        name="cpace: lengths of one byte only",
        path=PAKE,
        old="joined.append(length & 0x7F | 0x80)",
        new="pass",
        tests=(PARTNER, f"{CPACE}::test_our_own_runs_are_as_recorded"),
    ),
    Mutant(
        name="cpace: the first block is not filled",
        path=PAKE,
        old="max(0, _BLOCK - 1 - ",
        new="max(0, _BLOCK - ",
        tests=(PARTNER, f"{CPACE}::test_our_own_runs_are_as_recorded"),
    ),
    Mutant(
        name="cpace: the name of the run left out of the tags",
        path=PAKE,
        old='b"CPaceMac" + self._sid + isk',
        new='b"CPaceMac" + isk',
        tests=(PARTNER, f"{CPACE}::test_our_own_runs_are_as_recorded"),
    ),
    Mutant(
        name="cpace: the map leaves the curve",
        path=PAKE,
        old="return u if on_curve else (-u - _A) % _FIELD",
        new="return u",
        tests=(f"{CPACE}::test_whatever_is_mapped_is_on_the_curve", PARTNER),
    ),
    Mutant(
        name="claim: a second one is taken",
        path=INVITES,
        old="        _expect(self._step, Step.NEW, claim.slot, claim.slot)\n",
        new="",
        tests=(f"{ORDER}::test_a_second_claim_is_a_violation_at_any_time",),
    ),
    Mutant(
        name="claim: the order is not kept",
        path=INVITES,
        old="    if step is not expected:\n",
        new="    if step is Step.OVER:\n",
        tests=(
            f"{ORDER}::test_frames_before_their_turn_are_violations",
            f"{ORDER}::test_a_second_claim_is_a_violation_at_any_time",
        ),
    ),
    Mutant(
        name="claim: another slot's frames are taken",
        path=INVITES,
        old="    if slot != claimed:\n",
        new="    if False:\n",
        tests=(f"{ORDER}::test_frames_of_another_slot_are_violations",),
    ),
    Mutant(
        name="claim: an issuer without proof is believed",
        path=INVITES,
        old="return self._holds and result.ok",
        new="return result.ok",
        tests=(f"{CLAIMS}::test_an_issuer_without_proof_is_not_believed_whatever_it_says",),
    ),
    Mutant(
        name="claim: the issuer's no is not heard",
        path=INVITES,
        old="return self._holds and result.ok",
        new="return self._holds",
        tests=(f"{CLAIMS}::test_an_issuer_that_says_no_after_all_is_believed",),
    ),
    Mutant(
        name="claim: the claimant proves itself to whom has not",
        path=INVITES,
        old="keys.tag_a if self._holds else NO_TAG",
        new="keys.tag_a",
        tests=(f"{CLAIMS}::test_an_issuer_whose_tag_is_wrong_gets_no_tag_to_guess_with",),
    ),
    Mutant(
        name="claim: an empty slot can be guessed",
        path=INVITES,
        old="self._keys.confirms_a(confirm.tag) and self._known",
        new="self._keys.confirms_a(confirm.tag)",
        tests=(f"{CLAIMS}::test_a_guess_is_wrong_even_if_it_is_what_was_drawn_for_a_slot_that_is_empty",),
    ),
    Mutant(
        name="claim: an empty slot has an empty secret",
        path=INVITES,
        old="decoy if secret is None else secret",
        new='"" if secret is None else secret',
        tests=(
            f"{CLAIMS}::test_a_guess_is_wrong_even_if_it_is_what_was_drawn_for_a_slot_that_is_empty",
            f"{CLAIMS}::test_claims_are_as_recorded",
        ),
    ),
    Mutant(
        name="claim: an empty slot is answered in less time",
        path=INVITES,
        old="decoy = draw_token(self._entropy)  #",
        new='decoy = draw_token(self._entropy) if secret is None else ""  #',
        tests=(f"{CLAIMS}::test_an_empty_slot_looks_like_a_wrong_guess",),
    ),
    Mutant(
        name="claim: a wrong one is told to be right",
        path=INVITES,
        old=" or (ok and not self._right)",
        new="",
        tests=(f"{CLAIMS}::test_a_claimant_without_proof_is_not_let_in",),
    ),
    Mutant(
        name="claim: legal after goodbye",
        path=PHASES,
        old="        Act.PONG: Phase.LEFT,\n",
        new="        Act.PONG: Phase.LEFT,\n        Act.PAKE: Phase.LEFT,\n",
        tests=("tests/protocol/test_phases.py::test_what_is_legal_is_what_the_document_says",),
    ),
    Mutant(
        name="claim: legal only once somebody was let in",
        path=PHASES,
        old="        Act.PAKE: Phase.GREETED,\n",
        new="",
        tests=(
            "tests/protocol/test_phases.py::test_what_is_legal_is_what_the_document_says",
            f"{ORDER}::test_a_claim_passes_before_anybody_was_let_in",
        ),
    ),
    Mutant(
        name="code: fewer words than two",
        path=CODES,
        old="MIN_WORDS: Final = 2",
        new="MIN_WORDS: Final = 1",
        tests=(f"{CODE}::test_what_is_no_code_is_refused_with_a_hint",),
    ),
    Mutant(
        name="code: drawn of half of the words",
        path=CODES,
        old="int.from_bytes(entropy(2)) % len(words)",
        new="int.from_bytes(entropy(2)) % 1024",
        tests=(f"{CODE}::test_words_are_drawn_by_eleven_bits_each",),
    ),
    Mutant(
        name="code: an ambiguous beginning is guessed",
        path=CODES,
        old="    if len(found) > 1:\n",
        new="    if False:\n",
        tests=(f"{CODE}::test_what_is_no_code_is_refused_with_a_hint",),
    ),
    Mutant(
        name="code: width and case count",
        path=CODES,
        old='return unicodedata.normalize("NFKC", text).lower()',
        new="return text",
        tests=(
            f"{CODE}::test_a_code_means_what_the_contract_says",
            f"{CODE}::test_case_and_separators_do_not_matter",
        ),
    ),
    Mutant(
        name="code: shown by its repr",
        path=CODES,
        old="secret: str = field(repr=False)  #",
        new="secret: str = field()  #",
        tests=(f"{CODE}::test_only_who_asks_for_it_sees_the_secret",),
    ),
    Mutant(
        name="cpace: keys shown by their repr",
        path=PAKE,
        old="isk: bytes = field(repr=False)",
        new="isk: bytes = field()",
        tests=(f"{CPACE}::test_nothing_secret_is_shown",),
    ),
]
