"""SQLite over a `SimDisk`: a VFS that asks before each operation, and notes what is on the platter. Needs `apsw`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, final

import apsw

from p2pchat.testing.simdisk import DiskTrouble

if TYPE_CHECKING:
    from p2pchat.testing.simdisk import Access

P = ParamSpec("P")
Row: TypeAlias = tuple[Any, ...]

_numbers = count()  # SQLite knows file systems by name, in the whole process


@final
class Files:
    """The databases that one process opens."""

    def __init__(self, access: Access) -> None:
        self._vfs = _Vfs(access, f"p2pchat-sim-{next(_numbers)}")

    def connect(self, path: Path) -> SimConnection:
        """Open the database at `path`: a `Connect` for the store."""
        try:
            return SimConnection(apsw.Connection(str(path), vfs=self._vfs.name))
        except apsw.Error as exc:
            raise translated(exc) from exc


class _Vfs(apsw.VFS):
    def __init__(self, access: Access, name: str) -> None:
        self.name = name
        self._access = access
        super().__init__(name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:  # a scratch file, which nobody can find again
            return apsw.VFSFile("", name, flags)
        return _File(self._access, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802, FBT001
        if _asked(self._access.lives):
            super().xDelete(filename, syncdir)
            self._access.mount.files.pop(Path(filename).name, None)


class _File(apsw.VFSFile):
    def __init__(self, access: Access, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._access = access
        self._name = Path(name if isinstance(name, str) else name.filename()).name
        super().__init__("", name, flags)
        self._contents = access.mount.contents(self._name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if _asked(self._access.operate, "write", self._name):
            super().xWrite(data, offset)
            self._contents.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if _asked(self._access.lives):
            super().xTruncate(newsize)
            self._contents.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        if _asked(self._access.operate, "sync", self._name):
            self._contents.sync()


def _asked(question: Callable[P, bool], *args: P.args, **kwargs: P.kwargs) -> bool:
    """Ask a disk whether something happens; its troubles are told in the words of SQLite."""
    try:
        return question(*args, **kwargs)
    except DiskTrouble as trouble:
        code = apsw.SQLITE_FULL if trouble.full else apsw.SQLITE_IOERR
        error = (apsw.FullError if trouble.full else apsw.IOError)(str(trouble))
        vars(error).update(result=code, extendedresult=code)  # as apsw does itself, though not where types see it
        raise error from trouble


@final
class SimConnection:
    """A connection with the manners of the standard library's: its rows, and its errors."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> SimCursor:
        """Run one statement."""
        try:
            return SimCursor(self._connection.execute(sql, parameters))
        except apsw.Error as exc:
            raise translated(exc) from exc

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> SimCursor:
        """Run one statement for each of `parameters`."""
        try:
            return SimCursor(self._connection.executemany(sql, parameters))
        except apsw.Error as exc:
            raise translated(exc) from exc

    def close(self) -> None:
        """Let go of the file."""
        try:
            self._connection.close()
        except apsw.Error as exc:
            raise translated(exc) from exc


@final
class SimCursor:
    """The rows of one statement."""

    def __init__(self, cursor: apsw.Cursor) -> None:
        self._cursor = cursor

    def fetchone(self) -> Row | None:
        """Return the next row, None after the last."""
        try:
            return self._cursor.fetchone()
        except apsw.Error as exc:
            raise translated(exc) from exc

    def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        try:
            return self._cursor.fetchall()
        except apsw.Error as exc:
            raise translated(exc) from exc

    def __iter__(self) -> Iterator[Row]:
        while (row := self.fetchone()) is not None:
            yield row


def translated(error: apsw.Error) -> sqlite3.Error:
    """Return what the standard library would have raised in place of apsw's error."""
    code = getattr(error, "extendedresult", apsw.SQLITE_ERROR)
    match code & 0xFF:
        case apsw.SQLITE_CONSTRAINT:
            kind: type[sqlite3.Error] = sqlite3.IntegrityError
        case apsw.SQLITE_CORRUPT | apsw.SQLITE_NOTADB:
            kind = sqlite3.DatabaseError
        case _:
            kind = sqlite3.OperationalError
    own = kind(str(error))
    own.sqlite_errorcode = code
    names = apsw.mapping_extended_result_codes if code > 0xFF else apsw.mapping_result_codes
    own.sqlite_errorname = str(names.get(code, "SQLITE_ERROR"))
    return own
