from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError, StoreError
from p2pchat.store.accepted import MAX_SIZE, AcceptedFile

ALICE, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (7, 8))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accepted"


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)


def test_without_a_file_nobody_is_accepted(path: Path) -> None:
    assert AcceptedFile(path).peers() == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        f"{ALICE}\n{BOB}\n",
        f"\ufeff# friends\n\n  {ALICE}   # Alice\r\n{str(BOB).upper()}",
        f"{ALICE}\n{ALICE}\n#{'x' * 200}\n{BOB}#bob",
    ],
)
def test_one_id_a_line_with_comments_and_blanks(path: Path, text: str) -> None:
    write(path, text)
    assert AcceptedFile(path).peers() == {ALICE, BOB}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{ALICE}\n# fine\nbob\n", "line 3: 'bob' is not a peer id"),
        (f"{ALICE} {BOB}\n", "line 1: "),
        (f"{ALICE}\n{str(BOB)[:-1]}\n", "line 2: .*checksum"),
        (b"\xff\xfe\n", "line 1: "),
    ],
)
def test_a_bad_line_is_named_and_lets_nobody_in(path: Path, text: str | bytes, reason: str) -> None:
    write(path, text)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        AcceptedFile(path).peers()
    assert str(path) in str(caught.value)
    assert "peer1" in caught.value.hint


def test_every_edit_counts_at_the_next_look(path: Path) -> None:
    accepted = AcceptedFile(path)
    for text, expected in (
        (f"{ALICE}\n", {ALICE}),
        (f"{BOB}\n", {BOB}),  # as long as the one before, and within the same tick of the clock
        ("", set()),
        (f"{ALICE}\n{BOB}\n", {ALICE, BOB}),
    ):
        write(path, text)
        os.utime(path, ns=(0, 0))
        assert accepted.peers() == expected
    path.unlink()
    assert accepted.peers() == set()


def test_an_unchanged_file_is_not_parsed_again(path: Path) -> None:
    accepted = AcceptedFile(path)
    write(path, f"{ALICE}\n")
    assert accepted.peers() is accepted.peers()


def test_a_mistake_that_is_mended_is_forgotten(path: Path) -> None:
    accepted = AcceptedFile(path)
    write(path, f"{ALICE}\n")
    accepted.peers()
    write(path, "oops\n")
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            accepted.peers()
    write(path, f"{ALICE}\n")
    assert accepted.peers() == {ALICE}


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_list_that_others_may_write_is_refused_with_the_cure(path: Path, mode: int) -> None:
    write(path, f"{ALICE}\n")
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="written by other users") as caught:
        AcceptedFile(path).peers()
    assert f"chmod 600 {path}" in caught.value.hint


def test_a_list_that_others_may_only_read_is_fine(path: Path) -> None:
    write(path, f"{ALICE}\n")
    path.chmod(0o644)
    assert AcceptedFile(path).peers() == {ALICE}


def test_somebody_elses_list_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, f"{ALICE}\n")
    if os.geteuid() == 0:
        os.chown(path, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="written by other users"):
        AcceptedFile(path).peers()


def test_what_is_no_file_or_far_too_long_is_refused_without_waiting(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(ConfigurationError, match="not a file"):
        AcceptedFile(path).peers()
    path.unlink()
    write(path, "#" * MAX_SIZE)
    with pytest.raises(ConfigurationError, match="at most 1 MiB"):
        AcceptedFile(path).peers()


def test_a_list_that_cannot_be_read_is_an_error_and_not_an_empty_list(path: Path) -> None:
    path.symlink_to(path)
    with pytest.raises(StoreError, match="cannot read"):
        AcceptedFile(path).peers()


# ---- to add somebody


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("", f"{BOB}\n"),
        (f"# friends\n{ALICE}\n", f"# friends\n{ALICE}\n{BOB}\n"),
        (f"{ALICE}  # no end of line", f"{ALICE}  # no end of line\n{BOB}\n"),
    ],
)
def test_whoever_is_added_comes_behind_what_a_person_wrote(path: Path, text: str, then: str) -> None:
    write(path, text)
    accepted = AcceptedFile(path)
    assert accepted.add(BOB)
    assert path.read_text() == then
    assert not accepted.add(BOB)
    assert path.read_text() == then
    assert BOB in accepted.peers()


def test_the_first_who_is_added_makes_the_file_which_is_ours_alone(path: Path) -> None:
    old = os.umask(0)
    try:
        assert AcceptedFile(path).add(BOB)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert AcceptedFile(path).peers() == {BOB}


def test_nobody_is_added_to_a_list_that_does_not_count(path: Path) -> None:
    write(path, "oops\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        AcceptedFile(path).add(BOB)
    assert path.read_text() == "oops\n"


def test_who_does_not_fit_is_not_there_by_half(path: Path) -> None:
    write(path, f"{ALICE}\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(StoreError, match="No space left"):
            AcceptedFile(path).add(BOB)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == f"{ALICE}\n"
    write(path, f"{ALICE}\n#{'x' * (MAX_SIZE - 100)}\n")
    with pytest.raises(StoreError, match="too large"):
        AcceptedFile(path).add(BOB)
    assert AcceptedFile(path).peers() == {ALICE}


def test_where_nothing_can_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        AcceptedFile(tmp_path / "no directory" / "accepted").add(BOB)
