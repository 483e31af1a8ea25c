"""For tests of settings: a config.toml of their own, `p2pchat config show` as a table, complaints as lines."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import main, places
from p2pchat.cli.settings import OPTIONS

Show = Callable[..., dict[str, tuple[Any, str]]]
Complaint = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def config_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where config.toml is looked for; nobody has written it yet, and nothing is set in the environment."""
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setattr(places, "config", lambda: path)
    for option in OPTIONS.values():
        monkeypatch.delenv(option.twin, raising=False)
    return path


@pytest.fixture
def show(config_file: Path, capfd: pytest.CaptureFixture[str]) -> Show:
    """Return every setting and where it came from, as `p2pchat config show` tells it."""

    def show(*words: str) -> dict[str, tuple[Any, str]]:
        assert main.main(["config", "show", *words]) == 0
        out = capfd.readouterr().out
        if out.startswith("{"):
            rows = json.loads(out)["settings"]
            return {name: (row["value"], row["place"] or row["source"]) for name, row in rows.items()}
        values = tomllib.loads(out)
        origins = dict(re.findall(r"^(?:# )?([\w-]+) .*  # (.*)$", out, re.MULTILINE))
        return {name: (values.get(name), origin) for name, origin in origins.items()}

    return show


@pytest.fixture
def complaint(capfd: pytest.CaptureFixture[str]) -> Complaint:
    """Run a verb; return the exit code and what it says on standard error."""

    def complaint(*words: str) -> tuple[int, list[str]]:
        code = main.main(words)
        return code, capfd.readouterr().err.splitlines()

    return complaint
