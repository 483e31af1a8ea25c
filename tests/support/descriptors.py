"""Descriptors of this process: which are open, and how it is to have none left."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


def open_descriptors() -> set[int]:
    """The open descriptors, but for the one that reads the list of them and is closed by now."""
    return {number for number in map(int, os.listdir("/dev/fd")) if _is_open(number)}  # noqa: PTH208  (not files)


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    """Make every attempt to open something fail with EMFILE, as in a process that has reached its limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
