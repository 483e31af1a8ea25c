"""How much and how long: every bound of the protocol that is policy, as one record.

What the wire format itself bounds (a record, a frame, a body, a message) stands with the format, in `wire/`. Everything
else is here, so that a node, a test or a simulation changes a bound in one place. Durations are seconds.

Source: docs/protocol.md, sections 4.3 and 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a node and of its links; the defaults are those of the command line."""

    # --- patience with one link
    handshake: float = 10.0  # from accept or dial to both identities; whoever is slower costs us a descriptor
    hello: float = 10.0  # from there to the peer's HELLO, which needs nobody's decision
    resume_notice: float = 1.0  # from both HELLOs until a person is told that they wait to be let in
    resume: float = 300.0  # from both HELLOs until they wait no more: over there a person decides
    ping: float = 30.0  # without a record until we ask, ±20 %: below the minute that NATs remember UDP and some TCP
    dead: float = 90.0  # without a record until the link is given up: two pings and a half
    write_stall: float = 30.0  # without progress of a write until the stream is shut
    last_close: float = 5.0  # for our last CLOSE to leave
    leave: float = 5.0  # for acknowledgements, when a person says goodbye
    linger: float = 5.0  # from our goodbye, all acknowledged, last entry in, until we do not wait for theirs
    pipe_quiet: float = 1.0  # from their goodbye, without an entry in or out, until a pipe says its own
    ack_delay: float = 0.025  # from a commit to its ACK at the latest; it rides on any earlier record

    # --- what a peer may make us hold or do
    max_unacked: int = 4096  # entries that a peer may have under way to us
    max_unacked_bytes: int = 2**20  # cost of these entries
    outgoing: int = 256 * 1024  # bytes per peer that wait in memory to be sent; then senders wait
    volatile: int = 200  # PING, TYPING and unknown frames in `volatile_window`: a person types slower
    volatile_window: float = 10.0
    strangers: int = 16  # peers that wait for a person to let them in
    stranger_wait: float = 300.0
    claim: float = 10.0  # from a HELLO that announces a claim to it, and from each frame of a claim to the next

    # --- what the world may make us do before it has proven anything
    half_open: int = 64  # handshakes under way
    half_open_per_address: int = 4  # of them from one IPv4 address or IPv6 /64
    handshake_rate: float = 5.0  # messages A per second and address; each costs us 0.4 ms
    handshake_burst: int = 20

    # --- coming back
    redial_cap: float = 300.0  # upper end of the back-off, which is full jitter over 1, 2, 4 …
    redial_reset: float = 60.0  # of a running link, until the back-off begins anew
