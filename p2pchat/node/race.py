"""A race: the addresses of one peer are dialed at once, and the first where that peer proves itself goes on.

On everybody else we hang up before we have said who we are, which is in our second message. Whoever is at an address
learns that somebody has dialed it, and no more. The one that goes on does so once the others are gone.

Source: RFC 8305 ("Happy Eyeballs"), section 5; docs/protocol.md, section 5, "Admission".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, final

import trio

from p2pchat.errors import UntrustedPeer
from p2pchat.node.backoff import Redial

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.errors import P2PChatError
    from p2pchat.node.greeting import Dialing

STAGGER: Final = 0.25  # seconds from one start to the next, as RFC 8305 advises; a failure starts the next at once


@dataclass(frozen=True, slots=True)
class Missed:
    """An attempt of which no session came."""

    address: Address
    error: P2PChatError
    redial: Redial

    @property
    def weight(self) -> tuple[bool, bool]:
        """How much it says: a wrong key more than a refusal, and that more than nobody."""
        return isinstance(self.error, UntrustedPeer), self.redial is Redial.NEVER


#: Dials an address, calls the function once the peer has proved itself there, and returns when that link is over.
Attempt = Callable[["Address", Callable[["Dialing"], None]], Awaitable[Missed | None]]


@final
class Race:
    """One race; `run` it once."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._lanes: set[trio.CancelScope] = set()
        self._first: trio.CancelScope | None = None  # the lane of the peer that has proved itself
        self._greeting: Dialing | None = None  # there, until it goes on
        self._missed: list[Missed] = []
        self._served = False
        self._news = trio.Event()

    async def run(self, addresses: Sequence[Address]) -> list[Missed] | None:
        """Dial `addresses` and serve the link of the first, to its end. Cancelled, it leaves no link.

        Returns:
          How each attempt has failed, or only that of the peer which has proved itself; None if there was a session,
          or nobody needs one any more.
        """
        async with trio.open_nursery() as nursery:
            for address in dict.fromkeys(addresses):
                lane = trio.CancelScope()
                self._lanes.add(lane)
                self._news = trio.Event()
                nursery.start_soon(self._run_lane, lane, address)
                with trio.move_on_after(STAGGER):
                    await self._news.wait()
                if self._first is not None or self._served:
                    break
        return None if self._served else self._missed

    async def _run_lane(self, lane: trio.CancelScope, address: Address) -> None:
        with lane:
            missed = await self._attempt(address, partial(self._proved, lane))
            if self._first in {None, lane}:
                self._served = missed is None
                self._missed += [] if missed is None else [missed]
        self._lanes.remove(lane)
        self._news.set()
        self._go_on()

    def _proved(self, lane: trio.CancelScope, greeting: Dialing) -> None:
        """Choose the first peer that has proved itself. Another may have done so since, and is on its way out."""
        if self._first is None:
            self._first, self._greeting = lane, greeting
            self._missed.clear()
            for other in self._lanes - {lane}:
                other.cancel()
            self._news.set()
            self._go_on()

    def _go_on(self) -> None:
        """Say who we are to the peer that was chosen, when it is alone."""
        if self._greeting is not None and self._lanes == {self._first}:
            greeting, self._greeting = self._greeting, None
            greeting.go_on()
