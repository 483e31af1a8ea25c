"""`p2pchat events`: the log, read page by page, and followed.

It only reads: nobody waits for it, and what it keeps in memory is a page. Whether there is more is seen by looking, a
few times a second, at a number that SQLite changes with every commit of others.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from p2pchat.cli import places, signals
from p2pchat.env import system_env
from p2pchat.errors import BadData
from p2pchat.store import contacts, failures, journal
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports
from p2pchat.ui import marks, stdio
from p2pchat.ui.json import lines, records
from p2pchat.ui.json.events import cursor_text
from p2pchat.ui.log_words import LogWords
from p2pchat.ui.names import Names, petnames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from p2pchat.cli.settings import Common
    from p2pchat.env import Env
    from p2pchat.store.journal import Record
    from p2pchat.ui.names import Petnames

LOOK: Final = 0.25  # seconds between two looks at whether there is more


def show(common: Common, *, after: int, follow: bool) -> int:
    """Print what came after the cursor `after`, and with `follow` what comes; returns the exit code.

    Raises:
      BadData: if the log ends before that cursor.
      StoreError: if it cannot be read.
      StdoutClosed: if nobody reads what we print.
    """
    env = system_env(Transports())
    log = LogReader(places.find(common.profile, common.data_dir).history, env)
    output = stdio.Output(1)
    spelled = spell(common, output, log)

    async def tell() -> None:
        try:
            cursor = after
            await log.check(cursor)
            while True:
                while page := await log.page(cursor):
                    await output.send_all(spelled(page))
                    cursor = page[-1].cursor
                if not follow:
                    return
                while not await log.has_changed():
                    output.check_reader()
                    await trio.sleep(LOOK)
        finally:
            log.close()

    return trio.run(signals.run, tell)


class LogReader:
    """The log in one file, which need not be there yet."""

    def __init__(self, path: Path, env: Env) -> None:
        self._path = path
        self._env = env
        self._db: Database | None = None
        self._version = -1  # of the file, when it was read last
        self.petnames: Petnames = {}  # as of then

    async def check(self, after: int) -> None:
        """Go on if the log reaches as far as the cursor `after`.

        Raises:
          BadData: if it does not: what comes next would be passed over.
        """
        newest = await self._env.run_sync(self._newest)
        if after > newest:
            raise BadData(
                f"the log ends at {cursor_text(newest)}, before that cursor",
                hint="was an older copy of it put back? without --since it is shown from the beginning",
            )

    async def page(self, after: int) -> list[Record]:
        """Return some records after a cursor; none if there is nothing more now."""
        return await self._env.run_sync(partial(self._page, after))

    async def has_changed(self) -> bool:
        """Whether somebody has committed something since the last page was read."""
        return await self._env.run_sync(self._has_changed)

    def close(self) -> None:
        """Let go of the file."""
        if self._db:
            self._db.close()

    def _opened(self) -> Database | None:
        if self._db is None:
            self._db = Database.open_to_read(self._path, wall=self._env.wall)
        return self._db

    def _newest(self) -> int:
        db = self._opened()
        with failures.naming(self._path):
            return journal.newest(db) if db else 0

    def _page(self, after: int) -> list[Record]:
        db = self._opened()
        if db is None:
            return []
        with failures.naming(self._path):
            self._version = db.version()  # before the look, so that nothing falls between
            self.petnames = petnames(contacts.everyone(db))
            return journal.since(db, after)

    def _has_changed(self) -> bool:
        db = self._opened()
        with failures.naming(self._path):
            return db is not None and db.version() != self._version


def spell(common: Common, output: stdio.Output, log: LogReader) -> Callable[[Sequence[Record]], bytes]:
    """Return what turns records of `log` into the lines that were asked for."""
    if common.json:
        told = records.LogLines()
        return lambda page: "".join(f"{lines.encode(line)}\n" for one in page for line in told.of(one)).encode("ascii")
    signs = marks.choose(os.environ)
    names = Names(signs, lambda: log.petnames)

    def in_words(page: Sequence[Record]) -> bytes:
        words = LogWords(signs, names=names, width=output.columns)
        return signs.encode("".join(f"{line}\n" for one in page for line in words.record(one)))

    return in_words
