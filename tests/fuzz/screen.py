r"""What a peer wrote comes to a terminal.

An input is one byte, which says how its text is encoded, and that text; half characters are let through.

Promised, of what `clean` returns, and the same without any exception for a line break of what `clean_line` does: a
terminal that reads it stays in the ground state of its parser and moves its cursor only to the right, or to the
beginning of the next line at a "\n". So it holds

* no control character, C0, DEL or C1, except "\n", and nothing that cannot be encoded;
* nothing that steers the order of writing, breaks a line or joins, but one joiner behind a letter of a body;
* nothing that is not shown at all: no fillers, no private, unassigned or tag characters, no selectors but of style;
* no mark without a letter, and no more than four of them on one.

It is in normal form, not longer than its bound, and cleaning it again changes nothing; and right-to-left letters stay
inside the isolation that `isolate` puts around them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

from p2pchat.ui.sanitize import MAX_LINE, MAX_MARKS, MAX_SHOWN, clean, clean_line, isolate
from tests.fuzz.target import Bytes, Target, must

UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS: Final = {"\u200c", "\u200d"}
STYLES: Final = {"\ufe0e", "\ufe0f"}
FILLERS: Final = {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"}
MARKS: Final = {"Mn", "Mc", "Me"}
#: Encoding, what becomes of bytes that are none, and how many bytes belong together.
ENCODINGS: Final = (("utf-8", "surrogateescape", 1), ("utf-16-le", "surrogatepass", 2), ("utf-32-le", "replace", 4))
FIRST_STRONG, POP = "\u2068", "\u2069"


def run(data: bytes) -> None:
    """Show the text as a body and as a line."""
    script = Bytes(data)
    encoding, errors, unit = ENCODINGS[script.number() % len(ENCODINGS)]
    raw = script.rest()
    text = raw[: len(raw) - len(raw) % unit].decode(encoding, errors)
    body, line = clean(text), clean_line(text)
    must(len(body) <= MAX_SHOWN, "a body has its bound")
    must(len(line) <= MAX_LINE, "a line has its bound")
    judge(body, breaks={"\n"}, joiners=JOINERS)
    judge(line, breaks=set(), joiners=set())
    must(line == line.strip(" "), "a line has no outer blanks")
    must(clean(body) == body, "a clean body stays as it is")
    must(clean_line(line) == line, "a clean line stays as it is")
    wrapped = isolate(line)
    must(wrapped in {line, FIRST_STRONG + line + POP}, "isolating adds two characters or none")
    steers = any(unicodedata.bidirectional(char) in {"R", "AL", "AN"} for char in line)
    must((wrapped != line) == steers, "what runs to the left is isolated")


def judge(shown: str, *, breaks: set[str], joiners: set[str]) -> None:
    """Hold every character of `shown` against the promise."""
    shown.encode()
    must(unicodedata.is_normalized("NFC", shown), "what is shown is in normal form")
    marks, carries, joined = 0, False, False
    for char in shown:
        category = unicodedata.category(char)
        if category in MARKS:
            must(not _selects(char) or char in STYLES, "no selector but of style")
            must(carries, "no mark without a letter")
            marks += 1
            must(marks <= MAX_MARKS, "few marks on one letter")
        elif char in joiners:
            must(carries and not joined, "one joiner, behind a letter")
        else:
            must(category not in UNSEEN or char in breaks, f"nothing that drives a terminal, or hides: {char!a}")
            marks, carries = 0, category != "Zs" and char not in breaks
            must(category != "Zs" or char == " ", "one kind of blank")
        must(char not in FILLERS, "nothing that seems empty")
        joined = char in joiners


def _selects(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


EXAMPLES: Final = (
    *(
        "hello",
        "a\nb\r\nc\rd",
        "tab\there",
        "\x1b[2J\x1b]0;title\x07",
        "\x9b31m\x85\x84",
        "\x7f\x08\x00",
        "žluťoučký 你好",
    ),
    *(
        "👩\u200d💻 ❤\ufe0f ❤\ufe01",
        "q" + "\u0301" * 9,
        "e\u0301",
        "\u0301\u0338",
        "gpj\u202eexe\u2066\u2069",
        "שבת שלום",
    ),
    *(
        "\u2028\u2029\u200b\ufeff\u00ad\u180e",
        "\u3164\u115f\u2800\u034f",
        "\u00a0\u3000\u2003x",
        "\ue000\U000e0041\U000e0101",
    ),
    *(
        "n\u200cm\u200d\u200dx",
        "\u1100\u1161\u11a8",
        "\u0344\u0958\u2126",
        "\ud7ff\uffff",
        "\u0627\u064b\u0650\u0651\u0652\u0670",
    ),
)


def seeds() -> Iterator[bytes]:
    """Each thing that terminals obey, in each encoding."""
    for number, (encoding, errors, _) in enumerate(ENCODINGS):
        for example in EXAMPLES:
            yield bytes([number]) + example.encode(encoding, errors)
    yield b"\0" + b"x" * (MAX_LINE + 1)
    yield b"\0" + b"\x1b" * (MAX_LINE + 1)
    yield b"\0" + b"x" * (MAX_SHOWN + 1)
    yield b"\0" + b"\x1b" * 9000


def tokens() -> Iterator[bytes]:
    """Characters that matter, one by one."""
    for char in sorted(set("".join(EXAMPLES))):
        yield from (char.encode(encoding, errors) for encoding, errors, _ in ENCODINGS)


TARGET: Final = Target(run=run, seeds=seeds, tokens=tokens, max_length=400)
