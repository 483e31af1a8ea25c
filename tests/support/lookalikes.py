"""The table of `p2pchat/store/names.py`, made from Unicode's: ``python -m tests.support.lookalikes`` writes it anew.

Unicode's `confusables.txt` says which sign can be taken for which, but not what to compare: its relation ends at the
case of a letter, while names are compared without case. So each group of signs that can be taken for each other gets
one that stands for it: the ASCII letter in it, else the one that the capitals of its members look like, else its first.

Names are in normal form and lower case when they are looked up, so nothing else is in the table, but for capitals that
look like another letter than their small forms do.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from pathlib import Path

from confusable_homoglyphs.confusables import confusables_data

from p2pchat.store import names

TABLE = Path(names.__file__).with_name(names.TABLE)
HEADER = """\
# Signs that can be taken for others: what stands for all of them; the others. Written by tests/support/lookalikes.py.
# From confusables.txt of Unicode 15.1, (c) 1991-2023 Unicode, Inc., under the Unicode License, unicode.org/license.txt.
"""

_ORDER_OF_DIRECTION = "\u200e"  # stands around right-to-left signs there, and belongs to none of them
_SEEN = str.maketrans("01i|", "olll")  # in ASCII: what `skeleton` does to it in the end
_NEVER = ("M", "Z", "C")  # categories that no name begins with


def pairs() -> list[tuple[str, str]]:
    """Return what can be taken for what."""
    found = [(one, other["c"]) for one, others in confusables_data.items() for other in others]
    return [(one.replace(_ORDER_OF_DIRECTION, ""), two.replace(_ORDER_OF_DIRECTION, "")) for one, two in found]


def table() -> dict[str, str]:
    """Return what stands for each sign that something else stands for."""
    groups = _groups()
    signs = {sign for sign in groups if len(sign) == 1}
    signs |= {sign.casefold() for sign in signs if len(sign.casefold()) == 1}
    signs = {sign for sign in signs if not sign.isascii() and _can_be_looked_up(sign)}
    small = {sign: _stands_for(sign, groups) for sign in sorted(signs) if names.bare(sign) == sign}
    found = {sign: other for sign, other in small.items() if sign != other and _can_be_looked_up(other[0])}
    for sign in sorted(signs - set(small)):
        seen = _ascii(groups.get(sign, ()))
        if seen and seen != names.bare(sign).translate({ord(one): other for one, other in found.items()}).translate(
            _SEEN
        ):
            found[sign] = seen
    return found


def written() -> str:
    """Return the file."""
    lines = defaultdict(list)
    for sign, other in table().items():
        lines[other].append(sign)
    return HEADER + "".join(f"{_codes(other)}; {_codes(''.join(signs))}\n" for other, signs in sorted(lines.items()))


def _groups() -> dict[str, frozenset[str]]:
    """Return, for each sign, all that it can be taken for, by however many steps."""
    found: dict[str, set[str]] = {}
    for one, other in pairs():
        together = found.get(one, {one}) | found.get(other, {other})
        found.update(dict.fromkeys(together, together))
    return {sign: frozenset(group) for sign, group in found.items()}


def _stands_for(sign: str, groups: dict[str, frozenset[str]]) -> str:
    group = groups.get(sign, frozenset({sign}))
    capitals = sorted(_ascii(groups.get(each.upper(), ())) for each in group if each.upper() != each)
    first = sorted(each for each in group if len(each) == 1 and names.bare(each) == each)
    return next(found for found in (_ascii(group), *capitals, *first, sign) if found)


def _ascii(group: frozenset[str] | tuple[str, ...]) -> str:
    """Return the letter, else the digit or sign, else the letters of ASCII in `group`; empty if there is none."""
    single = sorted({sign.casefold().translate(_SEEN) for sign in group if sign.isascii() and len(sign) == 1})
    several = sorted(sign.casefold().translate(_SEEN) for sign in group if sign.isascii() and sign.isalnum())
    return next(iter((*sorted(single, key=lambda sign: not sign.isalpha()), *several)), "")


def _can_be_looked_up(sign: str) -> bool:
    return unicodedata.normalize("NFKC", sign) == sign and unicodedata.category(sign)[0] not in _NEVER


def _codes(text: str) -> str:
    return " ".join(f"{ord(sign):04X}" for sign in text)


if __name__ == "__main__":
    TABLE.write_text(written(), encoding="ascii")
