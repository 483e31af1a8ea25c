"""Planted bugs in delivery, continued: the mark, withdrawals, what a guest confirms, pipes."""

from __future__ import annotations

from tests.mutants.delivery import (
    ASSEMBLY,
    DELIVERY,
    HISTORIES,
    MEMORY,
    OUTBOX,
    PIPES,
    T_ASSEMBLY,
    T_GATE,
    T_INBOX,
    T_LINK,
    T_OUTBOX,
    T_PIPES,
)
from tests.mutants.mutant import Mutant

T_GUEST = "tests/protocol/test_delivery_guest.py::test_"
MESSAGE = "message = _message_ending_at(ledger, last)\n"
LAST_ONLY = "message = _message_ending_at(ledger, last)[-1:]\n"

MUTANTS = [
    # ---- the mark
    Mutant(
        "mark: not raised",
        DELIVERY,
        "        if self._cursor > fresh_from:\n            ledger.hand(self._cursor - 1)\n",
        "",
        (T_LINK + "the_mark_is_raised_over_all_that_was_handed", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "mark: one short",
        DELIVERY,
        "ledger.hand(self._cursor - 1)",
        "ledger.hand(self._cursor - 2)",
        (T_LINK + "the_mark_is_raised_over_all_that_was_handed", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "mark: lowered by sending again",
        DELIVERY,
        "        if self._cursor > fresh_from:\n",
        "        if batches:\n",
        (T_LINK + "the_mark_is_not_lowered_by_sending_again", HISTORIES),
    ),
    Mutant(
        "mark: zero after a rollback",
        MEMORY,
        "handed=len(self._entries))",
        "handed=0)",
        (T_GATE + "a_store_that_is_an_old_backup_begins_a_new_log", HISTORIES),
    ),
    # ---- withdrawals
    Mutant(
        "void: after hand-over",
        OUTBOX,
        "    if first <= ledger.log.handed:\n        return False\n",
        "",
        (T_OUTBOX + "a_message_of_which_one_entry_was_handed_over_cannot_be_withdrawn", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "void: of a message that has begun to leave",
        OUTBOX,
        "    if first <= ledger.log.handed:",
        "    if last <= ledger.log.handed:",
        (T_OUTBOX + "a_message_of_which_one_entry_was_handed_over_cannot_be_withdrawn", HISTORIES),
    ),
    Mutant(
        "void: of changed ids",
        OUTBOX,
        "[Entry(entry.id, assembly.VOID",
        "[Entry(bytes(16), assembly.VOID",
        (T_OUTBOX + "ids_times_and_conversations_of_a_withdrawn_message_stay",),
    ),
    Mutant(
        "void: of the final entry only",
        OUTBOX,
        MESSAGE + "    if message",
        LAST_ONLY + "    if message",
        (T_OUTBOX + "a_withdrawn_message_is_empty_from_its_first_entry_to_its_last", HISTORIES),
    ),
    Mutant(
        "void: of the final entry only, when time is up",
        OUTBOX,
        MESSAGE + "        if _void",
        LAST_ONLY + "        if _void",
        (T_OUTBOX + "what_expires_is_withdrawn_when_its_time_is_up", HISTORIES),
    ),
    Mutant(
        "void: of a part",
        OUTBOX,
        "    if message[-1].kind == assembly.PART:\n        return Withdrawal.UNKNOWN\n",
        "",
        (T_OUTBOX + "what_is_no_message_cannot_be_withdrawn",),
    ),
    Mutant(
        "void: shown",
        ASSEMBLY,
        "        if entry.kind != VOID:\n",
        "        if True:\n",
        (T_ASSEMBLY + "a_void_shows_nothing_and_ends_what_was_waiting", HISTORIES),
    ),
    Mutant(
        "void: shown in a batch of its own",
        ASSEMBLY,
        "SHOWS_NOTHING: Final = frozenset({PART, VOID})",
        "SHOWS_NOTHING: Final = frozenset({PART})",
        (T_ASSEMBLY + "a_void_shows_nothing_and_ends_what_was_waiting", HISTORIES),
    ),
    Mutant(
        "void: taken for a part",
        ASSEMBLY,
        "        if entry.kind == PART:\n            parts = _with",
        "        if entry.kind in (PART, VOID):\n            parts = _with",
        (T_ASSEMBLY + "a_void_shows_nothing_and_ends_what_was_waiting", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "void: told as delivered",
        OUTBOX,
        "    return assembly.shown(entries)\n",
        "    return [entry for entry in entries if entry.kind != assembly.PART]\n",
        (T_OUTBOX + "what_was_withdrawn_is_not_delivered", HISTORIES),
    ),
    Mutant(
        "expiry: sent after its time",
        DELIVERY,
        "expired = outbox.expire(ledger, now_ms)",
        "expired: list[bytes] = []",
        (T_LINK + "what_expired_is_empty_before_it_leaves", HISTORIES),
    ),
    # ---- a guest's ledger
    Mutant(
        "guest: what was not shown is said to be seen",
        MEMORY,
        "        self.begin(self._confirmed)\n",
        "        self.begin(self._seen)\n",
        (T_GUEST + "what_was_taken_and_not_shown_is_not_said_to_be_seen", HISTORIES),
    ),
    Mutant(
        "guest: a late confirmation counts for another log",
        MEMORY,
        "        for take in self._takes:\n            take.seen = None\n",
        "",
        (T_GUEST + "a_confirmation_that_comes_after_another_log_began_says_nothing_about_it", HISTORIES),
    ),
    Mutant(
        "guest: what comes again is confirmed before it was shown",
        MEMORY,
        "        elif self._takes:\n            self._takes[-1].seen = seen\n        else:\n",
        "        else:\n",
        (T_GUEST + "what_comes_again_is_acknowledged_when_it_was_shown_the_first_time", HISTORIES),
    ),
    Mutant(
        "guest: ids are forgotten with what was not confirmed",
        MEMORY,
        "        self.begin(self._confirmed)\n",
        "        self.begin(self._confirmed)\n        self._recent = set()\n",
        (T_GUEST + "what_was_taken_and_not_shown_comes_again_and_is_not_shown_again", HISTORIES),
    ),
    Mutant(
        "guest: ids of the older generation are not asked",
        MEMORY,
        "if self._recent.isdisjoint(ids) and self._older.isdisjoint(ids):",
        "if self._recent.isdisjoint(ids):",
        ("tests/store/test_memory.py::test_the_newest_ids_are_known_and_the_oldest_forgotten",),
    ),
    # ---- a message twice in one batch
    Mutant(
        "inbox: the second of an id in one batch is shown",
        "p2pchat/protocol/inbox.py",
        "            left.remove(entry.id)  # a second one of the same batch is not shown either\n",
        "",
        (T_INBOX + "an_id_that_was_shown_counts_and_is_not_shown_again",),
    ),
    # ---- pipes
    Mutant(
        "pipes: text cut inside a character",
        PIPES,
        "    return piece[: len(piece) - len(begun)]\n",
        "    return piece\n",
        (
            T_PIPES + "recorded_input_makes_the_recorded_messages",
            T_PIPES + "text_stays_text_however_long_its_lines_are",
        ),
    ),
    Mutant(
        "pipes: newline added",
        PIPES,
        "return [_message(left, more=True)] if left else []",
        "return [_message(left, more=False)] if left else []",
        (T_PIPES + "the_bytes_that_arrive_are_the_bytes_that_were_sent",),
    ),
    Mutant(
        "pipes: newline lost",
        PIPES,
        "messages.append(_message(bytes(self._line), more=False))",
        "messages.append(_message(bytes(self._line), more=True))",
        (T_PIPES + "the_bytes_that_arrive_are_the_bytes_that_were_sent",),
    ),
    Mutant(
        "pipes: an empty line lost",
        PIPES,
        "            messages.append(_message(bytes(self._line), more=False))\n",
        "            if self._line:\n                messages.append(_message(bytes(self._line), more=False))\n",
        (T_PIPES + "the_bytes_that_arrive_are_the_bytes_that_were_sent",),
    ),
    Mutant(
        "pipes: what is not UTF-8 made to be",
        PIPES,
        "Text(line.decode(), None, more)",
        'Text(line.decode(errors="replace"), None, more)',
        (T_PIPES + "the_bytes_that_arrive_are_the_bytes_that_were_sent",),
    ),
]
