"""The lock of a peer: one process has it, and the kernel takes it back."""

from __future__ import annotations

import errno
import fcntl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from p2pchat.crypto.identity import PeerId
from p2pchat.store.locks import PeerLocks

ALICE, BOB = PeerId(b"a" * 32), PeerId(b"b" * 32)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "locks"


def test_one_has_it(directory: Path) -> None:
    mine, theirs = PeerLocks(directory), PeerLocks(directory)
    assert mine.try_lock(ALICE) is True
    assert mine.try_lock(ALICE) is True, "it is ours already"
    assert theirs.try_lock(ALICE) is False
    assert theirs.try_lock(BOB) is True
    assert (mine.held(ALICE), mine.held(BOB)) == (True, False)
    assert (mine.is_elsewhere(ALICE), theirs.is_elsewhere(ALICE), mine.is_elsewhere(BOB)) == (False, True, True)
    mine.release(ALICE)
    mine.release(ALICE)
    assert theirs.is_elsewhere(ALICE) is False
    assert mine.try_lock(ALICE) is True, "to look is not to take"
    mine.close()
    theirs.close()


def test_closing_lets_go_of_all(directory: Path) -> None:
    mine, theirs = PeerLocks(directory), PeerLocks(directory)
    mine.try_lock(ALICE)
    mine.try_lock(BOB)
    mine.close()
    assert theirs.try_lock(ALICE) is True
    assert theirs.try_lock(BOB) is True
    theirs.close()


def test_the_files_stay_and_are_for_their_owner_alone(directory: Path) -> None:
    locks = PeerLocks(directory)
    locks.try_lock(ALICE)
    locks.close()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (file,) = directory.iterdir()
    assert file.name == f"{ALICE}.lock"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_goes_with_the_process_and_not_with_its_children(directory: Path) -> None:
    locks = PeerLocks(directory)
    locks.try_lock(ALICE)
    program = "import sys; print('ready', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, close_fds=False) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"  # a child has our files until the kernel has loaded its program
        locks.close()
        again = PeerLocks(directory)
        assert again.try_lock(ALICE) is True
        again.close()
        child.communicate()


def test_where_no_directory_can_be_made_there_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    locks = PeerLocks(tmp_path / "file" / "locks")
    assert locks.try_lock(ALICE) is None
    assert locks.is_elsewhere(ALICE) is False


def test_a_file_system_without_locks(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    locks = PeerLocks(directory)
    assert locks.try_lock(ALICE) is None
    assert locks.is_elsewhere(ALICE) is False
    assert not locks.held(ALICE)
