"""All targets, by name."""

from __future__ import annotations

from typing import Final

from tests.fuzz import bodies, handshake, proofs, records, screen, words
from tests.fuzz.target import Target

TARGETS: Final[dict[str, Target]] = {
    "records": records.TARGET,
    "handshake": handshake.TARGET,
    "proofs": proofs.TARGET,
    "bodies": bodies.TARGET,
    "words": words.TARGET,
    "screen": screen.TARGET,
}
