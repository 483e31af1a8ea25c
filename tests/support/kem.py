"""Getting the KEM's secret out of a recorded handshake, so that its responder can be replayed too."""

from __future__ import annotations

from p2pchat.crypto.noise import HandshakeState


def overhear(state: HandshakeState) -> list[tuple[bytes, bytes]]:
    """Return where the secret and the ciphertext that an initiator's `state` is about to decapsulate will appear.

    In this order they are what the responder's `encapsulate` had returned.
    """
    heard: list[tuple[bytes, bytes]] = []
    decapsulate = state._kem_secret

    def listening(ciphertext: bytes) -> bytes:
        heard.append((decapsulate(ciphertext), ciphertext))
        return heard[-1][0]

    state._kem_secret = listening
    return heard
