"""The verbs that look into the store and end: what waits, why, and how it is withdrawn. No network, no event loop."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, Final
from uuid import UUID

import typer

from p2pchat.cli import archive, profiles, reading, say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.errors import BadData, NoMessage
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store import queue as queues
from p2pchat.store import timeline
from p2pchat.ui import marks, stdio
from p2pchat.ui.json import lines, results
from p2pchat.ui.log_words import WHEN, LogWords
from p2pchat.ui.names import Names

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.store.database import Database
    from p2pchat.store.timeline import Named

FEW: Final = 5  # of several messages, how many are named


def queue(common: Common, word: str | None) -> int:
    """Print what waits, for the peer that `word` means or for anybody.

    Raises:
      P2PChatError: if `word` means nobody, or the store cannot be read.
    """
    with archive.opened(common) as db:
        peer = reading.peer_of(word, db) if word is not None else None
        found = queues.waiting(db, peer) if db else ()
        waits = say.lines(
            (lines.encode(results.waiting(one)) for one in found)
            if common.json
            else chain.from_iterable(map(_words(db).waiting, found))
        )
    if not (common.quiet or common.json):
        withdraws = f"`p2pchat unsend ID{profiles.flags_of(common)}` withdraws it"
        say.note(f"it goes out {WHEN} that peer; {withdraws}" if waits else "nothing waits")
    return ExitCode.DONE


def why(common: Common, text: str) -> int:
    """Print what became of the message that `text` means.

    Raises:
      P2PChatError: if it means none, or several, or the store cannot be read.
    """
    flags = profiles.flags_of(common)
    with archive.opened(common) as db:
        told = timeline.timeline(*_message(text, db, flags))
        words = _words(db)
    if common.json:
        return say.text(lines.encode(results.story(told)))
    say.lines(words.story(told, withdraw=f"p2pchat unsend {UUID(bytes=told.named.id)}{flags}"))
    return ExitCode.DONE


def unsend(common: Common, text: str) -> int:
    """Withdraw the message that `text` means, if it has not left, and print what became of it.

    Raises:
      P2PChatError: if it means none, or several, or the store cannot be written.
    """
    flags = profiles.flags_of(common)
    with archive.opened(common, to_write=True) as store:
        db, named = _message(text, store, flags)
        if not named.mine:
            return say.fatal(ExitCode.NO, "it is not yours to withdraw: the other side said it", as_json=common.json)
        done = queues.unsend(db, named)
        told = timeline.timeline(db, named)
        words = _words(db)
    if common.json:
        say.text(lines.encode(results.state(told)))
    else:
        say.lines(words.summary(told))
    if done is Withdrawal.WITHDRAWN or told.state == "failed":
        return ExitCode.DONE
    if not common.json:
        say.error("it is too late: it has left", hint=f"p2pchat why {UUID(bytes=named.id)}{flags}")
    return ExitCode.NO


def _words(db: Database | None) -> LogWords:
    signs = marks.choose(os.environ)
    return LogWords(signs, names=Names.kept(signs, db) if db else None, width=stdio.Output(1).columns)


# ---- what words mean


def _message(text: str, db: Database | None, flags: str) -> tuple[Database, Named]:
    """Return the one message that `text` means, and where it is; `flags` lead a hint to that profile."""
    prefix = timeline.prefix_of(text)
    if prefix is None:
        raise typer.BadParameter(
            f"an id looks like 019ab0c4-7d2e-7c3a-9f00-5ad9f3c1b2aa; its first {timeline.SHORTEST} digits are enough"
            " where no other message begins so",
            param_hint="'ID'",
        )
    found = timeline.find(db, prefix) if db else []
    if db is None or not found:
        raise NoMessage(f"no message here has an id that begins with {text.strip()}", hint=f"p2pchat events{flags}")
    if len(found) > 1:
        few = ", ".join(str(UUID(bytes=named.id)) for named in found[:FEW])
        raise BadData(f"several ids begin with {text.strip()}", hint=f"more of it, please: {few}")
    return db, found[0]
