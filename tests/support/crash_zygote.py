"""The mother of all processes of the crash tests: it has everything imported, and forks a p2pchat when asked for one.

Starting Python and importing takes most of a second; forking takes milliseconds, and what is forked is as real, and as
mortal, as any other process. It has one thread, so nothing is lost in a fork. `tests/support/crash_forks.py` is its
only client; when that one is gone, it kills its children and ends.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import socket
import sys
from typing import Any, NoReturn

from p2pchat.cli import main
from p2pchat.transports.registry import Transports

# Verbs import these when they are called. What draws is left out: nobody here has a screen.
PACKAGES = ("cli", "node", "store", "transports", "ui.json")
# These come to their end before anything is opened, and have then built what the first call builds.
WARM_UP = (
    *((verb, "no:such:place", "--json") for verb in ("listen", "dial")),
    *((verb, "--json", "-q") for verb in ("history", "events")),
)
REQUEST = 65_536  # bytes at most


def serve(client: socket.socket) -> None:
    """Do what `client` asks for, one request after the other, until it is gone."""
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
                live(request, descriptors)
            children.add(pid)
            answer = {"pid": pid}
        for descriptor in descriptors:
            os.close(descriptor)
        client.send(json.dumps(answer).encode())
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def live(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the program that was asked for, to its end."""
    code = 70
    try:
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(request["environ"])
        if (size := request["largest_file"]) is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        code = main.main(request["words"])
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    for package in PACKAGES:
        parent = importlib.import_module(f"p2pchat.{package}")
        for module in pkgutil.iter_modules(parent.__path__, f"{parent.__name__}."):
            importlib.import_module(module.name)
    Transports()  # whose entry points are then known
    for words in WARM_UP:
        main.main([*words, "--data-dir", "/nonexistent"])
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
