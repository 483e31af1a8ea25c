"""Where things are, and that they are ours alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from p2pchat import errors
from p2pchat.cli import places


def test_the_places_of_the_environment_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    found = places.find("work")
    assert found.key == tmp_path / "d" / "p2pchat" / "work" / "identity.key"
    assert found.accepted == tmp_path / "d" / "p2pchat" / "work" / "accepted"
    assert found.log == tmp_path / "s" / "p2pchat" / "log"
    assert list(tmp_path.iterdir()) == []  # looking is not making


def test_the_socket_is_where_the_session_has_its_own_or_else_beside_the_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r"))
    assert places.find("work").socket == tmp_path / "r" / "p2pchat" / "work.sock"
    assert places.find("work", tmp_path / "d").socket == tmp_path / "d" / "run" / "work.sock"  # another "work"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for nothing in ("", "relative/path"):
        monkeypatch.setenv("XDG_RUNTIME_DIR", nothing)
        assert places.find("work").socket == tmp_path / "p2pchat" / "work" / "run" / "work.sock"


def test_a_directory_that_was_asked_for_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.find("default", tmp_path).data == tmp_path
    monkeypatch.chdir(tmp_path)
    assert places.find("default", Path("here")).data == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.find("default", Path("~/there")).data == tmp_path / "there"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../up", "-x", ".hidden", "x" * 65, "a\nb", "žluť", "a b"])
def test_a_profile_is_the_name_of_a_directory_and_nothing_else(name: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="a profile cannot be called"):
        places.find(name)


def test_directories_are_made_for_our_user_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        places.make_private(tmp_path / "a" / "b")
        places.make_private(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_where_nothing_can_be_made_the_error_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.StoreError, match=r"cannot make .*: Not a directory") as caught:
        places.make_private(tmp_path / "file" / "x" / "y")
    assert "--guest" in caught.value.hint
