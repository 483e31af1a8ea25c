"""A network in memory: machines with addresses, processes on them, and connections that a test can harm at any byte.

    network = SimNetwork(clock, dice(seed, "network"))
    alice, bob = network.machine("alice"), network.machine("bob")
    env = Env(net=alice.start(), ...)   # what one process sees of it

A *process* dies by `kill`: its kernel lives on, sends what it was given, and then closes or resets its connections. A
*machine* dies by `lose_power`: nobody is told, and what was under way may be lost; once it is up again it answers bytes
of its old connections with a reset. `cut_off` parts two machines: connections stall and go on afterwards.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.lanes import End, Lane, Pace, SimStream, on_grid

if TYPE_CHECKING:
    import random

    from p2pchat.address import Address

BACKLOG = 8  # connections that wait to be accepted; further ones wait in `connect`
NOBODY = "is the other side running?"


class SimNetwork:
    """All machines and all connections between them."""

    def __init__(self, clock: Callable[[], float], dice: random.Random) -> None:
        """Begin with nothing.

        Args:
          clock: seconds, Trio's.
          dice: for latencies, splits, and what is lost.
        """
        self.clock = clock
        self.dice = dice
        self.wires: list[Wire] = []  # every connection that is not closed on both sides, the oldest first
        self.pace: Pace = Pace()  # of connections to come
        self.doors: dict[Address, Door] = {}  # where somebody listens
        self.machines: dict[str, Machine] = {}
        self.parted: dict[frozenset[str], float] = {}  # machines that do not reach each other, and until when
        self.changed: trio.Event = trio.Event()
        self.on_bytes: Callable[[Lane, bytes], object] = lambda lane, data: None  # noqa: ARG005  (on any wire)

    def machine(self, name: str) -> Machine:
        """Return the machine with this name, put there on first mention."""
        if name not in self.machines:
            self.machines[name] = Machine(self, name, number=len(self.machines) + 1)
        return self.machines[name]

    def cut_off(self, one: str, other: str, *, until: float) -> None:
        """Let nothing pass between two machines before `until`; connections between them stall, and live."""
        self.parted[frozenset({one, other})] = until
        for wire in self.between(one, other):
            wire.there.hold(until)
            wire.back.hold(until)
        self.note_change()

    def between(self, one: str, other: str) -> list[Wire]:
        """Return the connections between two machines, the oldest first."""
        return [wire for wire in self.wires if {wire.dialer.machine.name, wire.listener.machine.name} == {one, other}]

    def heal(self) -> None:
        """End every partition and every clog; machines without power stay as they are."""
        self.parted.clear()
        for wire in self.wires:
            wire.heal()
        self.note_change()

    def held_until(self, one: str, other: str) -> float:
        """Return until when two machines do not reach each other; in the past if they do."""
        return self.parted.get(frozenset({one, other}), 0.0)

    def note_change(self) -> None:
        """Let those look again who wait for a machine, for a listener, or for room in its queue."""
        self.changed.set()
        self.changed = trio.Event()

    def forget(self, wire: Wire) -> None:
        """Drop a connection that is closed on both sides."""
        if wire in self.wires:
            self.wires.remove(wire)


class Machine:
    """A host: it has an address, power or none, and processes."""

    def __init__(self, network: SimNetwork, name: str, *, number: int) -> None:
        self.network = network
        self.name = name
        self.host: str = f"10.0.{number // 256}.{number % 256}"
        self.powered: bool = True
        self.processes: list[Process] = []

    def start(self) -> Process:
        """Return the network as a new process on this machine sees it; a machine without power is switched on."""
        if not self.powered:
            self.powered = True
            for door in [door for door in self.network.doors.values() if door.process.machine is self]:
                door.close()
            for wire in list(self.network.wires):
                wire.answer_with_reset(self)
        process = Process(self)
        self.processes.append(process)
        return process

    def lose_power(self) -> None:
        """Stop everything on this machine at once, and tell nobody."""
        self.powered = False
        for process in self.processes:
            process.die()
        for wire in list(self.network.wires):
            wire.lose_power(self)
        self.processes.clear()


class Process:
    """What one process sees of the network: an `Env.net`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.alive: bool = True
        self.on_sent: Callable[[int], object] = lambda count: None  # noqa: ARG005  (how many bytes have left)
        self._doors: list[Door] = []

    async def connect(self, address: Address) -> SimStream:
        """Return a stream to whoever listens there; takes a round trip, and for ever if nothing answers.

        Raises:
          ConnectFailed: if the machine is there and nobody listens, or stops doing so.
        """
        network, pace = self.machine.network, self.machine.network.pace
        await trio.lowlevel.checkpoint()
        await trio.sleep_until(on_grid(network.clock() + pace.latency))
        while True:
            door = network.doors.get(address)
            if door is None:
                raise ConnectFailed(f"nobody listens on {address}", hint=NOBODY)
            if door.reachable_from(self) and door.has_room:
                break
            until = network.held_until(self.machine.name, door.process.machine.name)
            with trio.CancelScope(deadline=until if until > network.clock() else math.inf):
                await network.changed.wait()
        wire = Wire(self, door.process, address)
        door.queue(wire.accepted)
        made = False
        try:
            await trio.sleep_until(on_grid(network.clock() + pace.latency))
            if not door.open:
                raise ConnectFailed(f"{address} stopped listening", hint=NOBODY)
            made = True
        finally:
            if not made:
                wire.dialed.close()
        return wire.dialed

    async def listen(self, address: Address) -> Sequence[Door]:
        """Return the listener of that address.

        Raises:
          ListenFailed: if there is one already.
        """
        await trio.lowlevel.checkpoint()
        network = self.machine.network
        if address in network.doors:
            raise ListenFailed(f"{address} is in use already", hint="choose another address")
        door = Door(self, address)
        self._doors.append(door)
        network.doors[address] = door
        network.note_change()
        return [door]

    def kill(self) -> None:
        """End this process; its kernel says so to whom it was connected, after what was sent before."""
        for wire in list(self.machine.network.wires):
            wire.kill(self)
        self.die()
        for door in self._doors:
            door.close()

    def die(self) -> None:
        """Let nothing that this process still tries have any effect."""
        self.alive = False
        for wire in list(self.machine.network.wires):
            wire.die(self)


