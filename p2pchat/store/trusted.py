"""What is trusted here is looked at, all of it, whenever somebody opens the database to let peers in.

One damaged row says that the disk, or somebody, has changed what we wrote. What that row was is not known: it may have
been the one that blocks somebody. So nothing in these tables counts then, and nobody is let in.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from p2pchat.errors import StoreCorrupt
from p2pchat.store import contacts, failures, invites, pins

if TYPE_CHECKING:
    from p2pchat.store.database import Database

_LOOKS: Final = {"contacts": contacts.everyone, "pins": pins.everywhere, "invites": invites.live}


def check(db: Database) -> None:
    """Read all contacts, pins and invites.

    Raises:
      StoreCorrupt: if one of them makes no sense, or cannot be read; the message says which.
      StoreError: if the disk refuses.
    """
    for table, look in _LOOKS.items():
        try:
            look(db)
        except StoreCorrupt as exc:
            if isinstance(exc.__cause__, sqlite3.Error):  # which knows pages, and not what was on them
                raise failures.corrupt(db.path, f"its {table} cannot be read: {exc.__cause__}") from exc
            raise
