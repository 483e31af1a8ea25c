"""Somebody to chat with from the program under test: a node of ours in the test's own process, on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.node import events
from p2pchat.node.node import open_node
from p2pchat.node.session import Session
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.transports.registry import Transports
from tests.support.peers import Peer
from tests.support.programs import Home


class Partner(Peer):
    """A peer that listens at `address`."""

    address: str

    async def dial(self, path: str) -> None:
        """Reach the program under test at its Unix socket."""
        await self.node.dial(Address("unix", path))

    async def session(self) -> Session:
        """Return the newest conversation, once there is one."""
        with trio.fail_after(30):
            await self.wait_for(events.Connected)
        return self.node.sessions[-1]


@asynccontextmanager
async def open_partner(home: Home, *, name: str = "bob", seed: int = 1) -> AsyncIterator[Partner]:
    """Open a peer called `name` that lets anyone in, on a Unix socket in `home`."""
    me = Identity.from_seed(bytes([seed]) * 32)
    settings = NodeSettings(name=name, accept=Accept.ANYONE)
    async with (
        trio.open_nursery() as nursery,
        open_node(me, env=system_env(Transports()), settings=settings) as node,
    ):
        partner = Partner(node)
        partner.address = str(home.path / f"{name}.sock")
        nursery.start_soon(partner.listen_to_feed)
        await node.listen(Address("unix", partner.address))
        yield partner
