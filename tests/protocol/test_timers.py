"""Deadlines without a clock."""

from __future__ import annotations

import math

from p2pchat.protocol.budget import Budget
from p2pchat.protocol.limits import Limits
from p2pchat.protocol.timers import Timer, Timers

LIMITS = Limits(handshake=10.0, hello=10.0, resume_notice=1.0, resume=300.0, ping=30.0, dead=90.0)


def test_without_a_timer_there_is_no_deadline() -> None:
    timers = Timers(LIMITS, jitter=1.0)
    assert timers.deadline == math.inf
    assert timers.expired(1e9) == []


def test_the_next_deadline_is_that_of_the_earliest_timer() -> None:
    timers = Timers(LIMITS, jitter=1.0)
    timers.start(Timer.DEAD, Timer.PING, now=5.0)
    assert timers.deadline == 35.0
    timers.stop(Timer.PING, Timer.NOTICE)
    assert timers.deadline == 95.0
    timers.clear()
    assert timers.deadline == math.inf


def test_a_timer_expires_once_at_its_time_and_the_earliest_first() -> None:
    timers = Timers(LIMITS, jitter=1.0)
    timers.start(Timer.RESUME, Timer.NOTICE, now=0.0)
    assert timers.expired(0.999) == []
    assert timers.expired(1.0) == [Timer.NOTICE]
    assert timers.expired(1.0) == []
    timers.start(Timer.HELLO, now=0.0)
    assert timers.expired(1000.0) == [Timer.HELLO, Timer.RESUME]


def test_starting_again_puts_a_timer_off() -> None:
    timers = Timers(LIMITS, jitter=1.0)
    timers.start(Timer.DEAD, now=0.0)
    timers.start(Timer.DEAD, now=50.0)
    assert timers.deadline == 140.0


def test_only_pings_are_jittered() -> None:
    timers = Timers(LIMITS, jitter=0.8)
    timers.start(Timer.DEAD, now=0.0)
    assert timers.deadline == 90.0
    timers.start(Timer.PING, now=0.0)
    assert timers.deadline == 24.0


def test_a_budget_counts_in_every_window() -> None:
    budget = Budget(3, window=10.0)
    assert [budget.spend(now) for now in (0.0, 1.0, 2.0)] == [True, True, True]
    assert not budget.spend(9.9)
    assert not budget.spend(10.9)  # 1.0, 2.0, 9.9 and this one: still four within ten seconds
    assert budget.spend(12.0)


def test_a_budget_remembers_no_more_than_it_needs() -> None:
    budget = Budget(3, window=10.0)
    for _ in range(100):
        budget.spend(0.0)
    assert len(budget._times) == 4
