"""The cipher of records: Noise's, with a new key now and then.

Source: docs/protocol.md, 1.4 ("Rekey") and section 2.
"""

from __future__ import annotations

from typing import final

from p2pchat.crypto import noise

REKEY_INTERVAL = 4096  # records, per direction
OVERHEAD = noise.TAG_LENGTH  # bytes by which a record is longer than its plaintext


@final
class RecordCipher:
    """One direction of one connection. Records are sealed, or opened, in the order in which they travel."""

    __slots__ = ("_cipher",)

    def __init__(self, cipher: noise.CipherState) -> None:
        self._cipher = cipher

    def seal(self, plaintext: bytes | bytearray | memoryview) -> bytes:
        """Return the ciphertext of the next record, without its length.

        Raises:
          LocalProtocolError: when 2^64 - 1 records were sealed.
        """
        ciphertext = self._cipher.encrypt(plaintext)
        self._count()
        return ciphertext

    def open(self, ciphertext: bytes | memoryview) -> bytes:
        """Return the plaintext of the next record.

        Raises:
          RemoteProtocolError: if the record is not genuine or not the next one. The connection is to end.
        """
        plaintext = self._cipher.decrypt(ciphertext)
        self._count()
        return plaintext

    def _count(self) -> None:
        if self._cipher.nonce % REKEY_INTERVAL == 0:
            self._cipher.rekey()
