"""Planted bugs in whom a node lets in, and in the claims over its links."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ADMISSION = "p2pchat/node/admission.py"
ANSWERING = "p2pchat/node/answering.py"
CLAIMS = "p2pchat/node/claims.py"
CONTACTS = "p2pchat/node/contacts.py"
GREETING = "p2pchat/node/greeting.py"
NODE = "p2pchat/node/node.py"
SESSION = "p2pchat/node/session.py"
STRANGERS = "p2pchat/node/strangers.py"

CODE = "tests/node/test_claims.py::test"
HOSTILE = "tests/node/test_claims_hostile.py::test"
TRUST = "tests/node/test_trust.py::test"
WHOLE = f"{CODE}_who_knows_the_code_is_let_in_and_both_are_verified"
LESS = f"{HOSTILE}_a_claimant_says_no_more_than_it_must"

MUTANTS = [
    Mutant(
        "claims: RESUME before the tag where anyone is let in",
        ANSWERING,
        "        if CLAIM in hello.features and ",
        "        if self._node.settings.accept is not Accept.ANYONE and CLAIM in hello.features and ",
        (f"{HOSTILE}_with_a_code_in_play_nothing_leaves_before_the_proof",),
    ),
    Mutant(
        "claims: the claimant says RESUME before the result",
        GREETING,
        "        if self._code is None:  # else",
        "        if self._code is not self:  # else",
        (LESS,),
    ),
    Mutant(
        "claims: an issuer without proof is pinned",
        CLAIMS,
        "        if self._machine.holds:",
        "        if confirm is not None:",
        (LESS, f"{CODE}_a_wrong_code_lets_nobody_in_and_pins_nobody"),
    ),
    Mutant(
        "claims: an issuer with proof is not remembered",
        CLAIMS,
        "            await claims.node.contacts.verify(claims.peer, self._how, guest=claims.guest, at=at)",
        "            await claims.node.contacts.refresh()",
        (WHOLE, f"{HOSTILE}_what_cannot_be_remembered_is_not_confirmed"),
    ),
    Mutant(
        "claims: the result is believed before our proof was said",
        CLAIMS,
        "        if not self._said_confirm:",
        "        if self._said_confirm is None:",
        (LESS,),
    ),
    Mutant(
        "claims: attempts are not counted",
        CLAIMS,
        "                self._secret, self._left = await claims.node.contacts.write(attempt)",
        "                live = await claims.node.store.read(invites.live)\n"
        "                self._secret = {one.slot: one.secret for one in live}.get(self._slot) if attempt else ''",
        (
            f"{CODE}_a_wrong_code_lets_nobody_in_and_pins_nobody",
            f"{CODE}_a_code_for_one_contact_is_for_nobody_else",
            f"{HOSTILE}_where_the_disk_refuses_to_count_nobody_gets_an_answer",
        ),
    ),
    Mutant(
        "claims: nobody dials again after a slip",
        "p2pchat/node/dialer.py",
        "Redial.NEVER if end.clean else Redial.BACK_OFF if end.claim else verdict(end.code)",
        "Redial.NEVER if end.clean else verdict(end.code)",
        (
            f"{CODE}_a_wrong_code_ends_the_link_and_both_are_warned",
            f"{CODE}_who_dialed_and_gave_the_code_dials_again_after_a_slip",
        ),
    ),
    Mutant(
        "claims: a code works as often as it was claimed in time",
        CLAIMS,
        "not invites.burn(db, slot, secret):",
        "not (invites.burn(db, slot, secret) or True):",
        ("tests/security/test_codes.py::test_of_two_who_know_it_one_gets_in",),
    ),
    Mutant(
        "claims: burnt, and nobody accepted",
        CLAIMS,
        "        contacts.verify(db, peer, how(secret))",
        "        contacts.find(db, peer)",
        (WHOLE,),
        hunt="swarm",
    ),
    Mutant(
        "claims: a guest is kept",
        CLAIMS,
        "    if not guest:\n        contacts.verify",
        "    if slot:\n        contacts.verify",
        (f"{CODE}_a_guest_with_a_code_is_let_in_and_kept_nowhere",),
    ),
    Mutant(
        "claims: right before it is burnt",
        CLAIMS,
        "        try:\n            counts =",
        "        claims.link.say(self._machine.result(ok=True))\n        try:\n            counts =",
        (f"{HOSTILE}_where_the_disk_refuses_to_burn_nobody_is_told_that_it_was_right",),
    ),
    Mutant(
        "claims: the code is kept for redials",
        GREETING,
        "        self._code = self._dialer.code = None",
        "        self._code = None",
        (f"{CODE}_the_code_is_forgotten_once_it_has_worked",),
    ),
    Mutant(
        "claims: somebody blocked is waited for",
        ANSWERING,
        "and self.peer is not None and self._node.keeps_out(self.peer) is None:",
        "and self.peer is not None:",
        (f"{HOSTILE}_who_is_blocked_gets_no_wait_and_makes_no_event",),
    ),
    Mutant(
        "claims: somebody who does not go on is waited for",
        CLAIMS,
        "                claims.wait(ours=False)",
        "                claims.rest(ours=False)",
        (f"{HOSTILE}_a_claim_out_of_order_ends_the_link",),
    ),
    Mutant(
        "claims: who announces one and makes none waits for ever",
        ANSWERING,
        "            self._due = self._node.env.clock() + self._node.settings.limits.claim",
        "            self._due = math.inf",
        (f"{HOSTILE}_who_announces_a_claim_and_makes_none_is_judged_like_anybody",),
    ),
    Mutant(
        "claims: claims of nothing hide guesses",
        CLAIMS,
        "        may_tell = self._secret is not None or claims",
        "        may_tell = claims",
        (f"{HOSTILE}_claims_of_nothing_do_not_fill_the_screen",),
    ),
    Mutant(
        "claims: claims of nothing fill the screen",
        "p2pchat/node/strangers.py",
        "CLAIMS_TOLD = 3",
        "CLAIMS_TOLD = 3000",
        (f"{HOSTILE}_claims_of_nothing_do_not_fill_the_screen",),
    ),
    Mutant(
        "claims: who leaves with the answer is not told of",
        CLAIMS,
        "        if self._machine.step is Step.REPLIED:",
        "        if self._machine.step is Step.OVER:",
        (f"{HOSTILE}_who_learns_that_it_was_wrong_and_leaves_is_told_of",),
    ),
    Mutant(
        "admission: somebody blocked is let in",
        ADMISSION,
        "        if contact is None or contact.trust is not Trust.BLOCKED:",
        "        if contact is None or contact.trust is not Trust.NEW:",
        (f"{TRUST}_a_block_ends_a_link_within_a_second_and_keeps_out", f"{TRUST}_a_blocked_contact_is_not_dialed"),
    ),
    Mutant(
        "admission: a block does not end the link",
        ADMISSION,
        "                link.refuse(failures.YOU_BLOCKED)",
        "                link.wake()",
        (f"{TRUST}_a_block_ends_a_link_within_a_second_and_keeps_out",),
    ),
    Mutant(
        "admission: somebody blocked is dialed again",
        ADMISSION,
        "                session.finish()  # nobody",
        "                session.lock.release()  # nobody",
        (f"{TRUST}_a_dialer_that_blocks_does_not_dial_again",),
    ),
    Mutant(
        "admission: somebody blocked learns who dials",
        GREETING,
        "        elif (why := self._node.keeps_out(peer)) is not None:",
        "        elif (why := self._node.contacts.trouble) is not None:",
        (f"{TRUST}_a_blocked_contact_elsewhere_does_not_learn_who_dialed",),
    ),
    Mutant(
        "admission: contacts that cannot be read are none",
        ADMISSION,
        "        if self.contacts.trouble is not None:\n            return self.contacts.trouble",
        "        if self.contacts.trouble is self:\n            return None",
        (f"{TRUST}_with_damaged_contacts_nobody_is_let_in",),
    ),
    Mutant(
        "admission: a visit is judged by old contacts",
        NODE,
        "await link.run(first=self.know_who_is_who)",
        "await link.run(first=trio.lowlevel.checkpoint)",
        (f"{TRUST}_trust_counts_at_the_next_visit",),
    ),
    Mutant(
        "admission: a guest becomes a contact",
        ADMISSION,
        "        await self.contacts.know(peer, guest=self._is_guest(peer))",
        "        await self.contacts.know(peer)",
        (f"{TRUST}_a_guest_is_accepted_for_this_run", f"{TRUST}_of_a_guest_that_has_hung_up_nothing_is_kept"),
    ),
    Mutant(
        "admission: a guest that has left is nobody's guest",
        STRANGERS,
        "        if guest:\n            self._guests[peer] = None\n",
        "",
        (f"{TRUST}_of_a_guest_that_has_hung_up_nothing_is_kept",),
    ),
    Mutant(
        "admission: a guest is blocked for ever",
        ADMISSION,
        "        await self.contacts.block(peer, guest=self._is_guest(peer))",
        "        await self.contacts.block(peer)",
        (
            f"{TRUST}_of_a_guest_that_has_hung_up_nothing_is_kept",
            f"{TRUST}_a_guest_in_the_chat_is_blocked_for_this_run",
        ),
    ),
    Mutant(
        "admission: a contact that comes as a guest escapes its block",
        CONTACTS,
        "(guest and not self.keeps(peer)):\n            self._note(replace(self._fresh(peer), blocked=True))",
        "guest:\n            self._note(replace(self._fresh(peer), blocked=True))",
        (f"{TRUST}_a_contact_that_comes_as_a_guest_is_blocked_for_good",),
    ),
    Mutant(
        "admission: let in before that is kept",
        ADMISSION,
        "        await self.contacts.know(peer, guest=self._is_guest(peer))\n"
        "        waiting = self.waiting_room.call(peer)\n",
        "        waiting = self.waiting_room.call(peer)\n"
        "        await self.contacts.know(peer, guest=self._is_guest(peer))\n",
        (f"{TRUST}_what_cannot_be_kept_is_not_decided",),
    ),
    Mutant(
        "admission: anyone is known",
        SESSION,
        "return Trust.KNOWN if trust is Trust.NEW and (self.dialed or self.vouched) else trust",
        "return Trust.KNOWN if trust is Trust.NEW else trust",
        (f"{TRUST}_anyone_is_let_in_and_nobody_is_known_by_that",),
    ),
]
