"""Randomness that a test has written down."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Entropy = Callable[[int], bytes]


def scripted(*draws: bytes) -> Entropy:
    """Return an entropy that gives `draws` in turn, each of the size that is asked for, and nothing more."""
    left = list(draws)

    def entropy(size: int) -> bytes:
        draw = left.pop(0)
        assert len(draw) == size
        return draw

    return entropy


def seeded(seed: int) -> Entropy:
    """Return an entropy without end that is the same for the same `seed`."""
    return Random(seed).randbytes
