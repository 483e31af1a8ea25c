"""Other users of this machine: whose process is at the other end, and who is sent away."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.errors import P2PChatError
from p2pchat.node import events
from p2pchat.node.gate import source_of
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.transports.credentials import LocalUser
from p2pchat.transports.registry import Transports
from p2pchat.transports.sockets import SocketStream
from p2pchat.transports.unix import UnixTransport

ANN = 12345  # a user id that by custom nobody has
PATIENCE = 30.0  # seconds

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as two users")


class AsAnn(UnixTransport):
    """Dials as another user of this machine would."""

    async def connect(self, address: Address) -> SocketStream:
        """Return a stream to whoever listens there."""
        os.seteuid(ANN)
        try:
            return await super().connect(address)
        finally:
            os.seteuid(0)


@contextmanager
def meeting_place() -> Iterator[Address]:
    """A path that everybody can reach; pytest's own are closed to others."""
    with TemporaryDirectory(dir="/tmp", prefix="p2pchat-") as name:
        Path(name).chmod(0o755)
        yield Address("unix", f"{name}/chat")


@asynccontextmanager
async def node(seed: int, transport: UnixTransport) -> AsyncIterator[Node]:
    transports = Transports()
    transports.use(transport)
    settings = NodeSettings(accept=Accept.ANYONE)
    me = Identity.from_seed(bytes([seed]) * 32)
    async with open_node(me, env=system_env(transports), settings=settings) as node:
        yield node


async def told(node: Node, kind: type[events.Event]) -> events.Event:
    with trio.fail_after(PATIENCE):
        async for event in node.feed:
            if isinstance(event, kind):
                return event
    raise AssertionError("the feed ended")


@only_root
async def test_a_user_who_is_let_in_has_to_prove_a_key_and_both_see_whose_the_other_end_is() -> None:
    with meeting_place() as address:
        shared = UnixTransport(shared={address.rest: frozenset({ANN})})
        async with node(1, shared) as bob, node(2, AsAnn()) as ann:
            await bob.listen(address)
            with trio.fail_after(PATIENCE):
                session = await ann.dial(address)
            connected = await told(bob, events.Connected)
            assert isinstance(connected, events.Connected)
            assert (session.peer, connected.session.peer) == (bob.identity.peer_id, ann.identity.peer_id)
            assert session.user == LocalUser(0, os.getpid())
            assert connected.session.user == LocalUser(ANN, os.getpid())


@only_root
async def test_a_person_is_told_of_a_user_who_is_sent_away_and_how_to_let_that_one_in() -> None:
    with meeting_place() as address:
        shared = UnixTransport(shared={address.rest: frozenset({ANN + 1})})
        async with node(1, shared) as bob, node(2, AsAnn()) as ann:
            await bob.listen(address)
            for _ in range(3):
                with pytest.raises(P2PChatError):
                    await ann.dial(address)
            notices = [await told(bob, events.Notice) for _ in range(2)]
            who = f"uid {ANN}, pid {os.getpid()} was turned away from {address}"
            hint = f"`p2pchat listen {address} --allow-user {ANN}` lets that user knock"
            assert notices == [events.Notice(text=text, hint=hint) for text in (who, f"{who}, 2 times so far")]


def test_another_user_is_counted_like_another_machine() -> None:
    assert source_of("unix", None, LocalUser(ANN, 1)) == f"uid {ANN}"
    assert source_of("unix", None, LocalUser(os.geteuid(), 1)) is None
    assert source_of("unix", None) is None
