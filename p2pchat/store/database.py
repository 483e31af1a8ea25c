"""The database file: opened with everything that makes a commit durable, and one transaction at a time.

A commit is on the disk when it returns: write-ahead log, and `synchronous=FULL`, without which most power cuts lose
what was committed last. Several processes may have the file open. One writes at a time, the others wait for up to
`BUSY_TIMEOUT`; what one has read before another's commit is no longer to be trusted, and `stamp` tells.

This is the only place that opens SQLite, through a `Connect`, so that a test can put a disk of its own under it.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeAlias, final

from p2pchat.env import unix_ms
from p2pchat.errors import StoreCorrupt, StoreTooNew
from p2pchat.store import failures, migrations, trusted
from p2pchat.store.schema import APPLICATION_ID, MIGRATIONS

BUSY_TIMEOUT: Final = 5.0  # seconds that a transaction waits for those of other processes; each takes milliseconds
FILE_MODE: Final = 0o600
OTHERS: Final = 0o077  # what everybody but the owner may do

_ATTEMPTS: Final = 10  # at switching to the write-ahead log, each after having waited for others

Row: TypeAlias = tuple[Any, ...]  # a column is what the schema says


class Cursor(Protocol):
    """The rows that a statement yields."""

    def fetchone(self) -> Row | None:
        """Return the next row, None after the last."""
        ...

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """The part of `sqlite3.Connection` that is used, without transactions of its own; errors are `sqlite3.Error`."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor:
        """Run one statement for each of `parameters`."""
        ...

    def close(self) -> None:
        """Let go of the file; what was not committed is gone."""
        ...


Connect: TypeAlias = Callable[[Path], Connection]


def connect(path: Path) -> Connection:
    """Return a connection to the database at `path`; the file is made if there is none, for its owner alone."""
    # The file is never opened here once it exists: to close any descriptor of it would take SQLite's locks away from
    # all connections of this process ("How To Corrupt An SQLite Database File", 2.2). What stands beside it gets the
    # same mode from SQLite.
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & OTHERS:
            path.chmod(FILE_MODE)
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