class Door(trio.abc.Listener[SimStream]):
    """Somebody who listens. A machine without power keeps its doors, so that dialers wait instead of being refused."""

    def __init__(self, process: Process, address: Address) -> None:
        self.address = address
        self.process = process
        self.open: bool = True
        self._arrivals: deque[SimStream] = deque()
        self._news = trio.lowlevel.ParkingLot()

    @property
    def has_room(self) -> bool:
        """Whether another connection can wait to be accepted."""
        return len(self._arrivals) < BACKLOG

    def reachable_from(self, process: Process) -> bool:
        """Whether a dial of `process` gets here now."""
        here, network = self.process.machine, self.process.machine.network
        return here.powered and network.held_until(process.machine.name, here.name) <= network.clock()

    def queue(self, stream: SimStream) -> None:
        """Let `stream` wait to be accepted."""
        self._arrivals.append(stream)
        self._news.unpark()

    async def accept(self) -> SimStream:
        """Return the next connection. Cancelled, it has taken none."""
        await trio.lowlevel.checkpoint()
        while self.open and not self._arrivals:
            await self._news.park()
        if not self.process.alive:
            await trio.sleep_forever()
        if not self.open:
            raise trio.ClosedResourceError("this listener was closed")
        stream = self._arrivals.popleft()
        self.process.machine.network.note_change()
        return stream

    def close(self) -> None:
        """Give the address back; those in the queue are cut off."""
        if self.open:
            self.open = False
            network = self.process.machine.network
            if network.doors.get(self.address) is self:
                del network.doors[self.address]
            for stream in self._arrivals:
                stream.close()
            self._news.unpark_all()
            network.note_change()

    async def aclose(self) -> None:
        """Do what `close` does; that of a dead process does nothing any more."""
        if self.process.alive:
            self.close()
        await trio.lowlevel.checkpoint()


