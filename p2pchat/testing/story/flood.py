"""Strangers at the door of a peer, who want nothing but to cost it something: beside them, honest talk goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final

import trio

from p2pchat.env import dice
from p2pchat.errors import ConnectFailed
from p2pchat.protocol.handshake import MESSAGE_A_LENGTHS, PREFACE
from p2pchat.testing.lanes import on_grid

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.testing.simnet import Process
    from p2pchat.testing.world import World

#: What they do: send anything; begin a handshake and do not go on; say nothing and stay; go at once.
Manner: TypeAlias = Literal["garbage", "handshakes", "silence", "comings"]
MANNERS: Final[tuple[Manner, ...]] = ("garbage", "handshakes", "silence", "comings")

STAYS: Final = 3.0  # seconds that a stranger waits for an answer
COMES_AGAIN: Final = 0.3  # seconds after having been thrown out


@final
class Flood:
    """Some strangers, each of whom has one connection after the other."""

    def __init__(self, world: World, address: Address, manner: Manner, machines: int, at_once: int) -> None:
        """Begin with nothing.

        Args:
          world: where it happens.
          address: what they dial.
          manner: what they do there.
          machines: where they are: limits per source are for each of these.
          at_once: how many there are.
        """
        self._address = address
        self._manner = manner
        self._healed = world.network.healed
        hosts = [world.network.machine(f"stranger-{number}") for number in range(machines)]
        self._dice = dice(world.scenario.seed, "strangers", len(hosts[0].processes))  # no two floods say the same
        self._processes = [hosts[number % machines].start() for number in range(at_once)]

    async def run(self, seconds: float) -> None:
        """Go on for so long, or until the world is healed."""
        async with trio.open_nursery() as nursery:
            for process in self._processes:
                nursery.start_soon(self._come_and_go, process)
            with trio.move_on_after(seconds):
                await self._healed.wait()
            nursery.cancel_scope.cancel()
        for process in self._processes:
            process.kill()

    async def _come_and_go(self, process: Process) -> None:
        while True:
            try:
                async with await process.connect(self._address) as stream:
                    with trio.move_on_after(STAYS):
                        await self._visit(stream)
            except (ConnectFailed, trio.BrokenResourceError):
                pass
            await trio.sleep(on_grid(COMES_AGAIN * self._dice.uniform(0.5, 2)))

    async def _visit(self, stream: trio.abc.Stream) -> None:
        match self._manner:
            case "comings":
                return
            case "garbage":
                await stream.send_all(self._dice.randbytes(self._dice.choice((1, 10, 300, 3000))))
            case "handshakes":
                length = MESSAGE_A_LENGTHS[0]  # any bytes are a key, and cost an answer
                await stream.send_all(PREFACE + length.to_bytes(2) + self._dice.randbytes(length))
            case "silence":
                pass
        while await stream.receive_some():
            pass
