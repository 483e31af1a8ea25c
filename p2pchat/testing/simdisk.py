"""A disk that loses what was not synced: an SQLite VFS under the real store. Needs `apsw` (`p2pchat-trio[simulate]`).

    disk = SimDisk(scratch, dice(seed, "disk"))
    mount = disk.mount()                                        # what one boot of a machine sees of it
    access = mount.start()                                      # what one process sees of that
    Database.open(mount.path / "history.db", connect=access.connect, ...)
    mount.lose_power(Loss.TORN)                                 # from now on every operation on `mount` fails
    again = disk.mount()                                        # what survived

The *platter* of a file is what it was at its last sync; writes since then survive the death of a process, and only by
luck that of a machine. SQLite itself, the locks of its files and its shared memory are the real ones: each mount is a
real directory, and this module watches what is written into it.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, final

import apsw

if TYPE_CHECKING:
    import random

SECTOR = 512  # bytes that a disk writes together

Operation: TypeAlias = Literal["write", "sync"]
Row: TypeAlias = tuple[Any, ...]

_numbers = count()  # of mounts: SQLite knows file systems by name, in the whole process


class Loss(Enum):
    """What becomes of writes that were not synced when the power goes."""

    DROP = "none of them survives"
    TORN = "each survives, or its first sectors, or nothing of it"
    KEEP = "all survive: only the process died"


class SimDisk:
    """One disk, with what is on it between mounts."""

    def __init__(self, scratch: Path, dice: random.Random) -> None:
        """Begin empty.

        Args:
          scratch: a directory of the real machine, for the mounts; best in memory.
          dice: for what survives.
        """
        self.dice = dice
        self._scratch = scratch
        self._mounts = 0
        self._left: Mount | None = None  # the newest mount

    def mount(self) -> Mount:
        """Return a fresh view of what is on the disk, as after a boot; the one before ends."""
        self._mounts += 1
        path = self._scratch / f"mount-{self._mounts}"
        path.mkdir(parents=True)
        mount = Mount(path, self.dice)
        if self._left is not None:
            self._left.copy_to(mount)
        self._left = mount
        return mount

    def close(self) -> None:
        """Throw everything away."""
        if self._left is not None:
            self._left.close()
            self._left = None

    def image(self) -> dict[str, bytes]:
        """Return a backup: all files as they are now. No transaction may be under way."""
        return {} if self._left is None else {path.name: path.read_bytes() for path in self._left.kept()}

    def restore(self, image: dict[str, bytes]) -> None:
        """Put a backup back, in place of everything there is; nothing may run on this disk."""
        self.close()
        self._left = self.mount()
        for name, data in image.items():
            (self._left.path / name).write_bytes(data)
            self._left.files[name] = Contents(bytearray(data))


class Contents:
    """What is known of one file: its platter, and what was done to it since."""

    def __init__(self, platter: bytearray | None = None) -> None:
        self.platter = platter  # None: not even its name is on the disk yet
        self.pending: list[tuple[int, bytes | None]] = []  # (offset, data), or (size, None) for a truncation

    def sync(self) -> None:
        """Bring everything to the platter."""
        self.platter = self._with(self.pending)
        self.pending = []

    def after(self, loss: Loss, dice: random.Random) -> bytearray | None:
        """Return what is left of the file; None if it is gone."""
        if loss is Loss.DROP or not self.pending:
            return self.platter
        if loss is Loss.KEEP:
            return self._with(self.pending)
        return self._with([survivor for write in self.pending for survivor in _torn(*write, dice)])

    def _with(self, changes: Iterable[tuple[int, bytes | None]]) -> bytearray:
        platter = bytearray() if self.platter is None else self.platter
        for offset, data in changes:
            if data is None:
                del platter[offset:]
            else:
                if len(platter) < offset:
                    platter.extend(bytes(offset - len(platter)))
                platter[offset : offset + len(data)] = data
        return platter


def _torn(offset: int, data: bytes | None, dice: random.Random) -> Iterator[tuple[int, bytes | None]]:
    """Yield what survives of one write."""
    luck = dice.random()
    if luck < 0.4 or data is None:
        yield offset, data
    elif luck < 0.6:
        first = dice.randrange(0, len(data) // SECTOR + 1) * SECTOR
        yield offset, data[:first]


@final
class Mount:
    """One boot's view of a disk: a directory, and what is done to the files in it."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self.path = path
        self.files: dict[str, Contents] = {}
        self._dice = dice
        self._loss = Loss.KEEP
        self._processes: list[Access] = []

    def start(self) -> Access:
        """Return the disk as a new process sees it."""
        access = Access(self)
        self._processes.append(access)
        return access

    def lose_power(self, loss: Loss) -> None:
        """End everything on this mount, and lose what was not synced."""
        self._loss = loss
        for access in self._processes:
            access.dead = True

    def kept(self) -> list[Path]:
        """Return the files in here, but for shared memory."""
        return sorted(path for path in self.path.iterdir() if path.is_file() and not path.name.endswith("-shm"))

    def contents(self, name: str) -> Contents:
        """Return what is known of a file."""
        if name not in self.files:
            self.files[name] = Contents()
        return self.files[name]

    def copy_to(self, other: Mount) -> None:
        """Let `other` begin with what is left of this one, which is closed."""
        for path in self.kept():
            contents = self.files.get(path.name)
            if contents is None or self._loss is Loss.KEEP:  # what others than SQLite write is trusted to be synced
                shutil.copy(path, other.path)
                if contents is not None:
                    other.files[path.name] = contents
            elif (left := contents.after(self._loss, self._dice)) is not None:
                (other.path / path.name).write_bytes(left)
                other.files[path.name] = Contents(left)
        self.close()

    def close(self) -> None:
        """Remove the directory, and take it away from whoever still uses it."""
        for access in self._processes:
            access.close()
        shutil.rmtree(self.path)


