"""The file that is us: an Ed25519 private key, which nobody else may read; `keyformat` has what is in it.

It is written whole or not at all: under a name of its own, synced, then moved to its place. The first key is linked
there, which fails if somebody else was faster; so two processes that start together end up with one identity. A kill or
a power cut leaves the old state or the new one (at worst with a stray beside it, which nobody reads), never no key.

A file is replaced in two cases: by the same key under another passphrase, and by a new key when the old one has a
second name, under which it stays. Those who replace take turns (`flock` on the directory) and look first whether it is
what they mean to replace.

The directory is opened once and all else is done relative to it, so that it cannot be swapped meanwhile.

Source: docs/protocol.md, section 9.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote

from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError, StoreError
from p2pchat.store import keyformat
from p2pchat.store.keyformat import Locked

MAX_SIZE = 65536  # bytes; ours have 119, or 464 with a passphrase
DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
OTHERS = 0o077  # what everybody but the owner may do


def load_or_create(path: Path, *, entropy: Callable[[int], bytes], passphrase: str = "") -> Identity:
    """Return the identity that the file at `path` holds; the file and its directory are made if they are not there.

    Blocks on the disk, and for a key with a passphrase some tenths of a second.

    Args:
      path: ``<data>/identity.key``.
      entropy: draws the new key, and the name under which it is written at first.
      passphrase: of the key, if it has one; a key that is made here has none.

    Raises:
      WrongPassphrase: if the key has another one.
      ConfigurationError: if what is there cannot be trusted, or understood; the hint is the cure.
      StoreError: if the disk refuses.
    """
    found = look(path, entropy=entropy)
    return found.open(passphrase) if isinstance(found, Locked) else found


def look(path: Path, *, entropy: Callable[[int], bytes]) -> Identity | Locked:
    """Return what the file at `path` holds, the key that a passphrase protects as it is; else as `load_or_create`.

    Raises:
      ConfigurationError: if what is there cannot be trusted, or understood; the hint is the cure.
      StoreError: if the disk refuses.
    """
    with _naming(path), _opened_directory(path.parent) as directory:
        while True:
            existing = _read(path, directory)
            if existing is not None:
                return existing
            identity = Identity.generate(entropy)
            if _publish(keyformat.encode(identity), directory, path.name, scratch=_scratch(path, entropy)):
                return identity
            # Another process was faster, so its key is who we are.


def protect(path: Path, identity: Identity, passphrase: str, *, entropy: Callable[[int], bytes]) -> None:
    """Write `identity`, the one in the file at `path`, anew under `passphrase`; an empty one takes it away.

    Raises:
      BadData: if the passphrase is too long.
      ConfigurationError: if the file holds another key by now, cannot be trusted, or bcrypt is not installed.
      StoreError: if the disk refuses. Whether the file has changed is not known then; it holds the key in any case.
    """
    content = keyformat.encode(identity, passphrase)
    with _naming(path), _opened_directory(path.parent) as directory, _turn(directory):
        existing = _read(path, directory)
        if existing is None or existing.peer_id != identity.peer_id:
            raise ConfigurationError(f"{path} was changed meanwhile, and was left alone", hint="try again")
        with _written(content, directory, _scratch(path, entropy)) as scratch:
            os.rename(scratch, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)


def renew(path: Path, *, entropy: Callable[[int], bytes], passphrase: str, stamp: str) -> tuple[Identity, Path | None]:
    """Put a new key at `path`; return it, and where the old one is kept, None if there was none.

    Args:
      path: ``<data>/identity.key``.
      entropy: draws the new key, and the name under which it is written at first.
      passphrase: of the new key; empty for none. The old one keeps its own.
      stamp: the end of the name of the old file. What has that name already is not touched: a number is added.

    Raises:
      BadData: if the passphrase is too long.
      ConfigurationError: if what is there cannot be trusted, or understood, or bcrypt is not installed.
      StoreError: if the disk refuses. Whether the file has changed is not known then; it holds one of the keys.
    """
    identity = Identity.generate(entropy)
    content = keyformat.encode(identity, passphrase)
    with _naming(path), _opened_directory(path.parent) as directory, _turn(directory):
        while _read(path, directory) is None:
            if _publish(content, directory, path.name, scratch=_scratch(path, entropy)):
                return identity, None
        with _written(content, directory, _scratch(path, entropy)) as scratch:
            aside = _second_name(path, directory, stamp)
            os.rename(scratch, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)
    return identity, aside


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn what the system refuses into an error that names `path`."""
    try:
        yield
    except OSError as exc:
        raise StoreError(
            f"cannot use {path}: {exc.strerror}",
            hint="--data-dir puts a profile elsewhere, --guest needs none",
        ) from exc


