"""Noise revision 34, and the unofficial hfs extension (a KEM beside the Diffie-Hellman).

Names and methods are the specification's. Patterns are data; this package ships one, `XXHFS`, and its tests bring the
others, because the official vectors are what this file is held to. 25519 and ChaChaPoly only.

A handshake and its transport are two types (an idea of snow's): keys come out of `HandshakeState.split`, which exists
only at the end, so nothing can be sent under keys that are not there yet. When a method has raised, throw the state
away: its hash has moved on.

Source: https://noiseprotocol.org/noise.html; the hfs extension in github.com/noiseprotocol/noise_hfs_spec.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import itertools
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from p2pchat.crypto import kem
from p2pchat.errors import LocalProtocolError, RemoteProtocolError

KEY_LENGTH = 32  # bytes: DHLEN, HASHLEN of both hashes, and cipher keys
TAG_LENGTH = 16  # bytes
LAST_NONCE = 2**64 - 1  # reserved for rekeying, never used for a message

Hash = Literal["SHA256", "BLAKE2s"]
HASHES: dict[Hash, Callable[..., hashlib._Hash]] = {
    "SHA256": hashlib.sha256,  # a function, not a name: with it `hmac.digest` takes a fifth less
    "BLAKE2s": partial(hashlib.new, "blake2s"),
}
Token = Literal["e", "s", "ee", "es", "se", "ss", "psk", "e1", "ekem1"]
Tokens = tuple[Token, ...]


class Role(enum.Enum):
    """Which of the two one is; the value is how a signature names it."""

    INITIATOR = b"I"
    RESPONDER = b"R"

    @property
    def other(self) -> Role:
        """The role of the other side."""
        return Role.RESPONDER if self is Role.INITIATOR else Role.INITIATOR


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A handshake pattern with its hash: what a Noise protocol name says."""

    pattern: str
    messages: tuple[Tokens, ...]  # the initiator's first, then in turn
    known: tuple[Role, ...] = ()  # whose static the other side has beforehand: the pre-messages, in their order
    hash: Hash = "SHA256"

    @property
    def name(self) -> bytes:
        """The name that is hashed first, as ``Noise_XX_25519_ChaChaPoly_SHA256``."""
        dh = "25519+MLKEM768" if self.uses("e1") else "25519"
        return f"Noise_{self.pattern}_{dh}_ChaChaPoly_{self.hash}".encode()

    def uses(self, token: Token) -> bool:
        """Return whether `token` occurs in a message."""
        return any(token in message for message in self.messages)


#: The only handshake of p2pchat (docs/protocol.md 1.1).
XXHFS = Protocol(
    pattern="XXhfs",
    messages=(("e", "e1"), ("e", "ee", "ekem1", "s", "es"), ("s", "se")),
)


_encode_nonce = struct.Struct("<4xQ").pack  # Noise, section 12: 32 zero bits, then little-endian


@final
class CipherState:
    """A key and the count of what was done under it, for one direction.

    Source: Noise, section 5.1.
    """

    __slots__ = ("_aead", "nonce")

    def __init__(self, key: bytes) -> None:
        self._aead = ChaCha20Poly1305(key)
        self.nonce: int = 0

    def encrypt(self, plaintext: bytes | bytearray | memoryview, ad: bytes | None = None) -> bytes:
        """Return `plaintext` and its tag under the next nonce.

        Raises:
          LocalProtocolError: if the nonces are spent.
        """
        if self.nonce == LAST_NONCE:
            raise LocalProtocolError("the nonces of this key are spent")
        ciphertext = self._aead.encrypt(_encode_nonce(self.nonce), plaintext, ad)
        self.nonce += 1
        return ciphertext

    def decrypt(self, ciphertext: bytes | memoryview, ad: bytes | None = None) -> bytes:
        """Return what the other side encrypted under the next nonce.

        Raises:
          RemoteProtocolError: if the tag is wrong or missing, or the nonces are spent. Nothing has changed.
        """
        if self.nonce == LAST_NONCE:
            raise RemoteProtocolError("the nonces of this key are spent")
        try:
            plaintext = self._aead.decrypt(_encode_nonce(self.nonce), ciphertext, ad)
        except InvalidTag as exc:
            raise RemoteProtocolError("a tag is wrong") from exc
        self.nonce += 1
        return plaintext

    def rekey(self) -> None:
        """Replace the key by one that does not lead back to it; the nonce goes on."""
        key = self._aead.encrypt(_encode_nonce(LAST_NONCE), bytes(KEY_LENGTH), None)
        self._aead = ChaCha20Poly1305(key[:KEY_LENGTH])


