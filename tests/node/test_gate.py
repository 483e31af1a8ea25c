"""What a visitor may cost before it has proved anything."""

from __future__ import annotations

import pytest

from p2pchat.address import Address
from p2pchat.node.gate import MAX_TRACKED_SOURCES, UNKNOWN_SOURCE, Gate, source_of
from p2pchat.protocol.limits import Limits


@pytest.mark.parametrize(
    ("scheme", "remote", "source"),
    [
        ("tcp", "203.0.113.5:4711", "203.0.113.5"),
        ("tcp", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("tcp", "[::ffff:203.0.113.5]:4711", "203.0.113.5"),
        ("tcp", "[fe80::1%eth0]:4711", "fe80::/64"),
        ("tcp", "somewhere:4711", UNKNOWN_SOURCE),
        ("tcp", None, UNKNOWN_SOURCE),
        ("unix", None, None),
        ("memory", None, None),
        ("pigeon", None, UNKNOWN_SOURCE),
    ],
)
def test_visitors_are_counted_by_where_they_come_from(scheme: str, remote: str | None, source: str | None) -> None:
    assert source_of(scheme, None if remote is None else Address(scheme, remote)) == source


def test_half_open_handshakes_are_bounded_per_source_and_in_all() -> None:
    gate = Gate(Limits(half_open=5, half_open_per_address=2))
    assert [gate.enter("a") for _ in range(3)] == [True, True, False]
    assert [gate.enter(None) for _ in range(4)] == [True, True, True, False]
    assert not gate.enter("b")
    assert gate.half_open == 5
    gate.leave("a")
    gate.leave("a")
    assert [gate.enter("b"), gate.enter("b"), gate.enter("b")] == [True, True, False]


def test_answers_are_rationed_by_a_bucket_that_fills_again() -> None:
    gate = Gate(Limits(handshake_rate=5.0, handshake_burst=20))
    assert [gate.may_answer("a", 0.0) for _ in range(21)].count(True) == 20
    assert gate.may_answer("b", 0.0)
    assert [gate.may_answer("a", 1.0) for _ in range(6)].count(True) == 5
    assert all(gate.may_answer(None, 0.0) for _ in range(100))


def test_only_so_many_sources_are_remembered() -> None:
    gate = Gate(Limits(handshake_rate=0.001, handshake_burst=1))
    assert gate.may_answer("first", 0.0)
    assert not gate.may_answer("first", 0.0)
    for n in range(MAX_TRACKED_SOURCES):
        gate.may_answer(f"{n}", 0.0)
    assert gate.may_answer("first", 0.0)
