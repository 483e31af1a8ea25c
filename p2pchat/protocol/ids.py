"""Ids of entries: UUIDv7, a time in front so that they sort roughly, randomness behind so that no two are equal.

Source: docs/protocol.md, section 3.3; RFC 9562, section 5.7.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_TAIL_LENGTH: Final = 10  # bytes of an id behind its 6 bytes of time
_DRAWN_AT_ONCE: Final = 64  # ids; asking for randomness costs as much for one as for many
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
        return _time_bytes(now_ms) + self._tails.pop()

    def draw_many(self, count: int, now_ms: int) -> list[bytes]:
        """Return `count` fresh ids for entries made at `now_ms` (Unix milliseconds)."""
        time = _time_bytes(now_ms)
        return [time + tail for tail in self._random_tails(count)]

    def _random_tails(self, count: int) -> list[bytes]:
        # Strided assignment sets the version and variant bits of all ids at once, in C.
        block = bytearray(self._entropy(count * _TAIL_LENGTH))
        block[0::_TAIL_LENGTH] = block[0::_TAIL_LENGTH].translate(_VERSION)
        block[2::_TAIL_LENGTH] = block[2::_TAIL_LENGTH].translate(_VARIANT)
        tails = bytes(block)
        return [tails[start : start + _TAIL_LENGTH] for start in range(0, len(tails), _TAIL_LENGTH)]


def _time_bytes(now_ms: int) -> bytes:
    return (now_ms & 0xFFFF_FFFF_FFFF).to_bytes(6)