def connect_to_read(path: Path) -> Connection:
    """Return a connection to the database at `path`, which exists; it can change nothing and keeps nobody from it."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )


@final
class Database:
    """One connection. At most one thread uses it at a time."""

    def __init__(self, connection: Connection, path: Path, *, wall: Callable[[], float]) -> None:
        """Use `open`."""
        self.connection = connection
        self.path = path
        #: Another number means that what was read before may have been changed by others, or was rolled back.
        self.stamp: int = 0
        #: How often commits of others were noticed.
        self.others: int = 0
        self._wall = wall
        self._version = -1
        self._cursor: int | None = None  # of the newest message or event, if that is known
        self._user_version = len(MIGRATIONS)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        wall: Callable[[], float],
        connect: Connect = connect,
        busy_timeout: float = BUSY_TIMEOUT,
        steps: migrations.Migrations = MIGRATIONS,
    ) -> Self:
        """Return the database at `path`, which is made, or brought to the newest version, if need be. Blocks.

        Args:
          path: ``<data>/history.db``; its directory exists.
          wall: seconds since 1970, for the times that people read.
          connect: opens the file.
          busy_timeout: seconds that a transaction waits for those of others.
          steps: how tables came to be what they are.

        Raises:
          StoreTooNew: if a newer p2pchat has written it.
          StoreCorrupt: if it is no database of ours, a migration found damage, or what is trusted here is damaged.
          StoreError: if it cannot be opened; as everywhere in here, a subclass that tells why.
        """
        with failures.naming(path):
            connection = connect(path)
            try:
                connection.execute(f"PRAGMA busy_timeout = {round(busy_timeout * 1000)}")
                _check_ours(connection, path, newest=len(steps))
                _write_ahead(connection)
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA secure_delete = ON")  # what was deleted is overwritten, not only forgotten
                migrations.migrate(connection, path, steps, connect=connect)
                _check_ours(connection, path, newest=len(steps))  # a newer p2pchat may have been faster
                connection.execute("PRAGMA foreign_keys = ON")
                database = cls(connection, path, wall=wall)
                database._user_version = len(steps)
                database._version = database.version()
                trusted.check(database)
            except BaseException:
                connection.close()
                raise
        return database

    @classmethod
    def open_to_read(
        cls, path: Path, *, wall: Callable[[], float], steps: migrations.Migrations = MIGRATIONS
    ) -> Self | None:
        """Return the database at `path` for somebody who only reads, None if there is none yet. Blocks.

        Older tables are brought to the newest version first, as by everybody who opens them.

        Raises:
          StoreError: as `open`.
        """
        if not path.exists():
            return None
        with failures.naming(path):
            connection = connect_to_read(path)
            try:
                connection.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT * 1000)}")
                _check_ours(connection, path, newest=len(steps))
                version = migrations.version_of(connection)
            except BaseException:
                connection.close()
                raise
        if version == len(steps):
            return cls(connection, path, wall=wall)
        connection.close()
        if version == 0:  # somebody is making it right now
            return None
        cls.open(path, wall=wall, steps=steps).close()
        return cls.open_to_read(path, wall=wall, steps=steps)

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        return unix_ms(self._wall())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the body writes; nothing of it, if the body raises.

        Raises:
          StoreError: if SQLite refuses: nothing was changed.
        """
        with failures.naming(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            committed = False
            try:
                self._notice_others()
                yield
                self.connection.execute("COMMIT")
                committed = True
            finally:
                if not committed:
                    with suppress(sqlite3.Error):  # some errors have rolled back already
                        self.connection.execute("ROLLBACK")
                    self.forget()

    def require_writable(self) -> None:
        """Refuse a file that can only be read: there SQLite begins every transaction, and fails at the first change.

        Raises:
          StoreReadOnly: if the file, or its file system, is not to be written.
          StoreError: if it is refused for another reason.
        """
        with self.transaction():
            self.connection.execute("UPDATE searchable SET through = through WHERE 0")

    def look(self) -> None:
        """Notice what others have committed.

        Raises:
          StoreTooNew: if one of them was a newer p2pchat, and has changed the tables.
          StoreError: if the disk refuses.
        """
        with failures.naming(self.path):
            self._notice_others()

    def _notice_others(self) -> None:
        version = self.version()
        if version != self._version:
            self._version = version
            self.others += 1
            self.forget()
            (user_version,) = self.one("PRAGMA user_version")
            if user_version != self._user_version:
                raise StoreTooNew(
                    f"a newer p2pchat has changed {self.path} while this one was running",
                    hint="end this one and start it again",
                )

    def forget(self) -> None:
        """Trust nothing that was read before."""
        self.stamp += 1
        self._cursor = None

    def version(self) -> int:
        """Return a number that is another one after each commit of others."""
        return int(self.one("PRAGMA data_version")[0])

    def one(self, sql: str, parameters: Sequence[Any] = ()) -> Row:
        """Return the first row of a query that has one."""
        row = self.connection.execute(sql, parameters).fetchone()
        if row is None:
            raise LookupError(sql)
        return row

    @property
    def cursor(self) -> int:
        """The cursor of the newest message or event; 0 if there is none. Sure only inside a transaction."""
        if self._cursor is None:
            (self._cursor,) = self.one(
                "SELECT max(ifnull((SELECT max(cursor) FROM messages), 0), ifnull((SELECT max(cursor) FROM events), 0))"
            )
        return self._cursor

    def take_cursors(self, count: int) -> int:
        """Return the first of `count` cursors that nothing has had yet; inside a transaction."""
        first = self.cursor + 1
        self._cursor = first + count - 1
        return first

    def damage(self) -> list[str]:
        """Return what is wrong with the file, nothing if it is sound; reads all of it.

        Raises:
          StoreError: if it cannot even be looked at.
        """
        with failures.naming(self.path):
            return migrations.damage(self.connection)

    def close(self) -> None:
        """Let go of the file. Nothing may be under way."""
        with failures.naming(self.path):
            self.connection.close()


def _check_ours(connection: Connection, path: Path, *, newest: int) -> None:
    """Refuse a database of another program, or of a newer version of this one."""
    # Whose it is comes last: who makes the tables in this moment writes all of it at once, and may do so in between.
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() or (0,)
    version = migrations.version_of(connection)
    (application,) = connection.execute("PRAGMA application_id").fetchone() or (0,)
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreCorrupt(
            f"{path} is the database of another program", hint="move it away, or give p2pchat another --data-dir"
        )
    if version > newest:
        raise StoreTooNew(
            f"{path} was written by a newer p2pchat (version {version} of the tables, this one knows {newest})",
            hint="install that version again; going back would need a copy from before",
        )


def _write_ahead(connection: Connection) -> None:
    """Switch to the write-ahead log; waits for others who do the same to a new file."""
    switch = "PRAGMA journal_mode = WAL"
    for _ in range(_ATTEMPTS - 1):
        with suppress(sqlite3.OperationalError):  # SQLite does not wait for who is in the way here
            connection.execute(switch).fetchall()
            return
        connection.execute("BEGIN IMMEDIATE")  # but here it does
        connection.execute("COMMIT")
    connection.execute(switch).fetchall()
