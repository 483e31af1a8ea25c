"""Bursts of everything a stranger can do, over real sockets: what is published as a limit is one, and friends chat on.

`python -m tests.benchmarks attack` measures the same attacks with all their force, in processes of their own.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import trio

from p2pchat.address import parse
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.node import events, node
from p2pchat.node.node import Node, open_node
from p2pchat.node.session import Session
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.limits import Limits
from p2pchat.transports.registry import Transports
from tests.benchmarks import attackers
from tests.support.descriptors import open_descriptors
from tests.support.peers import Peer

PATIENCE = 30.0  # real seconds after which a test that hangs fails
BURST = 40  # tries
MOST = 5  # links at once, where they are few; a node has 512
LIMITS = Limits(
    handshake=0.5, hello=0.5, claim=0.5, dead=1, stranger_wait=0.5, half_open=8, half_open_per_address=3, strangers=4
)


class Worst:
    """The most that a node held at once of what a limit bounds, as the watcher has seen it."""

    def __init__(self, node: Node) -> None:
        self.half_open = 0
        self.strangers = 0
        self.links = 0
        self._node = node

    async def watch(self) -> None:
        while True:
            self.half_open = max(self.half_open, self._node.gate.half_open)
            self.strangers = max(self.strangers, len(self._node.waiting_room))
            self.links = max(self.links, len(self._node._links))
            await trio.sleep(0.001)  # the kernel tells nobody when visitors come


async def until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(5):
        while not condition():  # noqa: ASYNC110  (visitors leave when the kernel says so)
            await trio.sleep(0.01)


@asynccontextmanager
async def home() -> AsyncIterator[tuple[Peer, Session, int]]:
    """A node that asks about strangers, a friend whom it has dialed, and the port on which it listens."""
    env = system_env(Transports())
    mine, theirs = NodeSettings(accept=Accept.ASK, limits=LIMITS), NodeSettings(accept=Accept.ANYONE)
    with trio.fail_after(PATIENCE):
        async with (
            trio.open_nursery() as nursery,
            open_node(Identity.generate(os.urandom), env=env, settings=mine) as ours,
            open_node(Identity.generate(os.urandom), env=env, settings=theirs) as friend,
        ):
            peer, friends_face = Peer(ours), Peer(friend)
            for face in (peer, friends_face):
                nursery.start_soon(face.listen_to_feed)
                await face.node.listen(parse("127.0.0.1:0"))
            address = (await friends_face.wait_for(events.Listening)).address
            await ours.dial(address)
            await friends_face.wait_for(events.Connected)
            bound = str((await peer.wait_for(events.Listening)).address)
            yield peer, friend.session(ours.id), int(bound.rpartition(":")[2])
            nursery.cancel_scope.cancel()


async def chat_on(peer: Peer, session: Session) -> None:
    """Say things all the time, each when the one before is delivered."""
    while True:
        with trio.fail_after(5):
            await session.send("still here")
            await session.drained()
        await trio.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("name", attackers.ATTACKS)
async def test_a_burst_stays_within_the_limits_while_a_friend_chats(name: str) -> None:
    attack = replace(attackers.ATTACKS[name], width=BURST // 2)
    async with home() as (peer, session, port), trio.open_nursery() as nursery:
        descriptors, tasks = len(open_descriptors()), trio.lowlevel.current_statistics().tasks_living
        worst = Worst(peer.node)
        nursery.start_soon(worst.watch)
        nursery.start_soon(chat_on, peer, session)
        await attackers.run(attack, port, seconds=1, tries=BURST)
        assert peer.heard
        assert worst.half_open <= (LIMITS.half_open if attack.spread else LIMITS.half_open_per_address)
        assert worst.strangers <= LIMITS.strangers
        assert set(peer.heard) == {"still here"}
        assert len(peer.node.sessions) == 1
        nursery.cancel_scope.cancel()
        await until(lambda: not peer.node.gate.half_open and not len(peer.node.waiting_room))
        await until(lambda: len(open_descriptors()) <= descriptors)
        await until(lambda: trio.lowlevel.current_statistics().tasks_living <= tasks)


async def test_no_more_connections_are_held_than_are_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes beyond is hung up on; the friend, who was there before, chats on."""
    monkeypatch.setattr(node, "MAX_LINKS", MOST)
    async with home() as (peer, session, port), trio.open_nursery() as nursery:
        worst = Worst(peer.node)
        nursery.start_soon(worst.watch)
        nursery.start_soon(chat_on, peer, session)
        clinging = replace(attackers.ATTACKS["clinging"], width=BURST)
        await attackers.run(clinging, port, seconds=0.3)
        assert worst.links == MOST
        assert set(peer.heard) == {"still here"}
        nursery.cancel_scope.cancel()
