"""WHEN: a time as it is typed on a command line, ``2026-11-22``, ``2026-11-22T18:30``, ``yesterday`` or ``7d``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

TAKES: Final = "a date (2026-11-22, or 2026-11-22T18:30), today, yesterday, now, or how long ago (30m, 12h, 7d, 2w)"

_AGO: Final = re.compile(r"(\d{1,6})\s*([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def parse(text: str, now_ms: int) -> int:
    """Return the Unix milliseconds that `text` means `now_ms`. Dates without a zone are those of this machine.

    Raises:
      ValueError: if it is no time.
    """
    word = text.strip().lower()
    if ago := _AGO.fullmatch(word):
        return now_ms - 1000 * int(ago[1]) * _SECONDS[ago[2]]
    if word == "now":
        return now_ms
    today = datetime.fromtimestamp(now_ms / 1000, tz=UTC).astimezone().date()
    day = {"today": today, "yesterday": today - timedelta(days=1)}.get(word)
    try:
        moment = datetime.fromisoformat(day.isoformat() if day else word.upper())
        return int(moment.astimezone().timestamp() * 1000)  # without a zone it is taken for local time
    except (ValueError, OverflowError):
        raise ValueError(f"it takes {TAKES}") from None
