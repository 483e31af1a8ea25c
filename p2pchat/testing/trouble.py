"""What can happen to the hosts of a `Simulation`, by name: chosen and aimed by dice.

Where a fault falls matters more than how often. So connections are cut in the middle of what they carry next, and
programs are killed with a send or a write to come, not at a moment of the clock at which nobody may do anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from p2pchat.testing.simdisk import HAS_POWER, Loss

if TYPE_CHECKING:
    import random

    from p2pchat.testing.simhost import Host
    from p2pchat.testing.simulation import Simulation
    from p2pchat.testing.simwire import Wire

Trouble: TypeAlias = "Callable[[Simulation, random.Random], object]"

LONG: Final = 100.0  # seconds for which something is away at the most: more than a link lives without a sign
SHORT: Final = 3.0  # seconds: less than that


def _wire(world: Simulation, dice: random.Random) -> Wire | None:
    wires = world.network.wires
    return dice.choice(wires) if wires else None


def _host(world: Simulation, dice: random.Random) -> Host | None:
    """Return a host on which programs run: the story itself cannot die."""
    hosts = [host for host in world.hosts.values() if host.processes]
    return dice.choice(hosts) if hosts else None


def _while(dice: random.Random) -> float:
    return dice.uniform(0, dice.choice((SHORT, LONG)))


def _reset(world: Simulation, dice: random.Random) -> None:
    if wire := _wire(world, dice):
        wire.reset()


def _cut(world: Simulation, dice: random.Random) -> None:
    if wire := _wire(world, dice):
        wire.cut_after(dice.randrange(200), there=dice.random() < 0.5)


def _leave(world: Simulation, dice: random.Random) -> None:
    if wire := _wire(world, dice):
        wire.lose_dialer(late=_while(dice))


def _stall(world: Simulation, dice: random.Random) -> None:
    if wire := _wire(world, dice):
        wire.clog(world.now + _while(dice), there=dice.random() < 0.5)


def _part(world: Simulation, dice: random.Random) -> None:
    if len(world.hosts) > 1:
        one, other = dice.sample(sorted(world.hosts), 2)
        world.part(one, other, seconds=_while(dice))


def _kill(world: Simulation, dice: random.Random) -> None:
    if host := _host(world, dice):
        count = dice.randint(1, 5)
        aim = dice.choice(("sent", "written") if HAS_POWER else ("sent",))
        host.kill_when(
            sent=count if aim == "sent" else 0, written=count if aim == "written" else 0, down=dice.uniform(0, SHORT)
        )


def _crash(world: Simulation, dice: random.Random) -> None:
    if host := _host(world, dice):
        host.lose_power(dice.choice(list(Loss)), down=_while(dice))


#: Each with the sentence that explains it in a report. Without apsw no disk can lose what was not synced.
TROUBLES: Final[Mapping[str, tuple[Trouble, str]]] = {
    "reset": (_reset, "a connection breaks, for both sides"),
    "cut": (_cut, "a connection breaks in the middle of what it carries next"),
    "leave": (_leave, "a connection breaks for its dialer, who comes back before the other side has heard of it"),
    "stall": (_stall, "a connection carries nothing in one direction for a while"),
    "part": (_part, "two hosts do not reach each other for a while"),
    "kill": (_kill, "the programs of a host are killed at one of their next sends or writes, and start again"),
    **({"power": (_crash, "a host loses power, and what it had not synced; it comes back")} if HAS_POWER else {}),
}


def strike(kind: str, world: Simulation, dice: random.Random) -> None:
    """Let one trouble happen now, or with what the struck one does next."""
    TROUBLES[kind][0](world, dice)
