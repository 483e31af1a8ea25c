"""What is searched, and what is searched for, in one form: as different people write the same word.

Folded text is tokens between blanks, for a tokenizer that knows no more than ASCII (`tokenize='ascii'` of FTS5): so
what matches is decided here alone, and not by the Unicode tables that a copy of SQLite happens to carry.

* Capitals, width and style do not count: compatibility decomposition, then case folding.
* Marks that stand on letters do not count: ``cafe`` finds *café*. Vowel signs of Indic scripts and the voicing marks of
  kana are letters to those who read them, and stay.
* Scripts that are written without blanks are cut into overlapping pairs, which match as a phrase, so any part of a
  sentence is found: 東京都 is 東京 and 京都. Single characters of them stand at the end, each once.
* Signs like emoji and € are words of their own; all other punctuation separates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

#: Copies that were folded by other rules, or by other tables of Unicode, are of no use: see `search.py`.
VERSION: Final = f"1 {unicodedata.unidata_version}"

_LAST_OF_LETTERS: Final = 9  # combining classes up to here are parts of letters: nukta 7, kana voicing 8, virama 9
_SELECTORS: Final = frozenset([0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])  # they choose a drawing
_ZERO_WIDTH_SPACE: Final = 0x200B

#: Han, kana, bopomofo, hangul, and the scripts of Thai, Lao, Burmese and Khmer, as far as decomposition leaves them.
_PAIRED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30ff\u3105-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\U00020000-\U0003ffff]+"
)
_ASCII_SEPARATORS: Final = {code: " " for code in range(0x80) if not chr(code).isalnum()}


class _Characters(dict[int, str]):
    """What becomes of a character after decomposition; each is looked at once."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _character(code)
        return folded


def _character(code: int) -> str:
    char = chr(code)
    category = unicodedata.category(char)
    match category[0]:
        case _ if category[0] in "LN" or category == "Cn":  # what is not assigned yet may be a letter one day
            return char
        case "M":
            is_letter = unicodedata.combining(char) <= _LAST_OF_LETTERS and category != "Me" and code not in _SELECTORS
            return char if is_letter else ""
        case "S" if code > 0x7F and category != "Sk":  # the tokenizer drops those of ASCII, Sk are shades of emoji
            return f" {char} "
        case _ if category == "Cf" and code != _ZERO_WIDTH_SPACE:  # soft hyphens, joiners, directions
            return ""
        case _:
            return " "


_CHARACTERS: Final = _Characters()


def fold(text: str) -> str:
    """Return `text` as it is searched."""
    if text.isascii():
        return text  # the tokenizer does the rest
    folded = _plain(text)
    singles = dict.fromkeys("".join(_PAIRED.findall(folded)))
    return " ".join([_PAIRED.sub(lambda run: f" {_pairs(run[0])} ", folded), *singles]) if singles else folded


def tokens(text: str) -> list[str]:
    """Return what the tokenizer makes of `text`."""
    return (text.lower().translate(_ASCII_SEPARATORS) if text.isascii() else fold(text)).split()


def phrases(word: str) -> Iterator[str]:
    """Yield the phrases, tokens between blanks, that occur in every folded text in which `word` occurs.

    There are none if `word` is nothing but punctuation.
    """
    folded = _plain(word)
    for run in _PAIRED.findall(folded):
        yield _pairs(run)
    for rest in _PAIRED.split(folded):
        if tokens := rest.split():
            yield " ".join(tokens)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", decomposed.translate(_CHARACTERS))


def _pairs(run: str) -> str:
    return " ".join(map("".join, pairwise(run))) if len(run) > 1 else run
