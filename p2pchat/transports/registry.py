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


class _Unusable(Exception):
    """Why there is no transport for a scheme, and what to do; becomes the error that the caller expects."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


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

    async def connect(self, address: Address) -> trio.abc.Stream:
        """Return a live stream to `address`.

        Raises:
          ConnectFailed: if nobody can be reached there, or no usable transport has that scheme.
        """
        try:
            return await self._transport(address.scheme).connect(address)
        except _Unusable as exc:
            raise ConnectFailed(f"cannot dial {address}: {exc}", hint=exc.hint) from exc.__cause__
        except OSError as exc:  # a plug-in that forgot to translate; it must not look like a bug of ours
            raise ConnectFailed(f"cannot dial {address}: {exc}") from exc

    async def listen(self, address: Address) -> Sequence[trio.abc.Listener[trio.abc.Stream]]:
        """Return bound listeners for `address`; the caller closes them.

        Raises:
          ListenFailed: if the address cannot be bound, or no usable transport has that scheme.
        """
        try:
            return await self._transport(address.scheme).listen(address)
        except _Unusable as exc:
            raise ListenFailed(f"cannot listen on {address}: {exc}", hint=exc.hint) from exc.__cause__
        except OSError as exc:
            raise ListenFailed(f"cannot listen on {address}: {exc}") from exc

    def _transport(self, scheme: str) -> base.Transport:
        if scheme not in self._transports:
            self._transports[scheme] = self._load(scheme)
        return self._transports[scheme]

    def _installed(self) -> dict[str, list[metadata.EntryPoint]]:
        if self._doors is None:
            self._doors = {}
            for door in metadata.entry_points(group=GROUP):
                self._doors.setdefault(door.name, []).append(door)
            for scheme, offers in self._doors.items():
                ours = [door for door in offers if door.module.startswith(_BUILT_IN)]
                if ours and len(ours) < len(offers):
                    _log.warning("a plug-in offers %s:, which is built in; it is not used", scheme)
                self._doors[scheme] = ours or offers
        return self._doors

    def _load(self, scheme: str) -> base.Transport:
        offers = self._installed().get(scheme, [])
        if not offers:
            known = ", ".join(f"{name}:" for name in sorted(self._installed()))
            raise _Unusable(
                f"no transport for {scheme}: is installed", f"there is {known}" if known else "install p2pchat"
            )
        if len(offers) > 1:
            rivals = " and ".join(sorted(_owner(door) for door in offers))
            raise _Unusable(f"{rivals} both offer {scheme}:", "uninstall all but one of them")
        (door,) = offers
        try:
            transport: base.Transport = door.load()()
        except Exception as exc:  # noqa: BLE001  (somebody else's code, at its import: anything can come out)
            raise _Unusable(
                f"its transport, {door.value} of {_owner(door)}, does not load: {type(exc).__name__}: {exc}",
                f"repair or uninstall {_owner(door)}",
            ) from exc
        if getattr(transport, "scheme", None) != scheme:
            raise _Unusable(
                f"{door.value} of {_owner(door)} is no transport for {scheme}:", f"uninstall {_owner(door)}"
            )
        return transport


def _owner(door: metadata.EntryPoint) -> str:
    """Return the distribution to blame."""
    return door.dist.name if door.dist else "an unknown distribution"
