"""The log: what happened, with ids and addresses, never what was said and no secrets. It cannot grow without end.

Nothing is ever logged to a terminal unless `-v` asks for it: a chat belongs to the people in it.
"""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from p2pchat.cli import places, say
from p2pchat.errors import StoreError
from p2pchat.ui import sanitize

if TYPE_CHECKING:
    from pathlib import Path

    from p2pchat.ui.terminal import Printer

MAX_SIZE = 1 << 20  # bytes of one file
OLD_FILES = 2  # beside the newest

logger: logging.Logger = logging.getLogger("p2pchat")


def begin(path: Path | None, *, verbose: int) -> None:
    """Log to `path` (None: to no file), and to standard error if `verbose`.

    A log that cannot be written is no reason not to chat: without it the program goes on.
    """
    logging.raiseExceptions = False  # a full disk must not fill the screen, too
    logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    logger.addHandler(logging.NullHandler())
    if path is not None:
        try:
            places.make_private(path.parent)
            handler = _PrivateFile(
                path, maxBytes=MAX_SIZE, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace"
            )
        except (StoreError, OSError):
            logger.debug("no log at %s", path)
        else:
            handler.setFormatter(_OneLine("%(asctime)s %(process)d %(levelname)s %(message)s"))
            logger.addHandler(handler)
    if verbose:
        to_stderr = logging.StreamHandler(sys.stderr)
        to_stderr.setFormatter(_OneLine(f"{say.PREFIX}: %(message)s"))
        logger.addHandler(to_stderr)


def move(stream: Printer) -> None:
    """Write to `stream` from now on what `-v` shows: standard error would tear what is drawn on the same terminal."""
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)


class _PrivateFile(RotatingFileHandler):
    """A rotating file that is ours alone from its first byte."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        return open(descriptor, "a", encoding=self.encoding, errors=self.errors)  # noqa: PTH123 (logging closes it)


class _OneLine(logging.Formatter):
    """One clean line a record, whatever a peer made of its address."""

    def format(self, record: logging.LogRecord) -> str:
        return sanitize.clean(super().format(record)).replace("\n", " | ")
