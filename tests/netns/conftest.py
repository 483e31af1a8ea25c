"""Two hosts with real kernels, a real cable, and processes of p2pchat on both; skipped where that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.crash_forks import open_forks
from tests.support.crash_life import Book
from tests.support.namespaces import Side, Unavailable, two_sides
from tests.support.netns_pair import Pair
from tests.support.programs import Home


@pytest.fixture(scope="session")
def sides() -> Iterator[tuple[Side, Side]]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(two_sides())
        except Unavailable as exc:
            pytest.skip(str(exc))


def _pair(sides: tuple[Side, Side], module: str) -> Iterator[Pair]:
    left, right = sides
    with open_forks(*left.within, module=module) as here, open_forks(*right.within, module=module) as there:
        yield Pair(left, right, here, there)


@pytest.fixture(scope="session")
def usual(sides: tuple[Side, Side]) -> Iterator[Pair]:
    """Processes as everybody runs them."""
    yield from _pair(sides, "tests.support.zygote")


@pytest.fixture(scope="session")
def impatient(sides: tuple[Side, Side]) -> Iterator[Pair]:
    """Processes that find out fifteen times as fast."""
    yield from _pair(sides, "tests.support.impatient_zygote")


@pytest.fixture
def ann(tmp_path: Path) -> Book:
    return Book(Home(tmp_path / "ann"), "ann", together=True)


@pytest.fixture
def bob(tmp_path: Path) -> Book:
    return Book(Home(tmp_path / "bob"), "bob", together=True)
