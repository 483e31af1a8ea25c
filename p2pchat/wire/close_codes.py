"""Why a connection ends: the numbers of CLOSE and of the reject hint.

Source: docs/protocol.md, section 4.2.
"""

from __future__ import annotations

import enum


class CloseCode(enum.IntEnum):
    """A reason to end a connection. Zero and one end one direction only: "no more entries from me"."""

    #: Everything was said and acknowledged.
    NORMAL = 0
    #: The program ends; what is not acknowledged stays with its sender.
    GOING_AWAY = 1
    #: The other side broke a rule that has no code of its own.
    PROTOCOL = 2
    #: A message longer than any may be.
    TOO_BIG = 3
    #: A frame type or a wire version that is not spoken here.
    UNSUPPORTED = 4
    #: Not accepted here, or not the one who was expected. A blocked peer gets the same.
    NOT_AUTHORIZED = 5
    #: Another connection between the same two took over.
    DUPLICATE = 6
    #: Sequence numbers that cannot be; also: our own store is older than what we once sent.
    SEQUENCE = 7
    #: What came could not be made durable, so it was not acknowledged.
    STORE_FAILED = 8
    #: The other side was silent for too long.
    TIMEOUT = 9
    #: Too many handshakes, or too much that means nothing.
    RATE = 10
    #: A bug on the side that says so; codes that are not in this list mean the same.
    INTERNAL = 11
    #: Both sides have the same key: this is you.
    SELF = 12

    @property
    def is_goodbye(self) -> bool:
        """Whether only the sender's direction ends: it still reads and acknowledges."""
        return self <= CloseCode.GOING_AWAY


def close_code(number: int) -> CloseCode:
    """Return the reason that `number` stands for; one that is not known here is INTERNAL."""
    try:
        return CloseCode(number)
    except ValueError:
        return CloseCode.INTERNAL
