"""What attacks cost: a node on loopback, strangers who do their worst, and two friends who keep chatting meanwhile.

Three processes: the node (`attack_target.py`), the attacker (`attackers.py`), and this one, which is the two friends.
Each friend says something, waits until it comes back, and says the next thing; both sides' disks take part. Attacks are
bounded in time, and stay on this machine.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import PIPE

import trio

from p2pchat.address import parse
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.node import events
from p2pchat.node.node import Node, open_node
from p2pchat.node.session import Session
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.transports.registry import Transports
from tests.benchmarks.attackers import ATTACKS
from tests.benchmarks.race import ROOT

SECONDS = 3.0  # of each attack
PAUSE = 0.02  # seconds between what a friend says, so that the two do not keep the node busy themselves
SETTLED = 1.5  # seconds after an attack until its last links are gone
FILLER = "filler"
FILLING = "a friend that fills the disk"
FILLED = "x" * 900_000  # one message of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the node has used at most, in a while."""

    memory: int  # bytes
    descriptors: int
    tasks: int
    cpu: float  # of one core
    disk: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One attack."""

    title: str
    tries: int
    used: Used
    trips: Sequence[float]  # seconds, of the friends' messages there and back


@dataclass
class Friend:
    """Somebody who talks to the node all the time."""

    node: Node
    trips: list[float] = field(default_factory=list)
    met: trio.Event = field(default_factory=trio.Event)
    came: trio.Event = field(default_factory=trio.Event)

    async def listen_to_feed(self) -> None:
        """Wait for what comes back."""
        async for event in self.node.feed:
            if isinstance(event, events.Connected):
                self.met.set()
            elif isinstance(event, events.MessagesReceived):
                self.came.set()

    async def chat(self) -> None:
        """Say something, wait for it, say the next thing."""
        session = await self._session()
        while True:
            began = trio.current_time()
            await session.send("are you there?")
            await self.came.wait()
            self.came = trio.Event()
            self.trips.append(trio.current_time() - began)
            await trio.sleep(PAUSE)

    async def fill(self) -> None:
        """Send as much as the node takes, and go on for ever."""
        session = await self._session()
        while True:
            await session.send(FILLED)

    async def _session(self) -> Session:
        """Return the conversation with the node, once it has dialed."""
        await self.met.wait()
        return self.node.sessions[0]


class Target:
    """The node under attack."""

    def __init__(self, process: trio.Process) -> None:
        assert process.stdin
        assert process.stdout
        self.port = 0
        self._stdin, self._stdout = process.stdin, process.stdout
        self._buffer = b""

    async def start(self) -> None:
        """Wait until it listens."""
        self.port = int((await self._line()).rpartition(":")[2])

    async def dial(self, address: str) -> None:
        """Let it dial a friend."""
        await self._stdin.send_all(f"dial {address}\n".encode())

    async def look(self) -> Used:
        """Return what it has used since the last look."""
        await self._stdin.send_all(b"look\n")
        return Used(**json.loads(await self._line()))

    async def _line(self) -> str:
        while b"\n" not in self._buffer:
            data = await self._stdout.receive_some(65536)
            if not data:
                raise RuntimeError("the node has failed; its error is above")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()


@asynccontextmanager
async def open_target(directory: Path) -> AsyncIterator[Target]:
    """Start the node, and end it."""
    command = [sys.executable, "-m", "tests.benchmarks.attack_target", str(directory)]
    async with trio.open_nursery() as nursery:
        process = await nursery.start(partial(trio.run_process, command, cwd=ROOT, stdin=PIPE, stdout=PIPE))
        target = Target(process)
        await target.start()
        try:
            yield target
        finally:
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def open_friend(target: Target) -> AsyncIterator[Friend]:
    """Open somebody whom the node dials, and who therefore is let in."""
    settings = NodeSettings(accept=Accept.ANYONE)
    async with (
        trio.open_nursery() as nursery,
        open_node(Identity.generate(os.urandom), env=system_env(Transports()), settings=settings) as node,
    ):
        await node.listen(parse("127.0.0.1:0"))
        async for event in node.feed:
            if isinstance(event, events.Listening):
                await target.dial(str(event.address))
                break
        friend = Friend(node)
        nursery.start_soon(friend.listen_to_feed)
        yield friend
        nursery.cancel_scope.cancel()


async def measure(names: Sequence[str], seconds: float) -> list[Row]:
    """Make the attacks of these names, one after the other, each on a node of its own; the first row is peace."""
    return [await measure_one(name, seconds) for name in ("", *names)]


async def measure_one(name: str, seconds: float) -> Row:
    """Let friends chat with a node that is under one attack, or under none."""
    with tempfile.TemporaryDirectory() as directory:
        async with (
            open_target(Path(directory)) as target,
            open_friend(target) as one,
            open_friend(target) as other,
            open_friend(target) as third,
            trio.open_nursery() as nursery,
        ):
            for friend in (one, other):
                nursery.start_soon(friend.chat)
            await trio.sleep(SETTLED)
            await target.look()
            one.trips.clear()
            other.trips.clear()
            if name == FILLER:
                nursery.start_soon(third.fill)
            tries = await attack(name, target.port, seconds)
            used, trips = await target.look(), one.trips + other.trips
            nursery.cancel_scope.cancel()
    title = FILLING if name == FILLER else ATTACKS[name].title if name else "peace"
    return Row(title=title, tries=tries, used=used, trips=trips)


async def attack(name: str, port: int, seconds: float) -> int:
    """Attack for so many seconds, in a process of its own; return how many tries were made."""
    if name not in ATTACKS:
        await trio.sleep(seconds)
        return 0
    command = [sys.executable, "-m", "tests.benchmarks.attackers", name, str(port), str(seconds)]
    done = await trio.run_process(command, cwd=ROOT, capture_stdout=True)
    return int(done.stdout)


def run(names: Sequence[str] = (), *, seconds: float = SECONDS) -> list[Row]:
    """Make these attacks, or all."""
    return trio.run(measure, names or [*ATTACKS, FILLER], seconds)
