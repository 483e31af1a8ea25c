"""Hiding lengths: what a record holds is padded with zeros to one of few sizes.

Padmé leaves log2(log2 n) bits of a length visible and costs at most 12 %. Everything up to 256 bytes, which is nearly
every message that a person types, looks the same. Nothing is ever compressed.

Source: docs/protocol.md, section 2; Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication
with PURBs", 2019.
"""

from __future__ import annotations

from typing import Final

MAX_PLAINTEXT: Final = 65519  # bytes: a record (65535) less its tag (16)
MIN_PADDED: Final = 256  # bytes

# Comparing with a slice of this takes a tenth of the time that counting zeros would.
_ZEROS: Final = bytes(MAX_PLAINTEXT)


def padme(length: int) -> int:
    """Return `length` (bytes, at least 2) rounded up so that few of its bits say anything."""
    exponent = length.bit_length() - 1
    kept_bits = exponent.bit_length()
    mask = (1 << (exponent - kept_bits)) - 1
    return (length + mask) & ~mask


def padded_length(length: int) -> int:
    """Return the size to which `length` bytes (1 … MAX_PLAINTEXT) of frames are padded."""
    if length <= MIN_PADDED:
        return MIN_PADDED
    return min(MAX_PLAINTEXT, padme(length))


def pad(plaintext: bytearray) -> None:
    """Append zeros to `plaintext`, 1 … MAX_PLAINTEXT bytes, until it has one of the few sizes."""
    plaintext += _ZEROS[: padded_length(len(plaintext)) - len(plaintext)]


def is_padding(plaintext: bytes | bytearray, start: int) -> bool:
    """Return whether everything from `start` on, at most MAX_PLAINTEXT bytes, is zero."""
    return plaintext.endswith(_ZEROS[: len(plaintext) - start])
