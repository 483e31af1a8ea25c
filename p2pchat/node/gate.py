"""The gate in front of the handshake: what a visitor may cost us before it has proved anything.

Limits of `docs/protocol.md` section 4.4. Nothing here waits or knows a stream; `now` is an argument.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.protocol.limits import Limits
    from p2pchat.transports.credentials import LocalUser

MAX_TRACKED_SOURCES = 4096  # sources with a bucket of their own; the longest silent one is forgotten first

#: Streams of these schemes come from this machine, and the limits per source do not apply to our own user (4.4).
EXEMPT_SCHEMES = frozenset({"memory", "exec", "unix"})
UNKNOWN_SOURCE = "?"  # transports without addresses count as one source


def source_of(scheme: str, remote: Address | None, user: LocalUser | None = None) -> str | None:
    """Return the key under which a visitor is counted: an IPv4 address, an IPv6 /64, a user, or None if exempt."""
    if user is not None and not user.is_ours:
        return f"uid {user.uid}"
    if scheme in EXEMPT_SCHEMES:
        return None
    return UNKNOWN_SOURCE if remote is None else _network(remote)


def _network(remote: Address) -> str:
    host = remote.rest.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return UNKNOWN_SOURCE
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)


class Gate:
    """Counts half-open handshakes and rations the expensive answer to message A."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._half_open = 0
        self._half_open_by_source: dict[str, int] = {}
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # source: (tokens, at)

    @property
    def half_open(self) -> int:
        """Handshakes that have begun and neither ended nor succeeded."""
        return self._half_open

    def enter(self, source: str | None) -> bool:
        """Count one more half-open handshake of `source`; False (and not counted) if there are too many."""
        limits = self._limits
        if self._half_open >= limits.half_open:
            return False
        if source is not None:
            mine = self._half_open_by_source.get(source, 0)
            if mine >= limits.half_open_per_address:
                return False
            self._half_open_by_source[source] = mine + 1
        self._half_open += 1
        return True

    def leave(self, source: str | None) -> None:
        """Undo one successful `enter`."""
        self._half_open -= 1
        if source is not None:
            left = self._half_open_by_source[source] - 1
            if left:
                self._half_open_by_source[source] = left
            else:
                del self._half_open_by_source[source]

    def may_answer(self, source: str | None, now: float) -> bool:
        """Take one token for answering a message A of `source` at `now` (seconds); False if none is left."""
        if source is None:
            return True
        rate, burst = self._limits.handshake_rate, float(self._limits.handshake_burst)
        tokens, at = self._buckets.pop(source, (burst, now))
        tokens = min(burst, tokens + (now - at) * rate)
        allowed = tokens >= 1.0
        self._buckets[source] = (tokens - 1.0 if allowed else tokens, now)
        if len(self._buckets) > MAX_TRACKED_SOURCES:
            self._buckets.popitem(last=False)
        return allowed
