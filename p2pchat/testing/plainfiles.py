"""SQLite over a `SimDisk` for those who have no `apsw`: the standard library's, from which a process can be cut off."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, final

from p2pchat.store import database

if TYPE_CHECKING:
    from pathlib import Path

    from p2pchat.testing.simdisk import Access


@final
class Files:
    """The databases that one process opens."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def connect(self, path: Path) -> PlainConnection:
        """Open the database at `path`: a `Connect` for the store."""
        return PlainConnection(database.connect(path), self._access)


@final
class PlainConnection:
    """A connection that does nothing any more when its process is dead."""

    def __init__(self, connection: database.Connection, access: Access) -> None:
        self._connection = connection
        self._access = access

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> database.Cursor:
        """Run one statement."""
        self._check_alive()
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> database.Cursor:
        """Run one statement for each of `parameters`."""
        self._check_alive()
        return self._connection.executemany(sql, parameters)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _check_alive(self) -> None:
        if self._access.dead:
            error = sqlite3.OperationalError("the simulated process is dead")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
