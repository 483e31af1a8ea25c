"""The list of older versions becomes contacts: all of it or nothing, and once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import ConfigurationError, StoreError, StoreLocked
from p2pchat.store import contacts
from p2pchat.store.accepted import MAX_SIZE, import_file
from p2pchat.store.contacts import Trust
from p2pchat.store.database import Database
from tests.support.stored import opened

ALICE, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (7, 8))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accepted"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with closing(opened(tmp_path / "history.db")) as db:
        yield db


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)


def known(db: Database) -> set[PeerId]:
    return {contact.peer for contact in contacts.everyone(db) if contact.trust is Trust.KNOWN}


def refused(db: Database, path: Path, reason: str) -> ConfigurationError:
    """Assert that nothing of the list counts, and that it is still there."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        import_file(db, path)
    assert contacts.everyone(db) == []
    assert path.exists()
    return caught.value


def test_without_a_list_nothing_happens(db: Database, path: Path) -> None:
    before = db.connection.execute("SELECT total_changes()").fetchone()
    assert import_file(db, path) == 0
    assert db.connection.execute("SELECT total_changes()").fetchone() == before


@pytest.mark.parametrize(
    "text",
    [
        f"{ALICE}\n{BOB}\n",
        f"\ufeff# friends\n\n  {ALICE}   # Alice\r\n{str(BOB).upper()}",
        f"{ALICE}\n{ALICE}\n#{'x' * 200}\n{BOB}#bob",
    ],
)
def test_one_id_a_line_with_comments_and_blanks_is_known_and_the_file_is_gone(
    db: Database, path: Path, text: str
) -> None:
    write(path, text)
    assert import_file(db, path) == 2
    assert known(db) == {ALICE, BOB}
    assert not path.exists()
    assert import_file(db, path) == 0


def test_a_list_of_nobody_goes_too(db: Database, path: Path) -> None:
    write(path, "# friends\n")
    assert import_file(db, path) == 0
    assert not path.exists()


def test_who_is_known_or_blocked_stays_so(db: Database, path: Path) -> None:
    with db.transaction():
        contacts.know(db, ALICE)
        contacts.rename(db, ALICE, "alice")
        contacts.block(db, BOB)
    before = contacts.everyone(db)
    write(path, f"{ALICE}\n{BOB}\n")
    assert import_file(db, path) == 0
    assert contacts.everyone(db) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{ALICE}\n# fine\nbob\n", "line 3: 'bob' is not a peer id"),
        (f"{ALICE} {BOB}\n", "line 1: "),
        (f"{ALICE}\n{str(BOB)[:-1]}\n", "line 2: .*checksum"),
        (b"\xff\xfe\n", "line 1: "),
    ],
)
def test_a_bad_line_is_named_and_lets_nobody_in(db: Database, path: Path, text: str | bytes, reason: str) -> None:
    write(path, text)
    error = refused(db, path, reason)
    assert str(path) in str(error)
    assert "peer1" in error.hint
    write(path, f"{ALICE}\n")
    assert import_file(db, path) == 1, "a mistake that is mended is forgotten"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_list_that_others_may_write_is_refused_with_the_cure(db: Database, path: Path, mode: int) -> None:
    write(path, f"{ALICE}\n")
    path.chmod(mode)
    assert f"chmod 600 {path}" in refused(db, path, "written by other users").hint


def test_a_list_that_others_may_only_read_is_fine(db: Database, path: Path) -> None:
    write(path, f"{ALICE}\n")
    path.chmod(0o644)
    assert import_file(db, path) == 1


def test_somebody_elses_list_is_refused(db: Database, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, f"{ALICE}\n")
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    refused(db, path, "written by other users")


def test_what_is_no_file_or_far_too_long_is_refused_without_waiting(db: Database, path: Path) -> None:
    os.mkfifo(path)
    refused(db, path, "not a file")
    path.unlink()
    write(path, "#" * MAX_SIZE)
    refused(db, path, "at most 1 MiB")


def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list(db: Database, path: Path) -> None:
    path.symlink_to(path)
    with pytest.raises(StoreError, match="cannot read"):
        import_file(db, path)


def test_a_list_is_kept_as_long_as_nobody_could_be_made_a_contact(db: Database, path: Path) -> None:
    write(path, f"{ALICE}\n")
    with closing(opened(db.path)) as other, other.transaction(), pytest.raises(StoreLocked):
        import_file(db, path)
    assert path.exists()
    assert import_file(db, path) == 1


def test_a_list_that_cannot_be_removed_is_told_and_counts_once(db: Database, path: Path) -> None:
    write(path, f"{ALICE}\n")
    with path.open("rb") as file, pytest.raises(StoreError, match=r"cannot remove .*, whose ids are contacts now"):
        import_file(db, Path(f"/dev/fd/{file.fileno()}"))  # where nobody, not even root, removes anything
    assert known(db) == {ALICE}
    assert import_file(db, path) == 0
    assert not path.exists()
