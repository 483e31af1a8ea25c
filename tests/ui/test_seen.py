"""What was seen is noted when there is time, and what goes wrong with that is no reason to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import trio
import trio.testing

from p2pchat.errors import StoreFailed
from p2pchat.protocol.assembly import Message
from p2pchat.ui.seen import MAX_RECEIPTS, Seen
from p2pchat.wire.frames import Entry
from p2pchat.wire.messages import Kind, Read, Readable, Text, Unsupported


@dataclass(eq=False)
class Somebody:
    """A session as far as this is concerned."""

    known: bool = True
    over: bool = False
    peer: str = "peer"
    receipts: list[UUID] = field(default_factory=list)

    async def send_many(self, bodies: list[Readable]) -> None:
        await trio.lowlevel.checkpoint()
        self.receipts += [UUID(bytes=body.id) for body in bodies if isinstance(body, Read)]


@dataclass
class Noting:
    """A store that remembers up to where things were seen, once it works."""

    works: bool = True
    through: list[int] = field(default_factory=list)

    async def read(self, mark: Callable[..., None]) -> None:
        await trio.lowlevel.checkpoint()
        if not self.works:
            raise StoreFailed("the disk is gone")
        assert isinstance(mark, partial)
        self.through.append(mark.keywords["through"])


def said(*numbers: int, kind: int = Kind.TEXT) -> list[Message]:
    body = Text("hi") if kind == Kind.TEXT else Unsupported(kind, b"")
    return [Message(n, Entry(UUID(int=n).bytes, kind, 0, b"", b""), body) for n in numbers]


async def let_run(seen: Seen) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(seen.run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_what_was_seen_is_noted_once_and_told() -> None:
    store: Any = Noting()
    bob: Any = Somebody()
    seen = Seen(store, receipts=True)
    seen.shown(bob, said(1, 2), through=5, aside=False)
    seen.shown(bob, said(3), through=6, aside=False)
    await let_run(seen)
    assert store.through == [6]
    assert bob.receipts == [UUID(int=1), UUID(int=2), UUID(int=3)]


async def test_what_was_shown_aside_waits_until_somebody_looks() -> None:
    bob: Any = Somebody()
    seen = Seen(None, receipts=True)
    seen.look_at(bob)
    seen.shown(bob, said(*range(MAX_RECEIPTS + 1)), aside=True)
    await let_run(seen)
    assert bob.receipts == []
    seen.look_at(bob)
    await let_run(seen)
    assert bob.receipts == [UUID(int=n) for n in range(1, MAX_RECEIPTS + 1)]  # the oldest were forgotten


async def test_strangers_leavers_and_what_nobody_can_read_get_no_receipt() -> None:
    stranger, gone, odd = Somebody(known=False), Somebody(over=True), Somebody()
    seen = Seen(None, receipts=True)
    for session, kind in ((stranger, Kind.TEXT), (gone, Kind.TEXT), (odd, Kind.EDIT)):
        one: Any = session
        seen.shown(one, said(1, kind=kind), aside=False)
    await let_run(seen)
    assert [session.receipts for session in (stranger, gone, odd)] == [[], [], []]


async def test_a_disk_that_refuses_is_asked_again_for_the_next() -> None:
    store: Any = Noting(works=False)
    bob: Any = Somebody()
    seen = Seen(store, receipts=False)
    seen.shown(bob, said(1), through=1, aside=False)
    await let_run(seen)
    store.works = True
    seen.shown(bob, said(2), through=2, aside=False)
    await let_run(seen)
    assert store.through == [2]
    assert bob.receipts == []


async def test_what_is_left_at_the_end_is_noted_and_nobody_is_told() -> None:
    store: Any = Noting()
    bob: Any = Somebody()
    seen = Seen(store, receipts=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(seen.run)
        await trio.testing.wait_all_tasks_blocked()
        seen.shown(bob, said(1), through=7, aside=False)
        nursery.cancel_scope.cancel()
    assert store.through == [7]
    assert bob.receipts == []


async def test_who_is_shown_much_has_it_noted_now_and_then(autojump_clock: trio.testing.MockClock) -> None:
    store: Any = Noting()
    bob: Any = Somebody()
    seen = Seen(store, receipts=False, pause=10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(seen.run)
        for through in range(1, 26):
            seen.shown(bob, said(through), through=through, aside=False)
            await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert store.through[0] == 1
    assert store.through[-1] == 25
    assert len(store.through) == 4
    assert bob.receipts == []
