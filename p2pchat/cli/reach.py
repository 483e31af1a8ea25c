"""What to type on the other side to reach a listening address."""

from __future__ import annotations

import ipaddress
import shlex
import socket
from typing import TYPE_CHECKING

from p2pchat import address as addresses
from p2pchat.cli import links

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId

ELSEWHERE = ("192.0.2.1", 9)  # an address that nobody has (RFC 5737): which of ours would be used to go there?


def lines(address: Address, *, me: PeerId, own_host: str = "") -> list[str]:
    """Return what to say about listening at `address`: the short line to type elsewhere, and the link that pins our id.

    Args:
      address: as it was bound.
      me: who answers there.
      own_host: how this machine is called by others; without it nothing is said about them.
    """
    if address.scheme == "unix":
        return [f"listening on {address}", f"on this machine:  p2pchat dial {shlex.quote(address.rest)}"]
    if address.scheme != "tcp":
        return [f"listening on {address}"]
    host, port = addresses.host_and_port(address)
    if _is_everywhere(host):
        return [
            f"listening on port {port} of every interface",
            f"on this machine:  {_dial('localhost', port)}",
            *(_elsewhere(own_host, port, me) if own_host else []),
            "`p2pchat listen localhost` keeps it on this machine",
        ]
    if _is_here(host):
        return [f"listening on port {port}, for this machine only", f"on this machine:  {_dial('localhost', port)}"]
    return [f"listening on port {port} of {host}", *_elsewhere(host, port, me)]


def own_host() -> str:
    """Return the address by which this machine goes out, empty if it has no network. Sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(ELSEWHERE)
            host: str = probe.getsockname()[0]
    except OSError:
        return ""
    return "" if _is_here(host) or _is_everywhere(host) else host


def _elsewhere(host: str, port: int, me: PeerId) -> list[str]:
    link = links.write(me, [addresses.tcp(host, port)])
    return [f"from elsewhere:   {_dial(host, port)}", f"and only to you:  p2pchat dial {shlex.quote(link)}"]


def _dial(host: str, port: int) -> str:
    if port == addresses.DEFAULT_PORT:
        return f"p2pchat dial {host}" if ":" not in host else f"p2pchat dial '[{host}]'"
    return f"p2pchat dial {host}:{port}" if ":" not in host else f"p2pchat dial '[{host}]:{port}'"


def _is_everywhere(host: str) -> bool:
    return host in {addresses.ANY_HOST, "0.0.0.0", "::"}  # noqa: S104  (compared, not bound)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