@final
class SymmetricState:
    """The chaining key, the hash of all that was said, and the cipher that both lead to.

    Source: Noise, section 5.2.
    """

    __slots__ = ("_chaining_key", "_cipher", "_hash", "hash")

    def __init__(self, protocol: Protocol) -> None:
        self._hash = HASHES[protocol.hash]
        name = protocol.name
        self.hash: bytes = name.ljust(KEY_LENGTH, b"\0") if len(name) <= KEY_LENGTH else self._digest(name)
        self._chaining_key = self.hash
        self._cipher: CipherState | None = None  # nothing is encrypted before the first key

    @property
    def overhead(self) -> int:
        """By how many bytes `encrypt_and_hash` makes longer."""
        return TAG_LENGTH if self._cipher else 0

    def mix_key(self, material: bytes) -> None:
        """Let the keys that follow depend on `material`."""
        self._chaining_key, key = self._derive(material, 2)
        self._cipher = CipherState(key)

    def mix_hash(self, data: bytes) -> None:
        """Let all that follows vouch for `data`."""
        self.hash = self._digest(self.hash + data)

    def mix_key_and_hash(self, material: bytes) -> None:
        """Do both with a secret that the two sides share already."""
        self._chaining_key, data, key = self._derive(material, 3)
        self.mix_hash(data)
        self._cipher = CipherState(key)

    def encrypt_and_hash(self, plaintext: bytes) -> bytes:
        """Return `plaintext`, encrypted as soon as there is a key."""
        ciphertext = self._cipher.encrypt(plaintext, self.hash) if self._cipher else plaintext
        self.mix_hash(ciphertext)
        return ciphertext

    def decrypt_and_hash(self, ciphertext: bytes) -> bytes:
        """Return what the other side's `encrypt_and_hash` was given.

        Raises:
          RemoteProtocolError: if the tag is wrong.
        """
        plaintext = self._cipher.decrypt(ciphertext, self.hash) if self._cipher else ciphertext
        self.mix_hash(ciphertext)
        return plaintext

    def split(self) -> tuple[CipherState, CipherState]:
        """Return the initiator's cipher and the responder's, for sending."""
        first, second = self._derive(b"", 2)
        return CipherState(first), CipherState(second)

    def _derive(self, material: bytes, count: int) -> list[bytes]:
        """Return `count` outputs of HKDF (Noise, section 4.3)."""
        key = hmac.digest(self._chaining_key, material, self._hash)
        outputs = [b""]
        for i in range(1, count + 1):
            outputs.append(hmac.digest(key, outputs[-1] + bytes([i]), self._hash))
        return outputs[1:]

    def _digest(self, data: bytes) -> bytes:
        return self._hash(data).digest()


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """What a finished handshake leaves: a cipher for each direction, and the hash that names the channel."""

    send: CipherState
    receive: CipherState
    hash: bytes


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What one side brings to a handshake, as far as its pattern asks for it."""

    entropy: Callable[[int], bytes]  # draws the ephemeral (32 bytes), then the KEM's seed (64)
    static: X25519PrivateKey | None = None
    remote_static: bytes | None = None  # if it is known beforehand
    psks: tuple[bytes, ...] = ()  # in the order of the pattern's psk tokens
    encapsulate: kem.Encapsulate = kem.encapsulate


@final
class HandshakeState:
    """One side of one handshake: write and read in turn, then `split`.

    Source: Noise, section 5.3; psk, section 9; e1 and ekem1, noise_hfs, section 4.
    """

    def __init__(self, protocol: Protocol, role: Role, keys: Keys, *, prologue: bytes = b"") -> None:
        self._role = role
        self._keys = keys
        self._psks = list(keys.psks)
        self._turns = list(zip(itertools.cycle(Role), protocol.messages, strict=False))
        # With a psk the ephemeral is hashed into the key too: only it keeps two first messages apart (section 9.2).
        self._keyed_by_e = protocol.uses("psk")
        self._ours = {"s": keys.static} if keys.static else {}  # X25519, by the letter that tokens use
        self._theirs = {"s": keys.remote_static} if keys.remote_static else {}
        self._kem_secret: Callable[[bytes], bytes]
        self._their_kem = b""
        self._symmetric = SymmetricState(protocol)
        self._symmetric.mix_hash(prologue)
        for owner in protocol.known:
            self._symmetric.mix_hash(self._public("s") if owner is role else self._theirs["s"])

    @property
    def static(self) -> bytes:
        """Our static public key."""
        return self._public("s")

    @property
    def remote_static(self) -> bytes:
        """The other side's static public key, as soon as it has come."""
        return self._theirs["s"]

    def write_message(self, payload_for: Callable[[bytes], bytes]) -> bytes:
        """Return our next message.

        Args:
          payload_for: makes the payload from the handshake hash just before it is encrypted, so that a payload can be
            a signature over everything so far.

        Raises:
          LocalProtocolError: if it is not our turn.
          RemoteProtocolError: if a key of the other side is one that nobody can use.
        """
        fields = [self._write(token) for token in self._next_tokens(self._role)]
        return b"".join(fields) + self._symmetric.encrypt_and_hash(payload_for(self._symmetric.hash))

    def read_message(self, message: bytes) -> tuple[bytes, bytes]:
        """Return the payload of the other side's next message, and the handshake hash just before it.

        Raises:
          LocalProtocolError: if it is not the other side's turn.
          RemoteProtocolError: if a part of `message` is missing or not genuine; the text names the token.
        """
        tokens = self._next_tokens(self._role.other)
        part: Token | Literal["payload"] = "payload"
        try:
            for part in tokens:
                message = self._read(part, message)
            part, channel = "payload", self._symmetric.hash
            return self._symmetric.decrypt_and_hash(message), channel
        except RemoteProtocolError as exc:
            raise RemoteProtocolError(f"{part}: {exc}") from exc

    def split(self) -> Transport:
        """Return what the finished handshake has made; it is not to be used afterwards.

        Raises:
          LocalProtocolError: if messages are missing.
        """
        if self._turns:
            raise LocalProtocolError("the Noise handshake is not finished")
        first, second = self._symmetric.split()
        if self._role is Role.RESPONDER:
            first, second = second, first
        return Transport(send=first, receive=second, hash=self._symmetric.hash)

    def _next_tokens(self, writer: Role) -> Tokens:
        """Return the tokens of the next message if `writer` writes it."""
        if not self._turns or self._turns[0][0] is not writer:
            raise LocalProtocolError(f"it is not the {writer.name.lower()}'s turn to write")
        return self._turns.pop(0)[1]

    def _write(self, token: Token) -> bytes:
        """Do what `token` asks of the writer and return its field, maybe empty."""
        match token:
            case "e":
                self._ours["e"] = X25519PrivateKey.from_private_bytes(self._keys.entropy(KEY_LENGTH))
                return self._mix_ephemeral(self._public("e"))
            case "s":
                return self._symmetric.encrypt_and_hash(self._public("s"))
            case "e1":
                private = kem.generate(self._keys.entropy)
                self._kem_secret = private.decapsulate
                return self._symmetric.encrypt_and_hash(private.public_key().public_bytes_raw())
            case "ekem1":
                secret, ciphertext = self._keys.encapsulate(self._their_kem)
                field = self._symmetric.encrypt_and_hash(ciphertext)
                self._symmetric.mix_key(secret)
                return field
            case "psk":
                self._symmetric.mix_key_and_hash(self._psks.pop(0))
            case _:
                self._mix_dh(token)
        return b""

    def _read(self, token: Token, message: bytes) -> bytes:
        """Do what `token` asks of the reader, with its field at the front of `message`; return what is behind it."""
        length = self._length(token)
        if len(message) < length:
            raise RemoteProtocolError("the message ends before it")
        field = message[:length]
        match token:
            case "e":
                self._theirs["e"] = self._mix_ephemeral(field)
            case "s":
                self._theirs["s"] = self._symmetric.decrypt_and_hash(field)
            case "e1":
                self._their_kem = self._symmetric.decrypt_and_hash(field)
            case "ekem1":
                ciphertext = self._symmetric.decrypt_and_hash(field)
                self._symmetric.mix_key(self._kem_secret(ciphertext))
            case "psk":
                self._symmetric.mix_key_and_hash(self._psks.pop(0))
            case _:
                self._mix_dh(token)
        return message[length:]

    def _length(self, token: Token) -> int:
        """Return how long the field of `token` is now."""
        match token:
            case "e":
                return KEY_LENGTH
            case "s":
                return KEY_LENGTH + self._symmetric.overhead
            case "e1":
                return kem.PUBLIC_KEY_LENGTH + self._symmetric.overhead
            case "ekem1":
                return kem.CIPHERTEXT_LENGTH + self._symmetric.overhead
            case _:
                return 0

    def _mix_ephemeral(self, public: bytes) -> bytes:
        self._symmetric.mix_hash(public)
        if self._keyed_by_e:
            self._symmetric.mix_key(public)
        return public

    def _mix_dh(self, token: Token) -> None:
        """Mix in what the two keys that `token` names share; the first is the initiator's."""
        ours, theirs = (token[0], token[1]) if self._role is Role.INITIATOR else (token[1], token[0])
        try:
            secret = self._ours[ours].exchange(X25519PublicKey.from_public_bytes(self._theirs[theirs]))
        except ValueError as exc:  # a key of small order, under which any secret is zero (RFC 7748, section 6.1)
            raise RemoteProtocolError("the Diffie-Hellman result is zero") from exc
        self._symmetric.mix_key(secret)

    def _public(self, letter: str) -> bytes:
        return self._ours[letter].public_key().public_bytes_raw()
