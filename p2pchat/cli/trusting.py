"""What `p2pchat trust` does: somebody may come in, and is expected at a place."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from p2pchat import address as addresses
from p2pchat.cli import acquaintance, profiles
from p2pchat.store import contacts, known, pins
from p2pchat.transports.registry import Transports

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.known import Known


def run(word: str, where: str | None, common: Common) -> int:
    """Let the peer in that `word` means, expect it at `where` if that is an address, and print what has changed.

    Raises:
      P2PChatError: if one of them cannot be read, or means nobody, us, a guest, or somebody who is blocked, or the disk
        refuses; then nothing has changed.
    """
    place = None if where is None else pins.canonical(addresses.parse(where, schemes=Transports().schemes))
    peer = acquaintance.whom(word, common)
    with acquaintance.opened(common) as db:
        with db.transaction():
            before = known.of(db, peer)
            acquaintance.refuse_blocked(before.contact, common)
            acquaintance.refuse_guest(before)
            is_new = contacts.know(db, peer)
            owner = None if place is None else pins.move(db, place, peer)
        loser = None if owner is None or owner == peer else known.of(db, owner)
        said = [
            f"{acquaintance.called(before)} {'comes in from now on' if is_new else 'was let in already'}",
            f"fingerprint  {peer.fingerprint}",
            *([] if place is None else _expected(place, peer, owner, loser)),
            *([] if loser is None else _cures(loser, peer, common)),
        ]
        changed = is_new or (place is not None and owner != peer)
        return acquaintance.tell(peer, said, common, db=db, changed=changed, instead_of=_id(loser))


def _id(loser: Known | None) -> str | None:
    return None if loser is None else str(loser.peer)


def _expected(place: str, peer: PeerId, owner: PeerId | None, loser: Known | None) -> list[str]:
    """Return what to say about the pin."""
    if owner == peer:
        return [f"it was expected at {place} already"]
    if loser is None:
        return [f"it is expected at {place} from now on"]
    return [
        f"it is expected at {place} from now on, instead of {acquaintance.called(loser)}",
        f"fingerprint  {loser.peer.fingerprint}",
    ]


def _cures(loser: Known, peer: PeerId, common: Common) -> list[str]:
    """Return what may be left to do about the key that was expected until now."""
    flags = profiles.flags_of(common)
    told = [f"the old key still comes in; to keep it out: p2pchat block {loser.peer}{flags}"]
    if loser.name:
        rename = f"p2pchat contacts rename{flags}"
        told += [
            f"{acquaintance.name(loser)} is still the name of the old key; to give it to the new one:",
            f"{rename} {loser.peer} '' && {rename} {peer} {quote(acquaintance.name(loser))}",
        ]
    if loser.waiting:
        many = "1 message still waits" if loser.waiting == 1 else f"{loser.waiting} messages still wait"
        told += [
            f"{many} for the old key, and nobody else gets what was said to it",
            f"to see that: p2pchat queue {loser.peer}{flags}; to withdraw a message: p2pchat unsend ID{flags}",
        ]
    return told
