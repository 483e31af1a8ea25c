"""Vectors that our own implementation wrote, after every official one had passed: a lone clone is held to them.

``python -m tests.support.golden`` writes them anew. They only ever change together with the wire version.
"""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.crypto import kem
from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.crypto.records import REKEY_INTERVAL, RecordCipher
from p2pchat.protocol.handshake import Initiator, Responder
from tests.support import kat, noise_patterns
from tests.support.entropy import scripted
from tests.support.noise_vectors import SIDES, converse
from tests.support.vectors import OWN

GUEST = Identity.from_seed(bytes([9]) * 32)


def noise_vectors() -> dict[str, Any]:
    """Return a conversation for every pattern, plain and with two psks, in the format of the official vectors."""
    names = [f"Noise_{pattern}_25519_ChaChaPoly_SHA256" for pattern in noise_patterns.PATTERNS]
    names += [f"Noise_{pattern}psk0+psk2_25519_ChaChaPoly_BLAKE2s" for pattern in noise_patterns.PATTERNS]
    return {"vectors": [noise_vector(name) for name in names]}


def noise_vector(name: str) -> dict[str, Any]:
    """Return what is said under `name`: keys of 32 equal bytes, and two records each way after the handshake."""
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


def handshake_vector(encapsulation: list[str]) -> dict[str, Any]:
    """Return how a guest of the interop contract's initiator visits it, and how their keys change.

    Args:
      encapsulation: the secret and the ciphertext that the responder's KEM once made, in hex; it cannot be told to
        make them again.
    """
    secret, ciphertext = map(bytes.fromhex, encapsulation)
    dialer = Initiator(GUEST, entropy=kat.initiator_entropy())
    host = Responder(kat.ALICE, entropy=kat.responder_entropy(), encapsulate=lambda _: (secret, ciphertext))
    steps = [dialer.begin()]
    host.receive(steps[0])
    steps.append(host.answer())
    dialer.receive(steps[1])
    steps.append(dialer.reveal(voucher_by=kat.ALICE))
    host.receive(steps[2])
    assert host.secured.vouched
    assert host.secured.binding == dialer.secured.binding
    return {
        "note": "keys as in p2pchat-1-kat.json, but R is Ed25519 07.. and I its guest, Ed25519 09..",
        "encapsulation": encapsulation,
        "steps": [step.hex() for step in steps],
        "binding": host.secured.binding.hex(),
        "guest_records": records(dialer.secured.send, host.secured.receive),
        "host_records": records(host.secured.send, dialer.secured.receive),
    }


def records(send: RecordCipher, receive: RecordCipher) -> dict[str, str]:
    """Return the ciphertexts around both first changes of the key; the plaintext of record n is n as eight bytes."""
    chosen = {}
    for n in range(2 * REKEY_INTERVAL + 1):
        sealed = send.seal(n.to_bytes(8))
        assert receive.open(sealed) == n.to_bytes(8)
        if (n + 1) % REKEY_INTERVAL <= 1:
            chosen[str(n)] = sealed.hex()
    return chosen


def encapsulation() -> list[str]:
    """Return the secret and the ciphertext for the key of the interop contract's initiator, each time others."""
    key = kem.generate(scripted(bytes([5]) * 64)).public_key().public_bytes_raw()
    return [part.hex() for part in kem.encapsulate(key)]


def main() -> None:
    """Write the files."""
    for name, content in (("noise.json", noise_vectors()), ("handshake.json", handshake_vector(encapsulation()))):
        (OWN / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
