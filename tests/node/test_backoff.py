"""When to dial again, and whether."""

from __future__ import annotations

import random

import pytest

from p2pchat.node.backoff import STERN_FLOOR, Backoff, Redial, verdict
from p2pchat.protocol.limits import Limits
from p2pchat.wire.close_codes import CloseCode

CAP = Limits().redial_cap


class Highest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        del a
        return b


def test_the_ceiling_doubles_up_to_five_minutes() -> None:
    backoff = Backoff(Highest(), cap=CAP)
    assert [backoff.next_delay() for _ in range(11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    backoff.reset()
    assert backoff.next_delay() == 1


def test_the_ceiling_is_where_the_limits_say() -> None:
    backoff = Backoff(Highest(), cap=3)
    assert [backoff.next_delay() for _ in range(4)] == [1, 2, 3, 3]
    assert Backoff(Highest(), cap=0.5).next_delay() == 0.5


def test_delays_are_spread_over_all_that_is_below_the_ceiling() -> None:
    delays = sorted(Backoff(random.Random(seed), cap=CAP).next_delay() for seed in range(200))
    assert delays[0] < 0.05
    assert delays[-1] > 0.95


def test_after_nonsense_we_wait_a_minute_at_least() -> None:
    assert Backoff(random.Random(1), cap=CAP).next_delay(Redial.BACK_OFF_STERN) >= STERN_FLOOR


@pytest.mark.parametrize(
    ("code", "redial"),
    [
        (None, Redial.BACK_OFF),
        (CloseCode.NORMAL, Redial.NEVER),
        (CloseCode.GOING_AWAY, Redial.BACK_OFF),
        (CloseCode.PROTOCOL, Redial.BACK_OFF_STERN),
        (CloseCode.TOO_BIG, Redial.BACK_OFF_STERN),
        (CloseCode.UNSUPPORTED, Redial.NEVER),
        (CloseCode.NOT_AUTHORIZED, Redial.NEVER),
        (CloseCode.DUPLICATE, Redial.BACK_OFF),
        (CloseCode.SEQUENCE, Redial.BACK_OFF),
        (CloseCode.STORE_FAILED, Redial.BACK_OFF),
        (CloseCode.TIMEOUT, Redial.BACK_OFF),
        (CloseCode.RATE, Redial.BACK_OFF),
        (CloseCode.INTERNAL, Redial.BACK_OFF),
        (CloseCode.SELF, Redial.NEVER),
        (4242, Redial.BACK_OFF),
    ],
)
def test_every_close_code_has_a_verdict(code: int | None, redial: Redial) -> None:
    assert verdict(code) is redial
