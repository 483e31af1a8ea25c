"""The waiting room: peers that proved who they are and were not accepted yet.

Of a stranger nothing is kept but the key, only in memory, while it waits and after it was told of: so that one visitor
cannot fill the screen (`docs/protocol.md` 4.4), and that a guest is still known for one when somebody decides about it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.answering import Answering

TOLD_FOR = 600.0  # seconds in which visits of one key, or from one source, are counted together
MAX_TOLD = 1024  # keys and sources remembered for that; the oldest is forgotten first
REFUSALS_TOLD = 1  # events per key and per source in that time about strangers that were refused
QUESTIONS_PER_PEER = 3  # how often one key may ask a person in that time: it may have hung up by accident
CLAIMS_TOLD = 3  # in that time, of codes that are not there, by whomever
QUESTIONS_PER_SOURCE = 16  # as many as the waiting room holds: people behind one address are not one person


class WaitingRoom:
    """Visitors that wait for a person to decide, at most `capacity`, by peer."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: dict[PeerId, list[Answering]] = {}
        self._told: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()  # key or source: (since, times)
        self._guests: OrderedDict[PeerId, None] = OrderedDict()  # strangers that were told of, the newest last

    def __len__(self) -> int:
        return sum(len(visitors) for visitors in self._waiting.values())

    @property
    def peers(self) -> list[PeerId]:
        """Who waits, in the order of arrival."""
        return list(self._waiting)

    def enter(self, peer: PeerId, visitor: Answering) -> bool:
        """Let `visitor` wait for a decision about `peer`; False if the room is full."""
        if len(self) >= self._capacity:
            return False
        self._waiting.setdefault(peer, []).append(visitor)
        return True

    def leave(self, peer: PeerId, visitor: Answering) -> None:
        """Forget `visitor`, if it waits at all."""
        visitors = self._waiting.get(peer, [])
        if visitor in visitors:
            visitors.remove(visitor)
            if not visitors:
                del self._waiting[peer]

    def waiting(self, peer: PeerId) -> list[Answering]:
        """Return all visitors that wait for a decision about `peer`."""
        return list(self._waiting.get(peer, []))

    def call(self, peer: PeerId) -> list[Answering]:
        """Take out and return all visitors that wait for a decision about `peer`."""
        return self._waiting.pop(peer, [])

    def introduce(self, peer: PeerId, *, guest: bool) -> None:
        """Remember, beyond its visit, whether the stranger that people are told of is a `guest`."""
        self._guests.pop(peer, None)
        if guest:
            self._guests[peer] = None
        if len(self._guests) > MAX_TOLD:
            self._guests.popitem(last=False)

    def is_guest(self, peer: PeerId) -> bool:
        """Whether `peer` was a guest when people were told of it, so that there is nobody to remember."""
        return peer in self._guests

    def may_tell(self, peer: PeerId, source: str | None, now: float) -> bool:
        """Whether the refusal of this visit deserves an event; counts it if so."""
        return self._count({("refused", peer): REFUSALS_TOLD, ("refused", source): REFUSALS_TOLD}, now)

    def may_ask(self, peer: PeerId, source: str | None, now: float) -> bool:
        """Whether a person may be asked about this visit; counts the question if so."""
        return self._count({("asked", peer): QUESTIONS_PER_PEER, ("asked", source): QUESTIONS_PER_SOURCE}, now)

    def may_warn(self, now: float) -> bool:
        """Whether a claim of a code that is not there deserves an event; counts it if so. Anybody can make up such."""
        return self._count({"claims": CLAIMS_TOLD}, now)

    def _count(self, limits: dict[Hashable, int], now: float) -> bool:
        counted: dict[Hashable, tuple[float, int]] = {}
        for key, limit in limits.items():
            since, times = self._told.get(key, (now, 0))
            if now - since >= TOLD_FOR:
                since, times = now, 0
            if times >= limit:
                return False
            counted[key] = since, times + 1
        for key, count in counted.items():
            self._told.pop(key, None)
            self._told[key] = count
        while len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)
        return True
