"""Descriptors 0, 1 and 2 from Trio, without ever making them non-blocking.

O_NONBLOCK belongs to the open file, not to our number for it: setting it would set it for the shell and for every
program that shares the terminal, and leave it there after a crash. So we wait until a descriptor is ready and then read
what is there, or write at most what the kernel promises to take at once. No threads: nothing to wait for at exit.
What epoll refuses (regular files, ``/dev/null``) never blocks and is read and written as it is.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from typing import Protocol

import trio

from p2pchat import errors

READ_SIZE = 65_536  # bytes; what a Linux pipe holds
FILE_PIECE = 65_536  # bytes written at once to what never blocks
#: Bytes that a pipe takes without blocking once it is writable (POSIX: at least 512; Linux: one page).
PIPE_PIECE = select.PIPE_BUF


def is_terminal(fd: int) -> bool:
    """Whether `fd` is a terminal; False if it is closed."""
    return os.isatty(fd)


class Source(Protocol):
    """Where bytes come from; `Input` is the real one."""

    async def receive_some(self) -> bytes:
        """Return some bytes, empty at the end."""
        ...


class Sink(Protocol):
    """Where bytes go; `Output` is the real one."""

    @property
    def columns(self) -> int:
        """The width of the terminal, 0 if it is none."""
        ...

    async def send_all(self, data: bytes) -> None:
        """Write all of `data`."""
        ...


class Input:
    """What somebody gives us on a descriptor, standard input by default. One reader at a time."""

    def __init__(self, fd: int = 0) -> None:
        self.fd = fd
        self._readiness = _Readiness(fd)

    async def receive_some(self, max_bytes: int = READ_SIZE) -> bytes:
        """Return some bytes, at most `max_bytes`; empty at the end of input (again and again).

        Cancellation loses nothing: what was not returned was not read.

        Raises:
          StdioFailed: if it cannot be read.
          TerminalGone: if it is a terminal that hung up.
        """
        await self._readiness.wait_readable()
        try:
            data = os.read(self.fd, max_bytes)
        except OSError as exc:
            if exc.errno == errno.EIO:
                raise errors.TerminalGone("the terminal is gone") from exc
            raise errors.StdioFailed(f"cannot read standard input: {exc.strerror}") from exc
        if not data and self._readiness.was_terminal and not is_terminal(self.fd):
            raise errors.TerminalGone("the terminal is gone")  # a hung-up terminal reads like Ctrl-D for ever
        return data


class Output:
    """Where we say something: standard output by default. Any number of writers, each piece of each whole."""

    def __init__(self, fd: int = 1) -> None:
        self.fd = fd
        self._readiness = _Readiness(fd)
        self._turn = trio.Lock()
        self._rest = bytearray()  # taken from a writer and not written yet

    @property
    def is_terminal(self) -> bool:
        """Whether a person may be looking."""
        return self._readiness.was_terminal

    @property
    def columns(self) -> int:
        """The width of the terminal now, 0 if it is none."""
        try:
            return os.get_terminal_size(self.fd).columns
        except OSError:
            return 0

    async def send_all(self, data: bytes) -> None:
        """Write all of `data`; waits as long as the reader does not read.

        Cancelled while waiting for its turn, nothing of `data` was taken. Cancelled later, the rest of it is kept (that
        and no more) and goes first in the next call, so bytes are never lost in the middle nor written twice.

        Raises:
          StdoutClosed: if the reader is gone.
          StdioFailed: if it cannot be written for another reason.
        """
        async with self._turn:
            self._rest += data
            while self._rest:
                await self._readiness.wait_writable()
                del self._rest[: self._write(bytes(self._rest[: self._readiness.piece]))]

    def check_reader(self) -> None:
        """Go on if somebody can still read what is written here; for those who seldom write.

        Raises:
          StdoutClosed: if nobody can.
        """
        poll = select.poll()
        poll.register(self.fd, 0)  # errors are told unasked
        if poll.poll(0):
            raise errors.StdoutClosed("nobody reads our output any more")

    def _write(self, piece: bytes) -> int:
        try:
            return os.write(self.fd, piece)
        except BrokenPipeError as exc:
            raise errors.StdoutClosed("nobody reads our output any more") from exc
        except OSError as exc:
            if exc.errno == errno.EIO and self.is_terminal:
                raise errors.TerminalGone("the terminal is gone") from exc
            raise errors.StdioFailed(f"cannot write standard output: {exc.strerror}") from exc


class _Readiness:
    """Waits until a descriptor can be used without blocking, or not at all where it never blocks."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waits = not stat.S_ISREG(os.fstat(fd).st_mode)
        self.was_terminal = is_terminal(fd)

    @property
    def piece(self) -> int:
        return PIPE_PIECE if self._waits else FILE_PIECE

    async def wait_readable(self) -> None:
        if self._waits:
            try:
                await trio.lowlevel.wait_readable(self._fd)
            except PermissionError:  # epoll: "this cannot be waited for", as for /dev/null
                self._waits = False
        if not self._waits:
            await trio.lowlevel.checkpoint()

    async def wait_writable(self) -> None:
        if self._waits:
            try:
                await trio.lowlevel.wait_writable(self._fd)
            except PermissionError:
                self._waits = False
        if not self._waits:
            await trio.lowlevel.checkpoint()
