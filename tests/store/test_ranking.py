"""The best of many matches come first."""

from __future__ import annotations

from p2pchat.store import ranking
from p2pchat.store.ranking import LONG, Match


def best(*texts: str, phrases: tuple[str, ...] = ("fox",), limit: int = 100) -> list[str]:
    """Return `texts`, the best first; each is a message, the later the newer."""
    matches = [Match(cursor, len(text), text if len(text) <= LONG else "") for cursor, text in enumerate(texts)]
    return [texts[cursor] for cursor in ranking.best(matches, phrases, limit)]


def test_of_nothing_there_is_no_best() -> None:
    assert best() == []


def test_a_short_message_is_better_than_a_long_one() -> None:
    assert best("a fox in a long story", "fox") == ["fox", "a fox in a long story"]


def test_more_occurrences_are_better() -> None:
    assert best("fox and dog and", "fox and fox and") == ["fox and fox and", "fox and dog and"]


def test_the_newer_of_equals_is_first() -> None:
    assert best("fox one", "fox two", "fox six", limit=2) == ["fox six", "fox two"]


def test_only_whole_words_count() -> None:
    assert best("foxes fox firefox foxy", "fox, Fox! the dog") == ["fox, Fox! the dog", "foxes fox firefox foxy"]


def test_neighbours_are_counted_each() -> None:
    assert best("fox fox fox dog", "fox fox dog dog")[0] == "fox fox fox dog"


def test_phrases_count_as_one() -> None:
    texts = ("foo-bar, foo bar", "bar foo bar bar")
    assert best(*texts, phrases=("foo bar",))[0] == texts[0]


def test_words_without_blanks_are_counted_too() -> None:
    assert best("東京と京都と大阪", "東京と東京と東京", phrases=("東京",))[0] == "東京と東京と東京"


def test_a_very_long_message_is_the_last() -> None:
    long = "fox " * LONG
    assert best(long, "a fox in a long story") == ["a fox in a long story", long]
    assert best(long) == [long]
