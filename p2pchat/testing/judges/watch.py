"""Commits of the real store, seen from outside: what each transaction changes for delivery, and the moments around it.

A `Watch` stands between the store and its connection. Before each COMMIT it compares the rows of `pairs` with what they
were at BEGIN, and so knows which rules of docs/protocol.md 6.3 the transaction ran, whatever the code calls them. The
moments before, during and after the commit of each of them are the *points* at which a test kills.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from p2pchat.testing.judges.consent import Trusted, trust_steps, trusted

if TYPE_CHECKING:
    from pathlib import Path

    from p2pchat.store.database import Connection, Cursor
    from p2pchat.testing.simdisk import Access

#: What a transaction can do to a pair, or to what is trusted. One may do several, since commits are made in groups.
STEPS: Final = ("claim", "enqueue", "hand", "receive", "acked", "renumber", "attempt", "honour", "trust")
MOMENTS: Final = ("before", "during", "after")

#: Where a test can kill: around each commit, and when the first bytes have left that a commit allowed to leave.
POINTS: Final = (
    *(f"{moment} {step}" for step in STEPS for moment in MOMENTS),
    *("as entries leave", "as an ack leaves"),
)

Key: TypeAlias = tuple[bytes, bytes]  # own identity, peer


@dataclass(frozen=True, slots=True)
class Standing:
    """The numbers of one pair, as committed."""

    pair: int
    gen: int
    epoch: bytes
    base: int
    next: int
    handed: int
    peer_epoch: bytes
    peer_seen: int
    waiting: int


Standings: TypeAlias = dict[Key, Standing]

_COLUMNS: Final = "own, peer, pair, gen, epoch, base, next, handed, peer_epoch, peer_seen, waiting"


def standings(connection: Connection) -> Standings:
    """Return the numbers of every pair in the database."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM pairs")  # noqa: S608  (constants)
    return {(own, peer): Standing(*numbers) for own, peer, *numbers in rows}


def steps(before: Standings, after: Standings) -> set[str]:
    """Return what was done to the pairs between two looks at them."""
    done: set[str] = set()
    for key, new in after.items():
        old = before.get(key) or Standing(new.pair, 0, new.epoch, 1, 1, 0, b"", 0, 0)
        if new.epoch != old.epoch:
            done.add("renumber")
        else:
            risen = {"enqueue": (old.next, new.next), "hand": (old.handed, new.handed), "acked": (old.base, new.base)}
            done |= {step for step, (was, is_) in risen.items() if is_ > was}
        if new.gen > old.gen:
            done.add("claim")
        known = old.peer_seen if new.peer_epoch == old.peer_epoch else 0
        if new.peer_seen > known:
            done.add("receive")
    return done


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a database says of its pairs, and of trust."""

    pairs: Standings = field(default_factory=dict)
    trust: Trusted = field(default_factory=Trusted)


def snapshot(connection: Connection) -> Snapshot | None:
    """Return what the database says; None if it has no tables yet."""
    tables = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'invites'").fetchone()
    return Snapshot(standings(connection), trusted(connection)) if tables and tables[0] else None


@dataclass(eq=False)
class Memory:
    """What is known to be in a database: most of the time one need not look before a transaction, only after it."""

    committed: Snapshot | None = None  # None: look


@final
class Watch:
    """A `Connect` for one process, which tells of commits.

    `at` is called with a moment, the steps of the transaction, and the connection, on which it may read. It may end the
    process (`Access.dead`): whatever was not written then never will be.
    """

    def __init__(
        self, access: Access, at: Callable[[str, set[str], Connection], object], memory: Memory | None = None
    ) -> None:
        """Watch one process.

        Args:
          access: to the disk.
          at: is told.
          memory: of all processes that use the same database; whoever changes it in another way has to clear it.
        """
        self.access = access
        self.at = at
        self.memory: Memory = memory or Memory()
        self.in_commit: set[str] = set()  # steps of the transaction that is being committed

    def connect(self, path: Path) -> WatchedConnection:
        """Open the database at `path`."""
        return WatchedConnection(self.access.connect(path), self)


@final
class WatchedConnection:
    """A connection whose commits are looked at."""

    def __init__(self, connection: Connection, watch: Watch) -> None:
        self._connection = connection
        self._watch = watch
        self._before: Snapshot | None = None  # as of the BEGIN; None: the tables are not there yet

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Cursor:
        """Run one statement."""
        if sql == "COMMIT":
            return self._commit()
        cursor = self._connection.execute(sql, parameters)
        if sql == "BEGIN IMMEDIATE":
            self._before = self._watch.memory.committed or snapshot(self._connection)
        return cursor

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Cursor:
        """Run one statement for each of `parameters`."""
        return self._connection.executemany(sql, parameters)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _commit(self) -> Cursor:
        watch, done, after = self._watch, set[str](), self._before
        if self._before is not None:
            after = Snapshot(standings(self._connection), trusted(self._connection))
            done = steps(self._before.pairs, after.pairs) | trust_steps(self._before.trust, after.trust)
        watch.at("before", done, self._connection)
        watch.in_commit, watch.memory.committed = done, None
        try:
            cursor = self._connection.execute("COMMIT")
        finally:
            watch.in_commit = set()
        watch.memory.committed = None if watch.access.dead else after
        watch.at("after", done, self._connection)
        return cursor
