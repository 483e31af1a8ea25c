"""What can go wrong with a whole machine: its clock, its descriptors, its disk, its people, and who knocks there.

Values like those in `faults`, with the same promises: all of them end, and nothing that was accepted may suffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from p2pchat.testing.story.flood import Flood

if TYPE_CHECKING:
    from p2pchat.testing.story.flood import Manner
    from p2pchat.testing.world import World


@dataclass(frozen=True, slots=True)
class ClockJump:
    """Set the wall clock of a peer: forwards, or backwards. Nobody may notice but who looks at times."""

    at: float
    who: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark("a clock jumps forwards" if self.seconds > 0 else "a clock jumps backwards")
        world.peers[self.who].skew += self.seconds


@dataclass(frozen=True, slots=True)
class NoDescriptors:
    """Let the processes of a peer open nothing for a while: no connection, dialed or accepted, and no database."""

    at: float
    who: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        machine = world.peers[self.who].machine
        machine.on_refusal = lambda: world.mark("no descriptor is left")
        machine.exhaust(until=world.now + self.seconds)


@dataclass(frozen=True, slots=True)
class DiskErrors:
    """Let so many writes and syncs of a peer still work, and the next ones fail, for a while at the most."""

    at: float
    who: int
    good: int
    bad: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        disk = world.peers[self.who].disk
        disk.on_error = lambda: world.mark("the disk errs")
        disk.err_after(self.good, self.bad)
        world.at(world.now + self.seconds, disk.mend)


@dataclass(frozen=True, slots=True)
class Freeze:
    """Stop what runs at a peer, and let it go on later; the kernel goes on taking bytes and connections.

    Its timers go on, unlike those of a stopped process: what that would do first of all when it continues was done
    before, and has no effect before. `sleeps`: the wall clock stands meanwhile, as that of a machine with its lid shut.
    """

    at: float
    who: int
    seconds: float
    sleeps: bool

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark("frozen")
        peer = world.peers[self.who]
        peer.machine.freeze(until=world.now + self.seconds)
        if self.sleeps:
            peer.skew -= self.seconds


@dataclass(frozen=True, slots=True)
class Deaf:
    """Let a peer accept no connection for a while: the first ones wait in its kernel, the others before it."""

    at: float
    who: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark("accepts nothing")
        world.peers[self.who].machine.deafen(until=world.now + self.seconds)


@dataclass(frozen=True, slots=True)
class SlowReader:
    """Let a person take so long for each event, for a while: a face that is busy, a terminal that is held."""

    at: float
    who: int
    delay: float
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark("reads slowly")
        for process in world.peers[self.who].running:
            process.read_slowly(self.delay)
            world.at(world.now + self.seconds, process.read_on)


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """End one of the processes of a peer, by force or in an orderly way; the others go on, and it is back later."""

    at: float
    who: int
    seat: int
    orderly: bool
    down: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.peers[self.who].close_window(self.seat, orderly=self.orderly, down=self.down)


@dataclass(frozen=True, slots=True)
class PartOneWay:
    """Let nothing get from one machine to the other for a while, and everything back."""

    at: float
    one: int
    other: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark("parted in one direction")
        one, other = world.peers[self.one].name, world.peers[self.other].name
        world.network.cut_off(one, other, until=world.now + self.seconds, one_way=True)


@dataclass(frozen=True, slots=True)
class Knocking:
    """Let strangers connect to a peer again and again, so many at a time, from so many machines, for a while."""

    at: float
    who: int
    manner: Manner
    machines: int
    at_once: int
    seconds: float

    def strike(self, world: World) -> None:
        """Let it happen now."""
        world.mark(f"strangers: {self.manner}")
        flood = Flood(world, world.peers[self.who].addresses[0], self.manner, self.machines, self.at_once)
        world.start_soon(flood.run, self.seconds)
