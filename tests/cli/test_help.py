"""The pages of `p2pchat help`."""

from __future__ import annotations

import pytest

from p2pchat.cli import help as explaining
from p2pchat.cli import topics, verbs
from p2pchat.ui import commands


@pytest.mark.parametrize("topic", list(topics.PAGES))
def test_every_topic_has_a_page_that_fits_a_terminal(topic: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert explaining.explain(topic) == 0
    page = capfd.readouterr().out
    assert page.startswith(f"{topic.replace('-', ' ')}: ")
    assert max(map(len, page.splitlines())) <= 120


def test_without_a_word_everything_is_listed(capfd: pytest.CaptureFixture[str]) -> None:
    assert explaining.explain() == 0
    page = capfd.readouterr().out
    for word in [*topics.PAGES, *(verb.name for verb in verbs.VERBS)]:
        assert word in page


def test_the_page_of_commands_is_the_table() -> None:
    for line in commands.table():
        assert line in topics.find("commands")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("pips", "did you mean `p2pchat help pipes`?"),
        ("confg", "did you mean `p2pchat help configuration`?"),
        ("lisen", "did you mean `p2pchat help listen`?"),
        ("zzz", "`p2pchat help` lists them"),
    ],
)
def test_an_unknown_topic_is_an_error(word: str, hint: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert explaining.explain(word) == 2
    assert capfd.readouterr().err == f"p2pchat: error: no such topic: {word}\nhint: {hint}\n"
