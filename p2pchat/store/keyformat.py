"""How a private key is written: PKCS#8 in PEM, or OpenSSH's own format, which a passphrase protects.

The second one tells the public key in the clear, so who we are is known without the passphrase. Both are read by other
tools; `ssh-keygen -y -f identity.key` asks for the passphrase and prints the public key.

Source: docs/protocol.md, section 9; PROTOCOL.key of OpenSSH.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import Final, final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.crypto.identity import KEY_LENGTH, Identity, PeerId
from p2pchat.errors import BadData, ConfigurationError, WrongPassphrase

ROUNDS: Final = 24  # of bcrypt: some tenths of a second for us, and for each guess of a thief
MAX_PASSPHRASE: Final = 1023  # bytes, of `cryptography`

_BEGIN: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_END: Final = b"-----END OPENSSH PRIVATE KEY-----"
_MAGIC: Final = b"openssh-key-v1\0"
_NOTHING: Final = b"none"  # the name of the cipher where there is no passphrase


@final
@dataclass(frozen=True, slots=True)
class Locked:
    """A key that only its passphrase opens."""

    peer_id: PeerId
    _content: bytes = field(repr=False)

    def open(self, passphrase: str) -> Identity:
        """Return the identity. Takes some tenths of a second, so never call it in an event loop.

        Raises:
          WrongPassphrase: if `passphrase` does not open it.
          ConfigurationError: if bcrypt is not installed.
        """
        try:
            key = serialization.load_ssh_private_key(self._content, password=_bytes(passphrase))
        except (ValueError, TypeError) as exc:
            raise WrongPassphrase(
                "this passphrase does not open the key",
                hint="try again; if you are sure of it the file is damaged: put your copy there",
            ) from exc
        except UnsupportedAlgorithm as exc:
            raise _missing(exc) from exc
        return _identity(key)


def encode(identity: Identity, passphrase: str = "") -> bytes:
    """Return the content of a key file; with a passphrase that takes some tenths of a second.

    Raises:
      BadData: if the passphrase is too long.
      ConfigurationError: if bcrypt is not installed.
    """
    key = Ed25519PrivateKey.from_private_bytes(identity.seed)
    if not passphrase:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    secret = _bytes(passphrase)
    if len(secret) > MAX_PASSPHRASE:
        raise BadData(f"a passphrase can have {MAX_PASSPHRASE} bytes, and this one has {len(secret)}")
    protection = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(ROUNDS).build(secret)
    try:
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, protection)
    except UnsupportedAlgorithm as exc:
        raise _missing(exc) from exc


def decode(content: bytes) -> Identity | Locked:
    """Return the identity in the `content` of a key file, or what the passphrase opens.

    Raises:
      ValueError: if that is no Ed25519 key in one of the two formats.
    """
    try:
        if not content.lstrip().startswith(_BEGIN):
            return _identity(serialization.load_pem_private_key(content, password=None))
        cipher, key = _header(content)
        if cipher != _NOTHING:
            return Locked(PeerId(key), content)
        return _identity(serialization.load_ssh_private_key(content, password=None))
    except (TypeError, UnsupportedAlgorithm) as exc:  # TypeError: PKCS#8 that wants a passphrase
        raise ValueError(str(exc)) from exc


def _header(content: bytes) -> tuple[bytes, bytes]:
    """Return the name of the cipher and the public key, both of which OpenSSH's format tells in the clear."""
    body, end, _ = content.partition(_BEGIN)[2].partition(_END)
    data = binascii.a2b_base64(body)
    if not end or not data.startswith(_MAGIC):
        raise ValueError("not OpenSSH's format")
    cipher, data = _string(data[len(_MAGIC) :])
    _, data = _string(data)  # how the passphrase becomes a key
    _, data = _string(data)  # and with which numbers
    public, _ = _string(data[4:])  # behind the number of keys
    kind, public = _string(public)
    key, _ = _string(public)
    if kind != b"ssh-ed25519" or len(key) != KEY_LENGTH:
        raise ValueError("not an Ed25519 key")
    return cipher, key


def _string(data: bytes) -> tuple[bytes, bytes]:
    """Return the first string in `data`, and what comes behind it (RFC 4251, section 5)."""
    end = 4 + int.from_bytes(data[:4])
    if len(data) < max(4, end):
        raise ValueError("cut short")
    return data[4:end], data[end:]


def _identity(key: object) -> Identity:
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")  # noqa: TRY004  (of what a file says, not of a type)
    return Identity(key)


def _bytes(passphrase: str) -> bytes:
    """Return `passphrase` as OpenSSH would take it: what was typed or set, byte for byte."""
    return passphrase.encode("utf-8", "surrogateescape")


def _missing(exc: UnsupportedAlgorithm) -> ConfigurationError:
    return ConfigurationError(
        f"a key with a passphrase cannot be used here: {str(exc).lower()}", hint="`pip install bcrypt` where p2pchat is"
    )
