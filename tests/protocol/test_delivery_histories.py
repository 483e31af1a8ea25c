"""Random histories of two sides hold I1 … I9: sends, withdrawals, cuts, crashes, overlapping links, old backups.

The moves are made twice: drawn from a seed, which is fast and goes deep, and chosen by Hypothesis, which finds the
shortest history that fails. `python -m tests.mutants` shows what they are good for.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support import delivery_invariants as invariants
from tests.support.delivery_moves import COSTS, LIVES, SIZES, Moves, random_history

#: The profile of Hypothesis decides how much is tried: 200 seeds and 50 histories by default, fifty times that by
#: `--hypothesis-profile thorough`.
EXAMPLES = settings().max_examples
SEEDS = EXAMPLES * 2
AT_ONCE = SEEDS // 10

pytestmark = pytest.mark.slow

sides = st.integers(0, 1)
picks = st.integers(0, 9)
few = st.integers(1, 3)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_histories_drawn_from_a_seed_hold_every_invariant(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        random_history(seed, steps=150)


@pytest.mark.parametrize("first", range(0, SEEDS // 4, AT_ONCE))
def test_histories_over_a_database_hold_them_too(first: int) -> None:
    for seed in range(first, min(first + AT_ONCE, SEEDS // 4)):
        random_history(seed, steps=150, stored=True)


class Histories(RuleBasedStateMachine):
    """The same moves, chosen and shrunk by Hypothesis. The first link stands already."""

    moves: Moves

    @initialize(durable=st.tuples(st.booleans(), st.booleans()), dialer=sides)
    def begin(self, durable: tuple[bool, bool], dialer: int) -> None:
        self.moves = Moves(durable=durable)
        self.moves.link(dialer)

    def runs(self) -> bool:
        return self.moves.end(0) is not None

    def waits(self) -> bool:
        return any(end.running and end.delivery.waiting for end in self.moves.world.ends)

    def comes(self) -> bool:
        return any(end.incoming for end in self.moves.world.ends)

    @rule(side=sides, size=st.sampled_from(SIZES), count=few)
    def send(self, side: int, size: int, count: int) -> None:
        self.moves.send(side, size, count)

    @rule(side=sides, size=st.sampled_from(SIZES), lives=st.sampled_from(LIVES))
    def send_for_a_while(self, side: int, size: int, lives: float) -> None:
        self.moves.send_for_a_while(side, size, lives)

    @rule(side=sides, pick=picks)
    def void(self, side: int, pick: int) -> None:
        self.moves.void(side, pick)

    @rule(seconds=st.sampled_from([1.0, 11.0]))
    def wait(self, seconds: float) -> None:
        self.moves.wait(seconds)

    @rule(dialer=sides)
    def dial(self, dialer: int) -> None:
        self.moves.dial(dialer)

    @rule(dialer=sides)
    def link(self, dialer: int) -> None:
        self.moves.link(dialer)

    @precondition(lambda self: any(not end.claimed for end in self.moves.world.ends))
    @rule(pick=picks)
    def claim(self, pick: int) -> None:
        self.moves.claim(pick)

    @precondition(comes)
    @rule(pick=picks, frames=few)
    def read(self, pick: int, frames: int) -> None:
        self.moves.read(pick, frames)

    @precondition(runs)
    @rule(pick=picks, max_cost=st.sampled_from(COSTS))
    def hand(self, pick: int, max_cost: int) -> None:
        self.moves.hand(pick, max_cost)

    @precondition(runs)
    @rule(pick=picks)
    def hand_again(self, pick: int) -> None:
        self.moves.hand_again(pick)

    @precondition(runs)
    @rule(pick=picks, which=st.integers(0, 6))
    def lie(self, pick: int, which: int) -> None:
        self.moves.lie(pick, which)

    @precondition(waits)
    @rule(pick=picks, batches=few)
    def commit(self, pick: int, batches: int) -> None:
        self.moves.commit(pick, batches)

    @precondition(runs)
    @rule(pick=picks)
    def ack(self, pick: int) -> None:
        self.moves.ack(pick)

    @precondition(lambda self: any(side.unconfirmed for side in self.moves.world.sides))
    @rule(side=sides)
    def confirm(self, side: int) -> None:
        self.moves.confirm(side)

    @precondition(runs)
    @rule(pick=picks, max_cost=st.sampled_from(COSTS))
    def converse(self, pick: int, max_cost: int) -> None:
        self.moves.converse(pick, max_cost)

    @rule(pick=picks, keep=st.integers(0, 3))
    def cut(self, pick: int, keep: int) -> None:
        self.moves.cut(pick, keep)

    @rule(side=sides)
    def crash(self, side: int) -> None:
        self.moves.crash(side)

    @rule(side=sides)
    def backup(self, side: int) -> None:
        self.moves.backup(side)

    @rule(side=sides, pick=picks)
    def restore(self, side: int, pick: int) -> None:
        self.moves.restore(side, pick)

    @invariant()
    def what_holds_always(self) -> None:
        invariants.check(self.moves.world)

    def teardown(self) -> None:
        if hasattr(self, "moves"):
            self.moves.finish()


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=EXAMPLES // 2, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
