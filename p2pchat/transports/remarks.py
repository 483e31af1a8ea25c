"""What a program says to people while it carries a stream: its standard error, line by line."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress

import trio

MAX_LINE = 1000  # bytes; the rest of a longer one is dropped
READ_SIZE = 65536  # bytes; all that a pipe holds on Linux, so that one read is enough for the last words


class Remarks:
    """The lines that come through a pipe, which it owns from now on. One reader at a time.

    Nothing is read before somebody asks for it, so a program that talks without end waits for its listener.
    """

    def __init__(self, pipe: trio.lowlevel.FdStream) -> None:
        self.last: str = ""  # the newest line that is known
        self._pipe = pipe
        self._lines: deque[str] = deque()
        self._rest = b""  # of a line that has not ended

    async def next_line(self) -> str | None:
        """Return the next line that is not blank, unfiltered; None after the last one. Cancelled, it loses none."""
        while not self._lines:
            try:
                data = await self._pipe.receive_some(READ_SIZE)
            except trio.ClosedResourceError:
                break  # `close` has read the rest
            if not data:
                self._take(b"\n")
                break
            self._take(data)
        return self._lines.popleft() if self._lines else None

    def close(self) -> None:
        """Close the pipe, once; what was in it can still be asked for."""
        with suppress(BlockingIOError):
            self._take(os.read(self._pipe.fileno(), READ_SIZE))
        self._take(b"\n")
        self._pipe.close()

    def _take(self, data: bytes) -> None:
        *ended, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:MAX_LINE]
        for line in ended:
            text = line[:MAX_LINE].decode("utf-8", "backslashreplace").strip()
            if text:
                self._lines.append(text)
                self.last = text
