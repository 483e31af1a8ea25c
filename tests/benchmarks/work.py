"""What is sent: the same for all."""

from __future__ import annotations

LENGTH = 64  # bytes of one message
BATCH = 1000  # messages that are sent in one go, where there is such a thing

TEXTS = [f"message {i:03} ".ljust(LENGTH, "x") for i in range(BATCH)]


def batches(count: int) -> list[int]:
    """Return the sizes of the batches that carry `count` messages."""
    whole, rest = divmod(count, BATCH)
    return [BATCH] * whole + [rest] * (rest > 0)
