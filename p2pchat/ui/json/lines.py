"""JSON Lines in both directions: objects out, one a line and nothing else; bytes in, cut into lines of bounded length.

What goes out is ASCII, controls escaped, so no terminal that it is shown on is driven by what a peer said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import trio

from p2pchat.wire.messages import MAX_TEXT

if TYPE_CHECKING:
    from p2pchat.ui.stdio import Sink

#: Bytes of a command, without its newline: the longest text as wasteful as JSON can write it (a byte may take six, as
#: in ``\u0000``), and what stands around it.
MAX_COMMAND: Final = 6 * MAX_TEXT + 4096
WRITE_SIZE: Final = 65_536  # bytes that are gathered before they are written, if nothing asks for it sooner

_encode: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def encode(line: Mapping[str, object]) -> str:
    """Return `line` as JSON without a newline in it: printable ASCII and nothing else."""
    return _encode(line).replace("\x7f", r"\u007f")  # DEL is ASCII, but not printable; JSON leaves it as it is


class Lines:
    """Writes lines, whole and in the order of `say`, however many tasks do so."""

    def __init__(self, output: Sink) -> None:
        self._output = output
        self._waiting = bytearray()
        self._turn = trio.Lock()

    def say(self, line: Mapping[str, object]) -> None:
        """Put `line` behind all others; `flush` writes it."""
        self._waiting += encode(line).encode("ascii") + b"\n"

    @property
    def is_full(self) -> bool:
        """Whether enough is gathered to be written."""
        return len(self._waiting) >= WRITE_SIZE

    async def flush(self) -> None:
        """Write everything that was said before; waits as long as nobody reads.

        Cancelled while waiting for its turn, here or at the output, nothing is lost: what others said waits for the
        next call. Cancelled later, the output keeps the rest (see `Output.send_all`).
        """
        async with self._turn:
            await trio.lowlevel.checkpoint_if_cancelled()  # the last chance to keep what the output would not take
            data = bytes(self._waiting)
            self._waiting.clear()
            await self._output.send_all(data)


class Splitter:
    """Cuts input into lines. Of a line that is too long nothing is kept."""

    def __init__(self, *, max_line: int = MAX_COMMAND) -> None:
        self._max_line = max_line
        self._line = bytearray()  # the unfinished line, at most `max_line` bytes between calls
        self._is_too_long = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Return the lines that `data` completes, without their newlines; None for each that was too long."""
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._add(end)
            yield self._take()
        self._add(rest)

    def finish(self) -> Iterator[bytes | None]:
        """Return the last line, if no newline ended it."""
        if self._line or self._is_too_long:
            yield self._take()

    def _add(self, piece: bytes) -> None:
        if self._is_too_long or len(self._line) + len(piece) > self._max_line:
            self._is_too_long = True
            self._line = bytearray()
        else:
            self._line += piece

    def _take(self) -> bytes | None:
        line = None if self._is_too_long else bytes(self._line)
        self._line = bytearray()
        self._is_too_long = False
        return line
