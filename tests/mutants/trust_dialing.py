"""Planted bugs in whom we dial: races, other keys, names that lead to contacts, digits that are compared."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ACQUAINTANCE = "p2pchat/cli/acquaintance.py"
DIALER = "p2pchat/node/dialer.py"
GREETING = "p2pchat/node/greeting.py"
PEERS = "p2pchat/cli/peers.py"
RACE = "p2pchat/node/race.py"
VERIFYING = "p2pchat/cli/verifying.py"

PINS = "tests/node/test_pins.py"
RACES = "tests/node/test_race.py"
TRUST = "tests/cli/test_trust.py"
VERIFY = "tests/cli/test_verify.py"
WORDS = "tests/cli/test_peers.py"

MUTANTS = [
    Mutant(
        name="dial: whoever answers is good enough",
        path=GREETING,
        old="elif self._dialer.expected not in {None, peer}:",
        new="elif False:",
        tests=(
            f"{PINS}::test_another_key_is_refused_before_it_knows_who_asks",
            f"{RACES}::test_another_key_does_not_stop_the_others",
        ),
    ),
    Mutant(
        name="dial: blocked contacts are dialed",
        path=DIALER,
        old="if (why := self._node.keeps_out(self.expected)) is not None:",
        new="if (why := None) is not None:",
        tests=(f"{PINS}::test_a_blocked_contact_is_not_dialed",),
    ),
    Mutant(
        name="dial: a block of another process counts from the next run on",
        path=DIALER,
        old="        await self._node.contacts.refresh()\n",
        new="",
        tests=(f"{PINS}::test_a_blocked_contact_is_not_dialed",),
    ),
    Mutant(
        name="race: all that prove the key learn who we are",
        path=RACE,
        old="        if self._first is None:\n",
        new="        if True:\n            greeting.go_on()\n",
        tests=(f"{RACES}::test_of_two_that_answer_at_once_one_learns_who_we_are",),
    ),
    Mutant(
        name="race: the others run on",
        path=RACE,
        old="                other.cancel()\n",
        new="                pass\n",
        tests=(f"{RACES}::test_the_fastest_goes_on_and_the_others_are_gone_by_then",),
    ),
    Mutant(
        name="race: who we are is said while others are still there",
        path=RACE,
        old="self._lanes == {self._first}",
        new="self._first in self._lanes",
        tests=(f"{RACES}::test_nobody_learns_who_we_are_before_the_others_are_gone",),
    ),
    Mutant(
        name="race: all begin at once",
        path=RACE,
        old="with trio.move_on_after(STAGGER):",
        new="with trio.move_on_after(0):",
        tests=(f"{RACES}::test_each_begins_a_moment_after_the_one_before",),
    ),
    Mutant(
        name="race: a command takes part",
        path=DIALER,
        old="if address.scheme != EXEC]",
        new="if address.scheme]",
        tests=(f"{RACES}::test_a_command_is_run_alone_and_last",),
    ),
    Mutant(
        name="race: the last failure is told, be it a wrong key or not",
        path=DIALER,
        old="worst = max(missed, key=lambda one: one.weight)",
        new="worst = missed[-1]",
        tests=(f"{RACES}::test_another_key_is_told_where_nobody_else_answers",),
    ),
    Mutant(
        name="race: one wrong key ends a conversation",
        path=DIALER,
        old="return worst if self._session is None or hope is None else replace(worst, redial=hope)",
        new="return worst",
        tests=(f"{RACES}::test_a_conversation_goes_on_while_there_is_hope_anywhere",),
    ),
    Mutant(
        name="race: who looks for somebody else becomes a guest of itself",
        path=DIALER,
        old="may_be_guest and self._peer in {None, self._node.id}",
        new="may_be_guest",
        tests=(f"{RACES}::test_who_looks_for_somebody_else_is_no_guest_of_itself",),
    ),
    Mutant(
        name="names: a bare word is a host before it is a contact",
        path=PEERS,
        old='if not (":" in word or "/" in word):',
        new='if not (hosts or ":" in word or "/" in word):',
        tests=(f"{WORDS}::test_a_name_of_mine_leads_to_its_contact_and_to_no_host",),
    ),
    Mutant(
        name="trust: who is blocked is let in without a word",
        path=ACQUAINTANCE,
        old="if contact is not None and contact.trust is Trust.BLOCKED:",
        new="if False:",
        tests=(f"{TRUST}::test_who_is_blocked_stays_so_until_somebody_says_otherwise",),
    ),
    Mutant(
        name="trust: a guest becomes a contact",
        path=ACQUAINTANCE,
        old="    if known.guest:\n",
        new="    if False:\n",
        tests=(f"{TRUST}::test_a_guest_is_no_contact",),
    ),
    Mutant(
        name="verify: any thirty digits will do",
        path=VERIFYING,
        old="if digits != digits_of(one.peer.fingerprint):",
        new="if False:",
        tests=(f"{VERIFY}::test_other_digits_are_a_warning_and_change_nothing",),
    ),
]
