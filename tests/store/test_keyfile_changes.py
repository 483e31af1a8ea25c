"""A key file that changes: another passphrase, another key; and what of it is on the disk, in which order."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2pchat.errors import ConfigurationError, StoreError, WrongPassphrase
from p2pchat.store import keyformat
from p2pchat.store.keyfile import load_or_create, look, protect, renew
from p2pchat.store.keyformat import Locked
from tests.support.entropy import seeded


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "share" / "p2pchat" / "default" / "identity.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def nothing(_: int) -> bytes:
    raise AssertionError("no key is made")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds of bcrypt: what is tested is not how long they take."""
    monkeypatch.setattr(keyformat, "ROUNDS", 1)


def test_a_passphrase_is_set_changed_and_taken_away(quick: None, path: Path) -> None:
    me = load_or_create(path, entropy=seeded(1))
    for passphrase, before in ("first", ""), ("second", "first"), ("", "second"):
        assert load_or_create(path, entropy=nothing, passphrase=before).seed == me.seed
        protect(path, me, passphrase, entropy=seeded(2))
        assert isinstance(look(path, entropy=nothing), Locked) == bool(passphrase)
        assert mode(path) == 0o600
        assert list(path.parent.iterdir()) == [path]
    assert load_or_create(path, entropy=nothing).seed == me.seed


def test_without_its_passphrase_a_key_is_not_loaded(quick: None, path: Path) -> None:
    protect(path, load_or_create(path, entropy=seeded(1)), "words", entropy=seeded(2))
    with pytest.raises(WrongPassphrase):
        load_or_create(path, entropy=nothing)


@pytest.mark.parametrize("meanwhile", ["renewed", "removed"])
def test_a_key_that_was_changed_meanwhile_is_left_alone(quick: None, path: Path, meanwhile: str) -> None:
    me = load_or_create(path, entropy=seeded(1))
    path.unlink()
    others = [load_or_create(path, entropy=seeded(2)).seed] if meanwhile == "renewed" else []
    with pytest.raises(ConfigurationError, match="was changed meanwhile"):
        protect(path, me, "words", entropy=seeded(3))
    assert [load_or_create(place, entropy=nothing).seed for place in path.parent.iterdir()] == others


def test_a_new_key_leaves_the_old_one_aside_as_it_was(quick: None, path: Path) -> None:
    old = load_or_create(path, entropy=seeded(1))
    content = path.read_bytes()
    new, aside = renew(path, entropy=seeded(2), passphrase="words", stamp="20261122T120000Z")
    assert aside == path.with_name("identity.key.old-20261122T120000Z")
    assert (aside.read_bytes(), mode(aside), mode(path)) == (content, 0o600, 0o600)
    assert new.peer_id != old.peer_id
    assert load_or_create(path, entropy=nothing, passphrase="words").seed == new.seed
    assert set(path.parent.iterdir()) == {path, aside}


def test_what_was_left_aside_before_is_never_written_over(path: Path) -> None:
    keys = [load_or_create(path, entropy=seeded(0))]
    asides = []
    for seed in (1, 2, 3):
        new, aside = renew(path, entropy=seeded(seed), passphrase="", stamp="then")
        assert aside is not None
        asides.append(aside)
        keys.append(new)
    assert [aside.name for aside in asides] == [f"identity.key.old-then{end}" for end in ("", "-2", "-3")]
    assert [load_or_create(place, entropy=nothing).seed for place in (*asides, path)] == [key.seed for key in keys]


def test_where_there_is_no_key_a_new_one_leaves_nothing_aside(path: Path) -> None:
    new, aside = renew(path, entropy=seeded(1), passphrase="", stamp="then")
    assert aside is None
    assert load_or_create(path, entropy=nothing).seed == new.seed


