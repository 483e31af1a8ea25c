"""Can what was said be read here: the whole store of the profile, which is not touched, and the search."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Final

from p2pchat.crypto.identity import Identity
from p2pchat.errors import StoreCorrupt, StoreError
from p2pchat.store import failures, migrations, search, trusted
from p2pchat.store.database import Database
from p2pchat.store.schema import APPLICATION_ID, MIGRATIONS
from p2pchat.testing.soundness.finding import NotHere, Subject, Unsound
from p2pchat.testing.soundness.meeting import opened
from p2pchat.wire.messages import Text

READING: Final = 3.0  # seconds for the whole store: about a gigabyte, if the disk is not slow
STEPS: Final = 20_000  # of SQLite's machine between two looks at the clock: a few milliseconds
PHRASES: Final = ("the kettle is on", "bring the Žluťoučký kůň", "nothing else")
WORD: Final = "zlutoucky"
FTS5: Final = "use a Python whose SQLite has FTS5, as those of python.org, of uv and of the big distributions have"


def store(subject: Subject) -> str:
    """Check that the whole store of the profile can be read and makes sense. Changes nothing, keeps nobody waiting."""
    path = subject.profile.history
    if not path.exists():
        raise NotHere("nothing is kept yet")
    with failures.naming(path):
        try:
            return _look_at(path, subject)
        except StoreCorrupt:
            return _look_at(path, subject)  # somebody may have begun to write what we read as if it were at rest


def _look_at(path: Path, subject: Subject) -> str:
    newest, wall = len(MIGRATIONS), subject.env().wall
    with closing(_opened_to_look(path)) as connection:
        version = _version(connection, path, newest)
        _interrupt_at(connection, wall, wall() + READING)
        try:
            if damage := migrations.damage(connection):
                raise failures.corrupt(path, damage[0])
            if version == newest:
                trusted.check(Database(connection, path, wall=wall))
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            raise NotHere(
                f"it cannot be read to its end in {READING:g} seconds; however long it takes, this does it: "
                f"sqlite3 {quote(str(path))} 'PRAGMA integrity_check'"
            ) from exc
        (pages,), (size,) = (connection.execute(f"PRAGMA {of}").fetchone() for of in ("page_count", "page_size"))
    older = f", which the next start brings to {newest}" if version < newest else ""
    return f"{pages * size >> 10} KiB were read, without damage; version {version} of the tables{older}"


def _opened_to_look(path: Path) -> sqlite3.Connection:
    """Open the store so that not even a file beside it is made.

    Whoever reads a database with a write-ahead log makes that log where there is none. So one that nobody has open is
    read as if it were carved in stone.
    """
    if path.with_name(f"{path.name}-wal").exists():
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return the version of the tables, if they are ours and known here."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise Unsound(f"{path} is the database of another program", cure="move it away, or choose another --data-dir")
    version = migrations.version_of(connection)
    if version > newest:
        raise Unsound(
            f"{path} was written by a newer p2pchat (version {version} of the tables, this one knows {newest})",
            cure="install that version again; going back would need a copy from before",
        )
    return version


def _interrupt_at(connection: sqlite3.Connection, clock: Callable[[], float], deadline: float) -> None:
    connection.set_progress_handler(lambda: int(clock() > deadline), STEPS)


async def finding(subject: Subject) -> str:
    """Check that what was said is found by a word of it."""
    path = subject.room("search") / "history.db"
    try:
        async with opened(subject, room=path.parent) as (node, _):
            session = node.session(Identity.generate(node.env.urandom).peer_id)
            for text in PHRASES:
                await session.send(text)
            found = await node.env.run_sync(partial(_find, path, subject))
    except StoreError as exc:
        raise Unsound(str(exc), cure=FTS5 if "no such module" in str(exc) else exc.hint) from exc
    if found != [PHRASES[1]]:
        raise Unsound(f"a word that one message has was found in {len(found)}, or in the wrong one", cure=FTS5)
    return "SQLite has FTS5, and a word finds the message that has it"


def _find(path: Path, subject: Subject) -> list[str]:
    with closing(Database.open(path, wall=subject.env().wall)) as db:
        while search.fill(db):
            pass
        bodies = [row.message.body for row in search.grep(db, search.Query(words=[WORD]))]
    return [body.text for body in bodies if isinstance(body, Text)]
