"""Bugs that take time, deaths and disks to do harm, in the node; judged by tests and by the simulated world."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

BACKOFF = "p2pchat/node/backoff.py"
CLAIMS = "p2pchat/node/claims.py"
EXCHANGE = "p2pchat/node/exchange.py"
LINK = "p2pchat/node/link.py"
NEWS = "p2pchat/node/news.py"
OUTGOING = "p2pchat/node/outgoing.py"
SESSION = "p2pchat/node/session.py"
STEP = "p2pchat/node/step.py"
STORE = "p2pchat/store/store.py"

T_BACKOFF = "tests/node/test_backoff.py::test_"
T_FOUND = "tests/simulation/test_found.py::test_"
T_CROWDED = "tests/node/test_crowded.py::test_"
T_DURABLE = "tests/node/test_durable.py::test_"
T_LOSS = "tests/node/test_loss.py::test_"
T_OUTGOING = "tests/node/test_outgoing.py::test_"

NO_COME_BACK: Final = "    CloseCode.NORMAL: Redial.NEVER,\n"
REPLY: Final = """\
            if claims.link.speaks:
                claims.link.say(self._machine.reply(self._secret))
                claims.wait(ours=False)
"""
COUNT: Final = """\
                attempt = partial(_attempt, slot=self._slot, peer=claims.peer)
                self._secret, self._left = await claims.node.contacts.write(attempt)
"""
LATE: Final = """\
                live = await claims.node.store.read(invites.live)
                self._secret = {one.slot: one.secret for one in live}.get(self._slot)
