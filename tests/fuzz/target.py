"""What a fuzz target is: a function of bytes that raises when a promise is broken, and what to begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One way in, and what is promised of whoever comes that way."""

    run: Callable[[bytes], None]  # raises whatever is not declared, or AssertionError
    seeds: Callable[[], Iterable[bytes]]  # inputs to begin with: each goes somewhere else
    tokens: Callable[[], Iterable[bytes]]  # pieces that inputs are made of; chance would not find them
    max_length: int  # bytes of an input
    #: Makes a new input of one where blind changes would break it: by dice, and blindly in what has no structure.
    change: Callable[[bytes, Random, Callable[[bytes, int], bytes]], bytes] | None = None


def must(holds: object, promise: str) -> None:
    """Raise AssertionError if `promise` does not hold; an `assert` is no word of a tool that -O may silence."""
    if not holds:
        raise AssertionError(promise)


class Bytes:
    """An input that is read from its beginning; what it lacks is zeros, so that no input is wasted."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def __bool__(self) -> bool:
        return self._position < len(self._data)

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes, or those that are left."""
        taken = self._data[self._position : self._position + count]
        self._position += count
        return taken

    def number(self, size: int = 1) -> int:
        """Return the next `size` bytes as a number."""
        return int.from_bytes(self.take(size).ljust(size, b"\0"))

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(len(self._data))
