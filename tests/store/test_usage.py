"""Whether a program of the profile runs."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.errors import StoreCorrupt
from p2pchat.store import usage
from p2pchat.store.database import Database


def test_where_nothing_was_kept_nobody_runs(tmp_path: Path) -> None:
    assert not usage.is_in_use(tmp_path / "history.db")
    assert list(tmp_path.iterdir()) == []


def test_who_has_the_database_open_runs_whatever_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "MOMENT", 1)
    path = tmp_path / "history.db"
    with closing(Database.open(path, wall=time.time)) as db:
        assert usage.is_in_use(path)
        with db.transaction():
            assert usage.is_in_use(path)
    assert not usage.is_in_use(path)


HOLDING = """
import sys, time
from pathlib import Path
from p2pchat.store.database import Database
db = Database.open(Path(sys.argv[1]), wall=time.time)
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_another_process_is_seen_and_one_that_was_killed_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "MOMENT", 1)
    path = tmp_path / "history.db"
    words = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"open\n"
        assert usage.is_in_use(path)
        process.kill()
    assert not usage.is_in_use(path)
    Database.open(path, wall=time.time).close()


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"diary " * 1000)
    with pytest.raises(StoreCorrupt):
        usage.is_in_use(tmp_path / "history.db")
