"""The program as others start it: real processes with pipes or a terminal, in a home of their own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, Protocol

import trio
import trio.testing

from tests.support.forks import Fork, can_fork, zygote
from tests.support.unmeasured import MEASURING

MAIN = (sys.executable, "-c", "import sys; from p2pchat.cli.main import main; sys.exit(main())")
PATIENCE = 30.0  # seconds; for a process on a busy machine, never a measure of anything


class Process(Protocol):
    """What is needed of a `trio.Process`, however it was started."""

    @property
    def pid(self) -> int: ...
    @property
    def stdin(self) -> trio.abc.SendStream | None: ...
    @property
    def returncode(self) -> int | None: ...
    def send_signal(self, number: signal.Signals, /) -> None: ...
    async def wait(self) -> int: ...


class Program:
    """A running p2pchat, and all it has said so far."""

    def __init__(self, process: Process, *, terminal: int | None = None) -> None:
        self.process = process
        self.terminal = terminal
        self.out = b""
        self.err = b""
        self.open = 0  # how many of its pipes it may still write into
        self._more = trio.Event()

    # ---- what it says

    async def listen(self, name: str, source: trio.abc.ReceiveStream) -> None:
        """Keep everything that comes from `source` as `name`, until its end."""
        while data := await source.receive_some():
            setattr(self, name, getattr(self, name) + data)
            self._more.set()
            self._more = trio.Event()
        self.open -= 1
        self._more.set()
        self._more = trio.Event()

    async def watch(self) -> None:
        """Keep everything that comes out of the terminal."""
        assert self.terminal is not None
        while True:
            await trio.lowlevel.wait_readable(self.terminal)
            try:
                data = os.read(self.terminal, 65536)
            except OSError:  # EIO: the last process has closed its side
                return
            self.out += data
            self._more.set()
            self._more = trio.Event()

    @property
    def more(self) -> trio.Event:
        """What is set when it says something more."""
        return self._more

    @property
    def lines(self) -> list[str]:
        """What the terminal showed, line by line."""
        return self.out.decode().replace("\r\n", "\n").splitlines()

    async def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until `pattern` is found in what it said; returns the match."""
        with trio.move_on_after(PATIENCE):
            while True:
                more = self._more
                if found := re.search(pattern, (self.out + self.err).decode(errors="replace")):
                    return found
                await more.wait()
        raise AssertionError(f"{pattern!r} did not come; on output {self.out!r}, on errors {self.err!r}")

    async def heard_out(self) -> None:
        """Wait until it has ended, and whoever shares its pipes has, too: then all it said is here."""
        with trio.fail_after(PATIENCE):
            while self.open:
                await self._more.wait()

    async def port(self) -> str:
        """Return where it listens, as others dial it."""
        return (await self.wait_for(r"p2pchat dial (\S+)"))[1]

    # ---- what it is told

    async def type(self, text: str | bytes) -> None:
        """Type on its terminal, or write into its pipe."""
        data = text.encode() if isinstance(text, str) else text
        if self.terminal is not None:
            os.write(self.terminal, data)
        else:
            assert self.process.stdin is not None
            await self.process.stdin.send_all(data)

    async def end_input(self) -> None:
        """Close its pipe."""
        assert self.process.stdin is not None
        await self.process.stdin.aclose()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    async def wait(self) -> int:
        """Wait for its end and return its exit code; then what it left in its pipes is here."""
        with trio.fail_after(PATIENCE):
            code = await self.process.wait()
            await trio.testing.wait_all_tasks_blocked()
            return code


class Home:
    """A directory that is the home of one user; nothing outside of it is touched."""

    def __init__(self, path: Path) -> None:
        path.mkdir(exist_ok=True)
        self.path = path
        self.data = path / "data" / "p2pchat" / "default"
        self.log = path / "state" / "p2pchat" / "log"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its programs."""
        left_out = ("P2PCHAT_", "XDG_", MEASURING)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return kept | {
            "HOME": str(self.path),
            "XDG_DATA_HOME": str(self.path / "data"),
            "XDG_STATE_HOME": str(self.path / "state"),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm-256color",
        }

    def call(self, *words: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
        """Run the program without any input, to its end; `how` is as for `run`."""
        with ThreadPoolExecutor(1) as thread:  # whoever waits here may be a task of Trio
            done = thread.submit(trio.run, partial(self.ended, *words, **how)).result()
        assert done.process.returncode is not None
        return subprocess.CompletedProcess(words, done.process.returncode, done.out, done.err)

    async def ended(self, *words: str, **how: Any) -> Program:
        """Run the program without any input, to its end, as `call` does, while others go on."""
        async with self.run(*words, stdin=DEVNULL, **how) as program:
            await program.wait()
            await program.heard_out()
        return program

    def paste(self, line: str) -> subprocess.CompletedProcess[bytes]:
        """Run the command that one of our programs told us to type, as `call` does."""
        name, *words = shlex.split(line)
        assert name == "p2pchat"
        return self.call(*words)

    @asynccontextmanager
    async def run(
        self,
        *words: str,
        stdin: Any = PIPE,
        stdout: Any = PIPE,
        environ: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> AsyncIterator[Program]:
        """Run the program with pipes; it is killed at the end of the block if it still runs.

        It is forked, for that is quick, unless it is to be `fresh`: for tests of how it starts.
        """
        environ = self.environ | dict(environ or {})
        async with _running(words, environ, stdin, stdout, PIPE, fresh=fresh) as process:
            program = Program(process)
            async with trio.open_nursery() as nursery:
                for name, source in [("out", process.stdout), ("err", process.stderr)]:
                    if source is not None:
                        program.open += 1
                        nursery.start_soon(program.listen, name, source)
                yield program
                _kill(process)
                nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def run_in_terminal(
        self, *words: str, environ: Mapping[str, str] | None = None, fresh: bool = False
    ) -> AsyncIterator[Program]:
        """Run the program in a terminal of its own, as its session leader; else like `run`."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 100))
        environ = self.environ | dict(environ or {})
        try:
            async with _running(words, environ, *[theirs] * 3, fresh=fresh, terminal=True) as process:
                os.close(theirs)
                theirs = -1
                program = Program(process, terminal=ours)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(program.watch)
                    yield program
                    _kill(process)
                    nursery.cancel_scope.cancel()
        finally:
            for descriptor in (ours, theirs):
                if descriptor >= 0:
                    os.close(descriptor)


@asynccontextmanager
async def _running(
    words: Sequence[str], environ: Mapping[str, str], *files: Any, fresh: bool, terminal: bool = False
) -> AsyncIterator[trio.Process | Fork]:
    process: trio.Process | Fork
    if fresh or not can_fork(environ):
        how: dict[str, Any] = dict(zip(("stdin", "stdout", "stderr"), files, strict=True))
        if terminal:
            how |= {"start_new_session": True, "preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)}
        process = await trio.lowlevel.open_process([*MAIN, *words], env=environ, **how)
    else:
        async with Fork(zygote(), words, environ, *files, terminal=terminal) as process:
            yield process
        return
    try:
        yield process
    finally:
        _kill(process)
        with trio.CancelScope(shield=True):
            await process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                await trio.aclose_forcefully(stream)


def _kill(process: trio.Process | Fork) -> None:
    if process.returncode is None:
        process.kill()
