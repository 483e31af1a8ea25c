"""What `history` and `grep` do: look into the store, and print a little at a time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer

from p2pchat.cli import archive, moments, peers, say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.errors import NoContact
from p2pchat.store import history as log
from p2pchat.store import search
from p2pchat.ui import marks, past
from p2pchat.ui.names import Names

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.database import Database
    from p2pchat.store.history import Row

USUAL: Final = 100  # messages that are shown, if nothing else is said
LONG: Final = 100_000  # messages to be made searchable: from here on somebody would wonder what takes so long

NOTHING: Final = "nothing is kept yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Which part of the history, as it was typed."""

    limit: int | None
    before: str | None
    since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where to search, and what to show, as it was typed."""

    sender: str | None
    since: str | None
    limit: int
    context: int


# ---- history


def history(whom: str | None, part: Part, common: Common) -> int:
    """Print what was said with `whom`, None for everybody; returns the exit code."""
    with archive.opened(common) as db:
        if db is None:
            return _nothing(NOTHING, common)
        peer = None if whom is None else peer_of(whom, db)
        before = None if part.before is None else _cursor(part.before)
        first = 0 if part.since is None else log.since(db, moment(part.since, "--since", db))
        limit = USUAL if part.limit is None and part.since is None else part.limit
        if limit is not None:
            first = max(first, log.first_of_last(db, limit, peer=peer, before=before))
        rows = log.between(db, peer=peer, after=first - 1, before=before)
        breaks = log.breaks(db, peer=peer, after=first - 1, before=before)
        if not say.lines(_as_json(rows) if common.json else _look(db, whom).day_by_day(rows, breaks)):
            return _nothing("nothing that was said is there", common)
        is_whole = limit is None or log.first_of_last(db, 1, peer=peer, before=first) == log.LAST
        if part.since is None and not (is_whole or common.json or common.quiet):
            say.note(f"what was said before: --before {first:016}")
    return ExitCode.DONE


def _as_json(rows: Iterable[Row]) -> Iterator[str]:
    from p2pchat.ui.json import lines  # noqa: PLC0415  (for those who ask for it)
    from p2pchat.ui.json.past import PastLines  # noqa: PLC0415

    told = PastLines()
    return (lines.encode(told.of(row)) for row in rows)


def _cursor(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or int(text) > log.LAST:
        raise typer.BadParameter("it takes a cursor, as `history --json` shows them", param_hint="'--before'")
    return int(text)


# ---- grep


def grep(words: Sequence[str], where: Where, common: Common) -> int:
    """Print the messages in which `words` occur; returns the exit code."""
    if not search.phrases(words):
        raise typer.BadParameter("it takes words, of letters or digits", param_hint="'WORDS'")
    with archive.opened(common, to_write=True) as db:
        if db is None:
            _nothing(NOTHING, common)
            return ExitCode.NO
        mine = None if where.sender is None else where.sender == past.MYSELF
        peer = None if where.sender is None or mine else peer_of(where.sender, db)
        after = -1 if where.since is None else log.since(db, moment(where.since, "--since", db)) - 1
        _fill(db, common)
        query = search.Query(words=words, peer=peer, mine=mine, after=after, limit=where.limit)
        found = (_Found(row, *log.around(db, row, where.context)) for row in search.grep(db, query))
        told = _found_as_json(found, where) if common.json else _found_as_text(found, where, _look(db))
        if say.lines(told):
            return ExitCode.DONE
        if not common.json:
            _nothing("nothing was found", common)
        return ExitCode.NO


@dataclass(frozen=True, slots=True)
class _Found:
    row: Row
    before: list[Row]
    after: list[Row]


def _fill(db: Database, common: Common) -> None:
    missing = search.missing(db)
    if missing > LONG and not common.quiet:
        say.note(f"making {missing} messages searchable, this once")
    while search.fill(db):
        pass


def _found_as_text(found: Iterable[_Found], where: Where, look: past.Look) -> Iterator[str]:
    for number, one in enumerate(found):
        if where.context and number:
            yield past.APART
        yield from look.found(one.row, one.before, one.after)


def _found_as_json(found: Iterable[_Found], where: Where) -> Iterator[str]:
    from p2pchat.ui.json import lines  # noqa: PLC0415  (for those who ask for it)
    from p2pchat.ui.json.past import PastLines  # noqa: PLC0415

    told = PastLines()
    for one in found:
        yield lines.encode(told.found(one.row, one.before, one.after) if where.context else told.of(one.row))


# ---- both


def peer_of(word: str, db: Database | None) -> PeerId:
    """Return the peer that `word` means.

    Raises:
      NoContact: if that is nobody.
      AddressError: if it cannot be read.
    """
    peer = peers.resolve(word, db).peer
    if peer is None:
        raise NoContact(f"nobody is known at {word}", hint="give the id of the peer, or an address you have dialed")
    return peer


def moment(text: str, option: str, db: Database) -> int:
    """Return the time that was typed behind `option`, in Unix milliseconds."""
    try:
        return moments.parse(text, db.now_ms())
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint=f"'{option}'") from exc


def _look(db: Database, whom: str | None = None) -> past.Look:
    try:
        width = os.get_terminal_size(1).columns
    except OSError:
        width = 0  # it is none
    signs = marks.choose(os.environ)
    names = Names.kept(signs, db).everyone(log.claims(db))
    return past.Look(marks=signs, names=names, width=width, with_one=whom is not None)


def _nothing(what: str, common: Common) -> ExitCode:
    if not common.quiet:
        say.note(what)
    return ExitCode.DONE
