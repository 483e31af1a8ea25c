"""How people of the simulated world meet where no stranger is let in: one gives a code on the phone, one types it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import trio

from p2pchat.crypto.codes import Code
from p2pchat.errors import CodeFailed, P2PChatError, StoreError, UntrustedPeer

if TYPE_CHECKING:
    import random

    from p2pchat.node.node import Node
    from p2pchat.testing.simpeer import Peer

Call = trio.MemorySendChannel[Code]  # of who waits for a code

LIFETIME: Final = 600.0  # seconds of a code
PATIENCE: Final = 5.0  # seconds on the phone, and until somebody tries again
SLIPS: Final = 0.3  # how often somebody types something else


async def give_codes(node: Node, calls: trio.MemoryReceiveChannel[Call]) -> None:
    """Give everybody who calls a new code, for as long as the process lives."""
    async with calls:
        async for call in calls:
            try:
                invite = await node.invite(LIFETIME)
            except StoreError:
                continue  # there is no room on the disk: they will call again
            with call:
                if call.statistics().open_receive_channels:
                    call.send_nowait(invite.code)


@final
class Meeting:
    """Somebody at `peer` who wants to talk to `other`, and does what it takes."""

    def __init__(self, peer: Peer, other: Peer, throw: random.Random) -> None:
        self._peer = peer
        self._other = other
        self._dice = throw
        self._code: Code | None = None  # as it was told
        self._slipped = False
        self._tried: set[str] = set()  # the secrets of all codes that were typed as they were told

    def proved(self) -> None:
        """Note that the node has told that a code was right; a dial may also end well without one being tried."""
        world = self._peer.world
        world.mark("met by a code")
        if self._other.image is None:  # a backup may bring it back
            with world.judging():
                self._other.consent.check_burnt(self._tried)

    async def dial(self, node: Node) -> None:
        """Dial until it works: without a code if that is enough, else with one.

        Who was cut off may have been let in by the code that does not work any more.
        """
        world = self._peer.world
        while True:
            try:
                await node.dial(self._other.addresses[0], code=self._typed())
            except CodeFailed:
                world.mark("a code is refused")
                if self._code is not None and self._slipped and self._other.image is None:  # a backup counts again
                    with world.judging():
                        self._other.consent.check_counted(self._code.secret)
                self._code = self._code if self._slipped else None
            except UntrustedPeer:
                self._code = await self._call()
                if self._code is not None:
                    continue
            except P2PChatError as exc:
                if self._code is not None:
                    world.mark("a claim was cut off")
                world.note(self._peer.name, "dial failed", type(exc).__name__)
            else:
                if self._code is None:
                    world.mark("met again")
                return
            await trio.sleep(PATIENCE)

    def _typed(self) -> Code | None:
        """Return what is typed: now and then not what was told."""
        if self._code is None:
            return None
        self._slipped = self._dice.random() < SLIPS
        if self._slipped:
            return Code(self._code.slot, f"wrong-{self._code.secret}")
        self._tried.add(self._code.secret)
        self._peer.consent.types(self._other.key)
        self._other.consent.is_claimed(self._code.secret, self._peer.key)
        return self._code

    async def _call(self) -> Code | None:
        """Ask for a code by phone; there may be nobody at home."""
        send, receive = trio.open_memory_channel[Code](1)
        with receive, trio.move_on_after(PATIENCE):
            if self._other.running and self._other.running[-1].call(send):
                return await receive.receive()
        return None
