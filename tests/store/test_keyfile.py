from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError, StoreError
from p2pchat.store.keyfile import load_or_create, look
from p2pchat.store.keyformat import Locked
from tests.support.entropy import scripted, seeded

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "share" / "p2pchat" / "default" / "identity.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def nothing(_: int) -> bytes:
    raise AssertionError("no key is made")


def test_the_first_run_makes_a_key_and_every_later_one_finds_it(path: Path) -> None:
    made = load_or_create(path, entropy=scripted(bytes([7]) * 32, bytes(8)))
    assert made.seed == bytes([7]) * 32
    assert load_or_create(path, entropy=nothing).peer_id == made.peer_id


def test_the_file_is_what_every_other_tool_reads(path: Path) -> None:
    made = load_or_create(path, entropy=seeded(1))
    read = serialization.load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(read, ed25519.Ed25519PrivateKey)
    assert read.private_bytes_raw() == made.seed
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277])
def test_file_and_directories_are_ours_alone_under_any_umask(path: Path, umask: int) -> None:
    (path.parent.parent.parent).mkdir()
    path.parent.parent.mkdir()
    path.parent.mkdir(mode=0o700)
    before = os.umask(umask)
    try:
        load_or_create(path, entropy=seeded(1))
    finally:
        os.umask(before)
    assert mode(path) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_missing_directories_are_made_for_us_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        load_or_create(path, entropy=seeded(1))
    finally:
        os.umask(before)
    assert [mode(place) for place in list(path.parents)[:3]] == [0o700] * 3


# --- what is not trusted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_may_touch_is_refused_with_the_cure(path: Path, wrong: int) -> None:
    made = load_or_create(path, entropy=seeded(1))
    path.chmod(wrong)
    with pytest.raises(ConfigurationError, match=f"mode {wrong:04o}") as caught:
        load_or_create(path, entropy=nothing)
    subprocess.run(caught.value.hint, shell=True, check=True)
    assert load_or_create(path, entropy=nothing).peer_id == made.peer_id


@pytest.mark.parametrize("wrong", [0o755, 0o770, 0o701])
def test_a_directory_that_others_may_enter_is_refused_with_the_cure(path: Path, wrong: int) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(wrong)
    with pytest.raises(ConfigurationError, match=f"mode {wrong:04o}") as caught:
        load_or_create(path, entropy=nothing)
    subprocess.run(caught.value.hint, shell=True, check=True)
    load_or_create(path, entropy=seeded(1))


@pytest.mark.parametrize("which", ["file", "directory"])
def test_what_belongs_to_another_user_is_refused(path: Path, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load_or_create(path, entropy=seeded(1))
    if os.geteuid() == 0:
        os.chown(path if which == "file" else path.parent, 12345, 12345)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigurationError, match="belongs to another user") as caught:
        load_or_create(path, entropy=nothing)
    assert "--data-dir" in caught.value.hint


@pytest.mark.parametrize("target", ["identity.key.real", "nowhere"])
def test_a_symbolic_link_is_refused(path: Path, target: str) -> None:
    load_or_create(path, entropy=seeded(1))
    path.rename(path.with_name("identity.key.real"))
    path.symlink_to(target)
    with pytest.raises(ConfigurationError, match="symbolic link"):
        load_or_create(path, entropy=nothing)


def test_a_pipe_in_its_place_is_refused_and_not_waited_for(path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigurationError, match="not a file"):
        load_or_create(path, entropy=nothing)


def encoded(key: ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey, *, passphrase: bytes = b"") -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(PEM, PKCS8, encryption)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"garbage",
        b"\0" * 100_000,
        encoded(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)))[:60],
        encoded(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), passphrase=b"secret"),
        encoded(x25519.X25519PrivateKey.from_private_bytes(bytes(32))),
    ],
    ids=["empty", "garbage", "long", "cut short", "with a passphrase", "of another kind"],
)
def test_what_is_no_key_is_refused_and_left_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="not an Ed25519 key") as caught:
        load_or_create(path, entropy=nothing)
    assert "copy" in caught.value.hint
    assert path.read_bytes() == content


def test_what_the_disk_refuses_names_the_file_and_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot use .*identity.key: ") as caught:
        load_or_create(tmp_path / "file" / "identity.key", entropy=nothing)
    assert "--guest" in caught.value.hint


