"""What a side says first: its HELLO, and now and then something that nobody can understand.

Peers must ignore features and frames that they do not know. A rule that is never used rots, in others' code and in
ours; so a random feature is always listed, and one greeting in four goes on with a frame of a type that does not exist.

Source: docs/protocol.md, section 3.1; RFC 8701 (GREASE).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from p2pchat.wire.frames import Frame, Hello, Unknown

if TYPE_CHECKING:
    from p2pchat.protocol.limits import Limits

FIRST_GREASE_TYPE: Final = 0xF0  # … FF: types that will never mean anything
_NOTHING: Final = b"\x90"  # an empty array, which is what the body of any frame is at least


class Hellos(NamedTuple):
    """What both sides of a link have said first."""

    ours: Hello
    theirs: Hello


def greeting(
    agent: str, *, features: Sequence[str], name: str, limits: Limits, entropy: Callable[[int], bytes]
) -> list[Frame]:
    """Return the frames to begin with: HELLO, and one time in four a frame to be ignored.

    Args:
      agent: the program and its version, at most 64 characters.
      features: what is spoken here beyond the base, as ``word/number``.
      name: what we call ourselves, at most 64 characters; "" to a peer that is not accepted yet.
      limits: what we are ready to hold for the peer.
      entropy: draws the grease, 4 bytes.
    """
    high, low, dice, frame_type = entropy(4)
    hello = Hello(
        agent=agent,
        features=[*features, f"grease-{high:02x}{low:02x}"],
        max_unacked=limits.max_unacked,
        max_unacked_bytes=limits.max_unacked_bytes,
        name=name,
    )
    if dice % 4:
        return [hello]
    return [hello, Unknown(FIRST_GREASE_TYPE | frame_type & 0x0F, _NOTHING)]
