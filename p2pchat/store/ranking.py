"""Which of many matches are the best: BM25, but for its weights of words.

How rare a word is decides nothing where all words have to occur in all matches; and to know it, all places of a common
word would have to be counted, a million of them for some. What is left is how often the words occur, and how much of
the message they are.

Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009; the constants are those
of SQLite's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from p2pchat.store import fold

LONG: Final = 1024  # bytes of a message that is not looked at closely: it takes too long, and words are lost in it

_SATURATION: Final = 1.2  # k1: how soon one more occurrence stops to matter
_FAIRNESS: Final = 0.75  # b: how much the length matters
_WORD_LENGTH: Final = 6  # bytes of a word and a blank, roughly


class Match(Struct, frozen=True, gc=False):
    """A message in which all phrases occur."""

    cursor: int
    size: int  # bytes
    text: str  # empty if it is a long one


def best(matches: Sequence[Match], phrases: Sequence[str], limit: int) -> list[int]:
    """Return the cursors of the best of `matches`, at most `limit`, the best first, the newer of equals first."""
    if not matches:
        return []
    wanted = [_spaced(phrase.split()) for phrase in phrases]
    counted = [_count(match, wanted) for match in matches]
    usual = sum(length for length, _ in counted) / len(counted)

    def merit(length: int, counts: Sequence[int]) -> float:
        enough = _SATURATION * (1 - _FAIRNESS + _FAIRNESS * length / usual)
        return sum(count / (count + enough) for count in counts)

    ranked = sorted(
        ((merit(*numbers), match.cursor) for numbers, match in zip(counted, matches, strict=True)), reverse=True
    )
    return [cursor for _, cursor in ranked[:limit]]


def _count(match: Match, wanted: Sequence[str]) -> tuple[int, Sequence[int]]:
    """Return how many words a message has, and how often each of those that are wanted occurs in it."""
    if not match.text:
        return match.size // _WORD_LENGTH, [1] * len(wanted)
    tokens = fold.tokens(match.text)
    spaced = _spaced(tokens)
    return len(tokens), [spaced.count(phrase) for phrase in wanted]


def _spaced(tokens: Sequence[str]) -> str:
    """Return `tokens` with two blanks between them, one for each neighbour, and one at the ends."""
    return f" {'  '.join(tokens)} "
