"""What all crash tests begin with: a place where processes come from, and two profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.crash_forks import Forks, open_forks
from tests.support.crash_life import Book
from tests.support.programs import Home


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    with open_forks() as forks:
        yield forks


@pytest.fixture
def ann(tmp_path: Path) -> Book:
    return Book(Home(tmp_path / "ann"), "ann", together=True)


@pytest.fixture
def bob(tmp_path: Path) -> Book:
    return Book(Home(tmp_path / "bob"), "bob", together=True)
