"""Is what is kept safe here: who may read it, and whether it stays.

The profile itself is read and never written. What has to be written is tried in a scratch directory, or, where it
depends on the disk, in one beside the profile that is gone a moment later.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Final

from p2pchat.store import keyfile
from p2pchat.store.database import Database
from p2pchat.store.keyformat import Locked
from p2pchat.testing.soundness.finding import NotHere, Subject, Unsound
from p2pchat.testing.soundness.machine import existing

OTHERS: Final = 0o077  # what everybody but the owner may do
MANY: Final = 10_000  # files of a profile that are looked at
ELSEWHERE: Final = "make it yours to write, or put the profile elsewhere with --data-dir; --guest needs no place at all"

_NETWORK: Final = "put the profile on a local disk with --data-dir: a network file system will not do"


# ---- modes


def new_files(subject: Subject) -> str:
    """Check that what p2pchat makes here is for its user alone, and can be read back, whatever the umask."""
    place = subject.room("files") / "profile"
    entropy = subject.env().urandom
    made = keyfile.load_or_create(place / "identity.key", entropy=entropy)
    Database.open(place / "history.db", wall=subject.env().wall).close()
    for path in (place, place / "identity.key", place / "history.db"):
        _check_private(path)
    if keyfile.load_or_create(place / "identity.key", entropy=entropy).peer_id != made.peer_id:
        raise Unsound("a key that was just made cannot be read back", cure="look at the disk of TMPDIR (dmesg)")
    return "a new profile is 0700, its key and its store are 0600"


def profile(subject: Subject) -> str:
    """Check that the files of the profile are ours alone, and that its key is one."""
    where = subject.profile
    if not where.data.is_dir():
        raise NotHere("there is no profile yet: `p2pchat id` makes one")
    count = 0
    for count, path in enumerate(_files(subject), 1):
        _check_private(path)
        if count == MANY:
            break
    whose = "no key yet"
    if os.path.lexists(where.key):
        found = keyfile.look(where.key, entropy=subject.env().urandom)
        whose = "a key with a passphrase" if isinstance(found, Locked) else "a key"
    return f"{whose}; {count} files and directories, all of them yours, and nobody else may look into them"


def _files(subject: Subject) -> Iterator[Path]:
    where = subject.profile
    yield where.data
    for directory, names, files in os.walk(where.data):
        yield from (Path(directory, name) for name in (*names, *files))
    yield from where.log.parent.glob(f"{where.log.name}*")


def _check_private(path: Path) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:  # a running p2pchat comes and goes
        return
    if stat.S_ISLNK(status.st_mode):  # whose target is checked by whoever opens it
        return
    if status.st_uid != os.geteuid():
        raise Unsound(
            f"{path} belongs to another user (uid {status.st_uid})",
            cure=f"run p2pchat as that user, or make it yours: sudo chown -R $(id -u) {quote(str(path))}",
        )
    mode = stat.S_IMODE(status.st_mode)
    if mode & OTHERS:
        right = 0o700 if stat.S_ISDIR(status.st_mode) else 0o600
        raise Unsound(
            f"{path} is open to other users (mode {mode:04o})",
            cure=f"chmod {right:o} {quote(str(path))} (if that does not last, that disk knows no modes: use another)",
        )


# ---- the disk


def disk(subject: Subject) -> str:
    """Check that the disk of the profile takes what a store does: a log beside it, and syncs."""
    data = subject.profile.data
    place = existing(data.parent)
    try:
        with TemporaryDirectory(prefix=".p2pchat-selftest-", dir=place) as name:
            return _try_disk(Path(name) / "history.db", subject)
    except PermissionError as exc:
        if not data.is_dir():
            raise Unsound(f"no profile can be made in {place}: {exc.strerror}", cure=ELSEWHERE) from exc
        if os.access(data, os.W_OK | os.X_OK):
            raise NotHere(f"nothing can be tried beside the profile: {place} is not yours to write") from exc
        raise Unsound(f"the profile in {data} cannot be written", cure=ELSEWHERE) from exc
    except OSError as exc:
        raise Unsound(f"the disk of {place} takes nothing: {exc.strerror}", cure=ELSEWHERE) from exc


def _try_disk(path: Path, subject: Subject) -> str:
    wall = subject.env().wall
    with closing(Database.open(path, wall=wall)) as db, closing(Database.open(path, wall=wall)) as other:
        (journal,), (synchronous,) = db.one("PRAGMA journal_mode"), db.one("PRAGMA synchronous")
        if journal != "wal":
            raise Unsound(
                f"SQLite can keep no write-ahead log on the disk of {path.parent.parent} (it says {journal})",
                cure=_NETWORK,
            )
        if synchronous != 2:
            raise Unsound(
                f"SQLite does not sync each commit (synchronous is {synchronous}, not 2)",
                cure="use a Python with an unmodified SQLite: with this one, what is delivered may be lost",
            )
        with db.transaction():
            db.connection.execute("INSERT INTO pins VALUES ('tcp:selftest:7272', zeroblob(32), 0)")
        if other.one("SELECT count(*) FROM pins") != (1,):
            raise Unsound("one connection does not see what another has committed", cure=_NETWORK)
    return f"SQLite {sqlite3.sqlite_version} keeps a write-ahead log there, and syncs each commit"