@contextmanager
def _opened_directory(path: Path) -> Iterator[int]:
    """Make `path` if need be, and open it as a descriptor, if it is ours alone."""
    for place in (*reversed(path.parents), path):
        _make_directory(place)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_ours(path, os.fstat(descriptor), mode=DIRECTORY_MODE)
        yield descriptor
    finally:
        os.close(descriptor)


def _make_directory(place: Path) -> None:
    """Make `place` if need be, so that it is there after a power cut."""
    try:
        place.mkdir(mode=DIRECTORY_MODE)
    except OSError:
        if not place.is_dir():
            raise
        return
    with suppress(PermissionError):  # we may write there, and not look
        parent = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)


@contextmanager
def _turn(directory: int) -> Iterator[None]:
    """Wait for our turn to replace what is in `directory`; it ends with the descriptor."""
    with suppress(OSError):  # on some network file systems nothing can be locked: there one goes on without
        fcntl.flock(directory, fcntl.LOCK_EX)
    yield


def _check_ours(path: Path, status: os.stat_result, *, mode: int) -> None:
    """Refuse what others own, or may look into."""
    if status.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{path} belongs to another user (uid {status.st_uid})",
            hint="run p2pchat as that user, or give it another --data-dir",
        )
    if stat.S_IMODE(status.st_mode) & OTHERS:
        raise ConfigurationError(
            f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o})",
            hint=f"chmod {mode:o} {quote(str(path))}",
        )


def _read(path: Path, directory: int) -> Identity | Locked | None:
    """Return what the file holds, None if there is no file."""
    # Without O_NONBLOCK a pipe that lies there would let us wait for ever.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path.name, flags, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise ConfigurationError(
                f"{path} is a symbolic link", hint="put the key itself there; --data-dir may point elsewhere"
            ) from exc
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigurationError(f"{path} is not a file", hint=f"move it away: mv {quote(str(path))} elsewhere")
        _check_ours(path, status, mode=FILE_MODE)
        return _decode(file.read(MAX_SIZE), path)


def _decode(content: bytes, path: Path) -> Identity | Locked:
    """Return what the file at `path` describes."""
    try:
        return keyformat.decode(content)
    except ValueError as exc:
        raise ConfigurationError(
            f"{path} is not an Ed25519 key in PKCS#8 PEM, nor one with a passphrase in the format of OpenSSH",
            hint="put your copy of it there; without one move the file away, and you get a new identity",
        ) from exc


def _scratch(path: Path, entropy: Callable[[int], bytes]) -> str:
    """Return a name that a file in the making can have."""
    return f".{path.name}.{entropy(8).hex()}"


@contextmanager
def _written(content: bytes, directory: int, scratch: str) -> Iterator[str]:
    """Yield the name of a file with `content` that is on the disk; what still has that name afterwards is removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(scratch, flags, FILE_MODE, dir_fd=directory), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), FILE_MODE)  # a strange umask may have taken our own rights too
            os.fsync(file.fileno())
            yield scratch
        finally:
            with suppress(FileNotFoundError):
                os.unlink(scratch, dir_fd=directory)


def _publish(content: bytes, directory: int, name: str, *, scratch: str) -> bool:
    """Make the file `name` with `content`; return False if there is one."""
    with _written(content, directory, scratch):
        try:
            os.link(scratch, name, src_dir_fd=directory, dst_dir_fd=directory)  # a rename would replace
        except FileExistsError:
            return False
    os.fsync(directory)
    return True


def _second_name(path: Path, directory: int, stamp: str) -> Path:
    """Give the file at `path` another name, too, that no file has; return it."""
    number = 1
    while True:
        aside = path.with_name(f"{path.name}.old-{stamp}" + (f"-{number}" if number > 1 else ""))
        with suppress(FileExistsError):
            os.link(path.name, aside.name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
            return aside
        number += 1
