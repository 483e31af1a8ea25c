"""Whether a program of the profile runs: each keeps its database open, and SQLite knows of all who do."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from p2pchat.errors import StoreLocked
from p2pchat.store import database, failures

if TYPE_CHECKING:
    from pathlib import Path

MOMENT: Final = 500  # milliseconds for those who only look into it to be done


def is_in_use(path: Path) -> bool:
    """Return whether somebody has the database at `path` open, this very process included. Blocks for a moment.

    Raises:
      StoreError: if it cannot be read.
    """
    if not path.exists():
        return False
    try:
        with failures.naming(path), closing(database.connect(path)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {MOMENT}")
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # to read then takes a lock that is for one alone
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except StoreLocked:
        return True
    return False
