"""The demo: a node that says back what it hears, and one for you, in one process over the `memory:` transport.

Everything between them is real: handshake, encryption, acknowledgements, goodbye. Nothing leaves the process, and
nothing is written.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import trio

from p2pchat import address as addresses
from p2pchat.cli import chat, signals
from p2pchat.crypto.identity import Identity
from p2pchat.env import Env, system_env
from p2pchat.node import events
from p2pchat.node.node import Node, open_node
from p2pchat.node.session import Session
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.transports.registry import Transports
from p2pchat.ui import chat as chats
from p2pchat.ui import marks, stdio, transcript
from p2pchat.ui.reader import Manner
from p2pchat.ui.words import Words
from p2pchat.wire.messages import Text

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.ui.chat import Chat

AT_ONCE = 100  # texts that wait to be said back
ADDRESS = addresses.parse("memory:demo")
SCRIPT = (
    "hello",
    "nobody is in the middle: this was sealed on one side and opened on the other",
    "žluťoučký kůň, 你好, 👋",
    "/me waves goodbye",
)


def run(common: Common) -> int:
    """Chat with an echo, or play the script where nobody can type; returns the exit code."""
    env = system_env(Transports())
    terminals = chat.look_around(common)
    me = Identity.generate(env.urandom)
    words = Words(me=me.peer_id, marks=marks.choose(os.environ), reach=lambda _: [], let_in=str)

    async def demo() -> int:
        async with (
            open_node(
                Identity.generate(env.urandom), env=env, settings=NodeSettings(name="echo", accept=Accept.ANYONE)
            ) as echo,
            trio.open_nursery() as nursery,
        ):
            await echo.listen(ADDRESS)
            nursery.start_soon(serve, echo)
            async with open_node(me, env=env) as node:
                manner = Manner(words=words, quiet=common.quiet)
                face = chat.face(common, terminals, manner, env) if terminals.keys else Script(words, env)
                code = await signals.run(partial(chats.run, node, face, chats.Plan(dial=ADDRESS)))
            nursery.cancel_scope.cancel()
        return code

    return chat.start(demo, common, terminals)


async def serve(node: Node) -> None:
    """Say back every text to whoever said it, and answer goodbyes, until cancelled."""
    to_say, said = trio.open_memory_channel[tuple[Session, str]](AT_ONCE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_answer, said)
        async for event in node.feed:
            match event:
                case events.MessagesReceived(session=session, messages=received):
                    for message in received:
                        if isinstance(message.body, Text):
                            await to_say.send((session, message.body.text))
                case events.Leaving(session=session):
                    session.goodbye()
        nursery.cancel_scope.cancel()


async def _answer(said: trio.MemoryReceiveChannel[tuple[Session, str]]) -> None:
    """Say it back after it counts as shown: its acknowledgement travels with the answer, and not behind it."""
    async for session, text in said:
        if session.may_say:
            await session.send(text)


class Script:
    """A face with nobody in front of it: says its lines one after the other, and shows both sides."""

    is_person = True

    def __init__(self, words: Words, env: Env) -> None:
        """Write to standard output, whatever that is."""
        self._words = words
        self._screen = transcript.Transcript(stdio.Output(1), marks=words.marks, wall=env.wall)
        self._answered = trio.Event()

    async def show(self, event: events.Event, chat: Chat) -> None:  # noqa: ARG002
        """Append the echo's lines, and what is news."""
        if isinstance(event, events.MessagesReceived):
            await self._screen.show(self._words.name(event.session), event.messages)
            self._answered.set()
        else:
            await self._screen.note(self._words.tell(event))

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:  # noqa: ARG002
        """Say each line when the one before was answered; then goodbye."""
        session = await chat.first_session()
        for line in SCRIPT:
            self._answered = trio.Event()
            await self._screen.say("you", line)
            await session.send(line)
            await self._answered.wait()
        await session.drained()
        mark = self._words.marks.delivered
        await self._screen.note(
            [f"{mark} {len(SCRIPT)} messages delivered and answered; `p2pchat demo` in a terminal lets you type"]
        )
        await chat.leave()
        chat.end()
