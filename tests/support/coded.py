"""Codes that are given out, tried and burnt, each in a transaction of its own."""

from __future__ import annotations

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.store import invites
from p2pchat.store.database import Database

ANN, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2))
WORDS = "otter-amber-knife"
MINUTES = 600_000  # milliseconds of a spoken code


class Clock:
    """A wall clock that stands still until it is told."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> float:
        return self.ms / 1000


def create(
    db: Database,
    secret: str = WORDS,
    *,
    lifetime_ms: int = MINUTES,
    for_peer: PeerId | None = None,
    twin: int | None = None,
) -> int:
    with db.transaction():
        return invites.create(db, secret, lifetime_ms=lifetime_ms, for_peer=for_peer, twin=twin).slot


def attempt(db: Database, slot: int, peer: PeerId = ANN) -> str | None:
    with db.transaction():
        return invites.attempt(db, slot, peer)


def burn(db: Database, slot: int, secret: str = WORDS) -> bool:
    with db.transaction():
        return invites.burn(db, slot, secret)
