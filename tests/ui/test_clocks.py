"""Clocks that differ are remarked on once, and what has waited for long accuses no clock."""

from __future__ import annotations

from typing import Any

import pytest

from p2pchat.node.events import MessagesReceived
from p2pchat.protocol.assembly import Messages
from p2pchat.ui.clocks import QUIET, REMARKABLE, Clocks, length
from p2pchat.wire.frames import Entry

HOUR = 3600.0


class Somebody:
    """A session as far as this is concerned."""


@pytest.fixture
def bob() -> Somebody:
    return Somebody()


def came(session: Any, at: float, composed: float, *, kept: bool = True) -> MessagesReceived:
    """A message that came `at` by our clock, and was composed then by the clock of its sender; Unix seconds."""
    entry = Entry(bytes(16), 1, int(composed * 1000), b"", b"")
    times = [int(at * 1000)] if kept else []
    return MessagesReceived(
        session=session, messages=Messages([1], [entry]), cursors=[1][: len(times)], received_ms=times
    )


@pytest.mark.parametrize("kept", [True, False])
def test_what_comes_before_it_was_composed_shows_a_clock_that_is_ahead(bob: Any, *, kept: bool) -> None:
    clocks = Clocks()
    assert clocks.ahead(came(bob, 100, 100 + REMARKABLE - 1, kept=kept), 100) is None
    assert clocks.ahead(came(bob, 100, 100 + HOUR, kept=kept), 100) == HOUR
    assert clocks.ahead(came(bob, 200, 200 + HOUR, kept=kept), 200) is None  # told once


def test_what_is_old_twice_on_a_quiet_link_shows_a_clock_that_is_behind(bob: Any) -> None:
    clocks = Clocks()
    clocks.link_began(bob, 0)
    assert clocks.ahead(came(bob, QUIET, QUIET - HOUR), 0) is None
    assert clocks.ahead(came(bob, 3 * QUIET, 3 * QUIET - HOUR + 1), 0) == -HOUR + 1


def test_what_has_waited_for_a_link_shows_nothing(bob: Any) -> None:
    clocks = Clocks()
    for began in (0, 1000):
        clocks.link_began(bob, began)
        for n in range(5):
            assert clocks.ahead(came(bob, began + n, began + n - HOUR), began) is None


def test_what_waited_once_shows_nothing(bob: Any) -> None:
    clocks = Clocks()
    clocks.link_began(bob, 0)
    assert clocks.ahead(came(bob, 100, 100 - HOUR), 0) is None  # while one of us was asleep
    assert clocks.ahead(came(bob, 200, 200), 0) is None
    assert clocks.ahead(came(bob, 300, 300 - 2 * HOUR), 0) is None
    assert clocks.ahead(came(bob, 400, 400 - HOUR), 0) is None


def test_where_nobody_notes_when_it_came_age_shows_nothing(bob: Any) -> None:
    clocks = Clocks()
    clocks.link_began(bob, 0)
    for n in range(5):
        assert clocks.ahead(came(bob, 0, n * HOUR, kept=False), n * HOUR + HOUR) is None


def test_lengths_are_rough() -> None:
    assert [length(seconds) for seconds in (300, 7000, 7200, 50 * HOUR)] == [
        "5 minutes",
        "117 minutes",
        "2 hours",
        "2 days",
    ]
