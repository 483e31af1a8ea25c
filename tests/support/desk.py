"""A person's terminal in memory, with the line face on it."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import trio
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input

from p2pchat import errors
from p2pchat.env import system_env
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.ui import bridge, chat
from p2pchat.ui.chat import Plan
from p2pchat.ui.line import LineFace
from p2pchat.ui.reader import Manner
from p2pchat.ui.terminal import Printer, Terminal
from tests.support.faces import ME, kept_in, words
from tests.support.peers import HOME, Network, Peer, open_peer

LISTEN = Plan(listen=(HOME,))
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)
PASTE = "\x1b[200~%s\x1b[201~"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*([a-zA-Z])")


@dataclass
class Drawer:
    """Where a draft waits: in memory, or nowhere."""

    text: str = ""
    is_broken: bool = False

    def take(self) -> str:
        text, self.text = self.text, ""
        return text

    def keep(self, text: str) -> None:
        if self.is_broken:
            raise errors.StoreError("cannot keep your draft: the disk is full")
        self.text = text


@dataclass
class Desk:
    """A person's terminal, and how the chat at it ended."""

    keys: PipeInput
    paper: io.StringIO
    node: Node
    error: errors.P2PChatError | None = None
    ended: trio.Event = field(default_factory=trio.Event)

    @property
    def text(self) -> str:
        """Everything that was ever drawn, without its escapes."""
        return ESCAPES.sub(lambda found: " " if found[1] == "C" else "", self.paper.getvalue())

    async def wait_for(self, text: str, *, after: str = "") -> None:
        with trio.move_on_after(10):
            while text not in (self.text.rpartition(after)[2] if after else self.text):  # noqa: ASYNC110  (a file that tells nobody)
                await trio.sleep(0.005)
            return
        raise AssertionError(f"{text!r} was not drawn, but {self.text!r}")

    async def wait_ended(self) -> errors.P2PChatError | None:
        with trio.fail_after(10):
            await self.ended.wait()
        return self.error


@asynccontextmanager
async def open_desk(
    network: Network,
    keys: PipeInput,
    *,
    drawer: Drawer | None = None,
    accept: Accept = Accept.ANYONE,
    plan: Plan = LISTEN,
    directory: Path | None = None,
) -> AsyncIterator[Desk]:
    """Somebody listens at HOME with the line face; what is said is kept in `directory`, if there is one."""
    paper = io.StringIO()
    terminal = Terminal(paper, lambda: Size(rows=24, columns=100), term="xterm")
    env = system_env(network)
    settings = NodeSettings(accept=accept)
    async with (
        trio.open_nursery() as nursery,
        kept_in(directory, env) as store,
        open_node(ME, env=env, settings=settings, store=store) as node,
    ):
        desk = Desk(keys, paper, node)
        printer = Printer(terminal, encoding="utf-8")
        said_in = words()
        said_in.meet(node)
        face = LineFace(terminal, printer, Manner(words=said_in, store=store), wall=env.wall, draft=drawer, keys=keys)

        async def live() -> None:
            try:
                await chat.run(node, face, plan)
            except errors.P2PChatError as exc:
                desk.error = exc
            desk.ended.set()

        nursery.start_soon(live)
        yield desk
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def chatting(keys: PipeInput, *, drawer: Drawer | None = None) -> AsyncIterator[tuple[Desk, Peer, Network]]:
    """A desk, and a peer called bob that has dialled it."""
    network = Network()
    async with open_desk(network, keys, drawer=drawer) as desk, open_peer(network, settings=BOB) as bob:
        await desk.wait_for("listening")
        await bob.node.dial(HOME)
        await desk.wait_for("connected: bob")
        yield desk, bob, network
        bob.resume()


Scene = Callable[[PipeInput], Awaitable[None]]


def play(scene: Scene) -> None:
    """Run `scene` beside asyncio, as the line face needs it."""
    with create_pipe_input() as keys:
        bridge.run(partial(scene, keys))
