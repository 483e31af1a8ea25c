"""For tests of verbs that look into a store: a profile of their own, and verbs that run in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.cli import main

Run = Callable[..., tuple[int, list[str], list[str]]]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """The directory of a profile that keeps nothing yet, in a world without time zones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        patch.setenv("LC_ALL", "C.UTF-8")
        time.tzset()
        yield tmp_path
    time.tzset()


@pytest.fixture
def run(data: Path, config_file: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a verb; return the exit code and the lines on both outputs."""

    def run(*words: str) -> tuple[int, list[str], list[str]]:
        end = words.index("--") if "--" in words else len(words)
        code = main.main([*words[:end], "--data-dir", str(data), *words[end:]])
        captured = capfd.readouterr()
        return code, captured.out.splitlines(), captured.err.splitlines()

    return run
