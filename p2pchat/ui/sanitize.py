"""The one sanitiser: what a peer wrote becomes text that cannot drive a terminal.

Everything of a peer that reaches a screen passes here at the moment it is shown, never earlier: what is stored, signed
or written to a pipe is the original. A control character becomes its picture (``␛``), anything else that would be
invisible becomes its number (``<U+202E>``); nothing is removed but marks beyond the fourth on one letter. Cleaning
twice changes nothing more.

Rules and reasons: `docs/security.md`, "What a peer can put on your screen".
"""

from __future__ import annotations

import unicodedata

MAX_SHOWN = 65_536  # characters of one message on a screen, the mark included; the whole text stays where it was
MAX_LINE = 256  # characters of a name or a reason; the longest that the protocol lets through
CUT = "…[cut]"
MAX_MARKS = 4  # combining marks on one letter: real languages need up to four, more is drawn over other people's lines

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
_TAB = "    "  # a real tab would let a sender move to another column
_LONE_MARK = "◌"  # a dotted circle carries a mark that has no letter
_JOINERS = frozenset("\u200c\u200d")  # emoji, Persian and Indic text need them inside a word
_SELECTORS = frozenset("\ufe0e\ufe0f")  # text or emoji style of the character before; other selectors only hide data
#: Letters and marks by category that look like nothing at all, so that a name could seem empty.
_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Mc", "Me"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def clean(text: str) -> str:
    """Return a message body that is safe on a terminal: any number of lines, at most `MAX_SHOWN` characters."""
    if text.isascii() and text.isprintable() and len(text) <= MAX_SHOWN:
        return text  # nearly every message; the rest of this module costs a microsecond a character
    return _clean(text.replace("\r\n", "\n"), limit=MAX_SHOWN, body=True)


def clean_line(text: str) -> str:
    """Return a name, a reason or an error text as one line without outer blanks, at most `MAX_LINE` characters.

    Stricter than `clean`: no line breaks, no tabs, no joiners, so that two names that look the same are the same.
    """
    if not (text.isascii() and text.isprintable() and len(text) <= MAX_LINE):
        text = _clean(text, limit=MAX_LINE, body=False)
    return text.strip(" ")


def isolate(text: str) -> str:
    """Return one clean line, wrapped so that right-to-left letters in it cannot reorder what stands around it."""
    if text.isascii() or not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text):
        return text
    return f"{_ISOLATE}{text}{_END_ISOLATE}"


def _clean(text: str, *, limit: int, body: bool) -> str:
    cut = len(text) > limit
    # Normal form first: composing can only shorten, and what follows looks at whole characters.
    shown = _Shown(body=body)
    for char in unicodedata.normalize("NFC", text[:limit]):
        shown.add(char)
    result = "".join(shown.pieces)
    if cut or len(result) > limit:
        result = result[: limit - len(CUT)] + CUT
    return result


class _Shown:
    """The clean text so far, and what the next character may attach to."""

    def __init__(self, *, body: bool) -> None:
        self.pieces: list[str] = []
        self._body = body
        self._has_base = False  # whether a mark may attach to what was added last
        self._marks = 0  # marks on that base
        self._joined = False  # whether the last one was a joiner

    def add(self, char: str) -> None:
        category = unicodedata.category(char)
        joined, self._joined = self._joined, False
        if category in _MARKS and char not in _FILLERS:
            self._add_mark(char)
        elif char in _JOINERS and self._body and self._has_base and not joined:
            self.pieces.append(char)
            self._joined = True
        elif category in _INVISIBLE or char in _FILLERS:
            self.pieces.append(self._visible(char))
            self._has_base = False
        else:
            self.pieces.append(" " if category == "Zs" else char)
            self._has_base, self._marks = category != "Zs", 0

    def _add_mark(self, char: str) -> None:
        if _is_selector(char) and char not in _SELECTORS:
            self.pieces.append(_number(char))
            self._has_base = False
            return
        if not self._has_base:
            self.pieces.append(_LONE_MARK)
            self._has_base, self._marks = True, 0
        self._marks += 1
        if self._marks <= MAX_MARKS:
            self.pieces.append(char)

    def _visible(self, char: str) -> str:
        if self._body and char == "\n":
            return char
        if self._body and char == "\t":
            return _TAB
        return _PICTURES.get(ord(char)) or _number(char)


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _number(char: str) -> str:
    return f"<U+{ord(char):04X}>"
