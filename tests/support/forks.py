"""Real processes that begin at once, out of one process per test run that has everything imported already.

A pid is never reused under our hands: the dead stay zombies until they are asked for their exit code.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, Self

import trio

from tests.support.unmeasured import ENVIRON

ROOT = Path(__file__).parent.parent.parent
AT_THE_START = ("LC_", "LANG", "LD_", "MALLOC_", "PYTHON")  # begin the names of what is read before `main` is
FORKED = {**ENVIRON, "LC_ALL": "C.UTF-8"}


def can_fork(environ: Mapping[str, str]) -> bool:
    """Whether a new process with this environment would begin like those that are forked."""
    return _at_the_start(environ) == _at_the_start(FORKED)


def _at_the_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(AT_THE_START)}


class Zygote:
    """A process that others are forked from.

    Args:
      within: what a command has to begin with that runs somewhere else, such as in another network namespace.
      module: what it runs.
    """

    def __init__(self, *within: str, module: str = "tests.support.zygote") -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [*within, sys.executable, "-m", module, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=DEVNULL,
                stdout=DEVNULL,
                cwd=ROOT,
                env=FORKED,
            )

    def ask(self, descriptors: Sequence[int] = (), /, **request: object) -> dict[str, Any]:
        """Have a request answered, which takes no time to speak of."""
        with self._turn:
            socket.send_fds(self._ours, [json.dumps(request).encode()], descriptors)
            answer: dict[str, Any] = json.loads(self._ours.recv(4096))
        return answer

    def close(self) -> None:
        """End it, and with it all that were forked."""
        self._ours.close()
        self._process.wait()


@cache
def zygote() -> Zygote:
    """Return the usual one of this process, which ends with it."""
    new = Zygote()
    atexit.register(new.close)
    return new


class Fork:
    """A running p2pchat that was forked: what is needed of a `trio.Process`."""

    def __init__(
        self, mother: Zygote, words: Sequence[str], environ: Mapping[str, str], *files: Any, terminal: bool = False
    ) -> None:
        """Begin; the three `files` are what `subprocess.Popen` takes. A terminal becomes its own if asked."""
        self._mother = mother
        self.returncode: int | None = None
        pipes: list[trio.lowlevel.FdStream | None] = []
        with ExitStack() as stack:
            theirs = []
            for number, file in enumerate(files):
                pipe = None
                if file == PIPE:
                    ours, given = os.pipe() if number else os.pipe()[::-1]
                    stack.callback(os.close, given)
                    pipe = trio.lowlevel.FdStream(ours)
                elif file == DEVNULL:
                    given = os.open(os.devnull, os.O_RDWR)
                    stack.callback(os.close, given)
                else:
                    given = file if isinstance(file, int) else file.fileno()
                theirs.append(given)
                pipes.append(pipe)
            answer = mother.ask(theirs, words=words, environ=environ, terminal=terminal, **_inherited())
        self.stdin, self.stdout, self.stderr = pipes
        self.pid: int = answer["pid"]
        self._descriptor = os.pidfd_open(self.pid)
        self._turn = trio.Lock()

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end and return its exit code."""
        async with self._turn:
            if self.returncode is None:
                await trio.lowlevel.wait_readable(self._descriptor)
                self.returncode = int(self._mother.ask(reap=self.pid)["code"])
                os.close(self._descriptor)
        return self.returncode

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Kill it, and let go of it."""
        self.kill()
        with trio.CancelScope(shield=True):
            await self.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                await trio.aclose_forcefully(stream)


def _inherited() -> dict[str, object]:
    """What a process has from the one that starts it, beside what it is given."""
    umask = os.umask(0)
    os.umask(umask)
    ignored = [number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN]
    return {"directory": str(Path.cwd()), "umask": umask, "ignored": ignored}
