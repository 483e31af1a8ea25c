"""Everything that can go wrong in a simulated world, as values: each has a time, and `strike`s the world once.

Peers are numbers, 0 for the first. What a fault aims at may not be there any more (no link to cut, nobody alive): then
nothing happens. All of them end before the world is healed, and none breaks a promise that p2pchat makes: whatever
combination of these is thrown at it, nothing that was accepted may be lost, doubled or reordered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from p2pchat.testing.simdisk import Loss
    from p2pchat.testing.world import World


class Fault(Protocol):
    """Something that goes wrong."""

    @property
    def at(self) -> float:
        """When, in virtual seconds."""
        ...

    def strike(self, world: World) -> None:
        """Let it happen now."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Reset the newest connection between two peers when so many more bytes have passed."""

    at: float
    one: int
    other: int
    after: int
    there: bool  # counted on their way to the one who was dialed

    def strike(self, world: World) -> None:
        """Let it happen now."""
        if wire := world.wire(self.one, self.other):
            wire.on_cut = lambda: world.was_cut(wire)
            wire.cut_after(self.after, there=self.there)


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the newest connection between two peers."""

    at: float
    one: int
    other: int

    def strike(self, world: World) -> None:
        """Let it happen now."""
        if wire := world.wire(self.one, self.other):
            wire.reset()


@dataclass(frozen=True, slots=True)
class LoseDialer:
    """Break it for the dialer alone: old bytes arrive while a new connection is made."""

    at: float
    one: int
    other: int
    late: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        if wire := world.wire(self.one, self.other):
            world.mark("old bytes on a lost link")
            wire.lose_dialer(late=self.late)


@dataclass(frozen=True, slots=True)
class Clog:
    """Let nothing arrive in one direction, for a while or (from a thousand seconds on) for ever: somebody forgot it."""

    at: float
    one: int
    other: int
    seconds: float
    there: bool

    def strike(self, world: World) -> None:
        """Let it happen now."""
        if wire := world.wire(self.one, self.other):
            world.mark("clogged" if self.seconds < 1000 else "forgotten on its way")
            wire.clog(world.now + self.seconds if self.seconds < 1000 else math.inf, there=self.there)


@dataclass(frozen=True, slots=True)
class Part:
    """Let nothing pass between two machines for a while."""

    at: float
    one: int
    other: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark("parted")
        world.network.cut_off(world.peers[self.one].name, world.peers[self.other].name, until=world.now + self.seconds)


@dataclass(frozen=True, slots=True)
class Crash:
    """Kill the processes of a peer, or (with a `loss`) take its power; it is back after a while."""

    at: float
    who: int
    loss: Loss | None
    down: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].crash(self.loss, down=self.down)


@dataclass(frozen=True, slots=True)
class CrashAt:
    """The same, at the `nth` time from now that it comes to a point (`watch.POINTS`)."""

    at: float
    who: int
    point: str
    nth: int
    loss: Loss | None
    down: float

    def strike(self, world: World) -> None:
        """Lie in wait."""
        world.peers[self.who].ambushes.append([self.nth, self])
        world.miss()  # it strikes when its time has come


@dataclass(frozen=True, slots=True)
class Stop:
    """End the processes of a peer in an orderly way; they are back after a while."""

    at: float
    who: int
    down: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].stop(down=self.down)


@dataclass(frozen=True, slots=True)
class DiskFull:
    """After so many more writes the disk is full, for a while."""

    at: float
    who: int
    after: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].fill_disk(after=self.after, until=world.now + self.seconds)


@dataclass(frozen=True, slots=True)
class SlowDisk:
    """Every transaction takes long, for a while."""

    at: float
    who: int
    delay: float
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].slow_disk(self.delay, until=world.now + self.seconds)


@dataclass(frozen=True, slots=True)
class Move:
    """One peer dials the other in the other way it can be reached, TCP or Unix; the conversation moves there."""

    at: float
    one: int
    other: int

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.one].move(world.peers[self.other])


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Kill a peer and let somebody with another key answer at its addresses for a while; then it comes back."""

    at: float
    who: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].be_replaced(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class BackUp:
    """Copy the profile of a peer."""

    at: float
    who: int

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].back_up()


@dataclass(frozen=True, slots=True)
class Restore:
    """Kill a peer and put the copy in the place of its profile."""

    at: float
    who: int

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].restore()