"""

MUTANTS = [
    # ---- saying
    Mutant(
        "world: what the disk refused counts as accepted",
        OUTGOING,
        "saying.settle(settled.error)",
        "saying.settle(None)",
        (T_OUTGOING + "what_the_disk_does_not_take_is_not_accepted",),
        hunt="swarm",
    ),
    Mutant(
        "world: said during a transaction, and forgotten",
        EXCHANGE,
        "self._hand_next |= self._look_again or (",
        "self._hand_next |= False or (",
        (T_CROWDED + "what_is_said_during_a_transaction_leaves_with_the_next_one",),
        hunt="swarm",
    ),
    Mutant(
        "rare: an acknowledgement that comes during a transaction opens no window",
        EXCHANGE,
        "may_open = self._acked is not None",
        "may_open = False",
        (T_FOUND + "an_acknowledgement_that_comes_during_a_step_opens_the_window_all_the_same",),
    ),
    Mutant(
        "rare: what is said behind a step that is under way is not looked for",
        "p2pchat/node/speaking.py",
        "if self.outgoing.is_unsettled:  # a step",
        "if self.outgoing.is_unsettled and not self.may_say:  # a step",
        (T_FOUND + "what_is_said_behind_a_step_that_is_under_way_leaves_with_the_next_one",),
    ),
    Mutant(
        "rare: who dialed in vain keeps the lock",
        "p2pchat/node/dialer.py",
        "            self._locked.append(session)\n",
        "            pass\n",
        (T_FOUND + "who_dialed_in_vain_keeps_no_other_process_from_dialing",),
    ),
    Mutant(
        "world: said during a transaction, and never written",
        OUTGOING,
        "        self.settle()  # what was said meanwhile\n",
        "",
        (T_CROWDED + "what_is_said_during_a_transaction_leaves_with_the_next_one",),
        hunt="swarm",
    ),
    Mutant(
        "node: a key is not looked up",
        OUTGOING,
        "        if self.key is not None and (found := transaction.keyed(self.key)) is not None:\n",
        "        if self.key == '' and (found := transaction.keyed(self.key)) is not None:\n",
        (T_OUTGOING + "what_has_a_key_is_said_once",),
    ),
    Mutant(
        "world: a key is not kept",
        OUTGOING,
        "            transaction.tag(self.ids[0], key=self.key, ref=self.ref)",
        "            transaction.tag(self.ids[0], key=None, ref=self.ref)",
        (T_OUTGOING + "what_has_a_key_is_said_once",),
        hunt="at:after enqueue",
    ),
    # ---- links
    Mutant(
        "world: batches leave in the wrong order",
        STEP,
        "[*batches] if ack is None else [ack, *batches]",
        "[*batches][::-1] if ack is None else [ack, *batches][::-1]",
        (T_CROWDED + "a_connection_that_holds_little_lets_everything_through",),
        hunt="swarm",
    ),
    Mutant(
        "world: a part of a write counts as all of it",
        LINK,
        "                del self._out[: self._sender.send_nowait(self._out)]",
        "                self._sender.send_nowait(self._out)\n                self._out.clear()",
        (T_CROWDED + "a_connection_that_holds_little_lets_everything_through",),
        hunt="swarm",
    ),
    Mutant(
        "world: the rest of a write is sent from its beginning",
        LINK,
        "                del self._out[: self._sender.send_nowait(self._out)]",
        "                taken = self._sender.send_nowait(self._out)\n"
        "                del self._out[: taken if taken == len(self._out) else 0]",
        (T_CROWDED + "a_connection_that_holds_little_lets_everything_through",),
        hunt="swarm",
    ),
    Mutant(
        "world: timers on the wall clock",
        LINK,
        "self.connection.receive_data(data, now=self._env.clock())",
        "self.connection.receive_data(data, now=self._env.wall())",
        (T_LOSS + "a_peer_that_freezes_is_found_by_pings",),
        hunt="clog=4",
    ),
    Mutant(
        "node: reading is not taken up again",
        EXCHANGE,
        "        self.session.stepped(step)\n        if not self._delivery.is_full:",
        "        self.session.stepped(step)\n        if self.link.end is not None:",
        (T_CROWDED + "a_window_of_two_lets_everything_through",),
    ),
    Mutant(
        "world: a step that the disk refused is forgotten",
        EXCHANGE,
        "        except StoreError as error:\n            self._give_up(error)\n"
        "            return\n        self._ready",
        "        except StoreError as error:\n            self.session.store_failed(error)\n"
        "            return\n        self._ready",
        (T_DURABLE + "what_cannot_be_stored_is_not_acknowledged_and_comes_again",),
        hunt="full=3",
    ),
    # ---- coming back
    Mutant(
        "world: nobody dials again",
        "p2pchat/node/dialer.py",
        "await self._pause(session, ",
        "False and await self._pause(session, ",
        (T_LOSS + "what_is_said_while_links_break_is_heard_once_and_in_order",),
        hunt="swarm",
    ),
    Mutant(
        "world: nobody comes back to who was away",
        BACKOFF,
        NO_COME_BACK,
        NO_COME_BACK + "    CloseCode.GOING_AWAY: Redial.NEVER,\n",
        (T_BACKOFF + "every_close_code_has_a_verdict",),
        hunt="stop=2",
    ),
    Mutant(
        "world: nobody comes back to whose disk was full",
        BACKOFF,
        NO_COME_BACK,
        NO_COME_BACK + "    CloseCode.STORE_FAILED: Redial.NEVER,\n",
        (T_BACKOFF + "every_close_code_has_a_verdict",),
        hunt="full=3",
    ),
    Mutant(
        "world: reconnect storm without back-off",
        BACKOFF,
        "self._rng.uniform(0.0, self._ceiling)",
        "self._rng.uniform(0.0, 0.001)",
        (T_BACKOFF + "delays_are_spread_over_all_that_is_below_the_ceiling",),
        hunt="swarm",
    ),
    # ---- several processes
    Mutant(
        "world: what other processes say is not heard of",
        STORE,
        "            if self._changed is not None:\n                self._changed()",
        "            if self._changed is not None:\n                pass",
        (T_DURABLE + "two_processes_of_a_profile_share_one_link",),
        hunt="swarm",
    ),
    # ---- what is shown
    Mutant(
        "world: the newest message is on the disk, and nobody is told",
        NEWS,
        "if through <= self._through:",
        "if through <= self._through + 1:",
        (T_DURABLE + "a_withdrawn_message_is_never_heard",),
        hunt="swarm",
    ),
    Mutant(
        "world: a page is told twice",
        NEWS,
        "self.after = records[-1].cursor if records else through",
        "self.after = records[0].cursor if records else through",
        (T_DURABLE + "a_face_that_is_behind_holds_nobody_up_and_hears_everything",),
        hunt="swarm",
    ),
    # ---- codes
    Mutant(
        "world: an attempt at a code is not counted",
        "p2pchat/store/invites.py",
        "UPDATE invites SET attempts = attempts + 1",
        "UPDATE invites SET attempts = attempts",
        ("tests/store/test_invites.py::test_three_attempts_and_no_fourth",),
        hunt="swarm",
    ),
    Mutant(
        "world: the answer leaves before the attempt is counted",
        CLAIMS,
        COUNT + REPLY,
        LATE + REPLY + COUNT.replace("self._secret, self._left = ", ""),
        ("tests/node/test_claims_hostile.py::test_where_the_disk_refuses_to_count_nobody_gets_an_answer",),
        hunt="at:before attempt",
    ),
]
