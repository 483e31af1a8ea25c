"""CPace: two who share a few words prove that to each other, and nobody else learns anything to try words on.

This is CPACE-X25519-SHA512 of draft-irtf-cfrg-cpace-21 as initiator and responder, with its explicit confirmation tags.
A, who speaks first, and B each multiply a generator that follows from the secret, and so from one guess; who guessed
wrong holds another key, and the tags show it. One run is one guess, for everybody, and tells nothing about the others.

X25519 is that of `cryptography`. The map from the secret to the generator is integer arithmetic, which does not take
the same time for every secret: a secret must be good for few runs only. Nothing here is wiped from memory, nor can be.

Source: docs/protocol.md, section 5.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

SHARE_LENGTH: Final = 32  # bytes
TAG_LENGTH: Final = 64  # bytes

_DSI: Final = b"CPace255"
_BLOCK: Final = 128  # bytes that SHA-512 takes at a time

# Curve25519 is v² = u³ + A·u² + u over this field (RFC 7748); 2 is the non-square of its Elligator 2 (RFC 9380).
_FIELD: Final = 2**255 - 19
_A: Final = 486662
_Z: Final = 2


@final
@dataclass(frozen=True, slots=True)
class Keys:
    """What a run gave one side. Both have the same if they know the same secret and saw the same run."""

    isk: bytes = field(repr=False)  # 64 bytes; nothing but the tags is made of it here
    tag_a: bytes = field(repr=False)  # A's proof that it knows `isk`
    tag_b: bytes = field(repr=False)  # B's

    def confirms_a(self, tag: bytes) -> bool:
        """Return whether `tag` is A's proof."""
        return hmac.compare_digest(tag, self.tag_a)

    def confirms_b(self, tag: bytes) -> bool:
        """Return whether `tag` is B's proof."""
        return hmac.compare_digest(tag, self.tag_b)


@final
class Pake:
    """One side of one run."""

    __slots__ = ("_scalar", "_sid", "share")

    def __init__(self, prs: bytes, *, ci: bytes, sid: bytes, entropy: Callable[[int], bytes]) -> None:
        """Begin a run.

        Args:
          prs: the secret, however few bits it has.
          ci: what it is for, and who the two are: both sides must mean the same.
          sid: the name of this run, never used for another one.
          entropy: draws 32 bytes for this run alone.
        """
        self._sid = sid
        self._scalar = X25519PrivateKey.from_private_bytes(entropy(SHARE_LENGTH))
        self.share: bytes = self._times(generator(prs, ci, sid))  #: what the other side has to get, 32 bytes

    def finish(self, peer_share: bytes, ad_a: bytes, ad_b: bytes, *, first: bool) -> Keys:
        """Return what follows from the other side's share.

        Args:
          peer_share: as it came.
          ad_a: what A says about itself beside its share.
          ad_b: what B says.
          first: whether we are A.

        Raises:
          ValueError: if `peer_share` is none, makes the key the same for every secret, or is our own come back.
        """
        if peer_share == self.share:
            raise ValueError("our own share has come back")
        shares = (self.share, peer_share) if first else (peer_share, self.share)
        message_a, message_b = _lv_cat(shares[0], ad_a), _lv_cat(shares[1], ad_b)
        secret = self._times(peer_share)
        isk = _sha512(_lv_cat(_DSI + b"_ISK", self._sid, secret) + message_a + message_b)
        mac_key = _sha512(b"CPaceMac" + self._sid + isk)
        return Keys(isk, hmac.digest(mac_key, message_a, "sha512"), hmac.digest(mac_key, message_b, "sha512"))

    def __repr__(self) -> str:
        return f"Pake({self.share.hex()})"

    def _times(self, point: bytes) -> bytes:
        """Multiply `point`.

        Raises:
          ValueError: if it is no point of 32 bytes, or one of the few whose multiples are all the same.
        """
        return self._scalar.exchange(X25519PublicKey.from_public_bytes(point))


def generator(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """Return the point that stands for the secret `prs` in this run: the draft's calculate_generator."""
    padding = max(0, _BLOCK - 1 - len(_lv_cat(prs)) - len(_lv_cat(_DSI)))  # `prs` fills the hash's first block alone
    digest = _sha512(_lv_cat(_DSI, prs, bytes(padding), ci, sid))[:SHARE_LENGTH]
    u = int.from_bytes(digest, "little") % 2**255  # RFC 7748's decodeUCoordinate
    return _elligator2(u).to_bytes(SHARE_LENGTH, "little")


def _elligator2(r: int) -> int:
    """Return the u of the point that RFC 9380, section 6.7.1, gives the field element `r`.

    There is an inverse: minus one is a square here and 2 is not, so 1 + 2r² is never zero. And `u` is on the curve, or
    else ``-u - A`` is.
    """
    u = -_A * pow(1 + _Z * r * r, -1, _FIELD) % _FIELD
    on_curve = pow(u**3 + _A * u**2 + u, (_FIELD - 1) // 2, _FIELD) == 1
    return u if on_curve else (-u - _A) % _FIELD


def _lv_cat(*parts: bytes) -> bytes:
    """Return `parts`, each after its length in LEB128, so that no two lists of parts give the same bytes."""
    joined = bytearray()
    for part in parts:
        length = len(part)
        while length > 0x7F:
            joined.append(length & 0x7F | 0x80)
            length >>= 7
        joined.append(length)
        joined += part
    return bytes(joined)


def _sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()
