"""Times as people type them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from p2pchat.cli import moments

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC).astimezone()
NOW_MS = int(NOW.timestamp() * 1000)


def at(*when: int) -> int:
    """Return a local time in Unix milliseconds."""
    return int(datetime(*when).astimezone().timestamp() * 1000)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", NOW_MS),
        ("30s", NOW_MS - 30_000),
        ("30m", NOW_MS - 1_800_000),
        ("12H", NOW_MS - 43_200_000),
        (" 7d ", NOW_MS - 7 * 86_400_000),
        ("2w", NOW_MS - 14 * 86_400_000),
        ("0d", NOW_MS),
        ("today", at(NOW.year, NOW.month, NOW.day)),
        ("Yesterday", at(NOW.year, NOW.month, NOW.day - 1)),
        ("2026-11-20", at(2026, 11, 20)),
        ("2026-11-20T18:30", at(2026, 11, 20, 18, 30)),
        ("2026-11-20 18:30:05", at(2026, 11, 20, 18, 30, 5)),
        ("2026-11-20t18:30z", int(datetime(2026, 11, 20, 18, 30, tzinfo=UTC).timestamp() * 1000)),
        ("2026-11-20T18:30:00.250Z", int(datetime(2026, 11, 20, 18, 30, tzinfo=UTC).timestamp() * 1000) + 250),
    ],
)
def test_is_a_time(text: str, ms: int) -> None:
    assert moments.parse(text, NOW_MS) == ms


@pytest.mark.parametrize(
    "text", ["", "soon", "7", "d", "-7d", "1.5h", "2026-13-01", "22.11.2026", "7 days", "9999999w"]
)
def test_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="it takes a date"):
        moments.parse(text, NOW_MS)


def test_a_time_that_no_calendar_of_this_machine_has() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC-14")  # the year 1 begins in the year 0 there
        time.tzset()
        with pytest.raises(ValueError, match="it takes a date"):
            moments.parse("0001-01-01", NOW_MS)
    time.tzset()
