"""The mother of the programs that tests run: it has everything imported, and forks a p2pchat when asked for one.

Starting Python and importing takes most of a second; forking takes milliseconds, and what is forked is as real, and as
mortal, as any other process. It has one thread, so nothing is lost in a fork. `tests/support/forks.py` is its only
client; when that one is gone, it kills its children and ends.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import Any, NoReturn

from trio._core import _run as trio_core
from trio._core import _thread_cache as trio_threads

from p2pchat.cli import main
from p2pchat.transports.registry import Transports

PACKAGES = ("cli", "node", "store", "transports", "ui", "ui.json")  # verbs import these when they are called
# These come to their end before anything is opened, and have then built what the first call builds.
WARM_UP = (
    *((verb, "no:such:place", "--json") for verb in ("listen", "dial")),
    *((verb, "--json", "-q") for verb in ("history", "events")),
)
REQUEST = 65_536  # bytes at most


def warm_up() -> None:
    """Do what the first call of any verb does."""
    for package in PACKAGES:
        parent = importlib.import_module(f"p2pchat.{package}")
        for module in pkgutil.iter_modules(parent.__path__, f"{parent.__name__}."):
            with suppress(Exception):  # what is broken is so for whoever calls it, and for nobody else
                importlib.import_module(module.name)
    Transports()  # whose entry points are then known
    patience, trio_threads.IDLE_TIMEOUT = trio_threads.IDLE_TIMEOUT, 0
    for words in WARM_UP:
        main.main([*words, "--data-dir", "/nonexistent"])
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join()
    trio_threads.IDLE_TIMEOUT = patience
    gc.freeze()


def serve(client: socket.socket) -> bool:
    """Do what `client` asks for, one request after the other; return False when it is gone, and True in each child."""
    children: set[int] = set()
    while True:
        data, descriptors, _, _ = socket.recv_fds(client, REQUEST, 3)
        if not data:
            break
        request = json.loads(data)
        if "reap" in request:
            pid = request["reap"]
            children.discard(pid)
            answer = {"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}
        else:
            pid = os.fork()
            if pid == 0:
                client.close()
                become(request, descriptors)
                return True
            children.add(pid)
            answer = {"pid": pid}
        for descriptor in descriptors:
            os.close(descriptor)
        client.send(json.dumps(answer).encode())
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    return False


def become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Be in the state of a new interpreter that was started as `request` says, with `descriptors` as its first."""
    if request["terminal"]:
        os.setsid()
        fcntl.ioctl(descriptors[0], termios.TIOCSCTTY, 0)
    for number, (name, descriptor) in enumerate(zip(("stdin", "stdout", "stderr"), descriptors, strict=True)):
        os.dup2(descriptor, number)
        os.close(descriptor)
        old, mode = getattr(sys, name), "w" if number else "r"
        new = open(number, mode, encoding=old.encoding, errors=old.errors, newline="\n", closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    sys.stderr.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os.chdir(request["directory"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    sys.argv[1:] = request["words"]
    trio_core._r.seed()  # or the tasks of all our children would take turns alike
    for number in request["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def end(code: int) -> NoReturn:
    """Do what counts at the end of an interpreter: to take all apart takes ten times as long as a short life."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def begin(descriptor: int) -> None:
    """Be the mother, for whoever has the other end of `descriptor`, or one of her children."""
    # Not for us, though we share the terminal of those who run the tests; a child that has just begun gets it later.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    warm_up()
    if serve(socket.socket(fileno=descriptor)):
        end(main.main())


if __name__ == "__main__":
    begin(int(sys.argv[1]))
