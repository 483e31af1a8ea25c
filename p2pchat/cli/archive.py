"""The store of a profile, for verbs that look into it and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from p2pchat.cli import places
from p2pchat.env import system_env
from p2pchat.store import failures
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common


@contextmanager
def opened(common: Common, *, to_write: bool = False) -> Iterator[Database | None]:
    """Open the store of the profile for the body, None if nothing was ever kept; nothing is made.

    Raises:
      ConfigurationError: if there is no such profile.
      StoreError: if it cannot be opened; in the place of every error of the database in the body, too.
    """
    path = places.find(common.profile, common.data_dir).history
    wall = system_env(Transports()).wall
    if to_write:
        db = Database.open(path, wall=wall) if path.exists() else None
    else:
        db = Database.open_to_read(path, wall=wall)
    if db is None:
        yield None
        return
    try:
        with failures.naming(path):
            yield db
    finally:
        db.close()
