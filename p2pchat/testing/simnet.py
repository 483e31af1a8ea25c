"""A network in memory: machines with addresses, processes on them, and connections that a test can harm at any byte.

    network = SimNetwork(clock, dice(seed, "network"))
    alice, bob = network.machine("alice"), network.machine("bob")
    env = Env(net=alice.start(), ...)   # what one process sees of it

A *process* dies by `kill`: its kernel lives on, sends what it was given, and then closes or resets its connections. A
*machine* dies by `lose_power`: nobody is told, and what was under way may be lost; once it is up again it answers bytes
of its old connections with a reset. `cut_off` parts two machines: connections stall and go on afterwards. `freeze`
stops what runs on a machine while its kernel goes on, `deafen` lets nobody in, `exhaust` takes its descriptors away.
"""

from __future__ import annotations

import errno
import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import trio

from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.lanes import Lane, Pace, SimStream, on_grid
from p2pchat.testing.simwire import Wire as Wire  # noqa: PLC0414  (whoever harms the network looks here)
from p2pchat.transports import failures

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
        self.healed: trio.Event = trio.Event()  # set when trouble is over for good
        self.on_bytes: Callable[[Lane, bytes], object] = lambda lane, data: None  # noqa: ARG005  (on any wire)

    def machine(self, name: str) -> Machine:
        """Return the machine with this name, put there on first mention."""
        if name not in self.machines:
            self.machines[name] = Machine(self, name, number=len(self.machines) + 1)
        return self.machines[name]

    def cut_off(self, one: str, other: str, *, until: float, one_way: bool = False) -> None:
        """Let nothing pass between two machines before `until`; connections between them stall, and live.

        With `one_way` nothing gets from `one` to `other`, and everything the other way: dials, which need both, wait.
        """
        self.parted[frozenset({one, other})] = until
        for wire in self.between(one, other):
            is_there = wire.dialer.machine.name == one
            for lane in (wire.there, wire.back):
                if not one_way or is_there == (lane is wire.there):
                    lane.hold(max(lane.held_until, until))
        self.note_change()

    def between(self, one: str, other: str) -> list[Wire]:
        """Return the connections between two machines, the oldest first."""
        return [wire for wire in self.wires if {wire.dialer.machine.name, wire.listener.machine.name} == {one, other}]

    def heal(self) -> None:
        """End every partition, every clog, and what keeps machines from working; those without power stay so."""
        self.parted.clear()
        self.healed.set()
        for machine in self.machines.values():
            machine.frozen_until = machine.deaf_until = machine.exhausted_until = 0.0
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
        self.frozen_until: float = 0.0  # what runs here does nothing before
        self.deaf_until: float = 0.0  # nothing is accepted before
        self.exhausted_until: float = 0.0  # no file can be opened before
        self.on_refusal: Callable[[], object] = lambda: None  # called when one cannot

    def freeze(self, *, until: float) -> None:
        """Stop what runs here until then. The kernel takes bytes and connections as long as it has room for them."""
        self.frozen_until = self.deaf_until = on_grid(until)
        for wire in self.network.wires:
            wire.freeze(self, until)

    def deafen(self, *, until: float) -> None:
        """Let nothing that runs here accept a connection until then; a few wait in the kernel."""
        self.deaf_until = on_grid(until)

    def exhaust(self, *, until: float) -> None:
        """Let nothing that runs here open a file or a connection until then."""
        self.exhausted_until = until

    def check_descriptors(self) -> None:
        """Make sure that something can be opened here.

        Raises:
          OSError: if not (EMFILE).
        """
        if self.exhausted_until > self.network.clock():
            self.on_refusal()
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def wait_until(self, read: Callable[[Machine], float]) -> None:
        """Wait for the end of a trouble, whose end may come sooner than it was said."""
        while (until := read(self)) > self.network.clock():
            with trio.CancelScope(deadline=until):
                await self.network.changed.wait()

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
        self.on_dial: Callable[[], object] = lambda: None
        self._doors: list[Door] = []

    async def connect(self, address: Address) -> SimStream:
        """Return a stream to whoever listens there; takes a round trip, and for ever if nothing answers.

        Raises:
          ConnectFailed: if the machine is there and nobody listens, or stops doing so; or for want of descriptors.
        """
        self.on_dial()
        network, pace = self.machine.network, self.machine.network.pace
        await trio.lowlevel.checkpoint()
        await self.machine.wait_until(frozen)
        await self._be_alive()
        try:
            self.machine.check_descriptors()
        except OSError as exc:
            raise failures.explain(ConnectFailed, exc, address, {}) from exc
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
        await self._be_alive()
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
          ListenFailed: if there is one already, or for want of descriptors.
        """
        await trio.lowlevel.checkpoint()
        await self.machine.wait_until(frozen)
        await self._be_alive()
        try:
            self.machine.check_descriptors()
        except OSError as exc:
            raise failures.explain(ListenFailed, exc, address, {}) from exc
        network = self.machine.network
        if address in network.doors:
            raise ListenFailed(f"{address} is in use already", hint="choose another address")
        door = Door(self, address)
        self._doors.append(door)
        network.doors[address] = door
        network.note_change()
        return [door]

    async def _be_alive(self) -> None:
        """Go on, unless this process has died while it waited: then nothing it does may have an effect any more."""
        if not self.alive:
            await trio.sleep_forever()

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
        """Return the next connection. Cancelled, it has taken none.

        Raises:
          OSError: if there is one, and no descriptor for it; as the listeners of `transports` do.
        """
        await trio.lowlevel.checkpoint()
        while self.open and not self._arrivals:
            await self._news.park()
        await self.process.machine.wait_until(_deaf)
        if not self.process.alive:
            await trio.sleep_forever()
        if not self.open:
            raise trio.ClosedResourceError("this listener was closed")
        self.process.machine.check_descriptors()
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


def frozen(machine: Machine) -> float:
    """Return until when nothing on it does anything."""
    return machine.frozen_until


def _deaf(machine: Machine) -> float:
    return machine.deaf_until
