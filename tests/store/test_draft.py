"""What was half typed is there at the next start, once, and for nobody else."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from p2pchat.errors import StoreError
from p2pchat.store.draft import MAX_SIZE, DraftFile

TEXT = "half a žluťoučký\nmessage"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "draft"


def test_a_draft_is_taken_once(path: Path) -> None:
    DraftFile(path).keep(TEXT)
    assert DraftFile(path).take() == TEXT
    assert DraftFile(path).take() == ""
    assert not path.exists()


def test_a_newer_draft_stands_behind_an_older_one(path: Path) -> None:
    draft = DraftFile(path)
    draft.keep("a long one")
    draft.keep("short")
    assert draft.take() == "a long one\nshort"


def test_runs_that_keep_and_take_at_once_lose_nothing(path: Path) -> None:
    def keep_many(run: int) -> None:
        for n in range(100):
            DraftFile(path).keep(f"{run}.{n}")

    taken: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(keep_many, run) for run in range(4)]
        while not all(run.done() for run in runs):
            taken += DraftFile(path).take().split()
        for run in runs:
            run.result()
    taken += DraftFile(path).take().split()
    assert sorted(taken) == sorted(f"{run}.{n}" for run in range(4) for n in range(100))


def test_a_draft_that_is_taken_while_another_waits_for_it_is_begun_anew(path: Path) -> None:
    draft = DraftFile(path)
    draft.keep("first")
    with path.open("rb") as held, ThreadPoolExecutor(1) as pool:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = pool.submit(draft.keep, "second")
        with pytest.raises(TimeoutError):
            waiting.result(0.1)
        path.unlink()
        fcntl.flock(held, fcntl.LOCK_UN)
        waiting.result(10)
    assert draft.take() == "second"


def test_more_than_fits_is_refused_and_harms_nothing(path: Path) -> None:
    draft = DraftFile(path)
    draft.keep("first")
    with pytest.raises(StoreError, match=r"cannot keep your draft in .*: File too large"):
        draft.keep("x" * (MAX_SIZE - len("first")))
    assert draft.take() == "first"


def test_a_disk_that_takes_only_a_part_harms_nothing(path: Path) -> None:
    draft = DraftFile(path)
    draft.keep("first")
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    old_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, old_limit[1]))
    try:
        with pytest.raises(StoreError, match="cannot keep your draft in"):
            draft.keep("more than fits")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert draft.take() == "first"


def test_nobody_else_may_read_it(path: Path) -> None:
    path.write_text("old")
    path.chmod(0o666)
    DraftFile(path).keep(TEXT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert DraftFile(path).take() == f"old\n{TEXT}"


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
