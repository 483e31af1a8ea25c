"""How long, as people type it."""

from __future__ import annotations

import pytest
import typer

from p2pchat.cli.durations import seconds, some_seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), (" 1.5 H ", 5400), ("5m", 300), ("7d", 604_800), ("2w", 1_209_600), ("0", 0)],
)
def test_a_number_and_a_letter(text: str, expected: float) -> None:
    assert seconds(text, "--expires") == expected


@pytest.mark.parametrize("text", ["", "h", "-1h", "1y", "1h30m", "soon", "inf", "nan", "1e9", "٣h", "9" * 10])
def test_nothing_else_is_a_time(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="it takes a time: 90s, 5m, 1h, 7d"):
        seconds(text, "--expires")


def test_some_time_is_more_than_none() -> None:
    assert some_seconds("0.5s", "--expires") == 0.5
    for text in ("0", "0s", "0.000h", "-5"):
        with pytest.raises(typer.BadParameter, match="it takes a time: 90s, 5m, 1h, 7d"):
            some_seconds(text, "--expires")
