"""The node under attack, as a process. Friends, whom it dials, get back whatever they say; strangers wait for ever.

Lines on standard input are commands: `dial ADDRESS`, and `look`, which prints what was used since the last look.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from p2pchat.address import parse
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.errors import P2PChatError
from p2pchat.node import events
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store import quota
from p2pchat.store.store import open_store
from p2pchat.transports.registry import Transports
from p2pchat.wire.messages import Text

LOOKS = 0.02  # seconds between two looks for a new peak
ECHOED = 1000  # characters of a message at most, that it comes back
SHARE = 16 * 2**20  # bytes of the disk that each peer gets here, instead of a gibibyte


class Peaks:
    """The most that this process has used of everything, since the last time somebody asked."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.start()

    def start(self) -> None:
        """Begin, again."""
        self._peaks = dict.fromkeys(("memory", "descriptors", "tasks"), 0)
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._look()

    async def watch(self) -> None:
        """Look now and then."""
        while True:
            self._look()
            await trio.sleep(LOOKS)

    def take(self) -> dict[str, float]:
        """Return the peaks, and how busy the processor was with us; and begin again."""
        busy = (time.process_time() - self._cpu) / (time.perf_counter() - self._wall)
        disk = sum(path.stat().st_size for path in self._directory.iterdir() if path.is_file())
        self._look()
        peaks = {**self._peaks, "cpu": busy, "disk": disk}
        self.start()
        return peaks

    def _look(self) -> None:
        now = {
            "memory": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
            "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208  (numbers, not files)
            "tasks": trio.lowlevel.current_statistics().tasks_living,
        }
        self._peaks = {what: max(now[what], peak) for what, peak in self._peaks.items()}


async def echo(node: Node) -> None:
    """Answer friends with what they say, and print where we listen."""
    async for event in node.feed:
        if isinstance(event, events.Listening):
            print(event.address, flush=True)
        elif isinstance(event, events.MessagesReceived):
            for message in event.messages:
                if isinstance(message.body, Text) and len(message.body.text) < ECHOED:
                    await event.session.send(message.body.text)


async def lines(stream: trio.abc.ReceiveStream) -> AsyncIterator[str]:
    """Yield what is said on standard input, line by line."""
    buffer = b""
    async for data in stream:
        *whole, buffer = (buffer + data).split(b"\n")
        for line in whole:
            yield line.decode()


async def main(directory: Path) -> None:
    """Be there until standard input ends."""
    env = system_env(Transports())
    async with (
        open_store(directory / "history.db", env=env) as store,
        open_node(
            Identity.generate(os.urandom), env=env, settings=NodeSettings(accept=Accept.ASK), store=store
        ) as node,
        trio.open_nursery() as nursery,
    ):
        peaks = Peaks(directory)
        nursery.start_soon(peaks.watch)
        nursery.start_soon(echo, node)
        await node.listen(parse("127.0.0.1:0"))
        commands = lines(trio.lowlevel.FdStream(os.dup(0)))
        async for line in commands:
            verb, _, rest = line.partition(" ")
            if verb == "dial":
                try:
                    await node.dial(parse(rest))
                except P2PChatError as exc:
                    sys.stderr.write(f"{exc}\n")
            else:
                print(json.dumps(peaks.take()), flush=True)
        await commands.aclose()  # type: ignore[attr-defined]
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    quota.PEER_BYTES = SHARE  # type: ignore[misc]
    trio.run(main, Path(sys.argv[1]))
