"""Names that people give, or claim: which of them look alike, and which can be a petname.

Two names that look the same must not be two people. What is compared is a *skeleton*: the name in lower case, without
marks, each letter replaced by the one it can be taken for. Skeletons are never shown nor kept.

Source: Unicode Technical Standard 39, "Unicode Security Mechanisms", sections 4 and 5.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from p2pchat.errors import BadData

MAX_PETNAME: Final = 64  # characters

_ASCII: Final = str.maketrans("01i|", "olll")
_PAIRS: Final = (("rn", "m"), ("vv", "w"))
_MARKS: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")


def folded(text: str) -> str:
    """Return `text` as it is looked up: in one form, without case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def skeleton(text: str) -> str:
    """Return what `text` looks like; two texts with one skeleton can be taken for each other."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", folded(text)))
    result = bare.translate(_ASCII)
    for pair, letter in _PAIRS:
        result = result.replace(pair, letter)
    return result


def alike(one: str, other: str) -> bool:
    """Return whether one name can be taken for the other, or is the other in another case."""
    return folded(one) == folded(other) or skeleton(one) == skeleton(other)


def check_petname(text: str) -> str:
    """Return the name in `text` as it is kept: in one form, without blanks around it.

    Raises:
      BadData: if it is no name for a contact; the message says why.
    """
    name = unicodedata.normalize("NFC", text.strip())
    if not name:
        raise BadData("an empty name")
    return name


def is_single_script(text: str) -> bool:
    """Return whether all letters in `text` are of one way of writing, so that none of them poses as another."""
    return text.isascii()
