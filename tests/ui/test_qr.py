"""QR codes: what is drawn is what a camera has to see."""

from __future__ import annotations

import segno

from p2pchat.ui import marks, qr

LINK = (
    "p2pchat:peer1qyfe3a3vd5dy2lz3hf4ykheah5hknl9fxgtzrrwgn9lyz6730kfu5mgmy82?a=tcp:192.0.2.7:7272&c=8-mfrggzdfmztwq2"
)
SIDE = 49  # squares, with the light ones around


def squares(*, rows: int) -> list[list[bool]]:
    """What is dark, as the library has it; `rows` may be one more than there are, for whoever draws two in one."""
    drawn = [[bool(dark) for dark in row] for row in segno.make(LINK, error="l", micro=False).matrix_iter(border=4)]
    return [*drawn, *([[True] * len(drawn[0])] * (rows - len(drawn)))]


def test_two_rows_are_drawn_in_one() -> None:
    upper, lower = {"█": False, "▀": False, "▄": True, " ": True}, {"█": False, "▀": True, "▄": False, " ": True}
    lines = qr.drawn(LINK, marks.UNICODE, columns=80)
    seen = [[half[sign] for sign in line] for line in lines for half in (upper, lower)]
    assert seen == squares(rows=len(seen))
    assert len(lines) == len(seen) // 2 <= 25  # nobody has to scroll much


def test_without_utf8_a_square_is_two_signs_and_a_person_is_told() -> None:
    *lines, told = qr.drawn(LINK, marks.ASCII)
    assert all(line.isascii() for line in lines)
    seen = [[pair != "##" for pair in map("".join, zip(line[::2], line[1::2], strict=True))] for line in lines]
    assert seen == squares(rows=len(seen))
    assert told == qr.PLAIN


def test_what_does_not_fit_is_not_drawn() -> None:
    assert qr.drawn(LINK, marks.UNICODE, columns=SIDE)[0] == "█" * SIDE
    (told,) = qr.drawn(LINK, marks.UNICODE, columns=SIDE - 1)
    assert told == f"the QR code needs {SIDE} columns, and here are {SIDE - 1}: make the terminal wider"
    (told,) = qr.drawn(LINK, marks.ASCII, columns=80)
    assert told == f"the QR code needs {2 * SIDE} columns, and here are 80: make the terminal wider"
