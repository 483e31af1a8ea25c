"""What SQLite and the system refuse, said in our words: what happened, to which file, and what to do.

Every error of a store passes here, so that nobody above needs to know who wrote it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Final

from p2pchat.errors import (
    StoreCorrupt,
    StoreError,
    StoreFailed,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
)

_PRIMARY: Final = 0xFF  # the class of an error; the bits above it tell more about where it happened
_TELLING: Final = {sqlite3.SQLITE_IOERR_SHMSIZE}  # there they tell what happened: no room to open the database


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system raise into an error that names the database at `path`.

    Raises:
      StoreError: in place of `sqlite3.Error` and `OSError`; all others go through.
    """
    try:
        yield
    except sqlite3.Error as exc:
        raise translated(exc, path) from exc
    except OSError as exc:
        raise StoreError(
            f"cannot use {path}: {exc.strerror}",
            hint="--data-dir puts a profile elsewhere, --guest needs none",
        ) from exc


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """Return what `error` means for whoever uses the database at `path`."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    match code if code in _TELLING else code & _PRIMARY:
        case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR_SHMSIZE:
            return StoreFull(
                f"no room left for {path}; nothing of the last change was kept",
                hint="make room on that disk; what was said before is safe",
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLocked(
                f"another program keeps {path} locked",
                hint="end what works on that file (a backup, sqlite3, a p2pchat that was stopped with Ctrl-Z)",
            )
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return StoreReadOnly(
                f"cannot write {path}",
                hint="its directory and its files must be yours to write; --data-dir puts a profile elsewhere",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return corrupt(path, str(error))
        case _:
            return StoreFailed(
                f"{path} could not be read or written: {error}",
                hint="look at the disk (dmesg), and whether files may be that long (ulimit -f); "
                "what was delivered before is not touched by this",
            )


def corrupt(path: Path, detail: str) -> StoreCorrupt:
    """Return the error for a database that does not hold what it should."""
    # What stands beside a database belongs to it: a new one, or a copy, would take it for its own.
    aside = quote(str(path.parent / "damaged"))
    return StoreCorrupt(
        f"{path} is damaged: {detail}",
        hint=f"put back a copy, or begin a new one: mkdir {aside} && mv {quote(str(path))}* {aside}",
    )
