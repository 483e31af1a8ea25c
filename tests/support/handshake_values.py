"""What both sides of the recorded handshake compute on the way: for whoever writes a second one and meets a bad tag."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.crypto import noise
from p2pchat.protocol.handshake import PREFACE
from tests.support import kat
from tests.support.diagrams import text
from tests.support.kem import overhear

ROW = 32  # bytes on one line


def table() -> str:
    """Return all of it, in the order of its making."""
    lines = []
    for name, value in _values():
        first, *more = [value[start : start + ROW].hex() for start in range(0, len(value), ROW)]
        lines += [f"{name:<28}{first}", *(" " * 28 + row for row in more)]
    return text(lines)


def _values() -> list[tuple[str, bytes]]:
    s_i, s_r, e_i, e_r = (X25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in range(1, 5))
    initiator = kat.initiator()
    initiator.begin()
    state = initiator._noise
    symmetric = state._symmetric
    after_a = symmetric.hash
    kem = overhear(state)
    payload_b, before_b = state.read_message(kat.STEPS[1][2:])
    after_b = symmetric.hash
    said: list[tuple[bytes, bytes]] = []

    def prove(channel: bytes) -> bytes:
        said.append((channel, initiator._prove(channel)))
        return said[0][1]

    assert state.write_message(prove) == kat.STEPS[2][2:]
    h0 = hashlib.sha256(noise.XXHFS.name).digest()
    return [
        ("h = ck = SHA-256(name)", h0),
        ("h after the prologue", hashlib.sha256(h0 + PREFACE).digest()),
        ("e of I", public(e_i)),
        ("h after message A", after_a),
        ("e of R", public(e_r)),
        ("DH ee", e_i.exchange(e_r.public_key())),
        ("KEM secret", kem[0][0]),
        ("s of R", public(s_r)),
        ("DH es", e_i.exchange(s_r.public_key())),
        ("h that R signs", before_b),
        ("identity of R", payload_b),
        ("h after message B", after_b),
        ("s of I", public(s_i)),
        ("DH se", s_i.exchange(e_r.public_key())),
        ("h that I signs", said[0][0]),
        ("identity of I", said[0][1]),
        ("binding = h after message C", symmetric.hash),
        *zip(("key I -> R", "key R -> I"), symmetric._derive(b"", 2), strict=True),
    ]


def public(key: X25519PrivateKey) -> bytes:
    """Return the public half of `key`."""
    return key.public_key().public_bytes_raw()
