"""Whom the stores of two nodes know, and codes that make them know each other."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from pathlib import Path

from p2pchat.crypto.codes import Code, draw_token
from p2pchat.crypto.identity import PeerId
from p2pchat.node.node import Node
from p2pchat.store import contacts, invites, pins
from p2pchat.store.contacts import Contact, Trust
from p2pchat.store.database import Database
from tests.support.peers import HOME


def kept(directory: Path, peer: PeerId) -> Contact | None:
    """What the store in `directory` has of `peer`."""
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return contacts.find(db, peer)


def trust(directory: Path, peer: PeerId) -> Trust:
    """How well it knows `peer`."""
    contact = kept(directory, peer)
    return Trust.NEW if contact is None else contact.trust


def pinned(directory: Path) -> PeerId | None:
    """Who is expected at `HOME`."""
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return pins.peer_at(db, str(HOME))


async def invited(node: Node, *, link: bool = False, for_peer: PeerId | None = None) -> Code:
    """A code that `node` has given out, in a link or in words."""
    if link:
        create = partial(invites.create, secret=draw_token(node.env.urandom), lifetime_ms=600_000)
        return (await node.contacts.write(create)).code
    return (await node.invite(600, for_peer=for_peer)).code


def wrong(code: Code) -> Code:
    """A guess at it."""
    return Code(code.slot, "wrong-" + code.secret)
