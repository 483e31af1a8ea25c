"""Somebody else at the address of a peer: a key change, by a new installation or by attack. It lets anyone in.

Whoever has met the peer there before must not tell it a thing: not what it has to say, and not even who it is.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, final

import trio

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity
from p2pchat.env import Env, dice
from p2pchat.errors import ListenFailed, P2PChatError, UntrustedPeer
from p2pchat.node import events
from p2pchat.node.node import open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.testing.judges.checker import Broken

if TYPE_CHECKING:
    from collections.abc import Callable

    from p2pchat.node.node import Node
    from p2pchat.testing.simpeer import Peer

T = TypeVar("T")


@final
class Impostor:
    """A process on the machine of `peer`, with a key of its own, that answers where the peer should."""

    def __init__(self, peer: Peer, number: int) -> None:
        self.peer = peer
        self._dice = dice(peer.world.scenario.seed, peer.name, "impostor", number)
        self._net = peer.machine.start()
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Answer until it has to leave."""
        world = self.peer.world
        env = Env(
            clock=lambda: world.now,
            wall=lambda: world.now,
            rng=self._dice,
            urandom=self._dice.randbytes,
            run_sync=_at_once,
            net=self._net,
        )
        settings = NodeSettings(name=self.peer.name, accept=Accept.ANYONE)
        with self._scope:
            async with (
                open_node(Identity.generate(env.urandom), env=env, settings=settings) as node,
                trio.open_nursery() as nursery,
            ):
                for address in self.peer.addresses:
                    with suppress(ListenFailed):  # it has no descriptors left, and is not there
                        await node.listen(address)
                for other in world.peers:
                    if world.scenario.profile.guarded and other is not self.peer:
                        nursery.start_soon(self._guess, node, other)
                async for event in node.feed:
                    if not isinstance(event, events.Listening):
                        world.fail(Broken(f"TOLD AN IMPOSTOR: {type(event).__name__} where {self.peer.name} was"))

    async def _guess(self, node: Node, other: Peer) -> None:
        """Try to be let in by `other`, without a code and with one that nobody has told us."""
        world = self.peer.world
        for code in (None, Code(1, "wild-guess")):
            try:
                await node.dial(other.addresses[0], code=code)
            except UntrustedPeer:
                world.mark("an impostor is refused")
            except P2PChatError as exc:
                world.note("impostor", "dial failed", type(exc).__name__)
            else:
                world.fail(Broken(f"LET IN: {other.name} talks to whoever has taken the place of {self.peer.name}"))

    def leave(self) -> None:
        """Be gone, at once."""
        self._net.kill()
        self._scope.cancel()


async def _at_once(function: Callable[[], T], /) -> T:
    await trio.lowlevel.checkpoint()
    return function()
