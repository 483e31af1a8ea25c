"""Names: which of them look alike, which are written in one script, and which a contact may have here.

Two names that a person may take for one must not be two people. So what is compared is a *skeleton*: the name without
case and marks, each sign replaced by the one that stands for all it can be taken for. It errs towards refusing: *Ian*
and *Lan* are one name, and so are *José* and *Jose*. Skeletons are neither shown nor kept, so the table may grow.

Source: Unicode Technical Standard 39, "Unicode Security Mechanisms", sections 4 and 5.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from p2pchat.errors import BadData

MAX_PETNAME: Final = 64  # characters
TABLE: Final = "lookalikes.txt"  # beside this file; tests/support/lookalikes.py writes it

_ASCII: Final = str.maketrans("01i|", "olll")
#: Marks that any letter may carry, and what has no look of its own.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_FILLERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters and marks like nothing at all

_ADDRESS: Final = re.compile("[:/]")
_ID: Final = "peerl"  # the skeleton of how an id begins
_OURS: Final = re.compile(r"[-*>]|(me|you)(?![^\W_])")  # lines and words of this program
#: Words with one blank between them: no sign in a name can end it, begin a line of ours, or look like a mark of ours.
#: Of letters, marks and numbers it has the kind.
_PLAIN: Final = re.compile("L(?:[LMN_.'\u2019&@+-]| (?![ M]))*")
_HINT: Final = "a name is up to 64 letters, such as: bob, Anna Smith, ann@work"

#: Ways of writing that take several scripts.
_TOGETHER: Final = (
    frozenset({"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "IDEOGRAPHIC", "HANGUL"}),
    frozenset({"CJK", "IDEOGRAPHIC", "BOPOMOFO"}),
)
_SCRIPT: Final = re.compile(r"(?:EXTENDED |MODIFIER LETTER )?([A-Z]+)")


def folded(text: str) -> str:
    """Return `text` as names are looked up: in one form, whatever the case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def bare(text: str) -> str:
    """Return `text` in one form, without case and without marks that any letter may carry."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKD", folded(text)))


def skeleton(text: str) -> str:
    """Return what `text` looks like, as it is written: two texts with one skeleton can be taken for each other.

    How many blanks there are makes no difference. Some capitals, as two of the Greek, look like other letters than
    their small forms do; `shapes` has both.
    """
    if text.isascii():
        result = text.casefold()
    else:
        seen = unicodedata.normalize("NFKC", text).translate(_lookalikes())
        result = bare(seen).translate(_lookalikes())
    return " ".join(result.translate(_ASCII).replace("rn", "m").replace("vv", "w").split())


def shapes(text: str) -> frozenset[str]:
    """Return all that `text` looks like: as it is written, and in small letters."""
    return frozenset({skeleton(text), skeleton(folded(text))})


def alike(one: str, other: str) -> bool:
    """Return whether one name can be taken for the other, or is the other in another case."""
    return not shapes(one).isdisjoint(shapes(other))


def check_petname(text: str) -> str:
    """Return the name in `text` as it is kept: in one form, without blanks around it.

    It can be seen, fits on a line, and cannot be taken for a number, an address, an id, or for what this program says.

    Raises:
      BadData: if it is none that a contact may have; the message says why.
    """
    name = unicodedata.normalize("NFC", text).strip()
    why = _what_is_wrong(name)
    if why:
        raise BadData(f"{name[: MAX_PETNAME + 1]!a} cannot be a name: {why}", hint=_HINT)
    return name


def is_single_script(text: str) -> bool:
    """Return whether all letters in `text` are of one way of writing, so that none of them poses as another."""
    if text.isascii():
        return True
    scripts = {_script(char) for char in unicodedata.normalize("NFKC", text)} - {None}
    return "" not in scripts and (len(scripts) < 2 or any(scripts <= together for together in _TOGETHER))


def _what_is_wrong(name: str) -> str:
    """Return why `name` cannot be one; an empty string if it can."""
    shape, kinds = skeleton(name), {unicodedata.category(char)[0] for char in name}
    reasons = {
        "it is longer than 64 characters": len(name) > MAX_PETNAME,
        "it has something in it that cannot be seen": not all(map(_is_seen, name)),
        "a colon or a slash makes it an address": _ADDRESS.search(unicodedata.normalize("NFKC", name)),
        "it has no letter": kinds.isdisjoint("LNS"),
        "it is a number": "L" not in kinds and "N" in kinds,
        "it looks like a peer id": shape.startswith(_ID),
        "it looks like something that p2pchat says": _OURS.match(shape),
        "it is no words with one blank between them": not _is_plain(name),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _is_plain(name: str) -> bool:
    """Whether a name begins with a letter, and has nothing in it but words, of whatever script, and blanks between."""
    kinds = ((char, unicodedata.category(char)[0]) for char in name)
    return bool(_PLAIN.fullmatch("".join(kind if kind in "LMN" else char for char, kind in kinds)))


def _is_seen(char: str) -> bool:
    return char == " " or (unicodedata.category(char)[0] not in "CZ" and char not in _FILLERS)


def _script(char: str) -> str | None:
    """Return the script of a letter, a digit, or a mark of a script; None if any script may have it, "" if unknown."""
    name = unicodedata.name(char, "")
    kind = unicodedata.category(char)
    if char.isascii() and not char.isalpha():
        return None
    if not (kind[0] == "L" or kind == "Nd" or (kind[0] == "M" and not _UNSEEN.match(char))):
        return None if name else ""
    found = _SCRIPT.match(name)
    return found[1] if found else ""


@cache
def _lookalikes() -> dict[int, str]:
    """Return what stands for each sign that something else stands for."""
    table = {}
    for line in Path(__file__).with_name(TABLE).read_text(encoding="ascii").splitlines():
        stands, _, others = line.partition("#")[0].partition(";")
        table.update(dict.fromkeys([int(code, 16) for code in others.split()], _text(stands)))
    return table


def _text(codes: str) -> str:
    return "".join(chr(int(code, 16)) for code in codes.split())
