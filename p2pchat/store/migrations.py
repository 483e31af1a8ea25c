"""From older tables to the newest: after a look at the file, and a copy of it that was looked at too.

All steps are one transaction, so a kill or a full disk leaves the old version, whole. The copy is for what no
transaction helps against: a step that was wrong, or somebody who wants to go back.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from p2pchat.errors import StoreCorrupt
from p2pchat.store import failures
from p2pchat.store.schema import APPLICATION_ID

if TYPE_CHECKING:
    from p2pchat.store.database import Connection

FILE_MODE: Final = 0o600

Migrations: TypeAlias = Sequence[Sequence[str]]  # item n: the statements that lead from version n to n + 1


def version_of(connection: Connection) -> int:
    """Return the version of the tables; 0 in a new database."""
    (version,) = connection.execute("PRAGMA user_version").fetchone() or (0,)
    return int(version)


def damage(connection: Connection) -> list[str]:
    """Return what is wrong with the whole file, nothing if it is sound."""
    try:
        found = [str(text) for (text,) in connection.execute("PRAGMA integrity_check")]
        lost = [f"{table} {row} is about no pair" for table, row, *_ in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.DatabaseError as exc:
        if isinstance(failures.translated(exc, Path()), StoreCorrupt):  # too damaged to be looked at
            return [str(exc)]
        raise
    return [text for text in found if text != "ok"] + lost


def backup_path(path: Path, version: int) -> Path:
    """Return where a copy of `path` goes before its tables leave `version`."""
    return path.with_name(f"{path.name}.v{version}.bak")


def migrate(connection: Connection, path: Path, steps: Migrations, *, connect: Callable[[Path], Connection]) -> None:
    """Bring the database at `path` to the version `len(steps)`.

    Raises:
      StoreCorrupt: if the file, or its copy, is not sound; nothing was changed.
      sqlite3.Error, OSError: if something else is in the way; nothing was changed.
    """
    version = version_of(connection)
    if version == len(steps):
        return
    if version:
        _check(connection, path)
        _back_up(connection, path, backup_path(path, version), connect=connect)
    connection.execute("BEGIN IMMEDIATE")
    version = version_of(connection)  # another process may have been faster, and may know even newer ones
    for statements in steps[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {max(version, len(steps))}")
    connection.execute("COMMIT")


def _check(connection: Connection, path: Path) -> None:
    found = damage(connection)
    if found:
        raise failures.corrupt(path, found[0])


def _back_up(connection: Connection, path: Path, copy: Path, *, connect: Callable[[Path], Connection]) -> None:
    """Make `copy`: whole, sound and on the disk, or not at all."""
    scratch = copy.with_name(f".{copy.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    try:
        with closing(connect(scratch)):  # makes the file, for its owner alone; SQLite fills an empty one
            pass
        connection.execute("VACUUM INTO ?", (str(scratch),))
        with closing(connect(scratch)) as opened:
            _check(opened, scratch)
        _sync(scratch)  # VACUUM INTO leaves that to us
        scratch.replace(copy)
        _sync(path.parent)
    finally:
        scratch.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
