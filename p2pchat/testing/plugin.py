"""The pytest fixture `simulation`: a story that is told for many seeds, and a failure that names its own.

In the `conftest.py` at the top of your tests:

    pytest_plugins = ["p2pchat.testing.plugin"]

It is not an entry point of the package, as plug-ins of pytest often are: those are imported in every run of pytest, in
every project of whoever has p2pchat installed. Only who asks for this one pays for it, or gets options from it.

A test calls the fixture with its story; `@pytest.mark.simulation(runs=50)` above it says how often:

    def test_the_bot_answers(simulation: Runner) -> None:
        simulation(story)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

import pytest

from p2pchat.testing.seeded import DAY
from p2pchat.testing.simulation import simulate_many

if TYPE_CHECKING:
    from p2pchat.testing.simulation import Simulation

RUNS: Final = 20  # seeds that a test is run with, if nobody says otherwise
MARK: Final = "simulation(runs=20, first=0, limit=86400): how many seeds, from which on, and virtual seconds for each."


@final
@dataclass(frozen=True, slots=True)
class Runner:
    """What the fixture `simulation` is: call it with a story. The same seeds in every run, unless options say so."""

    seeds: Sequence[int]
    limit: float  # virtual seconds
    again: str  # the command that tells one seed again, with ``{seed}`` in it

    def __call__(self, main: Callable[[Simulation], Awaitable[object]]) -> None:
        """Tell the story once for each seed.

        Raises:
          Exception: what the first failing one has raised, with notes that name its seed and the line that repeats it.
        """
        simulate_many(main, seeds=self.seeds, limit=self.limit, again=self.again)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line choose seeds."""
    group = parser.getgroup("p2pchat", "simulated worlds (p2pchat)")
    group.addoption(
        "--simulation-seed", type=int, metavar="SEED", help="run simulations with this seed (or from this one on)"
    )
    group.addoption("--simulation-runs", type=_at_least_one, metavar="N", help="run each simulation with so many seeds")


def _at_least_one(word: str) -> int:
    if (number := int(word)) < 1:
        raise ValueError(word)
    return number


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture
def simulation(request: pytest.FixtureRequest) -> Runner:
    """A story, told for many seeds: ``simulation(main)``. The mark of the same name and two options say which."""
    mark = request.node.get_closest_marker("simulation")
    wanted = dict(mark.kwargs) if mark else {}
    if mark and (mark.args or not wanted.keys() <= {"runs", "first", "limit"} or wanted.get("runs", RUNS) < 1):
        told = ", ".join([*map(repr, mark.args), *(f"{name}={value!r}" for name, value in wanted.items())])
        raise pytest.UsageError(f"a test is marked simulation({told}), and what there is is {MARK}")
    seed, runs = (request.config.getoption(f"--simulation-{what}") for what in ("seed", "runs"))
    first = wanted.get("first", 0) if seed is None else seed
    if runs is None:
        runs = wanted.get("runs", RUNS) if seed is None else 1
    again = f"pytest '{request.node.nodeid.replace('{', '{{').replace('}', '}}')}' --simulation-seed {{seed}}"
    return Runner(range(first, first + runs), float(wanted.get("limit", DAY)), again)
