"""Handshakes that somebody interferes with."""

from __future__ import annotations

from dataclasses import dataclass

from p2pchat.crypto.identity import Identity
from p2pchat.protocol.handshake import Initiator, Responder, Step
from tests.support.entropy import seeded

ALICE, BOB, GUEST = (Identity.from_seed(bytes([n]) * 32) for n in (7, 8, 9))


@dataclass(frozen=True)
class Handshake:
    """Both ends of one connection; whoever holds it is the network."""

    initiator: Initiator
    responder: Responder

    def until_asked(self) -> None:
        assert self.responder.receive(self.initiator.begin()) is Step.ASKED

    def until_proved(self) -> None:
        self.until_asked()
        assert self.initiator.receive(self.responder.answer()) is Step.PROVED

    def until_secured(self, *, voucher_by: Identity | None = None) -> None:
        self.until_proved()
        assert self.responder.receive(self.initiator.reveal(voucher_by=voucher_by)) is Step.SECURED


def between(dialer: Identity = ALICE, host: Identity = BOB, *, seed: int = 0) -> Handshake:
    """Return a handshake of which nothing has happened; another `seed` is another connection."""
    return Handshake(
        Initiator(dialer, entropy=seeded(2 * seed)),
        Responder(host, entropy=seeded(2 * seed + 1)),
    )
