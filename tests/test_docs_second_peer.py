"""A second peer, written from docs/protocol.md alone, understands the recorded conversation.

Nothing of the package is used here, only the recording and the primitives: if the page left something out, or said it
otherwise than the code does it, this initiator would not get to the end.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from itertools import pairwise

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tests.support import vectors

KAT = vectors.own("p2pchat-1-kat.json")
PREFACE = b"p2pchat\x01"
NAME = b"Noise_XXhfs_25519+MLKEM768_ChaChaPoly_SHA256"


def private(byte: int) -> bytes:
    """Return the private key of 32 equal bytes (appendix B)."""
    return bytes([byte]) * 32


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def nonce(n: int) -> bytes:
    return bytes(4) + n.to_bytes(8, "little")


class Noise:
    """Noise's SymmetricState, with the cipher in it."""

    def __init__(self) -> None:
        self.h = self.ck = sha256(NAME)
        self.mix_hash(PREFACE)

    def mix_hash(self, data: bytes) -> None:
        self.h = sha256(self.h, data)

    def mix_key(self, secret: bytes) -> None:
        self.ck, self.key = self.hkdf(secret)
        self.n = 0

    def hkdf(self, secret: bytes) -> tuple[bytes, bytes]:
        temporary = hmac.digest(self.ck, secret, "sha256")
        first = hmac.digest(temporary, b"\x01", "sha256")
        return first, hmac.digest(temporary, first + b"\x02", "sha256")

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        ciphertext = ChaCha20Poly1305(self.key).encrypt(nonce(self.n), plaintext, self.h)
        self.n += 1
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        plaintext = ChaCha20Poly1305(self.key).decrypt(nonce(self.n), ciphertext, self.h)
        self.n += 1
        self.mix_hash(ciphertext)
        return plaintext


def length_before(message: bytes) -> bytes:
    return len(message).to_bytes(2) + message


class SecondPeer:
    """The initiator of the recording."""

    def __init__(self) -> None:
        self.static = X25519PrivateKey.from_private_bytes(private(1))
        self.ephemeral = X25519PrivateKey.from_private_bytes(private(3))
        self.kem = MLKEM768PrivateKey.from_seed_bytes(private(5) * 2)
        self.identity = Ed25519PrivateKey.from_private_bytes(private(7))
        self.noise = Noise()

    def begin(self) -> bytes:
        e, e1 = self.ephemeral.public_key().public_bytes_raw(), self.kem.public_key().public_bytes_raw()
        for part in (e, e1, b""):
            self.noise.mix_hash(part)
        return PREFACE + length_before(e + e1)

    def read_b(self, message: bytes) -> bytes:
        """Return the responder's key, proven."""
        bounds = (0, 32, 1136, 1184, len(message))
        e, ciphertext, s, identity = (message[start:end] for start, end in pairwise(bounds))
        self.remote = X25519PublicKey.from_public_bytes(e)
        self.noise.mix_hash(e)
        self.noise.mix_key(self.ephemeral.exchange(self.remote))
        self.noise.mix_key(self.kem.decapsulate(self.noise.decrypt_and_hash(ciphertext)))
        static = self.noise.decrypt_and_hash(s)
        self.noise.mix_key(self.ephemeral.exchange(X25519PublicKey.from_public_bytes(static)))
        signed = b"p2pchat/1 identity\0" + b"R" + self.noise.h + static
        payload = self.noise.decrypt_and_hash(identity)
        assert payload[:1] == b"\x01"
        Ed25519PublicKey.from_public_bytes(payload[1:33]).verify(payload[33:97], signed)
        return payload[1:33]

    def write_c(self) -> bytes:
        static = self.static.public_key().public_bytes_raw()
        message = self.noise.encrypt_and_hash(static)
        self.noise.mix_key(self.static.exchange(self.remote))
        signature = self.identity.sign(b"p2pchat/1 identity\0" + b"I" + self.noise.h + static)
        key = self.identity.public_key().public_bytes_raw()
        message += self.noise.encrypt_and_hash(b"\x01" + key + signature)
        return length_before(message)


def test_it_shakes_hands_and_reads_every_record() -> None:
    steps = [(step["from"], bytes.fromhex(step["bytes"]), step.get("frames")) for step in KAT["steps"]]
    peer = SecondPeer()
    assert peer.begin() == steps[0][1]
    assert (
        peer.read_b(steps[1][1][2:]) == Ed25519PrivateKey.from_private_bytes(private(8)).public_key().public_bytes_raw()
    )
    assert peer.write_c() == steps[2][1]
    assert peer.noise.h.hex() == KAT["binding"]

    keys = dict(zip(("initiator", "responder"), peer.noise.hkdf(b""), strict=True))
    sent: Counter[str] = Counter()
    for side, record, frames in steps[3:]:
        plaintext = ChaCha20Poly1305(keys[side]).decrypt(nonce(sent[side]), record[2:], None)
        sent[side] += 1
        assert int.from_bytes(record[:2]) == len(record) - 2
        assert plaintext == bytes.fromhex(frames).ljust(len(plaintext), b"\0")
        assert len(plaintext) == padded(len(frames) // 2)


def padded(n: int) -> int:
    """Return to how many bytes a sender pads n bytes of frames (section 2)."""
    n = max(256, n)
    e = n.bit_length() - 1
    unit = 1 << (e - e.bit_length())
    return min(65519, -(-n // unit) * unit)


def test_it_pads_to_the_same_lengths() -> None:
    assert {n: padded(int(n)) for n in KAT["padded"]} == KAT["padded"]


def test_it_names_the_same_positions() -> None:
    epoch = bytes.fromhex(KAT["chain"]["epoch"])
    ids = [n.to_bytes(16) for n in range(1, 201)]

    def state(n: int) -> bytes:
        c = bytes(16)
        for k in range(1, n // 64 + 1):
            c = sha256(b"p2pchat/1 chain\0", epoch, c, *ids[64 * k - 64 : 64 * k])[:16]
        return b"".join([c, *ids[n - n % 64 : n]])

    for text, at in KAT["chain"]["at"].items():
        n = int(text)
        assert len(state(n)) == at["state_bytes"] == 16 * (1 + n % 64)
        assert sha256(b"p2pchat/1 position\0", epoch, n.to_bytes(8), state(n))[:16].hex() == at["position"]
    assert sha256(b"p2pchat/1 position\0", bytes(8), bytes(16))[:16].hex() == KAT["chain"]["empty"]


def test_it_computes_the_same_fingerprint() -> None:
    key = Ed25519PrivateKey.from_private_bytes(private(7)).public_key().public_bytes_raw()
    d = h = b"p2pchat/1 fingerprint\0" + b"\x01" + key
    for _ in range(5200):
        h = hashlib.sha512(h + d).digest()
    groups = [int.from_bytes(h[5 * i : 5 * i + 5]) % 100000 for i in range(6)]
    assert " ".join(f"{group:05}" for group in groups) == KAT["fingerprints"][0]


def test_it_believes_the_voucher() -> None:
    recorded = {name: bytes.fromhex(text) for name, text in KAT["guest_payload"].items()}
    payload = recorded["payload"]
    guest, extension, voucher = payload[1:33], payload[97:100], payload[100:]
    assert extension == b"\x01\x00\x40"
    owner = Ed25519PrivateKey.from_private_bytes(recorded["owner_private"]).public_key()
    owner.verify(voucher, b"p2pchat/1 guest\0" + recorded["h"] + recorded["static"] + guest)
