"""How one node behaves, as one record; the defaults are those of the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from p2pchat.protocol.limits import Limits

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.contacts import Contact


class Accept(Enum):
    """Who may come in. What we dial ourselves is accepted by dialling it."""

    ASK = "ask"
    KNOWN = "known"
    ANYONE = "anyone"


async def _no_pin(address: Address) -> PeerId | None:  # noqa: ARG001  (it is the same for all)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """Settings of a node; immutable while it runs."""

    name: str = ""  # what we call ourselves to peers that we accepted; at most 64 characters
    accept: Accept = Accept.KNOWN
    own_guest: bool = True  # go on as a guest where our own key answers; otherwise that is an error
    one_peer: bool = False  # let in the first peer that is accepted, and then no other one
    contacts: tuple[Contact, ...] = ()  # for this run, beside those of the store: a guest refuses by its profile's
    pinned: Callable[[Address], Awaitable[PeerId | None]] = _no_pin  # who has to answer there; a store has its own
    flags: str = ""  # options that lead a command in a hint to what this node keeps, each with a blank before it
    limits: Limits = field(default_factory=Limits)
