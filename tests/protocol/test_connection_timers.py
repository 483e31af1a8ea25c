"""What a connection does when nothing happens. Time passes only where a test says so."""

from __future__ import annotations

import math

import pytest

from p2pchat.crypto.noise import Role
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import Answer, Begin, Event, Failed, PingDue, Reveal, WaitingToBeLetIn
from p2pchat.protocol.limits import Limits
from p2pchat.protocol.timers import Timer
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Ack, Close, Ping, Pong
from tests.support.entropy import seeded
from tests.support.framing import HELLO, RESUME, msg
from tests.support.kat import ALICE
from tests.support.pair import ConnectionPair


def assert_late(told: list[Event], *, silent: bool) -> None:
    (failed,) = told
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent) == (CloseCode.TIMEOUT, silent)
    assert failed.detail


@pytest.mark.parametrize("stage", range(3))
def test_a_handshake_takes_ten_seconds_at_most(stage: int) -> None:
    pair = ConnectionPair()
    for said in (Begin(), Answer())[:stage]:
        pair.say(pair.responder if isinstance(said, Answer) else pair.initiator, said)
    assert pair.responder.deadline == pair.initiator.deadline == 10.0
    assert pair.tick(pair.responder, 9.9) == []
    pair.now = 10.0
    assert_late(pair.tick(pair.responder, 0.0), silent=True)
    assert pair.responder.send(Close(CloseCode.TIMEOUT), now=10.0) == b""
    assert pair.responder.deadline == math.inf
    assert pair.tick(pair.responder, 100.0) == []


def test_hello_must_come_within_ten_seconds_of_the_handshake() -> None:
    pair = ConnectionPair()
    pair.say(pair.initiator, Begin())
    pair.say(pair.responder, Answer())
    pair.now = 9.0
    pair.say(pair.initiator, Reveal())
    assert pair.responder.deadline == 19.0
    assert_late(pair.tick(pair.responder, 10.0), silent=False)
    farewell = pair.responder.send(Close(CloseCode.TIMEOUT), now=pair.now)
    assert pair.carry(farewell, pair.initiator) == [Close(CloseCode.TIMEOUT)]
    assert pair.responder.send(Close(CloseCode.TIMEOUT), now=pair.now) == b""


def test_waiting_to_be_let_in_is_told_after_a_second_and_ends_after_five_minutes() -> None:
    pair = ConnectionPair().greet()
    pair.say(pair.initiator, RESUME)
    assert pair.initiator.deadline == 1.0
    assert pair.tick(pair.initiator, 1.0) == [WaitingToBeLetIn()]
    for _ in range(11):
        assert pair.tick(pair.initiator, 26.0) == []
        pair.forge(pair.responder, bytes(256))  # a sign of life, and nothing else
    pair.now = 300.0
    assert_late(pair.tick(pair.initiator, 0.0), silent=False)


def test_the_time_for_resume_begins_with_the_second_hello() -> None:
    pair = ConnectionPair().shake_hands()
    pair.say(pair.responder, HELLO)
    pair.now = 5.0
    assert pair.initiator.deadline == 30.0
    pair.say(pair.initiator, HELLO)
    assert pair.initiator.deadline == pair.responder.deadline == 6.0


def test_who_has_resumed_is_not_waited_for() -> None:
    pair = ConnectionPair().greet()
    pair.say(pair.initiator, RESUME)
    assert pair.responder.deadline == 30.0
    early = ConnectionPair().shake_hands()
    early.say(early.initiator, HELLO, RESUME)
    early.say(early.responder, HELLO)
    assert early.responder.deadline == 30.0
    assert early.initiator.deadline == 1.0


@pytest.mark.parametrize(("jitter", "due"), [(0.8, 24.0), (1.0, 30.0), (1.2, 36.0)])
def test_a_quiet_peer_is_pinged_and_a_dead_one_given_up(jitter: float, due: float) -> None:
    pair = ConnectionPair(jitter=jitter).open()
    assert pair.initiator.deadline == due
    assert pair.tick(pair.initiator, due) == [PingDue(1)]
    pair.say(pair.initiator, Ping(1))
    assert pair.initiator.deadline == 90.0
    pair.now = 90.0
    assert_late(pair.tick(pair.initiator, 0.0), silent=False)
    assert pair.initiator.send(Close(CloseCode.TIMEOUT), now=90.0)


