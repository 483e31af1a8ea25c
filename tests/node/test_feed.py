"""The feed: order, confirmation, cancellation, an end."""

from __future__ import annotations

import trio
import trio.testing
from trio.testing import MockClock

from p2pchat.node.events import Event, Notice
from p2pchat.node.feed import MAX_WAITING_EVENTS, Arrival, Feed


class Parcel(Arrival):
    def __init__(self, text: str | None) -> None:
        self.text = text
        self.confirmed = False

    async def take(self) -> Event | None:
        return None if self.text is None else Notice(text=self.text)

    def confirm(self) -> None:
        self.confirmed = True


async def texts(feed: Feed) -> list[str]:
    feed.close()
    return [event.text async for event in feed if isinstance(event, Notice)]


async def test_events_come_in_order_and_empty_arrivals_not_at_all() -> None:
    feed = Feed()
    for item in Notice(text="1"), Parcel("2"), Parcel(None), Notice(text="3"):
        feed.put(item)
    assert await texts(feed) == ["1", "2", "3"]


async def test_an_arrival_is_confirmed_when_the_next_event_is_asked_for() -> None:
    feed = Feed()
    parcel = Parcel("x")
    feed.put(parcel)
    await anext(feed)
    assert not parcel.confirmed
    feed.close()
    assert await anext(feed, None) is None
    assert parcel.confirmed


async def test_a_cancelled_wait_loses_nothing(autojump_clock: MockClock) -> None:
    feed = Feed()
    with trio.move_on_after(1):
        await anext(feed)
    feed.put(Notice(text="late"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await anext(feed)
    assert await texts(feed) == ["late"]


async def test_who_can_wait_waits_while_the_listener_is_far_behind(autojump_clock: MockClock) -> None:
    feed = Feed()
    for n in range(MAX_WAITING_EVENTS):
        feed.put(Notice(text=f"{n}"))
    assert feed.full
    with trio.move_on_after(1) as scope:
        await feed.room()
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(feed.room)
        await trio.testing.wait_all_tasks_blocked()
        await anext(feed)
    assert not feed.full


async def test_only_the_newest_item_may_grow() -> None:
    feed = Feed()
    parcel = Parcel("x")
    assert not feed.is_last(parcel)
    feed.put(parcel)
    assert feed.is_last(parcel)
    feed.put(Notice(text="y"))
    assert not feed.is_last(parcel)
