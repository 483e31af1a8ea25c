"""PEER: whom a word on the command line means, and where to reach them.

A word is a ``peer1…`` id, a link, an address (it has a colon or a slash), or else the name that I gave a contact; what
peers call themselves leads nowhere. It means a key, if the word, the contact or a pin names one, and places in the
order in which to try them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from p2pchat import address as addresses
from p2pchat.cli import links
from p2pchat.crypto.identity import PeerId
from p2pchat.errors import NoContact
from p2pchat.store import contacts, names, pins

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.codes import Code
    from p2pchat.store.database import Database

EXEC = "exec"
TCP = "tcp"

_ID = re.compile(r"peer1[0-9a-z]{20,}", re.IGNORECASE)  # an id with a mistake is none of a host or a contact
_PIECE = re.compile(r"peer1[0-9a-z]+", re.IGNORECASE)  # nor is a piece of one, where no host is meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom a word means."""

    word: str  # as it was typed
    peer: PeerId | None  # who has to answer; None: nobody is pinned there yet
    addresses: tuple[Address, ...] = ()  # where, in the order in which to try
    typed: bool = False  # the address is the word itself, so that a command in it was asked for here and now
    code: Code | None = None  # of a link that invites

    @property
    def network(self) -> tuple[Address, ...]:
        """The addresses that may be tried without anybody at a keyboard: no command that was only stored."""
        return tuple(address for address in self.addresses if self.typed or address.scheme != EXEC)


def resolve(word: str, db: Database | None, *, schemes: Collection[str] = (), hosts: bool = False) -> Target:
    """Return whom `word` means.

    Args:
      word: as it was typed.
      db: has contacts and pins; None if there are none yet.
      schemes: of the plug-ins that are installed.
      hosts: a bare word that is no contact's name is the name of a host.

    Raises:
      AddressError: if it is an id, a link or an address that cannot be read.
      NoContact: if nobody is called that.
      StoreError: if contacts or pins cannot be read: then nobody is meant.
    """
    word = word.strip()
    if links.is_link(word):
        link = links.read(word)
        known = _known(db, link.peer)
        if link.code:  # a code goes nowhere but into the network
            known = tuple(address for address in known if address.scheme == TCP)
        return Target(word=word, peer=link.peer, addresses=_all(link.addresses, known), code=link.code)
    if (_ID if hosts else _PIECE).fullmatch(word):
        peer = PeerId.parse(word)
        return Target(word=word, peer=peer, addresses=_known(db, peer))
    if not (":" in word or "/" in word):
        if db is not None and (contact := contacts.named(db, word)) is not None:
            return Target(word=word, peer=contact.peer, addresses=_known(db, contact.peer))
        if not hosts:
            raise _nobody(word, db)
    address = addresses.parse(word, schemes=schemes)
    pinned = pins.peer_at(db, pins.canonical(address)) if db else None
    return Target(word=word, peer=pinned, addresses=(address,), typed=True)


def _nobody(word: str, db: Database | None) -> NoContact:
    """Return the error for a word that is nobody's name, and, for somebody who mistyped, the name that is like it."""
    mine = {names.folded(contact.name): contact.name for contact in contacts.everyone(db)} if db else {}
    near = difflib.get_close_matches(names.folded(word), filter(None, mine), n=1)
    name = quote(word)
    to_name = (
        f"to give somebody that name: `p2pchat contacts rename ID {name}`; to reach a host of that name: tcp:{name}"
    )
    hint = f"did you mean {mine[near[0]]}?" if near else to_name
    return NoContact(f"nobody here is called {word!r}", hint=hint)


def _known(db: Database | None, peer: PeerId) -> tuple[Address, ...]:
    return pins.addresses_of(db, peer) if db else ()


def _all(first: tuple[Address, ...], then: tuple[Address, ...]) -> tuple[Address, ...]:
    return tuple(dict.fromkeys((*first, *then)))
