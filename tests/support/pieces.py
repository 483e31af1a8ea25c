"""Cutting bytes in pieces, as a network does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

Cut = Callable[[bytes], Iterable[bytes]]


def whole(data: bytes) -> Iterable[bytes]:
    """Cut nowhere."""
    return (data,)


def by_bytes(data: bytes) -> Iterator[bytes]:
    """Cut everywhere."""
    return (data[i : i + 1] for i in range(len(data)))


def at(places: Iterable[int]) -> Cut:
    """Return a way to cut at any `places`, whatever numbers they are."""

    def cut(data: bytes) -> Iterator[bytes]:
        edges = {0, len(data), *(place % (len(data) + 1) for place in places)}
        return (data[start:end] for start, end in pairwise(sorted(edges)))

    return cut
