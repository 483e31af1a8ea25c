"""Peers behind a command: `exec:ssh box p2pchat stdio`. Its standard input and output are the stream.

No shell reads the command: the words of the address are those of the program. It runs in a session of its own, so that
whatever it starts ends with it; so it has no terminal either, and ssh fails where it would ask for a password. What it
says on its standard error is for people: `ExecStream.next_remark`.

A closed stream leaves nothing running. First the command's input ends, which ends all who speak our protocol. If that
was not enough after `FAREWELL` seconds, its process group gets SIGTERM, and `DEADLINE` seconds later SIGKILL. Being
cancelled shortens none of this, and cannot make it longer than that.
"""

from __future__ import annotations

import errno
import logging
import os
import shlex
import signal
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, NoReturn

import trio
from trio.lowlevel import FdStream

from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.transports import failures, remarks, turns

if TYPE_CHECKING:
    from p2pchat.address import Address

FAREWELL = 0.5  # seconds in which a command may end by itself once its input has; the end of a Python takes a tenth
DEADLINE = 1.0  # seconds between SIGTERM and SIGKILL: who is told to end now has no long work to finish

_CONNECT: failures.Reasons = {
    errno.ENOENT: ("there is no such program: {address}", "check its spelling, and whether it is installed here"),
    errno.ENOTDIR: ("there is no such program: {address}", "check its path"),
    errno.EACCES: ("the program of {address} is not executable", "check its path, or `chmod +x` it"),
    errno.ENOEXEC: ("the program of {address} is none that this machine can run", "does it begin with a #! line?"),
    errno.E2BIG: ("the command of {address} is too long", "put it into a script"),
}

_log = logging.getLogger(__name__)


class ExecTransport:
    """The `exec:` scheme."""

    scheme = "exec"

    async def connect(self, address: Address) -> ExecStream:
        """Start the command of `address` and return a stream to it; what it says is up to the command.

        Raises:
          ConnectFailed: if it cannot be started.
        """
        try:
            stream = await _start(shlex.split(address.rest))
        except OSError as exc:
            raise failures.explain(ConnectFailed, exc, address, _CONNECT) from exc
        stream.remote = address
        return stream

    async def listen(self, address: Address) -> NoReturn:
        """Refuse: commands are started, they do not call.

        Raises:
          ListenFailed: always.
        """
        await trio.lowlevel.checkpoint()
        raise ListenFailed(
            f"{address} can be dialed only: nobody comes in through a command",
            hint="the side that is reached runs `p2pchat stdio`",
        )


class ExecStream(trio.abc.HalfCloseableStream):
    """The standard input and output of a command; also `HasProgram` of `transports.base`."""

    def __init__(self, process: trio.Process, stdin: FdStream, stdout: FdStream, stderr: FdStream) -> None:
        self.remote: Address | None = None
        self.ending: str = ""
        self._command = Command(process)
        self._stdin = stdin
        self._stdout = stdout
        self._remarks = remarks.Remarks(stderr)
        self._sending = turns.Turn("sending on")
        self._closed = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data` to the command. Cancelled, it has written nobody knows how much."""
        with self._sending:
            await self._stdin.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for some bytes, or until sending would fail."""
        with self._sending:
            await self._stdin.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End the command's input; receiving goes on. Doing it twice does no harm."""
        with self._sending:
            if self._closed:
                raise trio.ClosedResourceError("this stream was closed")
            await self._stdin.aclose()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for bytes and return at most `max_bytes` of them; b"" is the end of the command's output."""
        return await self._stdout.receive_some(max_bytes)

    async def next_remark(self) -> str | None:
        """Return the next line that the command says to people, unfiltered; None after the last one.

        The last one comes when the stream was closed, at the latest.
        """
        return await self._remarks.next_line()

    async def aclose(self) -> None:
        """End the command and all that it has started, cancelled or not; `ending` says how, if it went by itself."""
        if not self._closed:
            self._closed = True
            self._stdin.close()
            self._stdout.close()
            status = await self._command.end()
            self._remarks.close()
            if status is not None:
                self.ending = _in_words(status, self._remarks.last)
        await trio.lowlevel.checkpoint()


class Command:
    """A running command, and the process group that it leads."""

    def __init__(self, process: trio.Process) -> None:
        self._process = process
        try:
            self._watch = os.pidfd_open(process.pid)
        except (AttributeError, OSError):  # not on Linux, or not allowed in this sandbox
            self._watch = -1

    async def end(self) -> int | None:
        """Return the exit status of the command, once it and its group are gone; None if we had to end it.

        It has been told that it is time: its input has ended.
        """
        with trio.move_on_after(FAREWELL, shield=True) as farewell:
            await self._wait_exited()
        if farewell.cancelled_caught:
            self._signal(signal.SIGTERM)
            with trio.move_on_after(DEADLINE, shield=True):
                await self._wait_exited()
        self._signal(signal.SIGKILL)  # to those whom the command has left behind, too
        with trio.move_on_after(DEADLINE, shield=True) as dying:
            await self._process.wait()
        if dying.cancelled_caught:
            _log.warning("process %d does not die: the system does not let it", self._process.pid)
        if self._watch >= 0:
            os.close(self._watch)
        return None if farewell.cancelled_caught else self._process.returncode

    async def _wait_exited(self) -> None:
        """Wait for the end of the command and, where that is possible, leave its process number taken.

        As long as nobody has asked for its exit status, the number of its group is the number of no other, and signals
        to the group hit nobody else.
        """
        if self._watch >= 0:
            await trio.lowlevel.wait_readable(self._watch)
        else:
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says EPERM if only a zombie is
            os.killpg(self._process.pid, number)


async def _start(words: list[str]) -> ExecStream:
    with ExitStack() as theirs, ExitStack() as ours:
        pipes = [_open_pipe(ours, theirs, we_write=number == 0) for number in range(3)]
        stdin, stdout, stderr = [end for _, end in pipes]
        process = await trio.lowlevel.open_process(
            words, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
        )
        ours.pop_all()
    return ExecStream(process, *[stream for stream, _ in pipes])


def _open_pipe(ours: ExitStack, theirs: ExitStack, *, we_write: bool) -> tuple[FdStream, int]:
    """Return our end of a new pipe and the descriptor of theirs; only ours never blocks."""
    read, write = os.pipe()
    our_end, their_end = (write, read) if we_write else (read, write)
    theirs.callback(os.close, their_end)
    stream = FdStream(our_end)
    ours.callback(stream.close)
    return stream, their_end


def _in_words(status: int, last_words: str) -> str:
    how = f"exit status {status}" if status >= 0 else f"signal {-status}, {signal.strsignal(-status)}"
    return f"the command ended ({how})" + (f" and said: {last_words}" if last_words else "")
