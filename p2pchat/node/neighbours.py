"""Other users of this machine who knock at a socket that is not for them: now and then a person is told."""

from __future__ import annotations

from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from p2pchat.node.events import Notice
from p2pchat.transports.base import TurnsAway

if TYPE_CHECKING:
    from collections.abc import Iterable

    import trio

    from p2pchat.address import Address
    from p2pchat.node.feed import Feed
    from p2pchat.transports.credentials import LocalUser


def watch(listeners: Iterable[trio.abc.Listener[trio.abc.Stream]], address: Address, feed: Feed) -> None:
    """Put a `Notice` into `feed` for some of those whom `listeners` at `address` turn away, as `TurnsAway` has it."""
    for listener in listeners:
        if isinstance(listener, TurnsAway):
            listener.tell_turned_away = partial(_tell, feed, address)


def _tell(feed: Feed, address: Address, user: LocalUser, times: int) -> None:
    whom = user.name or user.uid
    often = f", {times} times so far" if times > 1 else ""
    feed.put(
        Notice(
            text=f"{user} was turned away from {address}{often}",
            hint=f"`p2pchat listen {quote(str(address))} --allow-user {whom}` lets that user knock",
        )
    )