def test_where_somebody_makes_the_first_key_meanwhile_it_is_left_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, first = os.link, []

    def overtaken(*names: str, **how: Any) -> None:
        """Between our look and our writing somebody else makes a key."""
        monkeypatch.setattr(os, "link", link)
        first.append(load_or_create(path, entropy=seeded(1)))
        link(*names, **how)

    monkeypatch.setattr(os, "link", overtaken)
    new, aside = renew(path, entropy=seeded(2), passphrase="", stamp="then")
    assert aside is not None
    assert load_or_create(aside, entropy=nothing).seed == first[0].seed
    assert load_or_create(path, entropy=nothing).seed == new.seed


def test_a_key_that_cannot_be_trusted_is_not_replaced(path: Path) -> None:
    load_or_create(path, entropy=seeded(1))
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="open to other users"):
        renew(path, entropy=seeded(2), passphrase="", stamp="then")
    assert list(path.parent.iterdir()) == [path]


def test_those_who_replace_take_turns(path: Path) -> None:
    me = load_or_create(path, entropy=seeded(1))
    directory = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    seen: list[bytes] = []

    def replace() -> None:
        renew(path, entropy=seeded(2), passphrase="", stamp="then")

    late = threading.Thread(target=replace)
    late.start()
    late.join(0.2)
    seen.append(load_or_create(path, entropy=nothing).seed)
    os.close(directory)
    late.join()
    seen.append(load_or_create(path, entropy=nothing).seed)
    assert seen[0] == me.seed != seen[1]


# --- what is on the disk ----------------------------------------------------------------------------------------------


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch, path: Path) -> list[str]:
    """What was done to the disk, in order: names that were given, and what was synced."""
    done: list[str] = []
    fsync, link, rename, mkdir = os.fsync, os.link, os.rename, os.mkdir

    def sync(descriptor: int) -> None:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        done.append(f"sync {'scratch' if '/.identity.key.' in name else Path(name).name}")
        fsync(descriptor)

    def named(what: str, function: Callable[..., None]) -> Callable[..., None]:
        def call(*names: Any, **how: Any) -> None:
            function(*names, **how)
            done.append(f"{what} {Path(names[0 if what == 'mkdir' else 1]).name}")

        return call

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "link", named("link", link))
    monkeypatch.setattr(os, "rename", named("rename", rename))
    monkeypatch.setattr(os, "mkdir", named("mkdir", mkdir))
    return done


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names of descriptors are in /proc")


@needs_proc
def test_the_first_key_is_on_the_disk_with_all_that_leads_to_it(path: Path, order: list[str]) -> None:
    load_or_create(path, entropy=seeded(1))
    made = [["mkdir share", f"sync {path.parents[3].name}"], ["mkdir p2pchat", "sync share"]]
    made += [["mkdir default", "sync p2pchat"], ["sync scratch", "link identity.key", "sync default"]]
    assert order == [step for steps in made for step in steps]


@needs_proc
def test_what_replaces_a_key_is_on_the_disk_before_it_has_its_name(path: Path, order: list[str]) -> None:
    me = load_or_create(path, entropy=seeded(1))
    order.clear()
    protect(path, me, "", entropy=seeded(2))
    assert order == ["sync scratch", "rename identity.key", "sync default"]
    order.clear()
    renew(path, entropy=seeded(2), passphrase="", stamp="then")
    assert order == ["sync scratch", "link identity.key.old-then", "rename identity.key", "sync default"]


def test_a_directory_that_we_may_not_look_into_can_have_one_of_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def forbidding(target: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if target == path.parent.parent:
            raise PermissionError(13, "Permission denied")
        return opened(target, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", forbidding)
    assert load_or_create(path, entropy=seeded(1)).peer_id == load_or_create(path, entropy=nothing).peer_id


def test_a_link_that_waits_where_the_key_is_written_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path.with_name(f".identity.key.{bytes(8).hex()}").symlink_to(victim)
    with pytest.raises(StoreError, match="File exists"):
        load_or_create(path, entropy=bytes)
    assert victim.read_text() == "untouched"
