"""A disk that loses what was not synced, under the real store. For that it needs `apsw` (`p2pchat-trio[simulate]`).

    disk = SimDisk(scratch, dice(seed, "disk"))
    mount = disk.mount()                                        # what one boot of a machine sees of it
    access = mount.start()                                      # what one process sees of that
    Database.open(mount.path / "history.db", connect=access.connect, ...)
    mount.lose_power(Loss.TORN)                                 # from now on every operation on `mount` fails
    again = disk.mount()                                        # what survived

The *platter* of a file is what it was at its last sync; writes since then survive the death of a process, and only by
luck that of a machine. SQLite itself, the locks of its files and its shared memory are the real ones: each mount is a
real directory, and `simvfs` watches what is written into it. Without `apsw` nobody does (`plainfiles`): processes die
there, and machines do not.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final

if TYPE_CHECKING:
    import random

    from p2pchat.store.database import Connect, Connection

SECTOR = 512  # bytes that a disk writes together

Operation: TypeAlias = Literal["write", "sync"]

#: Whether disks can lose what was not synced, be full, and let somebody die in the middle of a commit.
HAS_POWER: Final = find_spec("apsw") is not None


@final
class DiskTrouble(Exception):
    """A disk does not do what it should."""

    def __init__(self, text: str, *, full: bool = False) -> None:
        super().__init__(text)
        self.full = full  # or broken


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
        self.on_error: Callable[[], object] = lambda: None  # called when an operation fails
        self._scratch = scratch
        self._good = math.inf  # operations until some fail
        self._bad = 0  # and how many of them do
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

    def err_after(self, good: int, bad: int) -> None:
        """Let `good` more writes and syncs work, and the `bad` ones after them fail."""
        self._good, self._bad = good, bad

    def mend(self) -> None:
        """Let everything work again."""
        self._good, self._bad = math.inf, 0

    def operate(self) -> None:
        """Count a write or a sync.

        Raises:
          DiskTrouble: if it fails.
        """
        self._good -= 1
        if self._good < 0:
            self._bad -= 1
            self._good = 0 if self._bad > 0 else math.inf
            self.on_error()
            raise disk_broken()

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
        self._connections: list[Connection] = []
        self._silent = False
        self._open = _opener(self)

    def connect(self, path: Path) -> Connection:
        """Open the database at `path`, which is in this mount: a `Connect` for the store."""
        connection = self._open(path)
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
          DiskTrouble: if the process is dead, or `before` wants it.
        """
        if self.lives():
            self.operations += 1
            self.before(kind, name)
        return self.lives()

    def lives(self) -> bool:
        """Return whether anything may still change.

        Raises:
          DiskTrouble: if not, while there is somebody who can be told.
        """
        if self.dead and not self._silent:
            raise disk_broken()
        return not self.dead


def _nothing(kind: Operation, name: str) -> None:
    """Let an operation happen."""


def disk_full() -> DiskTrouble:
    """Return the error of a write that finds no room."""
    return DiskTrouble("the simulated disk is full", full=True)


def disk_broken() -> DiskTrouble:
    """Return the error of a disk that does not answer."""
    return DiskTrouble("the simulated disk is gone")


def _opener(access: Access) -> Connect:
    """Return how a process opens databases."""
    if HAS_POWER:
        from p2pchat.testing import simvfs  # noqa: PLC0415  (an extra)

        return simvfs.Files(access).connect
    from p2pchat.testing import plainfiles  # noqa: PLC0415  (where the other is not there)

    return plainfiles.Files(access).connect
