"""What can happen next in the small world, as moves that do something whenever anything of their kind can be done.

A number picks one of several, the newest first, so that a history is a list of moves with small numbers: easy to draw
at random, to shrink and to read.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from p2pchat.wire.frames import MAX_BODY
from tests.support import delivery_hostile as hostile
from tests.support import delivery_invariants as invariants
from tests.support.delivery_world import MAX_LINKS, End, Side, World

SIZES = [20, 20, 20, 500, MAX_BODY + 1, 3 * MAX_BODY + 7]  # bytes of a message: one entry, two, four
COSTS = [200, 40_000, 2**20]  # bytes handed over at once: one entry or a few, one large one, all
LIVES = [0.0, 5.0]  # seconds until a message expires


class Moves:
    """The moves of one history."""

    def __init__(self, *, durable: tuple[bool, bool], stored: bool = False) -> None:
        self.world = World(durable=durable, stored=stored)

    def end(self, pick: int, *, running: bool = True) -> End | None:
        """Return an open end, the newest first; only one over which messages flow, if `running`."""
        ends = [end for end in self.world.ends if end.running or not running]
        ends.sort(key=lambda end: end.born)
        return ends[-1 - pick % len(ends)] if ends else None

    # ---- people

    def send(self, side: int, size: int, count: int) -> None:
        for _ in range(count):
            self.world.send(self.world.sides[side], size)

    def send_for_a_while(self, side: int, size: int, lives: float) -> None:
        self.world.send(self.world.sides[side], size, lives=lives)

    def void(self, side: int, pick: int) -> None:
        one = self.world.sides[side]
        if one.disk.said:
            self.world.void(one, one.disk.said[-1 - pick % len(one.disk.said)][0])

    def wait(self, seconds: float) -> None:
        self.world.now += seconds

    # ---- links

    def dial(self, dialer: int) -> None:
        """A link over which nobody says anything yet."""
        if len(self.world.ends) < 2 * MAX_LINKS:
            self.world.dial(self.world.sides[dialer])

    def link(self, dialer: int) -> None:
        """A link over which both say RESUME, and read it."""
        self.world.dial(self.world.sides[dialer])
        ends = [side.ends[-1] for side in self.world.sides]
        for end in ends:
            self.world.claim(end)
        for end in ends:
            self._read(end, 1)

    def claim(self, pick: int) -> None:
        waiting = [end for end in self.world.ends if not end.claimed]
        if waiting:
            self.world.claim(waiting[-1 - pick % len(waiting)])

    def read(self, pick: int, frames: int) -> None:
        end = self.end(pick, running=False)
        if end is not None:
            self._read(end, frames)

    def _read(self, end: End, frames: int) -> None:
        for _ in range(frames):
            if end.open and end.incoming:
                self.world.read(end)

    def hand(self, pick: int, max_cost: int) -> None:
        end = self.end(pick)
        if end is not None:
            self.world.hand(end, max_cost)

    def hand_again(self, pick: int) -> None:
        end = self.end(pick)
        if end is not None:
            self.world.hand(end, 2**20, again=True)

    def lie(self, pick: int, which: int) -> None:
        """The peer says what no honest one does; what is under way is lost with the link."""
        ends = [end for end in self.world.ends if end.running and end.side.holder is end]
        if ends:
            lies = list(hostile.LIES)
            end = ends[-1 - pick % len(ends)]
            while end.delivery.waiting:
                self.world.commit(end)
            self.world.hang_up(end, hostile.tell(end, lies[which % len(lies)]))

    def commit(self, pick: int, batches: int) -> None:
        end = self.end(pick)
        if end is not None:
            self._commit(end, batches)

    def _commit(self, end: End, batches: int) -> None:
        for _ in range(batches):
            if end.open and end.delivery.waiting:
                self.world.commit(end)

    def ack(self, pick: int) -> None:
        end = self.end(pick)
        if end is not None:
            self.world.ack(end)

    def confirm(self, side: int) -> None:
        if self.world.sides[side].unconfirmed:
            self.world.sides[side].confirm()

    def converse(self, pick: int, max_cost: int) -> None:
        """A link that works for a moment: both send, read, commit and acknowledge."""
        end = self.end(pick)
        if end is None:
            return
        both = [one for one in (end, end.other) if one.running]
        for one in both:
            if one.open:
                self.world.hand(one, max_cost)
        for one in both:
            self._read(one, 3)
            self._commit(one, 3)
            if one.open:
                self.world.ack(one)

    # ---- accidents

    def cut(self, pick: int, keep: int) -> None:
        end = self.end(pick, running=False)
        if end is not None:
            self.world.cut(end, keep)

    def crash(self, side: int) -> None:
        if one := self._mortal(side):
            self.world.crash(one)

    def backup(self, side: int) -> None:
        if one := self._mortal(side):
            self.world.backup(one)

    def restore(self, side: int, pick: int) -> None:
        if (one := self._mortal(side)) and one.backups:
            self.world.restore(one, one.backups[-1 - pick % len(one.backups)])

    def _mortal(self, side: int) -> Side | None:
        one = self.world.sides[side]
        return one if one.durable else None

    # ---- the end

    def finish(self) -> None:
        invariants.heal(self.world)
        invariants.check_healed(self.world)


#: How often each move is made, in a history drawn from a seed. Accidents fall where the traffic is.
WEIGHTS = {
    "send": 12,
    "send_for_a_while": 2,
    "void": 4,
    "wait": 2,
    "dial": 1,
    "link": 2,
    "claim": 3,
    "read": 16,
    "hand": 12,
    "hand_again": 3,
    "lie": 1,
    "commit": 12,
    "ack": 8,
    "confirm": 6,
    "converse": 16,
    "cut": 3,
    "crash": 2,
    "backup": 3,
    "restore": 2,
}


def random_history(seed: int, *, steps: int, stored: bool = False) -> None:
    """Make `steps` moves drawn from `seed`, then heal the world; everything that must hold is asserted on the way.

    With `stored`, what is durable is in a database; the history is the same.
    """
    dice = Random(seed)
    moves = Moves(durable=(dice.random() < 0.7, dice.random() < 0.7), stored=stored)
    # Each history has its own kinds of trouble, much of some and none of others: what all together hide, some show.
    weights = {name: weight * dice.choice([0, 1, 1, 1, 3]) for name, weight in WEIGHTS.items()}
    draw: dict[str, Callable[[], object]] = {
        "side": lambda: dice.randrange(2),
        "dialer": lambda: dice.randrange(2),
        "size": lambda: dice.choice(SIZES),
        "count": lambda: dice.randint(1, 3),
        "lives": lambda: dice.choice(LIVES),
        "pick": lambda: min(dice.randrange(10), dice.randrange(10)),
        "seconds": lambda: dice.choice([1.0, 11.0]),
        "frames": lambda: dice.randint(1, 4),
        "max_cost": lambda: dice.choice(COSTS),
        "batches": lambda: dice.randint(1, 3),
        "keep": lambda: dice.randrange(4),
        "which": lambda: dice.randrange(10),
    }
    made = []
    try:
        for drawn in dice.choices(list(weights), list(weights.values()), k=steps):
            # Faults belong where the traffic is.
            name = "link" if moves.end(0) is None and dice.random() < 0.5 else drawn
            move = getattr(moves, name)
            arguments = {argument: draw[argument]() for argument in list(move.__annotations__)[:-1]}
            made.append(f"{name}({', '.join(f'{name}={value}' for name, value in arguments.items())})")
            move(**arguments)
            invariants.check(moves.world)
        moves.finish()
    except Exception as error:
        error.add_note(f"history {seed}, after {len(made)} moves: {' '.join(made)}")
        raise
