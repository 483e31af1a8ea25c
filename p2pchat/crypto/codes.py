"""Codes: the secrets of invites, as people say and type them.

``7-otter-amber-knife`` is slot 7, which says which of the issuer's invites is meant, and a secret. The secret is a few
words to be said on the phone, or, in links and QR codes, a token that nobody has to type.

Source: docs/protocol.md, section 5.
"""

from __future__ import annotations

import base64
import functools
import importlib.resources
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, Self, final

from p2pchat.errors import BadData

WORDS: Final = 3  # of a new code: 33 bits, of which nobody gets more than three guesses
MIN_WORDS: Final = 2
LAST_SLOT: Final = 2**32 - 1
TOKEN_BYTES: Final = 16  # 128 bits: it may lie around in a picture for a day

_HINT: Final = "a code looks like 7-otter-amber-knife: a number, then words as they were told to you"
_SEPARATORS: Final = re.compile(r"[\s_\-.,]+")
_SLOT: Final = re.compile(r"[0-9]{1,10}")
_TOKEN: Final = re.compile(r"[a-z2-7]{26}")
_SHOWN: Final = 5  # completions that an error names


@final
@dataclass(frozen=True, slots=True)
class Code:
    """An invite's code; `str` gives it as people get it. Its `repr` keeps the secret."""

    slot: int  # which of the issuer's invites, 0 … LAST_SLOT
    secret: str = field(repr=False)  # words joined by "-", or a token

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the code that somebody typed, pasted or was sent as `text`.

        Case, width, and what stands between the words do not matter, and the beginning of a word is enough if no other
        word begins so (four letters always are). Words that are in no list of ours are taken as they are.

        Raises:
          BadData: if it is no code, or a word could be several; the error shows that word and no other.
        """
        slot, *words = _SEPARATORS.sub("-", _folded(text)).strip("-").split("-")
        if not _SLOT.fullmatch(slot) or int(slot) > LAST_SLOT:
            raise BadData("a code begins with the number of an invite", hint=_HINT)
        if len(words) < MIN_WORDS and not (words and _TOKEN.fullmatch(words[0])):
            raise BadData(f"a code has at least {MIN_WORDS} words after its number", hint=_HINT)
        if not "".join(words).isprintable():  # half a character of a pipe, a mark of a web page that has no width
            raise BadData("there is something in the code that cannot be seen", hint="type it instead of pasting it")
        return cls(int(slot), "-".join(map(_whole, words)))

    def __str__(self) -> str:
        return f"{self.slot}-{self.secret}"


def draw_words(entropy: Callable[[int], bytes], count: int = WORDS) -> str:
    """Return a new secret of `count` words, 11 bits each, made from two bytes of `entropy` for each."""
    words = _words()
    return "-".join(words[int.from_bytes(entropy(2)) % len(words)] for _ in range(count))


def draw_token(entropy: Callable[[int], bytes]) -> str:
    """Return a new secret that nobody has to say: 26 characters of base32, made from 16 bytes of `entropy`."""
    return base64.b32encode(entropy(TOKEN_BYTES)).decode().rstrip("=").lower()


def completions(prefix: str) -> list[str]:
    """Return the words that begin with `prefix`, in their order; all of them for ""."""
    words, begin = _words(), _folded(prefix)
    return list(takewhile(lambda word: word.startswith(begin), words[bisect_left(words, begin) :]))


def _whole(word: str) -> str:
    """Return the only word that begins with `word`, or `word` if it is one, or if there is none.

    Raises:
      BadData: if there are several.
    """
    found = completions(word)
    if not found or word in found:
        return word
    if len(found) > 1:
        more = ", …" if len(found) > _SHOWN else ""
        raise BadData(f"{word!a} may be {', '.join(found[:_SHOWN])}{more}", hint="type one more letter of it")
    return found[0]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


@functools.cache
def _words() -> tuple[str, ...]:
    """Return the 2048 words of BIP-39, English, in alphabetical order; four letters tell any two apart."""
    return tuple((importlib.resources.files(__package__) / "words.txt").read_text(encoding="ascii").split())
