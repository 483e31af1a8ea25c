"""What was half typed is there at the next start, once, and for nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from p2pchat.errors import StoreError
from p2pchat.store.draft import DraftFile

TEXT = "half a žluťoučký\nmessage"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "draft"


def test_a_draft_is_taken_once(path: Path) -> None:
    DraftFile(path).keep(TEXT)
    assert DraftFile(path).take() == TEXT
    assert DraftFile(path).take() == ""
    assert not path.exists()


def test_a_newer_draft_replaces_an_older_one(path: Path) -> None:
    draft = DraftFile(path)
    draft.keep("a long one")
    draft.keep("short")
    assert draft.take() == "short"


def test_nobody_else_may_read_it(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o666)
    DraftFile(path).keep(TEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_not_unicode_is_kept_as_far_as_it_goes(path: Path) -> None:
    DraftFile(path).keep("caf\udce9")
    assert DraftFile(path).take() == "caf?"


def test_a_symbolic_link_is_neither_read_nor_written_through(path: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    path.symlink_to(secret)
    assert DraftFile(path).take() == ""
    DraftFile(path).keep(TEXT)
    assert secret.read_text() == "secret"
    assert DraftFile(path).take() == TEXT


def test_a_pipe_that_lies_there_is_no_draft(path: Path) -> None:
    os.mkfifo(path)
    assert DraftFile(path).take() == ""
    assert path.exists()


def test_a_disk_that_refuses_is_told(path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot keep your draft in .*: No such file or directory"):
        DraftFile(path / "no" / "such" / "place").keep(TEXT)
