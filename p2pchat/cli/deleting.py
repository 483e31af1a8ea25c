"""What `history delete` does: count, ask, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from p2pchat.cli import archive, profiles, reading, say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.store import deletion, journal, timeline
from p2pchat.store.deletion import Deleted, Doomed

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.store.database import Database

ID = "'--id'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to delete, as it was typed."""

    peer: str | None
    id: str | None
    before: str | None


def delete(choice: Choice, common: Common, *, ask: bool) -> int:
    """Delete what was chosen; returns the exit code."""
    if choice == Choice(peer=None, id=None, before=None):
        return say.fatal(
            ExitCode.USAGE,
            "delete what?",
            hint="give a PEER, an --id, or a time: --before now is everything",
            as_json=common.json,
        )
    if ask and not say.can_ask(common):
        return say.fatal(ExitCode.USAGE, "there is no terminal to ask at", hint="--yes", as_json=common.json)
    with archive.opened(common, to_write=True) as db:
        if db is None:
            return _tell(Deleted(messages=0, waiting=0), common)
        doomed = _doomed(choice, db)
        found = deletion.count(db, doomed)
        if found.messages and ask and not say.is_confirmed(_question(found, common)):
            say.note("nothing was deleted")
            return ExitCode.NO
        number = deletion.delete(db, doomed)
        for copy in sorted(db.path.parent.glob(f"{db.path.name}.v*.bak")):  # as migrations leave them
            say.warning(f"{copy} is older, and still has what was deleted", hint="nothing needs it: you may delete it")
        return _tell(Deleted(messages=number, waiting=found.waiting), common)


def _doomed(choice: Choice, db: Database) -> Doomed:
    return Doomed(
        through=journal.newest(db),  # what comes while a person thinks is not meant
        peer=None if choice.peer is None else reading.peer_of(choice.peer, db),
        id=None if choice.id is None else _id(choice.id, db),
        before_ms=None if choice.before is None else reading.moment(choice.before, "--before", db),
    )


def _id(text: str, db: Database) -> bytes:
    prefix = timeline.prefix_of(text)
    if prefix is None:
        raise typer.BadParameter("it takes the id of a message, or the beginning of one", param_hint=ID)
    ids = {named.id for named in timeline.find(db, prefix)}
    if len(ids) > 1:
        raise typer.BadParameter("several messages begin like that: give more of it", param_hint=ID)
    if not ids:
        raise typer.BadParameter("there is no such message", param_hint=ID)
    return ids.pop()


def _question(found: Deleted, common: Common) -> str:
    return f"delete {_messages(found.messages)} for good?{_waiting(found, common)} [y/N] "


def _tell(deleted: Deleted, common: Common) -> ExitCode:
    if common.json:
        from p2pchat.ui.json import lines  # noqa: PLC0415  (for those who ask for it)

        return say.text(lines.encode({"deleted": deleted.messages, "waiting": deleted.waiting}))
    if not common.quiet:
        say.note(f"deleted {_messages(deleted.messages)}.{_waiting(deleted, common)}")
    return ExitCode.DONE


def _messages(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


def _waiting(deleted: Deleted, common: Common) -> str:
    if not deleted.waiting:
        return ""
    waits = "1 of them still waits" if deleted.waiting == 1 else f"{deleted.waiting} of them still wait"
    return f" {waits} to be sent, and will be; `p2pchat unsend ID{profiles.flags_of(common)}` withdraws one"
