"""What a killed p2pchat loses here: nothing that it had accepted, and nothing that it had acknowledged.

The one who is killed is the program itself, `p2pchat listen --json` with a store in a scratch directory; the one on the
other side is a node in here. Both talk at once, and in the middle of it the program gets SIGKILL. It is started again
on the same directory, and then both sides are asked what they have.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import trio

from p2pchat import address as addresses
from p2pchat.store import history
from p2pchat.store.database import Database
from p2pchat.testing.soundness.finding import GRACE, NotHere, Subject, Unsound
from p2pchat.testing.soundness.meeting import Heard, opened
from p2pchat.wire.messages import Text

if TYPE_CHECKING:
    from p2pchat.node.session import Session

TALK: Final = 400  # messages each way
MIDDLE: Final = 40  # that the program has told of, each way, when it is killed
PATIENCE: Final = 40.0  # seconds: a Python begins twice, and on a busy machine each takes its time
REST: Final = 15.0  # seconds in which what is left has to arrive, once both have met again; it takes a tenth of one
LINE: Final = 65536  # bytes that are read at once

CURE: Final = "keep nothing that matters on this disk; look at it (dmesg), or put the profile elsewhere with --data-dir"


@final
@dataclass(slots=True)
class Program:
    """A running `p2pchat listen --json`, and what it has told."""

    process: trio.Process
    commands: trio.abc.SendStream
    output: trio.abc.ReceiveStream
    address: str = ""  # where it listens
    met: bool = False
    accepted: int = 0  # messages of its own that it told to be on its disk
    shown: int = 0  # of ours
    complaints: list[str] = field(default_factory=list)
    _more: trio.Event = field(default_factory=trio.Event)
    _rest: bytes = b""
    _over: bool = False

    async def read(self) -> None:
        """Note what it tells, until it has no more to say."""
        while data := await self.output.receive_some(LINE):
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._note(json.loads(line))
            self._wake()
        self._over = True
        self._wake()

    async def until(self, what: str) -> None:
        """Wait until the field `what` has a value that counts as true.

        Raises:
          Unsound: if the program ends before.
        """
        while not getattr(self, what):
            if self._over:
                said = "; ".join(self.complaints) or f"exit code {await self.process.wait()}"
                raise Unsound(
                    f"the program ended before it should: {said}", cure="try `p2pchat listen localhost` by hand"
                )
            await self._more.wait()

    async def until_in_the_middle(self) -> None:
        """Wait until some messages went each way; the end is told elsewhere."""
        while min(self.accepted, self.shown) < MIDDLE and not self._over:
            await self._more.wait()

    def _note(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"event": "listening", "address": address}:
                self.address = address
            case {"event": "connected"}:
                self.met = True
            case {"event": "state", "state": "queued", "ref": str()}:
                self.accepted += 1
            case {"event": "message"}:
                self.shown += 1
            case {"event": "error", "message": message}:
                self.complaints.append(message)

    def _wake(self) -> None:
        self._more.set()
        self._more = trio.Event()


async def killed(subject: Subject) -> str:
    """Check that a program that is killed and started again has lost, doubled and reordered nothing."""
    if not sys.executable:
        raise NotHere("this Python does not know its own program, so there is none to start")
    home = subject.room("killed")
    where = f"unix:{home / 'socket'}" if hasattr(socket, "AF_UNIX") else "tcp:127.0.0.1:0"
    async with opened(subject, room=subject.room("survivor")) as (node, heard):
        async with _started(subject, home, where) as first:
            session = await node.dial(addresses.parse(first.address))
            await first.until("met")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_say_all, session)
                nursery.start_soon(_command_all, first)
                await first.until_in_the_middle()
                first.process.kill()
                await first.process.wait()
        async with _started(subject, home, first.address) as again:
            node.reconnect()
            await again.until("met")
            with trio.move_on_after(REST):  # what has not come by then is judged below
                await session.drained()
                await heard.until(lambda: len(heard.texts) >= first.accepted)
    _judge_what_was_said(heard, first.accepted)
    _judge_what_is_kept(subject, home)
    return (
        f"killed (SIGKILL) when it had accepted {first.accepted} of {TALK} messages and shown {first.shown}; "
        "after its restart all of them were there, once and in order"
    )


async def _say_all(session: Session) -> None:
    for number in range(TALK):
        await session.send(str(number))


async def _command_all(program: Program) -> None:
    """Let the program say as much, for as long as it lives."""
    with suppress(trio.BrokenResourceError):
        for number in range(TALK):
            line = json.dumps({"command": "send", "text": str(number), "ref": str(number)})
            await program.commands.send_all(line.encode() + b"\n")


def _judge_what_was_said(heard: Heard, accepted: int) -> None:
    wanted = [str(number) for number in range(len(heard.texts))]
    if heard.texts != wanted:
        raise Unsound("what the killed program had accepted came doubled, out of order, or not at all", cure=CURE)
    if len(heard.texts) < accepted:
        raise Unsound(f"the killed program had accepted {accepted} messages, and {len(heard.texts)} came", cure=CURE)


def _judge_what_is_kept(subject: Subject, home: Path) -> None:
    wall = subject.env().wall
    with closing(Database.open(home / "history.db", wall=wall)) as db:
        bodies = [row.message.body for row in history.between(db) if not row.mine]
    kept = [body.text for body in bodies if isinstance(body, Text)]
    if kept != [str(number) for number in range(TALK)]:
        raise Unsound(
            f"the killed program had acknowledged {TALK} messages, and {len(set(kept))} are there, in {len(kept)} rows",
            cure=CURE,
        )


@asynccontextmanager
async def _started(subject: Subject, home: Path, where: str) -> AsyncIterator[Program]:
    """Run the program, listening at `where`, until the end of the block."""
    words = ["listen", where, "--json", "--accept", "anyone", "--data-dir", str(home)]
    process = await trio.lowlevel.open_process(
        # -P: what lies in the working directory is not imported in the place of what is installed.
        [sys.executable, "-P", "-m", "p2pchat", *words],
        env=_environ(subject, home),
        cwd=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    try:
        async with trio.open_nursery() as nursery:
            program = Program(process, process.stdin, process.stdout)
            nursery.start_soon(program.read)
            await program.until("address")
            yield program
            nursery.cancel_scope.cancel()
    finally:
        process.kill()
        with trio.move_on_after(GRACE, shield=True):
            await process.stdin.aclose()
            await process.stdout.aclose()
            await process.wait()


def _environ(subject: Subject, home: Path) -> dict[str, str]:
    """Return an environment in which the program finds what we found, and touches nothing of the user's."""
    kept = {name: value for name, value in subject.environ.items() if not name.startswith(("P2PCHAT_", "XDG_"))}
    places = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), str(home))
    return kept | places | {"PYTHONPATH": os.pathsep.join(str(Path(place).absolute()) for place in sys.path if place)}
