"""How long, as it is typed on a command line: ``90s``, ``5m``, ``1h``, ``7d``; a bare number is seconds."""

from __future__ import annotations

import re
from typing import Final

import typer

_DURATION: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([smhdw]?)", re.ASCII)
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(text: str, option: str) -> float:
    """Return the number of seconds that `text`, the value of `option`, means.

    Raises:
      typer.BadParameter: if it is none.
    """
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise typer.BadParameter("it takes a time: 90s, 5m, 1h, 7d", param_hint=f"'{option}'")
    return float(found[1]) * _SECONDS[found[2]]


def some_seconds(text: str, option: str) -> float:
    """Return the same, of a time that is not over at once.

    Raises:
      typer.BadParameter: if it is none, or no time at all.
    """
    length = seconds(text, option)
    if not length:
        raise typer.BadParameter("it takes a time: 90s, 5m, 1h, 7d", param_hint=f"'{option}'")
    return length
