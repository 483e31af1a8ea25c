"""QR codes for terminals: a text that a camera reads, drawn with characters, two rows of it in one.

Light squares are drawn and dark ones left out, for terminals that are light on dark; on others it is a negative, which
most phones read, too. Where only ASCII can be shown, a square is as wide as two characters and as high as one.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import segno

if TYPE_CHECKING:
    from collections.abc import Iterable

    from p2pchat.ui.marks import Marks

QUIET: Final = 4  # light squares on each side, without which no camera finds it (ISO/IEC 18004)
LIGHT: Final = "##"  # a light square in ASCII
PLAIN: Final = "drawn with #, because the locale is not UTF-8; if no camera reads it, pass the text on instead"

_HALVES: Final = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}  # by what is dark


def drawn(text: str, marks: Marks, *, columns: int = 0) -> list[str]:
    """Return the lines that show `text` as a QR code, and what people should know about it.

    Args:
      text: what a camera is to read.
      marks: what the terminal can show.
      columns: how wide it is; 0 if nobody knows. What does not fit is not drawn, and that is said.
    """
    squares = [
        [bool(dark) for dark in row] for row in segno.make(text, error="l", micro=False).matrix_iter(border=QUIET)
    ]
    is_plain = marks.encoding == "ascii"
    lines = list(_in_ascii(squares) if is_plain else _in_halves(squares))
    width = len(lines[0])
    if 0 < columns < width:
        return [f"the QR code needs {width} columns, and here are {columns}: make the terminal wider"]
    return [*lines, PLAIN] if is_plain else lines


def _in_halves(squares: list[list[bool]]) -> Iterable[str]:
    outside = [True] * len(squares[0])
    for upper, lower in zip_longest(squares[::2], squares[1::2], fillvalue=outside):
        yield "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))


def _in_ascii(squares: list[list[bool]]) -> Iterable[str]:
    for row in squares:
        yield "".join(" " * len(LIGHT) if dark else LIGHT for dark in row)