def test_without_jitter_a_ping_is_due_when_the_limits_say() -> None:
    side = Connection(Role.INITIATOR, ALICE, entropy=seeded(1), now=0.0)
    side._timers.start(Timer.PING, now=0.0)
    side._timers.stop(Timer.HANDSHAKE)
    assert side.deadline == Limits().ping


def test_an_answer_puts_the_next_ping_off() -> None:
    pair = ConnectionPair().open()
    for n in range(1, 5):
        assert pair.tick(pair.initiator, 30.0) == [PingDue(n)]
        pair.say(pair.initiator, Ping(n))
        assert pair.say(pair.responder, Pong(n)) == [Pong(n)]
        assert pair.initiator.deadline == pair.now + 30.0


def test_any_record_is_a_sign_of_life_but_half_of_one_is_not() -> None:
    pair = ConnectionPair().open()
    pair.now = 20.0
    sealed = pair.responder.send(msg(), now=20.0)
    pair.initiator.receive_data(sealed[:-1], 20.0)
    assert pair.initiator.deadline == 30.0
    pair.initiator.receive_data(sealed[-1:], 25.0)
    assert pair.initiator.deadline == 55.0


def test_while_a_ping_is_unanswered_no_other_one_is_due() -> None:
    """Though records come: then it is not needed, and two may not be under way."""
    pair = ConnectionPair().open()
    assert pair.tick(pair.initiator, 30.0) == [PingDue(1)]
    pair.say(pair.initiator, Ping(1))
    for _ in range(5):
        pair.say(pair.responder, Ack(0))
        assert pair.tick(pair.initiator, 50.0) == []
    assert pair.initiator.deadline == pair.now + 40.0


def test_a_ping_that_is_due_but_not_sent_is_not_due_again_at_once() -> None:
    pair = ConnectionPair().open()
    assert pair.tick(pair.initiator, 30.0) == [PingDue(1)]
    assert pair.tick(pair.initiator, 1.0) == []
    assert pair.initiator.deadline == 90.0
    pair.say(pair.responder, Ack(0))
    assert pair.initiator.deadline == pair.now + 30.0


def test_a_ping_of_the_owners_own_counts_too() -> None:
    pair = ConnectionPair().open()
    pair.say(pair.initiator, Ping(99))
    assert pair.initiator.deadline == 90.0
    pair.say(pair.responder, Pong(99))
    assert pair.initiator.deadline == 30.0


def test_no_ping_is_due_before_one_may_be_sent() -> None:
    """Before our own HELLO nothing but HELLO may leave."""
    pair = ConnectionPair(limits=Limits(hello=1000.0)).shake_hands()
    assert pair.tick(pair.responder, 30.0) == []
    assert pair.responder.deadline == 60.0
    pair.say(pair.responder, HELLO)
    assert pair.tick(pair.responder, 30.0) == [PingDue(1)]


def test_after_our_last_close_nothing_is_waited_for() -> None:
    pair = ConnectionPair().greet()
    pair.say(pair.responder, Close(CloseCode.NOT_AUTHORIZED))
    for side in (pair.initiator, pair.responder):
        assert side.deadline == math.inf
        assert pair.tick(side, 1000.0) == []


def test_a_late_tick_tells_what_came_first_first() -> None:
    pair = ConnectionPair().greet()
    told = pair.tick(pair.initiator, 1000.0)
    assert told[:2] == [WaitingToBeLetIn(), PingDue(1)]
    assert_late(told[2:], silent=False)
    assert pair.initiator.send(Ping(1), now=pair.now) == b""


def test_half_closed_links_are_watched_too() -> None:
    pair = ConnectionPair().open()
    pair.say(pair.initiator, Close(0))
    assert pair.tick(pair.initiator, 30.0) == [PingDue(1)]
    assert pair.say(pair.initiator, Ping(1)) == [Ping(1)]


def test_being_pinged_is_a_sign_of_life() -> None:
    pair = ConnectionPair().open()
    assert pair.responder.deadline == 30.0
    pair.now = 10.0
    pair.say(pair.initiator, Ping(1))
    assert pair.responder.deadline == 40.0
