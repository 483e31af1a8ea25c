"""A connection of the simulated network: two lanes, two ends, and everything that can happen to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from p2pchat.testing.lanes import End, Lane, SimStream

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.testing.simnet import Machine, Process


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

    def freeze(self, machine: Machine, until: float) -> None:
        """Let nothing be received or sent at the ends on `machine` before `until`."""
        for _, incoming, outgoing in self._ends(lambda owner: owner.machine is machine):
            incoming.hold(max(incoming.held_until, until))
            outgoing.stall(until)

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
