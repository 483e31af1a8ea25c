"""Planted bugs in what people and programs are told about trust: names, the answers of /who, /verify and /block."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

COMPANY = "p2pchat/ui/company.py"
HONESTY = "p2pchat/ui/honesty.py"
NAMES = "p2pchat/ui/names.py"
VERIFYING = "p2pchat/ui/verifying.py"
WORDS = "p2pchat/ui/words.py"

CALLED = "tests/ui/test_names.py"
HERE = "tests/ui/test_company.py"
HONEST = "tests/ui/test_honesty.py"
VERIFY = "tests/ui/test_verifying.py"

MUTANTS = [
    Mutant(
        name="faces: a claim is before a petname",
        path=NAMES,
        old="return self.petname(peer) or self._claimed(claim, taken) or self.short(peer)",
        new="return self._claimed(claim, taken) or self.petname(peer) or self.short(peer)",
        tests=(f"{CALLED}::test_a_petname_is_before_every_claim",),
    ),
    Mutant(
        name="faces: a claim may look like a petname",
        path=NAMES,
        old="shape in mine or shape in taken",
        new="shape in taken",
        tests=(
            f"{CALLED}::test_no_disguise_of_a_petname_is_shown",
            f"{HERE}::test_whoever_calls_itself_like_a_contact_is_told_once_and_called_by_its_id",
        ),
    ),
    Mutant(
        name="faces: two may claim one name",
        path=NAMES,
        old="if other != peer))",
        new="if False))",
        tests=(f"{CALLED}::test_two_of_one_claim_are_both_called_by_their_ids",),
    ),
    Mutant(
        name="faces: in a list two may claim one name",
        path=NAMES,
        old="if count > 1)",
        new="if count > 2)",
        tests=(f"{CALLED}::test_no_two_peers_look_the_same",),
    ),
    Mutant(
        name="faces: a claim may say verified",
        path=NAMES,
        old="if not words.isdisjoint(_RESERVED) or ",
        new="if ",
        tests=(f"{CALLED}::test_what_could_be_taken_for_something_else_is_not_shown",),
    ),
    Mutant(
        name="faces: a claim may be of several scripts",
        path=NAMES,
        old="    return rules.is_single_script(shown)\n",
        new="    return True\n",
        tests=(f"{CALLED}::test_what_could_be_taken_for_something_else_is_not_shown",),
    ),
    Mutant(
        name="faces: petnames are those of the start",
        path=NAMES,
        old="        if names is not self._counted:\n",
        new="        if not self._counted:\n",
        tests=(f"{CALLED}::test_petnames_of_the_moment_count",),
    ),
    Mutant(
        name="faces: who poses as a contact is told of the contact itself",
        path=NAMES,
        old='return "" if name == self.petname(peer) else name',
        new="return name",
        tests=(f"{CALLED}::test_who_claims_the_name_of_a_contact_is_found_out",),
    ),
    Mutant(
        name="faces: a link that is gone is called encrypted",
        path=HONESTY,
        old="    if not standing.runs:\n",
        new="    if standing.path is None:\n",
        tests=(f"{HONEST}::test_without_a_link_nothing_is_claimed_of_one",),
    ),
    Mutant(
        name="faces: who is blocked is called verified",
        path=HONESTY,
        old="if contact is not None and contact.trust is Trust.BLOCKED:",
        new="if False:",
        tests=(f"{HONEST}::test_who_is_blocked_is_told_so_whatever_was_before",),
    ),
    Mutant(
        name="faces: any digits verify",
        path=VERIFYING,
        old="    if digits != digits_of(session.peer.fingerprint):\n",
        new="    if not digits:\n",
        tests=(f"{VERIFY}::test_other_digits_verify_nobody",),
    ),
    Mutant(
        name="faces: a code for one peer is for anybody",
        path=VERIFYING,
        old=", for_peer=session.peer)",
        new=")",
        tests=(f"{VERIFY}::test_a_code_is_for_the_peer_that_one_talks_to",),
    ),
    Mutant(
        name="faces: /block 1 blocks peer 1 of /who",
        path=COMPANY,
        old="            peer = await self._stranger(int(whom))\n",
        new="            peer = chat.sessions[int(whom) - 1].peer\n",
        tests=(f"{HERE}::test_a_stranger_is_blocked_by_its_number_and_asks_no_more",),
    ),
    Mutant(
        name="faces: a blocked link is told as lost",
        path=WORDS,
        old="if event.session.trust is Trust.BLOCKED:\n",
        new="if False:\n",
        tests=(f"{HERE}::test_a_peer_that_another_program_blocks_is_told_as_blocked",),
    ),
]
