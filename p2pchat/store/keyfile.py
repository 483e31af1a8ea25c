"""The file that is us: an Ed25519 private key in PKCS#8 PEM, which nobody else may read.

It is written whole or not at all: under a name of its own, synced, then linked to its place, which fails if somebody
else was faster. So a kill or a power cut leaves the old state or the new one (at worst with a stray beside it, which
nobody reads), and two processes that start together end up with one identity. Nothing here ever replaces a key.

The directory is opened once and all else is done relative to it, so that it cannot be swapped meanwhile.

Source: docs/protocol.md, section 9.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError, StoreError

MAX_SIZE = 65536  # bytes; ours have 119
DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
OTHERS = 0o077  # what everybody but the owner may do


def load_or_create(path: Path, *, entropy: Callable[[int], bytes]) -> Identity:
    """Return the identity that the file at `path` holds; the file and its directory are made if they are not there.

    Blocks on the disk.

    Args:
      path: ``<data>/identity.key``.
      entropy: draws the new key, and the name under which it is written at first.

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
            if _publish(_encode(identity), directory, path.name, scratch=f".{path.name}.{entropy(8).hex()}"):
                return identity
            # Another process was faster, so its key is who we are.


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
        place.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_ours(path, os.fstat(descriptor), mode=DIRECTORY_MODE)
        yield descriptor
    finally:
        os.close(descriptor)


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


def _read(path: Path, directory: int) -> Identity | None:
    """Return the identity in the file, None if there is no file."""
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


def _encode(identity: Identity) -> bytes:
    """Return `identity` as the content of its file."""
    return Ed25519PrivateKey.from_private_bytes(identity.seed).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _decode(content: bytes, path: Path) -> Identity:
    """Return the identity that the file at `path` describes."""
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:  # TypeError: it wants a passphrase
        raise _not_a_key(path) from exc
    if not isinstance(key, Ed25519PrivateKey):
        raise _not_a_key(path)
    return Identity(key)


def _not_a_key(path: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{path} is not an Ed25519 key in PKCS#8 PEM without a passphrase",
        hint="put your copy of it there; without one move the file away, and you get a new identity",
    )


def _publish(content: bytes, directory: int, name: str, *, scratch: str) -> bool:
    """Make the file `name` with `content`; return False if there is one."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(scratch, flags, FILE_MODE, dir_fd=directory), "wb") as file:
        try:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), FILE_MODE)  # a strange umask may have taken our own rights too
            os.fsync(file.fileno())
            os.link(scratch, name, src_dir_fd=directory, dst_dir_fd=directory)  # a rename would replace
        except FileExistsError:
            return False
        finally:
            os.unlink(scratch, dir_fd=directory)
    os.fsync(directory)
    return True
