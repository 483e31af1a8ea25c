"""Planted bugs in delivery: chain, outbox, inbox, fence, links, the ledger of a guest, pipes.

Those that random histories can meet are killed twice: by the test that tells the rule, and by a history.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

CHAIN = "p2pchat/protocol/chain.py"
ASSEMBLY = "p2pchat/protocol/assembly.py"
OUTBOX = "p2pchat/protocol/outbox.py"
INBOX = "p2pchat/protocol/inbox.py"
FENCE = "p2pchat/protocol/fence.py"
DELIVERY = "p2pchat/protocol/delivery.py"
PIPES = "p2pchat/protocol/pipes.py"
MEMORY = "p2pchat/store/memory.py"

HISTORIES = "tests/protocol/test_delivery_histories.py::test_histories_drawn_from_a_seed_hold_every_invariant"
T_ASSEMBLY = "tests/protocol/test_assembly.py::test_"
T_CHAIN = "tests/protocol/test_chain.py::test_"
T_FENCE = "tests/protocol/test_fence.py::test_"
T_GATE = "tests/protocol/test_delivery_gate.py::test_"
T_INBOX = "tests/protocol/test_inbox.py::test_"
T_LINK = "tests/protocol/test_delivery.py::test_"
T_OUTBOX = "tests/protocol/test_outbox.py::test_"
T_PIPES = "tests/protocol/test_pipes.py::test_"

CHECK = "        fence.check(ledger, self._gen)\n"
FENCED = T_GATE + "a_fenced_session_does_not"

MUTANTS = [
    # ---- the chain, and what it proves
    Mutant(
        "chain: block fold off by one",
        CHAIN,
        "BLOCK: Final = 64",
        "BLOCK: Final = 63",
        (T_CHAIN + "recorded_logs_have_their_recorded_names",),
    ),
    Mutant(
        "chain: blocks are not chained",
        CHAIN,
        "folded + block",
        "block",
        (T_CHAIN + "recorded_logs_have_their_recorded_names", T_CHAIN + "another_id_epoch_or_length_is_another_name"),
    ),
    Mutant(
        "chain: not compared",
        OUTBOX,
        "return chain.position(log.epoch, resume.peer_seen, state) != resume.peer_chain",
        "return False",
        (T_OUTBOX + "a_peer_that_has_seen_other_entries_of_the_same_numbers_proves_an_old_backup", HISTORIES),
    ),
    Mutant(
        "chain: base_state stays behind",
        OUTBOX,
        "chain.extend(log.epoch, log.base_state, joined))\n    return assembly",
        "log.base_state)\n    return assembly",
        (T_OUTBOX + "what_was_acknowledged_leaves_the_outbox", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "resume: more seen than handed believed",
        OUTBOX,
        "    if resume.peer_seen > log.handed:\n        return True\n",
        "",
        (T_OUTBOX + "a_peer_that_has_seen_more_than_was_handed_over_proves_an_old_backup", HISTORIES),
    ),
    Mutant(
        "resume: a new log keeps the old name",
        DELIVERY,
        "ledger.renumber(entropy(8))",
        "ledger.renumber(ledger.log.epoch)",
        (T_GATE + "a_store_that_is_an_old_backup_begins_a_new_log", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "resume: sending begins at base whatever was seen",
        DELIVERY,
        "self._acked = max(ledger.log.base - 1, has)",
        "self._acked = ledger.log.base - 1",
        (T_LINK + "a_long_message_goes_on_where_a_lost_link_left_it", HISTORIES),
    ),
    Mutant(
        "resume: does not count as an ACK",
        DELIVERY,
        "delivered = outbox.acknowledged(ledger, has)",
        "delivered: list[Entry] = []",
        (T_LINK + "a_resume_tells_what_was_delivered", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "resume: a jump is not noticed",
        INBOX,
        " and resume.base <= seen.seq + 1",
        "",
        (T_INBOX + "a_log_that_jumped_may_have_lost_messages", HISTORIES),
        hunt="restore=1",
    ),
    Mutant(
        "resume: a gap is not told",
        INBOX,
        "return resume.base > 1",
        "return False",
        (T_GATE + "a_receiver_that_is_an_old_backup_is_told_that_messages_may_be_missing", HISTORIES),
        hunt="restore=1",
    ),
    Mutant(
        "resume: a gap is told where none is",
        INBOX,
        "resume.base <= seen.seq + 1:",
        "resume.base <= seen.seq:",
        (T_INBOX + "a_log_that_goes_on_is_followed_from_where_it_was_left",),
        hunt="swarm",
    ),
    Mutant(
        "resume: a second one is taken",
        DELIVERY,
        "if self._window is not None:\n            raise",
        "if False:\n            raise",
        (T_GATE + "a_lie_changes_nothing_and_ends_the_link[second_resume]", HISTORIES),
    ),
    # ---- acknowledgements
    Mutant(
        "ack: one too far",
        DELIVERY,
        "return Ack(self._ack_said)",
        "return Ack(self._ack_said + 1)",
        (T_LINK + "an_ack_is_due_once_for_all_that_was_taken", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "ack: wild, and believed",
        DELIVERY,
        "if ack.seq >= self._cursor:",
        "if False:",
        (T_GATE + "a_lie_changes_nothing_and_ends_the_link[ack_of_what_was_never_sent]", HISTORIES),
    ),
    Mutant(
        "ack: before the commit",
        DELIVERY,
        "        self._ack_said = ledger.confirmed\n        self._ack_due = False\n        return",
        "        self._ack_said = self._arrived\n        self._ack_due = False\n        return",
        (T_LINK + "nothing_is_acknowledged_that_has_only_arrived", HISTORIES),
        hunt="slow=3",
    ),
    Mutant(
        "ack: of a guest before it was shown",
        MEMORY,
        "return self._confirmed.seq",
        "return self._seen.seq",
        (T_LINK + "nothing_is_acknowledged_that_has_only_arrived", HISTORIES),
    ),
    Mutant(
        "ack: none for what was skipped",
        DELIVERY,
        "self._ack_due |= ledger.seen.seq == seen",
        "self._ack_due |= False",
        (T_LINK + "a_batch_that_was_skipped_is_acknowledged_again",),
    ),
    Mutant(
        "ack: an older one takes us back",
        DELIVERY,
        "        if ack.seq <= self._acked:\n            return []\n",
        "",
        (T_LINK + "an_ack_that_says_nothing_new_changes_nothing",),
    ),
    # ---- what comes in
    Mutant(
        "inbox: gap accepted",
        DELIVERY,
        "if batch.first > self._arrived + 1:",
        "if False:",
        (T_GATE + "a_lie_changes_nothing_and_ends_the_link[gap]", HISTORIES),
    ),
    Mutant(
        "inbox: numbers that cannot be are taken",
        DELIVERY,
        "if batch.last > LAST_SEQ:",
        "if False:",
        (T_GATE + "the_last_number_that_can_be_can_be",),
    ),
    Mutant(
        "inbox: id not checked",
        INBOX,
        "    if len(new) == len(ids):\n",
        "    if True:\n",
        (T_INBOX + "an_id_that_was_shown_counts_and_is_not_shown_again", HISTORIES),
        hunt="restore=1",
    ),
    Mutant(
        "inbox: ids of voids entered",
        INBOX,
        "    new = _not_shown_before(ledger, messages)\n",
        "    new = _not_shown_before(ledger, messages)\n    ledger.enter([entry.id for entry in entries])\n",
        (T_INBOX + "ids_of_parts_and_voids_are_not_entered",),
    ),
    Mutant(
        "inbox: batch overlap not skipped",
        INBOX,
        "    entries = batch.entries[overlap:] if overlap else batch.entries\n",
        "    entries = batch.entries\n",
        (T_INBOX + "of_a_batch_that_overlaps_the_new_entries_are_taken", HISTORIES),
    ),
    Mutant(
        "inbox: overlapping batch dropped whole",
        INBOX,
        "    new = _not_shown_before(ledger, messages)\n",
        "    new = Messages([], []) if overlap else _not_shown_before(ledger, messages)\n",
        (T_INBOX + "of_a_batch_that_overlaps_the_new_entries_are_taken", HISTORIES),
    ),
    Mutant(
        "inbox: batch committed in two steps",
        INBOX,
        "    mark = ledger.take(Seen(",
        "    ledger.take(seen, new)\n    mark = ledger.take(Seen(",
        (T_INBOX + "a_batch_is_taken_in_one_step",),
    ),
    Mutant(
        "inbox: half of a bad batch kept",
        INBOX,
        "    parts, messages = assembly.assemble",
        "    ledger.enter([entry.id for entry in entries])\n    parts, messages = assembly.assemble",
        (T_INBOX + "of_a_bad_batch_nothing_is_kept", HISTORIES),
    ),
    # ---- parts
    Mutant(
        "parts: joined across conversations",
        ASSEMBLY,
        "if parts.bodies and entry.conv != parts.conv:",
        "if False:",
        (T_ASSEMBLY + "another_conversation_inside_a_message_is_refused", HISTORIES),
    ),
    Mutant(
        "parts: of any size",
        ASSEMBLY,
        "if len(entry.body) != MAX_BODY:",
        "if False:",
        (T_ASSEMBLY + "a_part_of_another_size_is_refused", HISTORIES),
    ),
    Mutant(
        "parts: of any number",
        ASSEMBLY,
        "if len(parts.bodies) * MAX_BODY + len(entry.body) > MAX_ASSEMBLED:",
        "if False:",
        (T_ASSEMBLY + "a_message_longer_than_any_may_be_is_refused", HISTORIES),
    ),
    Mutant(
        "parts: kept across epochs",
        INBOX,
        "state=resume.base_state))",
        "state=resume.base_state, parts=seen.parts))",
        (T_INBOX + "parts_are_not_joined_across_logs", HISTORIES),
    ),
    Mutant(
        "parts: dropped before their message",
        OUTBOX,
        "    while entries and entries[-1].kind == assembly.PART:\n        entries.pop()\n",
        "",
        (T_OUTBOX + "parts_stay_until_their_message_is_acknowledged", HISTORIES),
    ),
    # ---- the fence
    Mutant(
        "fence: ignored by send",
        DELIVERY,
        "        window = self._running()\n" + CHECK,
        "        window = self._running()\n",
        (FENCED + "[hand]", HISTORIES),
    ),
    Mutant(
        "fence: ignored by commit",
        DELIVERY,
        CHECK + "        batch, cost",
        "        batch, cost",
        (FENCED + "[commit]", HISTORIES),
    ),
    Mutant(
        "fence: ignored by ACK in",
        DELIVERY,
        CHECK + "        if ack.seq >=",
        "        if ack.seq >=",
        (FENCED + "[believe]", HISTORIES),
    ),
    Mutant(
        "fence: ignored by ACK out",
        DELIVERY,
        CHECK + "        if ledger.confirmed",
        "        if ledger.confirmed",
        (FENCED + "[ack]", HISTORIES),
    ),
    Mutant(
        "fence: ignored by RESUME",
        DELIVERY,
        CHECK + "        if outbox",
        "        if outbox",
        (T_GATE + "a_fenced_session_takes_no_resume", HISTORIES),
    ),
    Mutant(
        "fence: a claim is no newer than the last",
        FENCE,
        "gen=fence.gen + 1",
        "gen=max(1, fence.gen)",
        (T_FENCE + "the_newer_connection_wins", HISTORIES),
    ),
    Mutant(
        "fence: smaller key loses",
        FENCE,
        "fence.held.dialed_by_smaller and not dialed_by_smaller",
        "not fence.held.dialed_by_smaller and dialed_by_smaller",
        (T_FENCE + "of_two_simultaneous_dials_that_of_the_smaller_key_stays",),
    ),
    Mutant(
        "fence: duplicate check dropped",
        FENCE,
        "if 0 <= age < SIMULTANEOUS:",
        "if False:",
        (T_FENCE + "simultaneous_dials_end_on_one_connection_in_whatever_order_they_are_seen",),
    ),
    Mutant(
        "fence: a half-dead link keeps others out",
        FENCE,
        "if 0 <= age < SIMULTANEOUS:",
        "if True:",
        (T_FENCE + "a_holder_that_is_not_new_keeps_nobody_out",),
    ),
    Mutant(
        "fence: a dead holder keeps others out",
        FENCE,
        "fence.held and holder_lives and",
        "fence.held and",
        (T_FENCE + "a_dead_holder_keeps_nobody_out",),
    ),
    # ---- windows
    Mutant(
        "window: entries ignored",
        DELIVERY,
        "last = min(self._acked + window.max_unacked, self._cursor + budget // ENTRY_OVERHEAD)",
        "last = self._cursor + budget // ENTRY_OVERHEAD",
        (T_LINK + "no_more_entries_leave_than_the_peer_offered_to_hold", HISTORIES),
    ),
    Mutant(
        "window: bytes ignored",
        DELIVERY,
        "budget = min(max_cost, window.max_unacked_bytes - self._in_flight_cost)",
        "budget = max_cost",
        (T_LINK + "no_more_bytes_leave_than_the_peer_offered_to_hold", HISTORIES),
    ),
    Mutant(
        "window: never opens again",
        DELIVERY,
        "            self._in_flight_cost -= self._in_flight.popleft()[1]",
        "            self._in_flight.popleft()",
        (T_LINK + "no_more_bytes_leave_than_the_peer_offered_to_hold", HISTORIES),
    ),
    Mutant(
        "window: our own is never full",
        DELIVERY,
        "self._came_entries - self._taken_entries >= self._offered.max_unacked\n            or ",
        "",
        (T_LINK + "a_side_that_has_enough_entries_waiting_is_full",),
    ),
]
