"""A program that keeps what is said, and a peer called bob that does, too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.ui.chat import Plan
from tests.support.faces import Program, open_program
from tests.support.peers import HOME, Network, Peer, open_peer

DIAL = Plan(dial=HOME)
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)


@asynccontextmanager
async def chatting(
    network: Network,
    path: Path,
    *,
    plan: Plan = DIAL,
    receipts: bool = True,
    guest: bool = False,
) -> AsyncIterator[tuple[Program, Peer]]:
    """A program that keeps what is said, and a peer called bob that does, too, unless it is a guest."""
    async with open_peer(network, settings=BOB, directory=None if guest else path / "bob") as bob:
        if plan.dial:
            await bob.node.listen(HOME)
        async with open_program(network, plan, directory=path / "me", receipts=receipts) as program:
            if plan.listen:
                await program.out.wait_for("listening")
                await bob.node.dial(HOME)
            await program.out.wait_for("connected: bob")
            yield program, bob
            bob.resume()


async def wait_heard(bob: Peer, *texts: str) -> list[UUID]:
    """Return the ids of what bob has heard, once that is `texts`."""
    assert await bob.wait_heard(len(texts)) == list(texts)
    return [
        message.id for event in bob.told if isinstance(event, events.MessagesReceived) for message in event.messages
    ]
