"""Two who talk across a cable, and the question after each trouble: is everything there, once, and in order?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Life, living
from tests.support.crash_verdict import judge
from tests.support.namespaces import Side

PORT = 7272
STUCK = 120.0  # seconds for one test
PATIENCE = 60.0  # seconds after a trouble; the kernel waits longer and longer before it sends lost bytes once more


@dataclass(frozen=True)
class Pair:
    """Where processes of one host and of the other come from."""

    left: Side
    right: Side
    here: Forks
    there: Forks

    @property
    def address(self) -> str:
        """Where the left one listens, as the right one dials it."""
        return f"tcp:{self.left.host}:{PORT}"

    @asynccontextmanager
    async def talking(self, ann: Book, bob: Book) -> AsyncIterator[tuple[Life, Life]]:
        """Ann, who listens on the left, and Bob, who has dialed her from the right. Afterwards all has to be there."""
        async with (
            within(STUCK),
            living(self.here, ann, "listen", self.address) as listener,
            living(self.there, bob, "dial", self.address, "--retry") as dialer,
        ):
            await listener.connected()
            await dialer.connected()
            yield listener, dialer
            for life in (listener, dialer):
                (last,) = await life.say()
                await life.until(lambda life=life, last=last: life.states.get(last) == "delivered", patience=PATIENCE)  # type: ignore[misc]
            for life in (listener, dialer):
                await life.die()
        verdict = await judge(self.here, ann, bob)
        assert verdict.faults == {}, verdict


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Let a test that hangs fail, and be cleaned up after, before the runner loses patience and just ends."""
    with trio.fail_after(seconds):
        yield


@asynccontextmanager
async def chatter(*lives: Life, pause: float = 0.1) -> AsyncIterator[None]:
    """Let all of them talk for as long as the block lasts."""

    async def talk(life: Life) -> None:
        while not over:
            await life.say(2)
            await trio.sleep(pause)

    over = False
    async with trio.open_nursery() as nursery:
        for life in lives:
            nursery.start_soon(talk, life)
        try:
            yield
        finally:
            over = True


async def seconds_until_told(life: Life, *, since: float, patience: float) -> float:
    """Return how long after `since` it has told that its link is gone; it has `patience` seconds for that."""
    await life.until(lambda: bool(life.told("disconnected")), patience=patience)
    return trio.current_time() - since
