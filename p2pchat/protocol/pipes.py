"""Pipes: a stream of bytes becomes messages, one a line, and the messages become the same bytes again.

Nothing is normalised: CR, NUL, a byte order mark and what is not UTF-8 arrive as they were sent. Where the input was
read in pieces makes no difference.

Source: docs/protocol.md, section 3.5.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from p2pchat.wire.messages import MAX_TEXT, Data, Text

if TYPE_CHECKING:
    from p2pchat.wire.messages import Body

_NEWLINE: Final = b"\n"
_Utf8Decoder: Final = codecs.getincrementaldecoder("utf-8")


class LineCutter:
    """The sending end: bytes in, messages out."""

    def __init__(self, *, max_text: int = MAX_TEXT) -> None:
        """Make no message of more than `max_text` bytes (at least 4, so that any character fits)."""
        self._max_text = max_text
        self._line = bytearray()  # the unfinished line; at most `max_text` bytes between calls

    def feed(self, data: bytes) -> list[Text | Data]:
        """Return the messages that are complete now that `data` has come."""
        *ends, rest = data.split(_NEWLINE)
        messages: list[Text | Data] = []
        for end in ends:
            self._line += end
            messages += self._pieces()
            messages.append(_message(bytes(self._line), more=False))
            self._line.clear()
        self._line += rest
        messages += self._pieces()
        return messages

    def finish(self) -> list[Text | Data]:
        """Return what is left at the end of the input: the last line, if no newline ended it."""
        left = bytes(self._line)
        self._line.clear()
        return [_message(left, more=True)] if left else []

    def _pieces(self) -> list[Text | Data]:
        """Cut pieces off the unfinished line until what is left of it fits one message."""
        pieces = []
        while len(self._line) > self._max_text:
            piece = _whole_characters(bytes(self._line[: self._max_text]))
            del self._line[: len(piece)]
            pieces.append(_message(piece, more=True))
        return pieces


def to_bytes(message: Body) -> bytes:
    """Return what a receiving pipe writes for `message`: nothing for what is neither text nor bytes."""
    match message:
        case Text(text=text, more=more):
            return text.encode() if more else text.encode() + _NEWLINE
        case Data(data=data, more=more):
            return data if more else data + _NEWLINE
        case _:
            return b""


def _message(line: bytes, *, more: bool) -> Text | Data:
    try:
        return Text(line.decode(), None, more)
    except UnicodeDecodeError:
        return Data(line, more)


def _whole_characters(piece: bytes) -> bytes:
    """Return `piece` without the beginning of a character at its end, if nothing else keeps it from being UTF-8."""
    decoder = _Utf8Decoder()
    try:
        decoder.decode(piece)
    except UnicodeDecodeError:
        return piece
    begun, _ = decoder.getstate()
    return piece[: len(piece) - len(begun)]