def test_a_disk_that_fails_while_reading_is_no_missing_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_or_create(path, entropy=seeded(1))
    opened = os.open

    def failing(target: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if target == path.name:
            raise OSError(5, "Input/output error")
        return opened(target, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(StoreError, match="Input/output error"):
        load_or_create(path, entropy=nothing)


# --- races and kills --------------------------------------------------------------------------------------------------


def test_who_comes_second_takes_the_key_of_who_came_first(path: Path) -> None:
    winners: list[Identity] = []

    def overtaken(size: int) -> bytes:
        """Between our look and our writing somebody else does all of it."""
        if not winners:
            winners.append(load_or_create(path, entropy=seeded(2)))
        return bytes(size)

    late = load_or_create(path, entropy=overtaken)
    assert late.peer_id == winners[0].peer_id
    assert list(path.parent.iterdir()) == [path]


def test_of_many_that_start_together_all_end_with_one_identity(path: Path) -> None:
    together = threading.Barrier(8)
    found: list[Identity] = []

    def start(seed: int) -> None:
        entropy = seeded(seed)

        def waiting(size: int) -> bytes:
            if size == 32:
                together.wait()  # all have seen that there is no file
            return entropy(size)

        found.append(load_or_create(path, entropy=waiting))

    threads = [threading.Thread(target=start, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({identity.peer_id for identity in found}) == 1
    assert list(path.parent.iterdir()) == [path]


KILLED = """
import os, sys
from pathlib import Path
from p2pchat.crypto.identity import Identity
from p2pchat.store import keyfile, keyformat

keyformat.ROUNDS = 1

def entropy(size):
    return bytes([7]) * size

JOBS = {
    "create": lambda path: keyfile.load_or_create(path, entropy=entropy),
    "protect": lambda path: keyfile.protect(path, Identity.from_seed(bytes([6]) * 32), "words", entropy=entropy),
    "renew": lambda path: keyfile.renew(path, entropy=entropy, passphrase="words", stamp="then"),
}

def run(job, path, steps):
    if job != "create":
        keyfile.load_or_create(path, entropy=lambda size: bytes([6]) * size)

    def deadly(function):
        def call(*args, **kwargs):
            nonlocal steps
            steps -= 1
            if steps < 0:
                os._exit(9)
            return function(*args, **kwargs)
        return call

    for name in ("open", "fdopen", "fchmod", "fsync", "link", "unlink", "mkdir", "rename"):
        setattr(os, name, deadly(getattr(os, name)))
    JOBS[job](path)

for job in JOBS:
    steps, status = 0, 9
    while status == 9:
        child = os.fork()
        if not child:
            run(job, Path(sys.argv[1], job, str(steps), "identity.key"), steps)
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        steps += 1
    if status:
        sys.exit(status)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for each job, in it one for each step at which the job was killed, and one where it was not."""
    root = tmp_path_factory.mktemp("killed")
    subprocess.run([sys.executable, "-c", KILLED, str(root)], check=True)
    return root


def by_step(places: Path) -> list[Path]:
    return sorted(places.iterdir(), key=lambda place: int(place.name))


@pytest.mark.slow
def test_killed_at_any_step_it_leaves_no_key_or_a_whole_one(killed: Path) -> None:
    places = by_step(killed / "create")
    had_one = [(place / "identity.key").exists() for place in places]
    assert had_one == sorted(had_one)
    assert set(had_one) == {False, True}
    for place in places:
        found = load_or_create(place / "identity.key", entropy=lambda size: bytes([8]) * size)
        assert found.seed in {bytes([7]) * 32, bytes([8]) * 32}
        assert mode(place / "identity.key") == 0o600


OLD, NEW = bytes([6]) * 32, bytes([7]) * 32


def left(place: Path) -> tuple[bytes, bool]:
    """Return the key in `place`, and whether a passphrase protects it; somebody else would read it as well."""
    assert mode(place / "identity.key") == 0o600
    found = look(place / "identity.key", entropy=nothing)
    return (found.open("words").seed, True) if isinstance(found, Locked) else (found.seed, False)


@pytest.mark.slow
def test_a_passphrase_that_is_killed_at_any_step_leaves_the_key_with_or_without_it(killed: Path) -> None:
    found = [left(place) for place in by_step(killed / "protect")]
    assert found == sorted(found)
    assert set(found) == {(OLD, False), (OLD, True)}


@pytest.mark.slow
def test_a_new_key_that_is_killed_at_any_step_leaves_the_old_one_or_both(killed: Path) -> None:
    places = by_step(killed / "renew")
    found = [left(place) for place in places]
    assert found == sorted(found)
    assert set(found) == {(OLD, False), (NEW, True)}
    for place, (seed, _) in zip(places, found, strict=True):
        aside = place / "identity.key.old-then"
        assert aside.exists() or seed == OLD
        if aside.exists():
            assert load_or_create(aside, entropy=nothing).seed == OLD
