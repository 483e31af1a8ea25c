"""Vectors that our own implementation wrote, after every official one had passed: a lone clone is held to them.

``python -m tests.support.golden`` writes them anew. They only ever change together with the wire version.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.crypto.noise import Role
from tests.support import noise_patterns
from tests.support.noise_vectors import SIDES, converse
from tests.support.vectors import OWN


def noise_vectors() -> dict[str, Any]:
    """Return a conversation for every pattern, plain and with two psks, in the format of the official vectors."""
    names = [f"Noise_{pattern}_25519_ChaChaPoly_SHA256" for pattern in noise_patterns.PATTERNS]
    names += [f"Noise_{pattern}psk0+psk2_25519_ChaChaPoly_BLAKE2s" for pattern in noise_patterns.PATTERNS]
    return {"vectors": [noise_vector(name) for name in names]}


def noise_vector(name: str) -> dict[str, Any]:
    """Return what is said under `name`, each key being 32 equal bytes, with two records each way after the handshake."""
    protocol = noise_patterns.protocol(name)
    statics = {role: bytes([i]) * 32 for i, role in enumerate(Role, start=1)}
    vector: dict[str, Any] = {"protocol_name": name}
    for i, (role, side) in enumerate(SIDES.items(), start=3):
        vector[f"{side}_prologue"] = b"p2pchat".hex()
        vector[f"{side}_psks"] = [(bytes([n]) * 32).hex() for n in (5, 6) if protocol.uses("psk")]
        vector[f"{side}_static"] = statics[role].hex()
        vector[f"{side}_ephemeral"] = (bytes([i]) * 32).hex()
        if role.other in protocol.known:
            public = X25519PrivateKey.from_private_bytes(statics[role.other]).public_key()
            vector[f"{side}_remote_static"] = public.public_bytes_raw().hex()
    messages = [{"payload": f"{n:02x}" * n} for n in range(len(protocol.messages) + 4)]
    wire, channel = converse(protocol, vector | {"messages": messages})
    vector["handshake_hash"] = channel
    vector["messages"] = [said | {"ciphertext": sent} for said, sent in zip(messages, wire, strict=True)]
    return vector


def main() -> None:
    """Write the files."""
    text = json.dumps(noise_vectors(), indent=1)
    (OWN / "noise.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
