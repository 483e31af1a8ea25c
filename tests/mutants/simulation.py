"""Bugs that only a world with time, deaths and disks can meet: each was tried from three first seeds, and caught.

Beside each: how many stories it took, from seeds 0, 400 and 800 on. Bugs of the rules that no honest peer can bring out
(an overlap that is not skipped, a position that is not compared) survive here and die in `delivery.py`.
"""

from __future__ import annotations

from tests.mutants.mutant import Mutant

STORIES = ("tests/simulation/test_campaign.py::test_no_story_breaks_a_promise",)
HAUNTED = ("tests/simulation/test_campaign.py::test_what_was_said_before_a_backup_came_back_breaks_no_promise",)

MUTANTS = [
    Mutant(
        "world: fsync only at checkpoints",  # 1, 7, 3
        "p2pchat/store/database.py",
        '"PRAGMA synchronous = FULL"',
        '"PRAGMA synchronous = NORMAL"',
        STORIES,
    ),
    Mutant(
        "world: the fence is never looked at",  # 4 stories of old bytes and a backup; others do not meet it
        "p2pchat/protocol/fence.py",
        "    if ledger.fence.gen != gen:\n        raise",
        "    if False:\n        raise",
        HAUNTED,
    ),
    Mutant(
        "world: the mark is not raised",  # 2, 1, 6
        "p2pchat/protocol/delivery.py",
        "            ledger.hand(self._cursor - 1)\n",
        "            pass\n",
        STORIES,
    ),
    Mutant(
        "world: a withdrawal that comes too late succeeds",  # 3, 1, 6
        "p2pchat/protocol/outbox.py",
        "    if first <= ledger.log.handed:\n        return False\n",
        "",
        STORIES,
    ),
    Mutant(
        "world: resent from one entry too late",  # 2, 1, 1
        "p2pchat/protocol/delivery.py",
        "self._cursor = self._acked + 1",
        "self._cursor = self._acked + 2",
        STORIES,
    ),
    Mutant(
        "world: what a dead link had is not sent again",  # 2, 2, 3
        "p2pchat/protocol/delivery.py",
        "self._cursor = self._acked + 1",
        "self._cursor = ledger.log.handed + 1",
        STORIES,
    ),
    Mutant(
        "world: acknowledged as soon as it has arrived",  # 4, more than 80, 5
        "p2pchat/protocol/delivery.py",
        "        return Ack(self._ack_said)",
        "        return Ack(max(self._ack_said, self._arrived))",
        STORIES,
    ),
    Mutant(
        "world: an acknowledgement drops one entry too many",  # 2, 2, 1
        "p2pchat/store/ledger.py",
        "outbox.drop(self._database, head.pair, base)",
        "outbox.drop(self._database, head.pair, base + 1)",
        STORIES,
    ),
    Mutant(
        "world: what the disk refused counts as accepted",  # 17, 8, 7
        "p2pchat/node/outgoing.py",
        "saying.settle(settled.error)",
        "saying.settle(None)",
        STORIES,
    ),
    Mutant(
        "world: said during a transaction, and forgotten",  # 11, 11, 45
        "p2pchat/node/exchange.py",
        "self._hand_next |= self._look_again or (",
        "self._hand_next |= False or (",
        STORIES,
    ),
    Mutant(
        "world: what was read is trusted after a rollback",  # 2, 8, 7
        "p2pchat/store/database.py",
        "                    self.forget()\n",
        "                    pass\n",
        STORIES,
    ),
    Mutant(
        "world: a gap is not told",  # 15, 34, 48
        "p2pchat/protocol/inbox.py",
        "    return resume.base > 1\n",
        "    return False\n",
        STORIES,
    ),
    Mutant(
        "world: nobody dials again",  # 2, 2, 7
        "p2pchat/node/dialer.py",
        "await self._pause(session, ",
        "False and await self._pause(session, ",
        STORIES,
    ),
    Mutant(
        "world: a dead link is never given up",  # 19, 1, 11
        "p2pchat/protocol/timers.py",
        "            Timer.DEAD: limits.dead,",
        "            Timer.DEAD: limits.dead * 1e6,",
        STORIES,
    ),
    Mutant(
        "world: the newest message is on the disk, and nobody is told",  # 5
        "p2pchat/node/news.py",
        "if through <= self._through:",
        "if through <= self._through + 1:",
        STORIES,
    ),
    Mutant(
        "world: the window never opens again",  # 4, 6, 6
        "p2pchat/protocol/delivery.py",
        "        last = min(self._acked + window.max_unacked, ",
        "        last = min(window.max_unacked, ",
        STORIES,
    ),
]
