"""A terminal and pipes of memory, and a program that chats through them on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio
import trio.testing

from p2pchat import errors
from p2pchat.crypto.identity import Identity
from p2pchat.env import Env
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.store import Store, open_store
from p2pchat.ui import chat, marks
from p2pchat.ui.chat import Face, Plan
from p2pchat.ui.outlets import ExactBytes
from p2pchat.ui.pipe import PipeFace
from p2pchat.ui.plain import PlainFace
from p2pchat.ui.reader import Manner
from p2pchat.ui.transcript import Transcript
from p2pchat.ui.words import Words
from tests.support.peers import Network, virtual_env

END_OF_INPUT = b""
ME = Identity.from_seed(bytes([99]) * 32)


class Keys:
    """Standard input: what somebody types or pipes."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[bytes](1000)
        self.taken = 0  # pieces that were read

    def type(self, *pieces: str | bytes) -> None:
        """Let these be read, a piece at a time; ``b""`` is the end of input."""
        for piece in pieces:
            self._send.send_nowait(piece.encode() if isinstance(piece, str) else piece)

    async def receive_some(self) -> bytes:
        data = await self._receive.receive()
        self.taken += 1
        return data


class Paper:
    """Standard output, or error: what was written, and whether somebody reads it."""

    def __init__(self, *, columns: int = 0) -> None:
        self.data = b""
        self.columns = columns
        self.is_closed = False
        self._is_read = trio.Event()
        self._is_read.set()
        self._grew = trio.Event()

    def stall(self) -> None:
        """Read no more; whoever writes waits."""
        self._is_read = trio.Event()

    def read_on(self) -> None:
        """Read again."""
        self._is_read.set()

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        await self._is_read.wait()
        if self.is_closed:
            raise errors.StdoutClosed("nobody reads our output any more")
        self.data += data
        self._grew.set()
        self._grew = trio.Event()

    async def wait_for(self, text: str) -> None:
        """Wait until `text` was written."""
        with trio.fail_after(1000):
            while text not in self.text:
                await self._grew.wait()

    @property
    def grew(self) -> trio.Event:
        """What is set at the next write."""
        return self._grew

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@dataclass
class Program:
    """What runs on one side: its node, its face, and how it ended."""

    node: Node
    keys: Keys
    out: Paper
    err: Paper
    error: errors.P2PChatError | None = None
    ended: trio.Event = field(default_factory=trio.Event)

    async def wait_ended(self) -> errors.P2PChatError | None:
        """Return the error with which the chat ended, None for a good end."""
        with trio.fail_after(10_000):
            await self.ended.wait()
        return self.error


def words(me: Identity = ME, *, drawn: marks.Marks = marks.UNICODE) -> Words:
    """Return how this program talks."""
    return Words(
        me=me.peer_id,
        marks=drawn,
        reach=lambda address: [f"listening on {address}"],
        let_in=lambda peer: f"let-in {peer}",
    )


@asynccontextmanager
async def kept_in(directory: Path | None, env: Env) -> AsyncIterator[Store | None]:
    """Open a store in `directory`; None for a guest, who has none."""
    if directory is None:
        yield None
        return
    directory.mkdir(exist_ok=True)
    async with open_store(directory / "history.db", env=env) as store:
        yield store


def fill_disk(node: Node) -> None:
    """Let there be no room for another page of what the node keeps."""
    assert node.store is not None
    node.store._writer.connection.execute("PRAGMA max_page_count = 1")  # no less than there are


def protect_disk(node: Node) -> None:
    """Let nothing of what is known of contacts be changed."""
    assert node.store is not None
    node.store._reader.connection.execute("PRAGMA query_only = 1")


@asynccontextmanager
async def open_program(
    network: Network,
    plan: Plan,
    *,
    kind: str = "plain",
    quiet: bool = False,
    accept: Accept = Accept.ANYONE,
    seed: int = 99,
    directory: Path | None = None,
    receipts: bool = True,
    run: int = 0,
) -> AsyncIterator[Program]:
    """Run `plan` with a face of `kind`, plain, file or pipe; the program is stopped at the end of the block.

    *file* is the plain face where standard output is no terminal.

    With a `directory` it keeps there what is said; without one it is a guest. `run` tells apart the runs of a test:
    what is random differs in each.
    """
    env = virtual_env(network, seed=seed + 1000 * run)
    keys, out, err = Keys(), Paper(), Paper()
    me = Identity.from_seed(bytes([seed]) * 32)
    settings = NodeSettings(accept=accept)
    async with (
        trio.open_nursery() as nursery,
        kept_in(directory, env) as store,
        open_node(me, env=env, settings=settings, store=store) as node,
    ):
        program = Program(node, keys, out, err)
        face: Face
        said_in = words(me)
        said_in.meet(node)
        manner = Manner(words=said_in, store=store, quiet=quiet, receipts=receipts)
        if kind in {"plain", "file"}:
            screen = Transcript(out if kind == "plain" else err, marks=marks.UNICODE, wall=env.wall)
            outlet = screen if kind == "plain" else ExactBytes(out)
            face = PlainFace(manner, source=keys, outlet=outlet, screen=screen)
        else:
            face = PipeFace(manner, source=keys, outlet=ExactBytes(out), status=err)

        async def live() -> None:
            try:
                await chat.run(node, face, plan)
            except errors.P2PChatError as exc:
                program.error = exc
            program.ended.set()

        nursery.start_soon(live)
        yield program
        nursery.cancel_scope.cancel()
