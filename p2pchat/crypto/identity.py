"""Who a peer is: an Ed25519 key, as an id to copy and as a fingerprint to compare.

Every signature in the project is made by `Identity.sign` and judged by `PeerId.verify`, so what is refused is refused
everywhere. Nothing here reads a file or draws a random number: see `p2pchat/store/keyfile.py` for both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from p2pchat.crypto import bech32
from p2pchat.errors import AddressError

KEY_LENGTH = 32  # bytes, of a public key and of a seed
SIGNATURE_LENGTH = 64  # bytes

PREFIX = "peer"
ED25519 = b"\x01"  # the type byte in ids and fingerprints; 02 is reserved (docs/protocol.md 1.2)

_HINT = "a peer id looks like peer1qyfe3a3vd5dy2lz3hf4ykheah5hknl9fxgtzrrwgn9lyz6730kfu5mgmy82"

FINGERPRINT_ROUNDS = 5200  # Signal's number: some milliseconds here, dear for who looks for a lookalike
FINGERPRINT_GROUPS = 6  # of five digits: 100 bits

FIELD = 2**255 - 19
SIGN_BIT = 1 << 255
#: The y of the eight points of small order; x only differs in sign. Under such a key one forged signature fits any
#: message ("Taming the many EdDSAs", Chalkias, Garillot, Nikolaenko, 2020).
SMALL_ORDER = frozenset(
    {
        0,
        1,
        FIELD - 1,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
    }
)


@final
@dataclass(frozen=True, slots=True, order=True)
class PeerId:
    """A peer's public key; `str` gives the 64 characters ``peer1…`` that people copy.

    Order is bytewise by key, as the rules for simultaneous dials need it.
    """

    key: bytes  # Ed25519 public key, 32 bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the id that somebody typed or pasted as `text`; capitals are fine.

        Raises:
          AddressError: if it is not a peer id, or one that no peer can have.

        Source: docs/protocol.md, section 5.
        """
        try:
            data = bech32.decode(PREFIX, text)
        except ValueError as exc:
            raise AddressError(f"{text[:80]!a} is not a peer id: {exc}", hint=_HINT) from exc
        if data[:1] != ED25519 or not is_usable(key := data[1:]):
            raise AddressError(f"{text!a} is the id of a key that this version does not know", hint=_HINT)
        return cls(key)

    def __str__(self) -> str:
        return bech32.encode(PREFIX, ED25519 + self.key)

    @property
    def fingerprint(self) -> str:
        """Thirty digits, in groups of five, to compare by voice; takes some milliseconds.

        Source: docs/protocol.md, section 5.
        """
        subject = b"p2pchat/1 fingerprint\0" + ED25519 + self.key
        digest = subject
        for _ in range(FINGERPRINT_ROUNDS):
            digest = hashlib.sha512(digest + subject).digest()
        groups = (int.from_bytes(digest[5 * i : 5 * i + 5]) % 100_000 for i in range(FINGERPRINT_GROUPS))
        return " ".join(f"{group:05}" for group in groups)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Return whether this peer made `signature` over `message`; keys that are not usable verify nothing."""
        if not is_usable(self.key):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except (ValueError, InvalidSignature):
            return False
        return True


@final
class Identity:
    """A key pair: who we are. Its `repr` shows the public half only."""

    __slots__ = ("_private", "peer_id")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.peer_id: PeerId = PeerId(private.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, entropy: Callable[[int], bytes]) -> Self:
        """Return a new identity made from 32 bytes of `entropy`."""
        return cls.from_seed(entropy(KEY_LENGTH))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Return the identity of a private key of 32 bytes (RFC 8032's secret key)."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def seed(self) -> bytes:
        """The private key, 32 bytes. For the key file; nothing else asks for it."""
        return self._private.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return our signature over `message`, 64 bytes."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"Identity({self.peer_id})"


def is_usable(key: bytes) -> bool:
    """Return whether `key` is a canonical encoding of a point that is not of small order.

    Source: docs/protocol.md, section 1.2. That the point is on the curve is left to `PeerId.verify`.
    """
    y = int.from_bytes(key, "little") & ~SIGN_BIT
    return len(key) == KEY_LENGTH and y < FIELD and y not in SMALL_ORDER
