"""Bugs that take time, deaths and disks to do harm, in the store and in the rules; judged by tests and by the world.

Bugs of the rules that no honest peer can bring out (an overlap that is not skipped, a position that is not compared)
survive in the world, for no promise is broken there, and die in `delivery.py`.
"""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

DATABASE = "p2pchat/store/database.py"
DELIVERY = "p2pchat/protocol/delivery.py"
HEADS = "p2pchat/store/heads.py"
LEDGER = "p2pchat/store/ledger.py"
OUTBOX = "p2pchat/store/outbox.py"
STORE = "p2pchat/store/store.py"

HISTORIES = "tests/protocol/test_delivery_histories.py::test_histories_drawn_from_a_seed_hold_every_invariant"
OVER_A_DATABASE = "tests/protocol/test_delivery_histories.py::test_histories_over_a_database_hold_them_too"
T_DURABLE = "tests/node/test_durable.py::test_"
T_LEDGER = "tests/store/test_ledger.py::test_"
T_STORE = "tests/store/test_store.py::test_"
T_REFUSALS = "tests/store/test_refusals.py::test_"

EARLY: Final = """\
                opened = self._writer.transaction()
                await self._env.run_sync(opened.__enter__)
                results = await self._env.run_sync(lambda: [_run(self._writer, *job) for job in jobs])
                for waiting, result in zip(group, results, strict=True):
                    waiting.done(result)
                group, results = [], []
                await self._env.run_sync(partial(opened.__exit__, None, None, None))
"""
ANYWAY: Final = """\
    results = []
    try:
        with database.transaction():
            results = [_run(database, pair, job) for pair, job in jobs]
    except StoreError:
        if not results:
            raise
    return results"""

MUTANTS = [
    # ---- what is durable
    Mutant(
        "world: fsync off",
        DATABASE,
        '"PRAGMA synchronous = FULL"',
        '"PRAGMA synchronous = OFF"',
        ("tests/store/test_database.py::test_a_commit_is_on_the_disk",),
        hunt="swarm",
    ),
    Mutant(
        "world: whoever waits is woken before the commit",
        STORE,
        "                results = await self._env.run_sync(partial(_commit, self._writer, jobs))\n",
        EARLY,
        (T_STORE + "what_waits_is_one_transaction",),
        hunt="swarm",
    ),
    Mutant(
        "world: what was rolled back counts as committed",
        STORE,
        "    with database.transaction():\n        return [_run(database, pair, job) for pair, job in jobs]",
        ANYWAY,
        (T_REFUSALS + "a_commit_that_the_disk_refuses_fails_the_whole_group",),
        hunt="swarm",
    ),
    Mutant(
        "world: what was read is trusted after a rollback",
        DATABASE,
        "                    self.forget()\n",
        "                    pass\n",
        ("tests/store/test_half_states.py",),
        hunt="swarm",
    ),
    Mutant(
        "world: the next number is kept in memory",
        HEADS,
        "log.handed, head.next)",
        "log.handed, log.handed + 1)",
        (OVER_A_DATABASE,),
        hunt="swarm",
    ),
    Mutant(
        "world: the mark is kept in memory",
        HEADS,
        "log.base_state, log.handed, head.next)",
        "log.base_state, log.base - 1, head.next)",
        (OVER_A_DATABASE,),
        hunt="swarm",
    ),
    Mutant(
        "world: the claim is kept in memory",
        HEADS,
        "            *(fence.gen, held_since,",
        "            *(1, held_since,",
        (OVER_A_DATABASE,),
        hunt="swarm",
    ),
    Mutant(
        "parts: kept in memory",
        LEDGER,
        "        heads.keep_parts(self._database, head.pair, head.seen.parts, seen.parts)\n",
        "",
        (T_LEDGER + "a_long_message_is_kept_part_by_part",),
    ),
    Mutant(
        "world: one log for all peers",
        HEADS,
        "WHERE own = ? AND peer = ?",
        "WHERE own = ? OR peer = ?",
        ("tests/store/test_queue.py::test_what_waits_for_several_peers_is_told_oldest_first",),
        hunt="swarm",
    ),
    # ---- the fence
    Mutant(
        "world: the fence is never looked at",  # stories of old bytes and a backup; others do not meet it
        "p2pchat/protocol/fence.py",
        "    if ledger.fence.gen != gen:\n        raise",
        "    if False:\n        raise",
        ("tests/protocol/test_delivery_gate.py::test_a_fenced_session_does_not", HISTORIES),
        hunt="haunted",
    ),
    # ---- what is said
    Mutant(
        "world: deleted when it is sent, and not when it is acknowledged",
        DELIVERY,
        "            ledger.hand(self._cursor - 1)\n",
        "            ledger.hand(self._cursor - 1)\n            outbox.acknowledged(ledger, self._cursor - 1)\n",
        (T_DURABLE + "what_cannot_be_stored_is_not_acknowledged_and_comes_again", HISTORIES),
        hunt="swarm",
    ),
    Mutant(
        "world: in the order of the clocks",
        OUTBOX,
        "BETWEEN ? AND ? ORDER BY seq",
        "BETWEEN ? AND ? ORDER BY sent_ms DESC",
        (OVER_A_DATABASE,),
        hunt="jump=3",
    ),
    Mutant(
        "world: resent from one entry too late",
        DELIVERY,
        "self._cursor = self._acked + 1",
        "self._cursor = self._acked + 2",
        (HISTORIES,),
        hunt="swarm",
    ),
    Mutant(
        "world: what a dead link had is not sent again",
        DELIVERY,
        "self._cursor = self._acked + 1",
        "self._cursor = ledger.log.handed + 1",
        (HISTORIES,),
        hunt="swarm",
    ),
    Mutant(
        "world: an acknowledgement drops one entry too many",
        LEDGER,
        "outbox.drop(self._database, head.pair, base)",
        "outbox.drop(self._database, head.pair, base + 1)",
        (OVER_A_DATABASE,),
        hunt="swarm",
    ),
    Mutant(
        "world: what waits is not counted down",
        LEDGER,
        "            head.waiting -= covered.size\n",
        "",
        (T_LEDGER + "what_becomes_of_messages_is_an_event_for_all_of_them",),
        hunt="swarm",
    ),
    Mutant(
        "world: the window never opens again",
        DELIVERY,
        "        last = min(self._acked + window.max_unacked, ",
        "        last = min(window.max_unacked, ",
        (HISTORIES,),
        hunt="swarm",
    ),
    # ---- what is told
    Mutant(
        "world: sent is told as delivered",
        LEDGER,
        'Event("sent", ',
        'Event("delivered", ',
        (T_LEDGER + "what_becomes_of_messages_is_an_event_for_all_of_them",),
        hunt="swarm",
    ),
    Mutant(
        "world: delivered is not told",
        LEDGER,
        '            self._events.append(Event("delivered", head.pair, head.fence.gen, *covered))\n',
        "",
        (T_LEDGER + "what_becomes_of_messages_is_an_event_for_all_of_them",),
        hunt="swarm",
    ),
]
