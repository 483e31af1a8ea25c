"""What to type on the other side to reach a listening address."""

from __future__ import annotations

import ipaddress
import shlex
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from p2pchat import address as addresses
from p2pchat.cli import links

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId

ELSEWHERE = ("192.0.2.1", 9)  # an address that nobody has (RFC 5737): which of ours would be used to go there?
HERE: Final = "on this machine: "
THERE: Final = "from elsewhere:  "


class Way(NamedTuple):
    """One way to a listening address of ours."""

    whence: str  # for whom it is, padded: this machine, or those elsewhere
    word: str  # what they dial, as it is typed into a shell
    place: Address | None  # the same for a link, which names nothing but places in the network


def ways(address: Address, *, own_host: str = "") -> list[Way]:
    """Return the ways to `address`, as it was bound; none if only a transport knows.

    Args:
      address: as it was bound.
      own_host: how this machine is called by others; without it nothing is said about them.
    """
    if address.scheme == "unix":
        return [Way(HERE, shlex.quote(address.rest), None)]
    if address.scheme != "tcp":
        return []
    host, port = addresses.host_and_port(address)
    here = Way(HERE, _word("localhost", port), addresses.tcp("localhost", port))
    if _is_here(host):
        return [here]
    name = own_host if _is_everywhere(host) else host
    there = [Way(THERE, _word(name, port), addresses.tcp(name, port))] if name else []
    return [here, *there] if _is_everywhere(host) else there


def lines(address: Address, *, me: PeerId, own_host: str = "") -> list[str]:
    """Return what to say about listening at `address`: the short line to type elsewhere, and the link that pins our id.

    Args:
      address: as it was bound.
      me: who answers there.
      own_host: as for `ways`.
    """
    told = [f"listening on {_described(address)}"]
    for way in ways(address, own_host=own_host):
        told.append(f"{way.whence} p2pchat dial {way.word}")
        if way.whence == THERE and way.place:
            told.append(f"and only to you:  p2pchat dial {shlex.quote(links.write(me, [way.place]))}")
    if address.scheme == "tcp" and _is_everywhere(addresses.host_and_port(address)[0]):
        told.append("`p2pchat listen localhost` keeps it on this machine")
    return told


def own_host() -> str:
    """Return the address by which this machine goes out, empty if it has no network. Sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ELSEWHERE)
            host: str = probe.getsockname()[0]
    except OSError:
        return ""
    return "" if _is_here(host) or _is_everywhere(host) else host


def is_within(wanted: Address, bound: Address) -> bool:
    """Whether a listener that is `bound` is where `wanted` asks to listen: the same place, or a wider one."""
    if wanted == bound or wanted.scheme != "tcp" or bound.scheme != "tcp":
        return wanted == bound
    (host, port), (wide, same) = addresses.host_and_port(wanted), addresses.host_and_port(bound)
    return port == same and (_is_everywhere(wide) or (_is_here(wide) and _is_here(host)))


def _described(address: Address) -> str:
    if address.scheme != "tcp":
        return str(address)
    host, port = addresses.host_and_port(address)
    if _is_everywhere(host):
        return f"port {port} of every interface"
    return f"port {port}, for this machine only" if _is_here(host) else f"port {port} of {host}"


def _word(host: str, port: int) -> str:
    """Return what to dial, as short as it gets, for a shell."""
    name = f"[{host}]" if ":" in host else host
    return shlex.quote(name if port == addresses.DEFAULT_PORT else f"{name}:{port}")


def _is_everywhere(host: str) -> bool:
    return host in {addresses.ANY_HOST, "0.0.0.0", "::"}  # noqa: S104  (compared, not bound)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