class Wire:
    """One connection: two lanes, two ends, and what can happen to them."""

    def __init__(self, dialer: Process, listener: Process, address: Address) -> None:
        network = dialer.machine.network
        self.dialer = dialer
        self.listener = listener
        self.address = address
        self.there: Lane = Lane(network.clock, network.dice, network.pace)
        self.back: Lane = Lane(network.clock, network.dice, network.pace)
        self.there.on_cut = self.back.on_cut = self._cut
        self.there.on_bytes = self.back.on_bytes = network.on_bytes
        self.on_cut: Callable[[], object] = lambda: None
        self.dialed: SimStream = SimStream(self.back, self.there, remote=address)
        self.accepted: SimStream = SimStream(self.there, self.back, remote=_source(dialer, address))
        self.dialed.on_gone = self.accepted.on_gone = self._end_gone
        self.dialed.on_sent = dialer.on_sent
        self.accepted.on_sent = listener.on_sent
        network.wires.append(self)

    def reset(self) -> None:
        """Break the connection for both ends; what was sent before still arrives."""
        for lane in (self.there, self.back):
            lane.finish(End.RESET)
            lane.refuse_after(lane.pace.latency)

    def lose_dialer(self, *, late: float) -> None:
        """Break the connection for the dialer alone; what it had sent arrives `late` seconds from now, then the end.

        A dialer that comes back at once has a new connection while bytes of the old one still come in.
        """
        self.there.hold(self.dialer.machine.network.clock() + late)
        self.there.finish(End.RESET)
        self.there.refuse_after(0)
        self.back.lose_all_but(0)
        self.back.finish(End.RESET)

    def cut_after(self, count: int, *, there: bool) -> None:
        """Reset the connection when `count` more bytes have passed in one direction."""
        lane = self.there if there else self.back
        lane.cut_after = lane.passed + count

    def _cut(self) -> None:
        self.on_cut()
        self.reset()

    def clog(self, until: float, *, there: bool) -> None:
        """Let nothing arrive in one direction before `until`; with infinity, one side is dead to the other."""
        (self.there if there else self.back).hold(until)

    def heal(self) -> None:
        """Let both directions go on, unless they are dead for ever."""
        for lane in (self.there, self.back):
            if lane.held_until < math.inf:
                lane.hold(0)

    # ---- deaths

    def die(self, process: Process) -> None:
        """Make the ends of `process` inert."""
        for stream, _, _ in self._ends(lambda owner: owner is process):
            stream.die()

    def kill(self, process: Process) -> None:
        """Let the kernel close the ends of `process`: what it was given to send arrives before the end."""
        dice = process.machine.network.dice
        for _, incoming, outgoing in self._ends(lambda owner: owner is process):
            outgoing.finish(End.RESET if incoming.unread else dice.choice(list(End)))
            incoming.abandon()

    def lose_power(self, machine: Machine) -> None:
        """Let the ends on `machine` go dark."""
        dice = machine.network.dice
        for _, incoming, outgoing in self._ends(lambda owner: owner.machine is machine):
            outgoing.lose_all_but(dice.randint(0, outgoing.unread))
            incoming.hold(math.inf)

    def answer_with_reset(self, machine: Machine) -> None:
        """Let `machine`, which is up again, not know this connection."""
        for _, incoming, outgoing in self._ends(lambda owner: owner.machine is machine):
            outgoing.hold(0)
            incoming.cut_after = incoming.passed
            if incoming.unread:  # it is sent again and again until somebody answers
                self.reset()

    def _ends(self, owned: Callable[[Process], bool]) -> list[tuple[SimStream, Lane, Lane]]:
        ends = [(self.dialer, self.dialed), (self.listener, self.accepted)]
        return [(stream, stream.incoming, stream.outgoing) for owner, stream in ends if owned(owner)]

    def _end_gone(self) -> None:
        if self.dialed.gone and self.accepted.gone:
            self.dialer.machine.network.forget(self)


def _source(dialer: Process, address: Address) -> Address | None:
    """Return where a visitor by way of `address` seems to come from."""
    if address.scheme != "tcp":
        return None
    port = 49152 + len(dialer.machine.network.wires) % 16384
    return type(address)("tcp", f"{dialer.machine.host}:{port}")
