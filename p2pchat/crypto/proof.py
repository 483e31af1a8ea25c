"""Proofs of identity: what messages B and C carry for each other's eyes.

A proof is a signature over the handshake so far, the signer's role in it and its Noise static key. So it holds in this
connection only, in this direction only, and a copied static key proves nothing tomorrow. A voucher is the same for a
guest: its owner's long-term key says "let this key in, here, now".

Source: docs/protocol.md, 1.2 and 1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from p2pchat.crypto.identity import KEY_LENGTH, SIGNATURE_LENGTH, Identity, PeerId
from p2pchat.errors import RemoteProtocolError

if TYPE_CHECKING:
    from p2pchat.crypto.noise import Role

IDENTITY_CONTEXT = b"p2pchat/1 identity\0"
GUEST_CONTEXT = b"p2pchat/1 guest\0"

ED25519 = 1  # the type of a payload; 2 is reserved
VOUCHER = 1  # the type of an extension
MAX_EXTENSIONS = 1024  # bytes, all of them together

_HEAD = struct.Struct(f">B{KEY_LENGTH}s{SIGNATURE_LENGTH}s")
_EXTENSION = struct.Struct(">BH")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """What a proof is bound to: the place in one handshake where it stands."""

    role: Role  # of who signs
    hash: bytes  # the handshake hash just before the payload is encrypted
    static: bytes  # the Noise static public key of who signs


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a payload proves."""

    peer: PeerId
    vouched: bool  # `peer` is a guest of the owner whose vouchers counted


def prove(identity: Identity, bond: Bond, *, voucher_by: Identity | None = None) -> bytes:
    """Return the identity payload: 97 bytes, 164 with a voucher.

    Args:
      identity: who signs.
      bond: where.
      voucher_by: who lets `identity`, a guest, in. Only its own node may see the result.
    """
    signature = identity.sign(_identity_statement(bond))
    payload = _HEAD.pack(ED25519, identity.peer_id.key, signature)
    if voucher_by is None:
        return payload
    return payload + encode_extensions({VOUCHER: voucher_by.sign(_guest_statement(identity.peer_id, bond))})


def verify(payload: bytes, bond: Bond, *, owner: PeerId | None) -> Proof:
    """Return what `payload` proves.

    Args:
      payload: as it came.
      bond: where it has to hold.
      owner: whose vouchers count, anybody else's being an offence; None where vouchers mean nothing.

    Raises:
      RemoteProtocolError: if it is malformed, or proves nothing here.
    """
    if len(payload) < _HEAD.size:
        raise RemoteProtocolError("the identity is cut short")
    kind, key, signature = _HEAD.unpack_from(payload)
    if kind != ED25519:
        raise RemoteProtocolError(f"identities of type {kind} are unknown")
    extensions = decode_extensions(payload[_HEAD.size :])
    peer = PeerId(key)
    if not peer.verify(signature, _identity_statement(bond)):
        raise RemoteProtocolError("the identity is not proven: wrong signature or key")
    voucher = extensions.get(VOUCHER)
    if voucher is None or owner is None:
        return Proof(peer=peer, vouched=False)
    if not owner.verify(voucher, _guest_statement(peer, bond)):
        raise RemoteProtocolError("the voucher is not ours")
    return Proof(peer=peer, vouched=True)


def encode_extensions(extensions: Mapping[int, bytes]) -> bytes:
    """Return the extensions as they stand at the end of a payload, by rising type."""
    return b"".join(_EXTENSION.pack(kind, len(value)) + value for kind, value in sorted(extensions.items()))


def decode_extensions(data: bytes) -> dict[int, bytes]:
    """Return what `encode_extensions` was given, unknown types too.

    Raises:
      RemoteProtocolError: if there are too many bytes, types that do not rise, or lengths that do not fit.
    """
    if len(data) > MAX_EXTENSIONS:
        raise RemoteProtocolError(f"{len(data)} bytes of extensions are too many")
    extensions: dict[int, bytes] = {}
    previous = -1
    while data:
        if len(data) < _EXTENSION.size:
            raise RemoteProtocolError("an extension is cut short")
        kind, length = _EXTENSION.unpack_from(data)
        value, data = data[_EXTENSION.size :][:length], data[_EXTENSION.size + length :]
        if len(value) < length:
            raise RemoteProtocolError("an extension is cut short")
        if kind <= previous:
            raise RemoteProtocolError("the types of extensions do not rise")
        extensions[kind] = value
        previous = kind
    return extensions


def _identity_statement(bond: Bond) -> bytes:
    return IDENTITY_CONTEXT + bond.role.value + bond.hash + bond.static


def _guest_statement(guest: PeerId, bond: Bond) -> bytes:
    return GUEST_CONTEXT + bond.hash + bond.static + guest.key
