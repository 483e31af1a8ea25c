"""What is said about a profile is what another command understands."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from p2pchat.cli import places, profiles
from p2pchat.crypto.identity import Identity

ANN = Identity.from_seed(bytes([1]) * 32).peer_id


@pytest.mark.parametrize(
    ("name", "directory", "options"),
    [
        ("default", None, []),
        ("work", None, ["--profile", "work"]),
        ("default", "a b", ["--data-dir", "{0}/a b"]),
        ("work", "d", ["--profile", "work", "--data-dir", "{0}/d"]),
    ],
)
def test_who_was_refused_is_let_in_by_a_command_for_this_very_profile(
    name: str, directory: str | None, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    where = places.find(name, tmp_path / directory if directory else None)
    command = shlex.split(profiles.let_in(where)(ANN))
    assert command == ["p2pchat", "trust", str(ANN), *(word.format(tmp_path) for word in options)]


def test_a_guest_has_no_list() -> None:
    assert profiles.let_in(None)(ANN) == "begin again with --accept anyone"
