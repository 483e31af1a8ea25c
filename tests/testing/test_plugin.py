"""The fixture `simulation`: there for those who ask, many seeds by default, and the one that failed is told."""

from __future__ import annotations

import pytest

CONFTEST = 'pytest_plugins = ["p2pchat.testing.plugin"]'
SAMPLE = """
import pytest
import trio

async def story(world):
    print("seed", world.seed)
    assert world.seed != 13
    await trio.sleep(100)

@pytest.mark.simulation(runs=3, first=5)
def test_marked(simulation):
    simulation(story)

@pytest.mark.parametrize("shape", ["{a}"])
def test_plain(simulation, shape):
    simulation(story)

@pytest.mark.simulation(runs=1, limit=50)
def test_bounded(simulation):
    simulation(story)
"""


@pytest.fixture
def sample(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini("[pytest]")  # its own root, wherever temporary directories are
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_sample=SAMPLE)
    return pytester


def seeds(result: pytest.RunResult) -> list[int]:
    return [int(line.split()[-1]) for line in result.outlines if "seed " in line and line.split()[-2] == "seed"]


def test_a_mark_says_which_seeds(sample: pytest.Pytester) -> None:
    result = sample.runpytest_inprocess("--strict-markers", "-s", "-k", "marked")
    result.assert_outcomes(passed=1)
    assert seeds(result) == [5, 6, 7]


def test_twenty_seeds_are_tried_and_the_first_that_fails_is_told(sample: pytest.Pytester) -> None:
    result = sample.runpytest_inprocess("-k", "plain")
    result.assert_outcomes(failed=1)
    assert seeds(result) == list(range(14))
    line = "to see it again: pytest 'test_sample.py::test_plain[[]{a}]' --simulation-seed 13"
    result.stdout.fnmatch_lines(["E *simulated with seed=13", f"E *{line}"])


def test_time_may_be_bounded(sample: pytest.Pytester) -> None:
    result = sample.runpytest_inprocess("-k", "bounded")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *Stuck: seed 0: not over after 50 virtual seconds"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--simulation-seed=99"], [99]),
        (["--simulation-seed=99", "--simulation-runs=2"], [99, 100]),
        (["--simulation-runs=2"], [5, 6]),
    ],
)
def test_the_command_line_decides(sample: pytest.Pytester, options: list[str], expected: list[int]) -> None:
    result = sample.runpytest_inprocess("-s", "-k", "marked", *options)
    assert seeds(result) == expected


def test_who_does_not_ask_has_none_of_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_sample="def test_it(simulation): pass")
    pytester.runpytest_inprocess().assert_outcomes(errors=1)
    assert pytester.runpytest_inprocess("--simulation-runs=1").ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize("mark", ["runs=0", "run=50", "50"])
def test_a_mark_that_says_nothing_is_an_error_and_no_test_that_passed(pytester: pytest.Pytester, mark: str) -> None:
    pytester.makeini("[pytest]")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_sample=SAMPLE.replace("runs=3, first=5", mark))
    result = pytester.runpytest_inprocess("-k", "marked")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*what there is is simulation(runs=20, first=0, limit=86400)*"])


def test_no_seed_at_all_is_refused(sample: pytest.Pytester) -> None:
    result = sample.runpytest_inprocess("--simulation-runs", "-5")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
