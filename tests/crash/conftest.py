"""What all crash tests begin with: a place where processes come from, and two profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book
from tests.support.forks import zygote
from tests.support.programs import Home


@pytest.fixture
def forks() -> Forks:
    return Forks(zygote())


@pytest.fixture
def ann(tmp_path: Path) -> Book:
    return Book(Home(tmp_path / "ann"), "ann", together=True)


@pytest.fixture
def bob(tmp_path: Path) -> Book:
    return Book(Home(tmp_path / "bob"), "bob", together=True)
