"""How much of the disk one peer may fill: promise 5, whoever it is and however long it goes on.

It is refused a message when it has this much, and told so (STORE_FAILED); everybody else goes on. `history delete`
makes room.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from p2pchat.errors import QuotaExceeded

PEER_BYTES: Final = 2**30  # that one peer may make us keep at the most
PEER_SHARE: Final = 10  # ... and a tenth of what would be free without it, where that is less
ROW_BYTES: Final = 128  # that a message takes beside its body: its row and its places in two indexes

FreeBytes = Callable[[], int]


def free_bytes_beside(path: Path) -> FreeBytes:
    """Return what tells how many bytes are free on the disk that `path` is on."""
    return lambda: shutil.disk_usage(path.parent).free


def check(stored: int, more: int, free_bytes: FreeBytes) -> None:
    """Go on if a peer that made us keep `stored` bytes may add `more`.

    Raises:
      QuotaExceeded: if it may not.
    """
    allowed = min(PEER_BYTES, (free_bytes() + stored) // PEER_SHARE)
    if stored + more > allowed:
        raise QuotaExceeded(
            f"this peer has filled its share of the disk: {stored >> 20} of {allowed >> 20} MiB",
            hint="p2pchat history delete makes room",
        )
