"""ML-KEM-768 (FIPS 203), the half of the key agreement that a quantum computer does not break.

`cryptography` has it in every wheel since version 48, and elsewhere if it was built on OpenSSL 3.5 or later. Every use
goes through `_ml_kem`, so its absence is one error with one cure, whichever way it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm

from p2pchat.errors import ConfigurationError, RemoteProtocolError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import mlkem

PUBLIC_KEY_LENGTH = 1184  # bytes
CIPHERTEXT_LENGTH = 1088  # bytes
SEED_LENGTH = 64  # bytes: FIPS 203's d and z

#: From an encapsulation key to the shared secret (32 bytes) and its ciphertext. `cryptography` draws the randomness of
#: it by itself, so recorded handshakes can only be replayed by passing another function of this type.
Encapsulate = Callable[[bytes], tuple[bytes, bytes]]


def require() -> None:
    """Return if ML-KEM works here; a program that will need it says so at its start.

    Raises:
      ConfigurationError: if it does not.
    """
    generate(bytes)  # of zeros: only whether there is a key counts


def generate(entropy: Callable[[int], bytes]) -> mlkem.MLKEM768PrivateKey:
    """Return a new key made from 64 bytes of `entropy`.

    Raises:
      ConfigurationError: if the installed `cryptography` has no ML-KEM.
    """
    with _ml_kem():
        from cryptography.hazmat.primitives.asymmetric import mlkem  # noqa: PLC0415  (may be absent)

        return mlkem.MLKEM768PrivateKey.from_seed_bytes(entropy(SEED_LENGTH))


def encapsulate(public_key: bytes) -> tuple[bytes, bytes]:
    """Return a new secret and the ciphertext from which the owner of `public_key` gets it.

    Raises:
      RemoteProtocolError: if `public_key` has another length or coefficients out of range (FIPS 203, section 7.2).
      ConfigurationError: if the installed `cryptography` has no ML-KEM.
    """
    with _ml_kem():
        from cryptography.hazmat.primitives.asymmetric import mlkem  # noqa: PLC0415  (may be absent)

        try:
            return mlkem.MLKEM768PublicKey.from_public_bytes(public_key).encapsulate()
        except ValueError as exc:
            raise RemoteProtocolError("the ML-KEM key is not one") from exc


@contextmanager
def _ml_kem() -> Iterator[None]:
    """Turn the absence of ML-KEM into a `ConfigurationError`."""
    try:
        yield
    except (ImportError, UnsupportedAlgorithm) as exc:
        raise ConfigurationError(
            "the installed 'cryptography' has no ML-KEM-768, which every connection needs",
            hint="pip install --upgrade --force-reinstall cryptography gets a build that has it",
        ) from exc
