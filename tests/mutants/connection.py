"""Planted bugs in the connection: order, ends, floods, timers, last words."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

BUDGET = "p2pchat/protocol/budget.py"
CHANNEL = "p2pchat/protocol/channel.py"
CONNECTION = "p2pchat/protocol/connection.py"
PHASES = "p2pchat/protocol/phases.py"
TIMERS = "p2pchat/protocol/timers.py"

T = "tests/protocol/test_connection.py::test_"
T_HOSTILE = "tests/protocol/test_connection_hostile.py::test_"
T_OPENING = "tests/protocol/test_connection_opening.py::test_"
T_PHASES = "tests/protocol/test_phases.py::test_"
T_TIMERS = "tests/protocol/test_connection_timers.py::test_"
T_CODE = T_HOSTILE + "a_violation_ends_the_connection_with_its_code"
T_TABLE = T_PHASES + "what_is_legal_is_what_the_document_says"

MUTANTS = [
    # --- order
    Mutant(
        "connection: MSG before acceptance",
        PHASES,
        "        Act.RESUME: Phase.RESUMED,\n",
        "        Act.RESUME: Phase.OPEN,\n",
        (T_CODE, T_HOSTILE + "an_impatient_stranger_delivers_nothing", T + "no_entry_leaves_before_both_have_resumed"),
    ),
    Mutant(
        "connection: a second HELLO",
        PHASES,
        "    Phase.GREETED: {\n",
        "    Phase.GREETED: {\n        Act.HELLO: Phase.GREETED,\n",
        (T_CODE, T_TABLE),
    ),
    Mutant(
        "connection: a second RESUME",
        PHASES,
        "    Phase.RESUMED: {\n",
        "    Phase.RESUMED: {\n        Act.RESUME: Phase.RESUMED,\n",
        (T_CODE, T + "no_entry_leaves_before_both_have_resumed"),
    ),
    Mutant(
        "connection: entries after a half-close",
        PHASES,
        "        Act.ACK: Phase.LEFT,\n",
        "        Act.ACK: Phase.LEFT,\n        Act.MSG: Phase.LEFT,\n",
        (T_CODE, T + "after_a_goodbye_no_entry_leaves_but_acks_do", T_TABLE),
    ),
    Mutant(
        "connection: no ack after a half-close",
        PHASES,
        "        Act.ACK: Phase.LEFT,\n",
        "",
        (
            T + "after_a_goodbye_no_entry_leaves_but_acks_do",
            T + "a_goodbye_each_way_leaves_time_for_the_last_ack",
            T_TABLE,
        ),
    ),
    Mutant(
        "connection: a goodbye before the other's RESUME shuts the gate for acks",
        PHASES,
        "Phase.RESUMED: Phase.OPEN, Phase.LEAVING: Phase.LEFT}",
        "Phase.RESUMED: Phase.OPEN}",
        (T_PHASES + "a_resume_after_the_others_goodbye_opens_the_way_for_acks_alone",),
    ),
    Mutant(
        "connection: a refused batch is half said",
        CHANNEL,
        "            phases = moved\n",
        "            phases = self._said = moved\n",
        (T + "what_is_refused_changes_nothing",),
    ),
    Mutant(
        "connection: records not padded",
        CHANNEL,
        "            padding.pad(plaintext)\n",
        "",
        (T + "short_things_all_look_the_same", "tests/protocol/test_connection_kat.py"),
    ),
    Mutant(
        "connection: two pings under way",
        CONNECTION,
        "if pings and (len(pings) > 1 or self._awaited_pong is not None):",
        "if len(pings) > 1:",
        (T + "at_most_one_ping_is_under_way",),
    ),
    Mutant(
        "connection: any PONG is an answer",
        CONNECTION,
        "                if n != self._awaited_pong:\n                    return\n",
        "",
        (T + "at_most_one_ping_is_under_way",),
    ),
    Mutant(
        "connection: TYPING of a stranger shown",
        CONNECTION,
        "                if channel.theirs is not Phase.OPEN:\n                    return\n",
        "",
        (T + "typing_is_not_told_before_both_have_resumed",),
    ),
    # --- ends
    Mutant(
        "connection: the end of stream after a half-close taken for a loss",
        PHASES,
        "frozenset({Phase.GONE, Phase.LEAVING, Phase.LEFT, Phase.ENDED})",
        "frozenset({Phase.GONE, Phase.LEAVING, Phase.ENDED})",
        (T + "the_end_of_the_stream_after_a_goodbye_is_clean",),
    ),
    Mutant(
        "connection: the end of stream taken for a goodbye",
        CONNECTION,
        "self._channel.theirs in CLOSED",
        "self._channel.ours in CLOSED",
        (T + "the_end_of_the_stream_without_the_peers_goodbye_is_a_loss",),
    ),
    Mutant(
        "connection: frames after an abort read",
        CONNECTION,
        "                self._take(frame, channel, now)\n                if self._deaf:\n                    return\n",
        "                self._take(frame, channel, now)\n",
        (T + "any_other_close_ends_both_directions_at_once",),
    ),
    Mutant(
        "connection: an abort is answered",
        CONNECTION,
        "                self._end()\n                self._mute = True\n",
        "                self._end()\n",
        (T + "any_other_close_ends_both_directions_at_once",),
    ),
    Mutant(
        "connection: read on after our own abort",
        CONNECTION,
        "        if self._channel.ours is Phase.ENDED:\n            self._end()\n",
        "",
        (T + "a_refused_stranger_hears_why_and_nothing_more_is_read",),
    ),
    Mutant(
        "connection: the end told twice",
        CONNECTION,
        "            self._mute = self._over = True\n            clean",
        "            self._mute = True\n            clean",
        (T_OPENING + "an_end_in_the_handshake_is_a_loss",),
    ),
    Mutant(
        "connection: last words said again",
        CONNECTION,
        'words, self._last_words = self._last_words, b""',
        "words = self._last_words",
        (
            T_OPENING + "another_version_is_told_which_one_is_spoken_here",
            T_TIMERS + "hello_must_come_within_ten_seconds_of_the_handshake",
        ),
    ),
    Mutant(
        "connection: a hint acted on",
        CONNECTION,
        "        self._fail(error.code, str(error), hint=error.hint, last_words=error.reply)\n",
        "        code = CloseCode(getattr(error, 'claim', error.code))\n"
        "        self._fail(code, str(error), hint=error.hint, last_words=error.reply)\n",
        (T_OPENING + "a_hint_is_told_as_a_hint_and_ends_the_connection",),
    ),
    Mutant(
        "connection: a message A that cannot be answered is a crash",
        CONNECTION,
        "                except HandshakeFailed as exc:\n                    self._fail_handshake(exc)\n"
        '                    return b""\n',
        "                finally:\n                    pass\n",
        (T_OPENING + "a_message_a_with_impossible_keys_fails_when_it_is_answered",),
    ),
    Mutant(
        "connection: what comes with message C lost",
        CONNECTION,
        "                return secured.early\n",
        '                return b""\n',
        (
            T_OPENING + "frames_may_come_with_the_last_message_of_the_handshake",
            T_HOSTILE + "any_split_of_the_bytes_tells_the_same",
        ),
    ),
    # --- floods
    Mutant(
        "connection: pings not counted",
        CONNECTION,
        "            case frames.Ping():\n                self._spend(now)\n",
        "            case frames.Ping():\n                pass\n",
        (T_HOSTILE + "two_hundred_cheap_frames_in_ten_seconds_are_enough",),
    ),
    Mutant(
        "connection: unknown frames not counted",
        CONNECTION,
        "            case frames.Unknown():\n                self._spend(now)\n",
        "            case frames.Unknown():\n",
        (T_HOSTILE + "two_hundred_cheap_frames_in_ten_seconds_are_enough",),
    ),
    Mutant(
        "connection: typing counted only while it is shown",
        CONNECTION,
        "            case frames.Typing():\n                self._spend(now)\n",
        "            case frames.Typing():\n"
        "                if channel.theirs is Phase.OPEN:\n"
        "                    self._spend(now)\n",
        (T_HOSTILE + "two_hundred_cheap_frames_in_ten_seconds_are_enough",),
    ),
    Mutant(
        "connection: one too many let through",
        BUDGET,
        "deque(maxlen=limit + 1)",
        "deque(maxlen=limit + 2)",
        ("tests/protocol/test_timers.py::test_a_budget_remembers_no_more_than_it_needs",),
    ),
    # --- timers
    Mutant(
        "connection: time for the peer's RESUME begins before our HELLO",
        CONNECTION,
        "if self.our_hello is not None and self._channel is not None and",
        "if self._channel is not None and",
        (T_TIMERS + "the_time_for_resume_begins_with_the_second_hello",),
    ),
    Mutant(
        "connection: waited for although it came",
        CONNECTION,
        "                self._timers.stop(Timer.NOTICE, Timer.RESUME)\n",
        "                pass\n",
        (T_TIMERS + "who_has_resumed_is_not_waited_for",),
    ),
    Mutant(
        "connection: a dead link never given up",
        TIMERS,
        "Timer.DEAD: limits.dead,",
        "Timer.DEAD: math.inf,",
        (T_TIMERS + "a_quiet_peer_is_pinged_and_a_dead_one_given_up",),
        hunt="clog=4",
    ),
    Mutant(
        "connection: pinged although one is under way",
        TIMERS,
        "        if not pinging:\n",
        "        if pinging in {True, False}:\n",
        (T_TIMERS + "while_a_ping_is_unanswered_no_other_one_is_due",),
    ),
    Mutant(
        "connection: a stranger in the handshake told that it is late",
        CONNECTION,
        "                    self._fail(CloseCode.TIMEOUT, _LATE[late])\n",
        '                    self._fail(CloseCode.TIMEOUT, _LATE[late], last_words=b"\\0\\0\\x01\\x09")\n',
        (T_TIMERS + "a_handshake_takes_ten_seconds_at_most",),
    ),
]
