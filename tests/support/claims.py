"""Two who claim and issue codes, without a connection between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import PeerId
from p2pchat.protocol.invites import Claimant, Issuer
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.violation import Violation
from tests.support.entropy import seeded
from tests.support.kat import ALICE, BOB

SECRET = "otter-amber-knife"
CODE = Code(7, SECRET)
BINDING = b"b" * 32
WEAK = bytes(32)  # a share that makes the key the same for all secrets


def claimant(code: Code = CODE, binding: bytes = BINDING, peer: PeerId = BOB.peer_id, seed: int = 1) -> Claimant:
    """Return Alice, who typed `code`."""
    return Claimant(code, binding=binding, own=ALICE.peer_id, peer=peer, entropy=seeded(seed))


def issuer(binding: bytes = BINDING, peer: PeerId = ALICE.peer_id, seed: int = 2) -> Issuer:
    """Return Bob, who made the code."""
    return Issuer(binding=binding, own=BOB.peer_id, peer=peer, entropy=seeded(seed))


@dataclass
class Run:
    """A whole claim of a code whose slot has `secret`."""

    a: Claimant = field(default_factory=claimant)
    b: Issuer = field(default_factory=issuer)
    secret: str | None = SECRET

    def outcome(self) -> tuple[bool, bool]:
        """Let both say everything; return what A believes at the end, and what B does."""
        self.b.claimed(self.a.claim())
        right = self.b.confirmed(self.a.replied(self.b.reply(self.secret)))
        return self.a.resulted(self.b.result(ok=right)), right


def violation(words: str) -> Any:
    """Expect a violation that says so, with the code of appendix A."""
    return pytest.raises(Violation, match=words, check=lambda error: error.code is CloseCode.PROTOCOL)
