"""Ids of entries: UUIDv7, a time in front so that they sort roughly, randomness behind so that no two are equal.

Source: docs/protocol.md, section 3.3; RFC 9562, section 5.7.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

_TIME_LENGTH: Final = 6  # bytes: Unix milliseconds
_TIME_MASK: Final = 2 ** (8 * _TIME_LENGTH) - 1
_TAIL_LENGTH: Final = 10  # bytes: randomness, but for 6 bits that say "version 7" and "variant 2"
_DRAWN_AT_ONCE: Final = 64  # tails; asking for randomness costs nearly as much for one as for many
_VERSION: Final = bytes(0x70 | value & 0x0F for value in range(256))
_VARIANT: Final = bytes(0x80 | value & 0x3F for value in range(256))


class EntryIds:
    """An endless source of ids, made from `entropy(n)`, n random bytes."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._tails: list[bytes] = []

    def draw(self, now_ms: int) -> bytes:
        """Return a fresh id (16 bytes) for an entry made at `now_ms` (Unix milliseconds)."""
        if not self._tails:
            self._tails = self._random_tails(_DRAWN_AT_ONCE)
        return (now_ms & _TIME_MASK).to_bytes(_TIME_LENGTH) + self._tails.pop()

    def draw_many(self, count: int, now_ms: int) -> list[bytes]:
        """Return `count` fresh ids for entries made at `now_ms` (Unix milliseconds)."""
        time = (now_ms & _TIME_MASK).to_bytes(_TIME_LENGTH)
        joined = time.join([b"", *self._random_tails(count)])  # the time before each tail; joined, then cut, in C
        return list(struct.unpack(f"{_TIME_LENGTH + _TAIL_LENGTH}s" * count, joined))

    def _random_tails(self, count: int) -> list[bytes]:
        tails = bytearray(self._entropy(count * _TAIL_LENGTH))
        tails[0::_TAIL_LENGTH] = tails[0::_TAIL_LENGTH].translate(_VERSION)
        tails[2::_TAIL_LENGTH] = tails[2::_TAIL_LENGTH].translate(_VARIANT)
        return list(struct.unpack(f"{_TAIL_LENGTH}s" * count, tails))
