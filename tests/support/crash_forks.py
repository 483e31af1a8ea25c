"""Real processes that begin at once, so that many of them can be killed.

`Forks` runs p2pchat like `Home.run` does, with pipes, but out of a process that has everything imported already. A pid
is never reused under our hands: the dead stay zombies until they are asked for their exit code.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import trio

from tests.support.programs import Home, Program
from tests.support.unmeasured import ENVIRON

ROOT = Path(__file__).parent.parent.parent


class Forked:
    """A running process: what `Program` needs of a `trio.Process`."""

    def __init__(self, forks: Forks, pid: int, stdin: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = trio.lowlevel.FdStream(stdin)
        self._forks = forks
        self._descriptor = os.pidfd_open(pid)

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        if self.returncode is None:
            await trio.lowlevel.wait_readable(self._descriptor)
            self.returncode = self._forks.ask({"reap": self.pid})["code"]
        return self.returncode

    async def bury(self) -> None:
        """Kill it, and let go of it."""
        self.kill()
        with trio.CancelScope(shield=True):
            await self.wait()
        os.close(self._descriptor)
        await trio.aclose_forcefully(self.stdin)


class Forks:
    """Where processes come from."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server

    def ask(self, request: dict[str, Any], descriptors: tuple[int, ...] = ()) -> dict[str, Any]:
        """Have a request answered, which takes no time to speak of."""
        socket.send_fds(self._server, [json.dumps(request).encode()], descriptors)
        answer: dict[str, Any] = json.loads(self._server.recv(4096))
        return answer

    @asynccontextmanager
    async def run(self, home: Home, *words: str, largest_file: int | None = None) -> AsyncIterator[Program]:
        """Run the program; it is killed at the end of the block. Then all it wrote is in its `out` and `err`."""
        (stdin, to), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
        environ = home.environ
        answer = self.ask({"words": words, "environ": environ, "largest_file": largest_file}, (stdin, stdout, stderr))
        for theirs in (stdin, stdout, stderr):
            os.close(theirs)
        process = Forked(self, answer["pid"], to)
        program = Program(process)
        async with trio.lowlevel.FdStream(out) as output, trio.lowlevel.FdStream(err) as errors:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(program.listen, "out", output)
                    nursery.start_soon(program.listen, "err", errors)
                    try:
                        yield program
                    finally:
                        process.kill()  # which is the end of both outputs
            finally:
                await process.bury()

    async def call(self, home: Home, *words: str, **how: Any) -> Program:
        """Run the program to its end, without any input."""
        async with self.run(home, *words, **how) as program:
            await program.end_input()
            await program.wait()
        return program


@contextmanager
def open_forks() -> Iterator[Forks]:
    """Start a place where processes come from; all of them are dead after the block."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_zygote", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=ENVIRON,
        )
    with zygote, ours:
        yield Forks(ours)
