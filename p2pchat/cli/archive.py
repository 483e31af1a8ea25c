"""The store of a profile, for verbs that look into it and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from p2pchat.cli import places
from p2pchat.env import system_env
from p2pchat.errors import StoreError
from p2pchat.store import accepted, expiry, failures
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from p2pchat.cli.settings import Common

BRIEFLY: Final = 0.5  # seconds that somebody who only looks waits for those who write


@contextmanager
def opened(common: Common, *, to_write: bool = False) -> Iterator[Database | None]:
    """Open the store of the profile for the body, None if nothing was ever kept; nothing is made.

    What is out of date has failed by then, unless the disk takes nothing.

    Raises:
      ConfigurationError: if there is no such profile, or its list of who may come in, as older versions had it, cannot
        become contacts.
      StoreError: if it cannot be opened; in the place of every error of the database in the body, too.
    """
    where = places.find(common.profile, common.data_dir)
    path, wall = where.history, system_env(Transports()).wall
    if where.accepted.exists() and not common.guest:  # as older versions had it
        with closing(Database.open(path, wall=wall)) as db:
            accepted.import_file(db, where.accepted)
    if to_write:
        found = Database.open(path, wall=wall) if path.exists() else None
    else:
        found = Database.open_to_read(path, wall=wall)
    if found is None:
        yield None
        return
    try:
        with failures.naming(path):
            if expiry.is_due(found):
                _expire(path, wall)
            yield found
    finally:
        found.close()


def _expire(path: Path, wall: Callable[[], float]) -> None:
    """Withdraw what is out of date; where nothing can be written, who looks sees it as it is."""
    with suppress(StoreError), closing(Database.open(path, wall=wall, busy_timeout=BRIEFLY)) as db:
        expiry.expire(db)
