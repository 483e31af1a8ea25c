"""All transports by scheme: the built-in ones and plug-ins, through the one door of entry points.

Names are read at first use and code is imported when its scheme is used: who chats over TCP never loads the rest. What
is wrong with a plug-in is told to whoever asks for its scheme, and disturbs nobody else.
"""

from __future__ import annotations

import logging
from importlib import metadata
from typing import TYPE_CHECKING

from p2pchat.errors import ConnectFailed, ListenFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import trio

    from p2pchat.address import Address
    from p2pchat.transports import base

GROUP = "p2pchat.transports"
_BUILT_IN = "p2pchat.transports."  # the module of a built-in transport begins so

_log = logging.getLogger(__name__)

Failure = type[ConnectFailed] | type[ListenFailed]


class Transports:
    """Every installed way to reach peers: the `Net` of a real `Env`.

    Each instance makes its own transports, one per scheme: the names of `memory:` addresses live and die with it.
    """

    def __init__(self) -> None:
        self._doors: dict[str, list[metadata.EntryPoint]] | None = None  # scheme → who offers it; read at first use
        self._transports: dict[str, base.Transport] = {}  # those that were used

    @property
    def schemes(self) -> frozenset[str]:
        """The schemes that are installed, working or not; give them to `address.parse`."""
        return frozenset(self._installed())

    def transport(self, scheme: str) -> base.Transport:
        """Return the transport that serves `scheme` here.

        Raises:
          ConnectFailed: if no usable one has it.
        """
        return self._transport(scheme, ConnectFailed)

    def use(self, transport: base.Transport) -> None:
        """Let `transport` serve its scheme from now on, in the place of one that would be made here."""
        self._transports[transport.scheme] = transport

    async def connect(self, address: Address) -> trio.abc.Stream:
        """Return a live stream to `address`.

        Raises:
          ConnectFailed: if nobody can be reached there, or no usable transport has that scheme.
        """
        transport = self._transport(address.scheme, ConnectFailed)
        try:
            return await transport.connect(address)
        except OSError as exc:  # a plug-in forgot to translate it; that is no reason to end the program as for a bug
            raise ConnectFailed(f"cannot dial {address}: {exc}") from exc

    async def listen(self, address: Address) -> Sequence[trio.abc.Listener[trio.abc.Stream]]:
        """Return bound listeners for `address`; the caller closes them.

        Raises:
          ListenFailed: if the address cannot be bound, or no usable transport has that scheme.
        """
        transport = self._transport(address.scheme, ListenFailed)
        try:
            return await transport.listen(address)
        except OSError as exc:
            raise ListenFailed(f"cannot listen on {address}: {exc}") from exc

    def _installed(self) -> dict[str, list[metadata.EntryPoint]]:
        if self._doors is None:
            self._doors = {}
            for door in metadata.entry_points(group=GROUP):
                self._doors.setdefault(door.name, []).append(door)
            for scheme, offers in self._doors.items():
                ours = [door for door in offers if door.module.startswith(_BUILT_IN)]
                if ours and len(ours) < len(offers):
                    _log.warning("a plug-in offers %s:, which is built in; the plug-in is not used", scheme)
                self._doors[scheme] = ours or offers
        return self._doors

    def _transport(self, scheme: str, failure: Failure) -> base.Transport:
        if scheme not in self._transports:
            self._transports[scheme] = _load(self._door(scheme, failure), failure)
        return self._transports[scheme]

    def _door(self, scheme: str, failure: Failure) -> metadata.EntryPoint:
        offers = self._installed().get(scheme, [])
        if not offers:
            known = ", ".join(f"{name}:" for name in sorted(self._installed()))
            raise failure(
                f"no transport for {scheme}: is installed",
                hint=f"there is {known}" if known else "is p2pchat itself installed here?",
            )
        if len(offers) > 1:
            rivals = " and ".join(sorted(_owner(door) for door in offers))
            raise failure(f"more than one transport claims {scheme}:, in {rivals}", hint="uninstall all but one")
        return offers[0]


def _load(door: metadata.EntryPoint, failure: Failure) -> base.Transport:
    """Import a transport and make one."""
    owner = _owner(door)
    try:
        transport: base.Transport = door.load()()
    except Exception as exc:  # somebody else's code, at its import: anything can come out
        raise failure(
            f"the transport for {door.name}: of {owner} does not load: {type(exc).__name__}: {exc}",
            hint=f"repair or uninstall {owner}",
        ) from exc
    if getattr(transport, "scheme", None) != door.name:
        raise failure(f"{door.value} of {owner} is not a transport for {door.name}:", hint=f"uninstall {owner}")
    return transport


def _owner(door: metadata.EntryPoint) -> str:
    """Return the distribution to praise or blame."""
    return door.dist.name if door.dist else "an unknown distribution"
