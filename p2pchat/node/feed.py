"""The feed: one ordered queue from the tasks of a node to its one listener.

Messages wait in it as *arrivals* (batches that came over one link), so that nothing is taken, and therefore nothing is
acknowledged, before the listener asks for it. What it can hold is bounded from outside: arrivals by the windows that we
offered, everything else by `room`, which those who could go on for ever (visitors, redials) await first.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Self

import trio

if TYPE_CHECKING:
    from p2pchat.node.events import Event

MAX_WAITING_EVENTS = 1000  # beyond, visitors and redials wait; a listener that far behind is stuck, not slow


class Arrival:
    """Something that came in and is taken only when the listener gets to it."""

    #: Whether more is left to take after an event, and the arrival stays the first in the feed.
    goes_on: bool = False

    async def take(self) -> Event | None:
        """Return the next event to show, or None if nothing is left to show; cancelled, it has taken nothing."""
        return None

    def confirm(self) -> None:
        """Note that the event was shown."""


class Feed:
    """Ordered events with one consumer; putting never blocks."""

    def __init__(self) -> None:
        self._items: deque[Event | Arrival] = deque()
        self._news = trio.Event()
        self._space = trio.lowlevel.ParkingLot()
        self._shown: Arrival | None = None
        self._closed = False

    def put(self, item: Event | Arrival) -> None:
        """Append an event, or an arrival that becomes one when the listener gets to it."""
        self._items.append(item)
        self._news.set()

    def is_last(self, arrival: Arrival) -> bool:
        """Whether `arrival` is the newest item, so that more may be added to it without changing any order."""
        return bool(self._items) and self._items[-1] is arrival

    @property
    def full(self) -> bool:
        """Whether the listener is too far behind for anything that can wait."""
        return len(self._items) >= MAX_WAITING_EVENTS

    async def room(self) -> None:
        """Wait until the listener is less than `MAX_WAITING_EVENTS` behind."""
        await trio.lowlevel.checkpoint()
        while self.full:
            await self._space.park()

    def close(self) -> None:
        """End the feed: what is queued can still be read, then iteration stops."""
        self._closed = True
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next event; confirms the previous one as shown first.

        Cancellation loses nothing: the next call goes on with the same event. Other tasks run only when it has to wait,
        which is soon: without them the feed does not grow.
        """
        if self._shown is not None:
            shown, self._shown = self._shown, None
            shown.confirm()
        await trio.lowlevel.checkpoint_if_cancelled()
        while True:
            while self._items:
                item = self._items[0]
                if not isinstance(item, Arrival):
                    self._remove_first()
                    return item
                event = await item.take()
                if not item.goes_on:
                    self._remove_first()
                if event is not None:
                    self._shown = item
                    return event
            if self._closed:
                raise StopAsyncIteration
            self._news = trio.Event()
            await self._news.wait()

    def _remove_first(self) -> None:
        self._items.popleft()
        if len(self._items) == MAX_WAITING_EVENTS - 1:
            self._space.unpark_all()
