"""The chain: 16 bytes that name "this log up to entry n", so that two sides can tell whether they mean the same log.

A *state* is what has to be kept to go on: the hash of all whole blocks of 64 ids, then the ids since. Hashing blocks,
not ids, makes it thirty times cheaper, and the value does not depend on where batches were cut.

Source: docs/protocol.md, section 6.2.
"""

from __future__ import annotations

import hashlib
from typing import Final

ID_LENGTH: Final = 16  # bytes
BLOCK: Final = 64  # ids that are hashed at once
EMPTY: Final = bytes(16)  # the state of a log before its first entry

_BLOCK_LENGTH: Final = BLOCK * ID_LENGTH  # bytes
_CHAIN_LABEL: Final = b"p2pchat/1 chain\0"
_POSITION_LABEL: Final = b"p2pchat/1 position\0"


def extend(epoch: bytes, state: bytes, ids: bytes) -> bytes:
    """Return the state of the log `epoch` after `ids`, those of its next entries (16 bytes each), joined."""
    folded = state[:16]
    tail = state[16:] + ids
    whole = len(tail) - len(tail) % _BLOCK_LENGTH
    for start in range(0, whole, _BLOCK_LENGTH):
        block = tail[start : start + _BLOCK_LENGTH]
        folded = hashlib.sha256(_CHAIN_LABEL + epoch + folded + block).digest()[:16]
    return folded + tail[whole:]


def position(epoch: bytes, seq: int, state: bytes) -> bytes:
    """Return the name (16 bytes) of the log `epoch` up to entry `seq`, after which its state is `state`."""
    return hashlib.sha256(_POSITION_LABEL + epoch + seq.to_bytes(8) + state).digest()[:16]
