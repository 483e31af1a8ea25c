"""What `p2pchat contacts` does: list, show, rename, remove."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from shlex import quote
from typing import TYPE_CHECKING, Final

from p2pchat.cli import acquaintance, archive, places, profiles, reading, say
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.errors import NoContact
from p2pchat.store import contacts, known
from p2pchat.store.locks import PeerLocks
from p2pchat.ui import honesty, marks, sanitize
from p2pchat.ui.honesty import Path, Standing
from p2pchat.ui.names import Names

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.store.database import Database
    from p2pchat.store.known import Known

NAMELESS: Final = "-"


# ---- list


def everyone(common: Common) -> int:
    """Print a line for each contact.

    Raises:
      StoreError: if the store cannot be read, or one contact in it is damaged.
    """
    with archive.opened(common) as db:
        found = [] if db is None else list(known.everyone(db))
        if say.lines(_as_json(found) if common.json or db is None else _as_text(found, db)) or common.json:
            return ExitCode.DONE
    if not common.quiet:
        say.note(
            "you know nobody yet: who lets you in when you `p2pchat dial`, or has your `p2pchat invite`, comes here"
        )
    return ExitCode.DONE


def _as_json(found: Iterable[Known]) -> Iterator[str]:
    from p2pchat.ui.json import contact, lines  # noqa: PLC0415  (for those who ask for it)

    return (lines.encode(contact.contact(one)) for one in found)


def _as_text(found: Iterable[Known], db: Database) -> Iterator[str]:
    names = Names.kept(marks.choose(os.environ), db)
    rows = [(_shown(one, names), one.trust.value, str(one.peer)) for one in found]
    width = max((len(name) for name, _, _ in rows), default=0)
    return (f"{name:<{width}}  {trust:<8}  {peer}" for name, trust, peer in rows)


def _shown(one: Known, names: Names) -> str:
    """Return my name for a peer, else its own in quotes, if nobody is misled by that."""
    claim = names.claimed(one.claim)
    return names.petname(one.peer) or (f'"{claim}"' if claim else NAMELESS)


# ---- show


def show(word: str, common: Common) -> int:
    """Print all that is known of the peer that `word` means.

    Raises:
      NoContact: if that is nobody, or nothing is known of that peer.
      P2PChatError: if the word, or the store, cannot be read.
    """
    with archive.opened(common) as db:
        peer = reading.peer_of(word, db)
        one = None if db is None else known.of(db, peer)
        if db is None or one is None or (one.contact is None and one.link is None and not one.addresses):
            raise NoContact(f"nothing is known of {peer}", hint="`p2pchat contacts` lists whom you know")
        return acquaintance.tell(peer, _portrait(one, db, common), common, db=db)


def _portrait(one: Known, db: Database, common: Common) -> list[str]:
    names = Names.kept(marks.choose(os.environ), db)
    flags = profiles.flags_of(common)
    standing = Standing(
        peer=one.peer,
        contact=one.contact,
        verify=f"`p2pchat verify {quote(one.name or str(one.peer))}{flags}`",
        path=_path(one, common),
        guest=one.guest,
    )
    claim, imitated = sanitize.clean_line(one.claim), names.imitated(one.peer, one.claim)
    more = [
        *([("calls itself", f'"{claim}"' + (f", and is not your {imitated}" if imitated else ""))] * bool(claim)),
        *(("expected at", sanitize.clean_line(str(address))) for address in one.addresses),
        *([("waiting", f"{_messages(one.waiting)} to be sent: p2pchat queue {one.peer}{flags}")] * bool(one.waiting)),
    ]
    return [
        names.petname(one.peer) or names.short(one.peer),
        *honesty.lines(standing),
        *(f"{honesty.MARGIN}{label:<{honesty.WIDTH}}{text}" for label, text in more),
    ]


def _path(one: Known, common: Common) -> Path | None:
    """Return the connection that another p2pchat of the profile has now, else the last one that there was."""
    if one.link is None:
        return None
    locks = PeerLocks(places.find(common.profile, common.data_dir).history.with_name("locks"))
    if one.link.until_ms is None and locks.is_elsewhere(one.peer):
        return Path(address=one.link.address, is_ours=False)
    ended = one.link.since_ms if one.link.until_ms is None else one.link.until_ms  # the process that had it has died
    return Path(address=one.link.address, until_ms=ended)


def _messages(number: int) -> str:
    return "1 message waits" if number == 1 else f"{number} messages wait"


# ---- rename, remove


def rename(word: str, name: str, common: Common) -> int:
    """Call the peer that `word` means `name` from now on.

    Raises:
      BadData: if no contact may be called that, another one is, or `word` means us.
      P2PChatError: if `word` means nobody, or the disk refuses; then nothing has changed.
    """
    peer = acquaintance.whom(word, common)
    with acquaintance.opened(common) as db:
        with db.transaction():
            before = known.of(db, peer)
            acquaintance.refuse_guest(before)
            contacts.rename(db, peer, name)
        after = known.of(db, peer)
        changed = after.name != before.name
        said = f"{peer} is {acquaintance.name(after)} from now on" if after.name else f"{peer} has no name any more"
        return acquaintance.tell(peer, [said], common, db=db, changed=changed)


def remove(word: str, common: Common, *, ask: bool) -> int:
    """Forget the peer that `word` means, after a question if `ask`.

    Raises:
      P2PChatError: if `word` means nobody, or the disk refuses; then nothing has changed.
    """
    if ask and not say.can_ask(common):
        return say.fatal(ExitCode.USAGE, "there is no terminal to ask at", hint="--yes", as_json=common.json)
    with archive.opened(common, to_write=True) as db:
        peer = reading.peer_of(word, db)
        one = None if db is None else known.of(db, peer)
        if db is None or one is None or (one.contact is None and not one.addresses):
            raise NoContact(f"{peer} is no contact of yours", hint="`p2pchat contacts` lists whom you know")
        if ask and not say.is_confirmed(_question(one)):
            say.note("nothing was forgotten")
            return ExitCode.NO
        with db.transaction():
            contacts.remove(db, peer)
    return _tell_removed(one, common)


def _question(one: Known) -> str:
    places = {0: "", 1: ", and where it is expected"}.get(len(one.addresses), f", and {len(one.addresses)} addresses")
    return f"forget {acquaintance.called(one)}, which is {one.trust.value}{places}? [y/N] "


def _tell_removed(one: Known, common: Common) -> ExitCode:
    if common.json:
        from p2pchat.ui.json import lines  # noqa: PLC0415  (for those who ask for it)

        return say.text(lines.encode({"removed": str(one.peer), "waiting": one.waiting}))
    if not common.quiet:
        flags = profiles.flags_of(common)
        waits = (
            f"; {_messages(one.waiting)} for it all the same: p2pchat queue {one.peer}{flags}" if one.waiting else ""
        )
        say.note(
            f"{acquaintance.called(one)} is a stranger from now on. What was said stays:"
            f" `p2pchat history delete {one.peer}{flags}` deletes it{waits}"
        )
    return ExitCode.DONE
