"""Events as objects: times that everybody can read."""

from __future__ import annotations

import pytest

from p2pchat.ui.json.events import timestamp


@pytest.mark.parametrize(
    ("unix_ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_795_348_800_123, "2026-11-22T12:00:00.123Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (253_402_300_800_000, None),
        (2**63 - 1, None),
    ],
)
def test_times_are_utc_with_milliseconds_and_what_no_calendar_has_is_none(unix_ms: int, text: str | None) -> None:
    assert timestamp(unix_ms) == text
