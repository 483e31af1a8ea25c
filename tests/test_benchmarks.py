"""The benchmarks still run. How fast is never asserted: that depends on the machine."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.benchmarks import __main__, attack, commands, past, race, side, tables

EVERYBODY = [contender for benchmark in race.BENCHMARKS for contender in benchmark.contenders]
COUNT = 3  # units of work


@pytest.mark.parametrize("contender", EVERYBODY, ids=lambda contender: contender.sides)
def test_each_contender_does_the_work(contender: race.Contender, tmp_path: Path) -> None:
    """Both sides run in this process, which is quick and measures nothing."""
    sides = side.sides(contender.sides)
    bound: queue.Queue[str] = queue.Queue()
    with ThreadPoolExecutor(1) as pool:
        listener = pool.submit(sides.listen, f"unix:{tmp_path}/socket", COUNT, bound.put)
        sides.dial(bound.get(timeout=10), COUNT)
        listener.result(timeout=10)


@pytest.mark.slow
def test_a_round_is_two_processes_and_a_row_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    __main__.main(["setup", "tcp", "--rounds=1", "--scale=0.01"])
    head, _, bare, ours, *_ = capsys.readouterr().out.splitlines()
    assert "tcp" in head
    assert bare.startswith("bare Trio")
    assert ours.startswith("p2pchat")


def test_commands_are_measured() -> None:
    spent = commands.run(commands.COMMANDS[:1], rounds=1)
    assert "python -c pass" in tables.of_commands(spent)


def test_looks_into_a_history_are_measured() -> None:
    assert "a rare word" in tables.of_past(past.run(300, rounds=1), 300)


@pytest.mark.slow
def test_attacks_are_measured() -> None:
    _, peace, openings = tables.of_attacks(attack.run(["openings"], seconds=0.3)).splitlines()
    assert peace.startswith("peace")
    assert openings.startswith("messages A, one address")
