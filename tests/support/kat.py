"""Both sides of the interop contract, `tests/vectors/p2pchat-1-kat.json`, ready to be played."""

from __future__ import annotations

from p2pchat.crypto import kem
from p2pchat.crypto.identity import Identity
from p2pchat.protocol.handshake import Initiator, Responder
from tests.support import vectors
from tests.support.entropy import Entropy, scripted
from tests.support.kem import overhear

KAT = vectors.own("p2pchat-1-kat.json")
STEPS = [bytes.fromhex(step["bytes"]) for step in KAT["steps"]]  # what each side sends, in turn

#: Who the two are. Private keys are 32 equal bytes: docs/protocol.md, appendix B.
ALICE, BOB = Identity.from_seed(bytes([7]) * 32), Identity.from_seed(bytes([8]) * 32)


def initiator_entropy() -> Entropy:
    """Return the draws of the side that dials: static, ephemeral, the KEM's d and z."""
    return scripted(bytes([1]) * 32, bytes([3]) * 32, bytes([5]) * 64)


def responder_entropy() -> Entropy:
    """Return the draws of the side that is reached: static, ephemeral."""
    return scripted(bytes([2]) * 32, bytes([4]) * 32)


def encapsulation() -> kem.Encapsulate:
    """Return what the responder's KEM did, as the initiator can tell from message B."""
    initiator = Initiator(ALICE, entropy=initiator_entropy())
    initiator.begin()
    secrets = overhear(initiator._noise)
    initiator.receive(STEPS[1])
    return lambda _: secrets[0]


def initiator() -> Initiator:
    """Return the side that dials, before its first byte."""
    return Initiator(ALICE, entropy=initiator_entropy())


def responder() -> Responder:
    """Return the side that is reached, before its first byte."""
    return Responder(BOB, entropy=responder_entropy(), encapsulate=encapsulation())
