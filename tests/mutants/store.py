"""Bugs of the store: what is durable too late, kept by half, counted twice or shown to the wrong one.

Source: docs/protocol.md, sections 6.1, 6.3 and 6.4.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

DATABASE = "p2pchat/store/database.py"
GUESTS = "p2pchat/store/guests.py"
HEADS = "p2pchat/store/heads.py"
INBOX = "p2pchat/store/inbox.py"
LEDGER = "p2pchat/store/ledger.py"
LOCKS = "p2pchat/store/locks.py"
MIGRATIONS = "p2pchat/store/migrations.py"
OUTBOX = "p2pchat/store/outbox.py"
STORE = "p2pchat/store/store.py"
TRANSACTION = "p2pchat/store/transaction.py"

HISTORIES = "tests/protocol/test_delivery_histories.py::test_histories_over_a_database_hold_them_too"
HALF = "tests/store/test_half_states.py"
PROCESSES = "tests/store/test_several_processes.py"


def _test(file: str, name: str) -> tuple[str, ...]:
    return (f"tests/store/test_{file}.py::test_{name}",)


MUTANTS = [
    Mutant(
        "fsync only at checkpoints",
        DATABASE,
        "PRAGMA synchronous = FULL",
        "PRAGMA synchronous = NORMAL",
        _test("database", "a_commit_is_on_the_disk"),
        hunt="swarm",
    ),
    Mutant(
        "a transaction that failed is committed",
        DATABASE,
        'self.connection.execute("ROLLBACK")',
        'self.connection.execute("COMMIT")',
        (HALF, *_test("database", "what_raises_leaves_nothing_behind")),
    ),
    Mutant(
        "what was read before a rollback is still believed",
        DATABASE,
        '                        self.connection.execute("ROLLBACK")\n                    self.forget()',
        '                        self.connection.execute("ROLLBACK")',
        (HALF,),
    ),
    Mutant(
        "what others have written is not noticed",
        DATABASE,
        "            self.others += 1\n            self.forget()",
        "            self.others += 1",
        (PROCESSES, *_test("database", "commits_of_others_are_noticed")),
        hunt="swarm",
    ),
    Mutant(
        "a reader of the same instant may write first",
        DATABASE,
        '            self.connection.execute("BEGIN IMMEDIATE")\n            committed',
        '            self.connection.execute("BEGIN")\n            committed',
        (PROCESSES,),
    ),
    Mutant(
        "tables are migrated without a copy",
        MIGRATIONS,
        "    if version:\n        _check",
        "    if not version:\n        _check",
        _test("migrations", "all_steps_are_taken_and_a_copy_is_left_behind"),
    ),
    Mutant(
        "the copy is not looked at",
        MIGRATIONS,
        "            _check(opened, scratch)",
        "            pass",
        _test("migrations", "without_a_sound_copy_nothing_is_migrated"),
    ),
    Mutant(
        "the head is not written",
        LEDGER,
        "            heads.save(self._database, head)",
        "            pass",
        (HISTORIES, PROCESSES),
    ),
    Mutant(
        "an id that was refused counts as shown",
        LEDGER,
        "        self._entered.difference_update([entry.id for entry in messages.entries])\n",
        "",
        _test("ledger", "a_peer_that_has_filled_its_share_is_refused_and_comes_again_unchanged"),
    ),
    Mutant(
        "ids are asked for by time alone",
        INBOX,
        "AND mine = 0 AND id >= ? LIMIT 1",
        "AND mine = 0 AND id > ? LIMIT 1",
        ("tests/store/test_ledger.py",),
    ),
    Mutant(
        "ids of my own messages count as known",
        INBOX,
        "SELECT id FROM messages WHERE pair = ? AND mine = 0 AND id IN",
        "SELECT id FROM messages WHERE pair = ? AND id IN",
        _test("ledger", "ids_are_known_however_many_are_asked_for"),
    ),
    Mutant(
        "the parts of a message outlive it",
        HEADS,
        "    if after.bodies[:known] != before.bodies:",
        "    if after.bodies and after.bodies[:known] != before.bodies:",
        (HISTORIES,),
    ),
    Mutant(
        "a restored log keeps its numbers",
        LEDGER,
        "by=head.log.base - 1)",
        "by=0)",
        (HISTORIES,),
    ),
    Mutant(
        "what was replaced is sent as it was",
        LEDGER,
        "        outbox.replace(self._database, self.change(), first, entries)\n        self._forget_tail()",
        "        outbox.replace(self._database, self.change(), first, entries)",
        (HISTORIES,),
    ),
    Mutant(
        "a message is sent before it has failed",
        LEDGER,
        '            self._events.append(Event("sent", head.pair, head.fence.gen, *covered))',
        '            events.write(self._database, Event("sent", head.pair, head.fence.gen, *covered))',
        _test("ledger", "what_fails_before_the_rest_is_sent_is_told_before"),
    ),
    Mutant(
        "whoever waits is told before the commit",
        STORE,
        "                results = await self._env.run_sync(partial(_commit, self._writer, jobs))",
        "                results = [outcome.Value(None) for _ in jobs]\n"
        "                await self._env.run_sync(partial(_commit, self._writer, jobs))",
        _test("store", "a_job_is_committed_and_its_result_told"),
    ),
    Mutant(
        "what a refused job has done is kept",
        STORE,
        'database.connection.execute("ROLLBACK TO job")',
        'database.connection.execute("SELECT 1")',
        _test("store", "a_job_that_is_refused_changes_nothing_and_the_others_are_kept"),
    ),
    Mutant(
        "what waits at the end is dropped",
        STORE,
        "                await trio.lowlevel.checkpoint()\n                await self._write()",
        "                self._waiting = []",
        _test("store", "what_waits_at_the_end_is_committed"),
    ),
    Mutant(
        "a transaction is cut off by a cancellation",
        STORE,
        "            with trio.CancelScope(shield=True):  # one transaction;",
        "            with trio.CancelScope():  # one transaction;",
        _test("store", "a_transaction_that_has_begun_is_finished"),
    ),
    Mutant(
        "a guest is given up at once",
        GUESTS,
        "GONE_AFTER: Final = 24 * 3600 * 1000",
        "GONE_AFTER: Final = 1",
        _test("store", "what_waits_for_a_guest_that_is_gone_has_failed_at_the_next_start"),
    ),
    Mutant(
        "others are given up like guests",
        GUESTS,
        "WHERE guest = 1 AND met_ms",
        "WHERE met_ms",
        _test("transaction", "others_are_waited_for_as_long_as_it_takes"),
    ),
    Mutant(
        "two processes have one lock",
        LOCKS,
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        _test("locks", "one_has_it"),
    ),
    Mutant(
        "a message fails twice",
        TRANSACTION,
        " AND id = ? AND failed IS NULL",
        " AND id = ?",
        _test("transaction", "a_message_fails_once"),
    ),
    Mutant(
        "a message is read twice",
        INBOX,
        "AND read_ms IS NULL AND failed IS NULL",
        "AND failed IS NULL",
        _test("ledger", "a_receipt_marks_my_message_as_read_once"),
    ),
]