@final
class Access:
    """What one process sees of a mount."""

    def __init__(self, mount: Mount) -> None:
        self.mount = mount
        self.dead: bool = False  # whatever this process still tries fails
        self.operations: int = 0  # writes and syncs so far
        #: Called before each of them with its kind and the file's name; it may raise `disk_full()` or `disk_broken()`.
        self.before: Callable[[Operation, str], object] = _nothing
        self._connections: list[SimConnection] = []
        self._silent = False
        self._vfs = _Vfs(self, f"p2pchat-sim-{next(_numbers)}")

    def connect(self, path: Path) -> SimConnection:
        """Open the database at `path`, which is in this mount: a `Connect` for the store."""
        try:
            connection = SimConnection(apsw.Connection(str(path), vfs=self._vfs.name))
        except apsw.Error as exc:
            raise translated(exc) from exc
        self._connections.append(connection)
        return connection

    def close(self) -> None:
        """Let go of all files, as a kernel does for a process that died; not in the middle of an operation."""
        self.dead = self._silent = True  # SQLite tidies up when it closes, and could tell nobody of an error
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    # ---- for the file system

    def operate(self, kind: Operation, name: str) -> bool:
        """Count an operation; return whether it is to happen.

        Raises:
          apsw.Error: if the process is dead, or `before` wants it.
        """
        if self.lives():
            self.operations += 1
            self.before(kind, name)
        return self.lives()

    def lives(self) -> bool:
        """Return whether anything may still change.

        Raises:
          apsw.Error: if not, while there is somebody who can be told.
        """
        if self.dead and not self._silent:
            raise disk_broken()
        return not self.dead


def _nothing(kind: Operation, name: str) -> None:
    """Let an operation happen."""


def disk_full() -> apsw.Error:
    """Return the error of a write that finds no room."""
    return _error(apsw.FullError("the simulated disk is full"), apsw.SQLITE_FULL)


def disk_broken() -> apsw.Error:
    """Return the error of a disk that does not answer."""
    return _error(apsw.IOError("the simulated disk is gone"), apsw.SQLITE_IOERR)


def _error(error: apsw.Error, code: int) -> apsw.Error:
    vars(error).update(result=code, extendedresult=code)  # as apsw does itself, though not where types see it
    return error


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
        if self._access.lives():
            super().xDelete(filename, syncdir)
            self._access.mount.files.pop(Path(filename).name, None)


class _File(apsw.VFSFile):
    def __init__(self, access: Access, name: str | apsw.URIFilename, flags: list[int]) -> None:
        self._access = access
        self._name = Path(name if isinstance(name, str) else name.filename()).name
        super().__init__("", name, flags)
        self._contents = access.mount.contents(self._name)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._access.operate("write", self._name):
            super().xWrite(data, offset)
            self._contents.pending.append((offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._access.lives():
            super().xTruncate(newsize)
            self._contents.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        if self._access.operate("sync", self._name):
            self._contents.sync()


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
