"""Cables, routes and queues of a real kernel: what was accepted arrives once and in order, whatever they do."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
import trio

from tests.support.crash_life import Book, Life
from tests.support.impatient_zygote import IMPATIENT, USUAL
from tests.support.namespaces import CABLE, Side
from tests.support.netns_pair import Pair, chatter, seconds_until_told

pytestmark = pytest.mark.slow

LATE = 3.0  # seconds that a busy machine may take to tell what it knows
# Who still hears the other hears one PING more: the clock of silence runs from the last record.
LONG = 1.2 * IMPATIENT.ping + IMPATIENT.dead + LATE

Harm = Callable[[Side], object]


def unplug(side: Side) -> None:
    side.cut()


def plug(side: Side) -> None:
    side.plug()


def routed(how: str, other: str) -> tuple[Harm, Harm]:
    """What sends all packets for `other` nowhere, and what undoes it."""
    return (
        lambda side: side.run("ip", "route", "add", how, other),
        lambda side: side.run("ip", "route", "delete", how, other),
    )


@contextmanager
def harmed(side: Side, harm: Harm, cure: Harm) -> Iterator[float]:
    """Yield the time at which the harm was done; it is cured afterwards."""
    harm(side)
    try:
        yield trio.current_time()
    finally:
        cure(side)


async def test_a_short_cut_is_no_cut(usual: Pair, ann: Book, bob: Book) -> None:
    """The kernel sends again what got lost, and nobody is told anything."""
    async with usual.talking(ann, bob) as (listener, dialer):
        async with chatter(listener, dialer):
            await trio.sleep(0.3)
            with harmed(usual.right, unplug, plug):
                await trio.sleep(2)
            await trio.sleep(0.3)
        for life in (listener, dialer):
            assert life.told("disconnected") == []


@pytest.mark.parametrize("how", ["cable", "blackhole", "unreachable", "prohibit"])
async def test_a_link_that_is_half_open_is_found_and_made_again(
    impatient: Pair, ann: Book, bob: Book, how: str
) -> None:
    harm, cure = (unplug, plug) if how == "cable" else routed(how, impatient.right.host)
    async with impatient.talking(ann, bob) as lives:
        async with chatter(*lives):
            await trio.sleep(0.3)
        with harmed(impatient.left, harm, cure) as since:
            await found_out(lives, since)
        for life in lives:
            await life.connected(2)


async def test_a_link_that_breaks_while_much_is_said_is_made_again(impatient: Pair, ann: Book, bob: Book) -> None:
    async with impatient.talking(ann, bob) as lives, chatter(*lives):
        await trio.sleep(0.3)
        with harmed(impatient.right, unplug, plug) as since:
            await found_out(lives, since)


async def test_who_is_frozen_is_given_up_although_its_kernel_answers(impatient: Pair, ann: Book, bob: Book) -> None:
    async with impatient.talking(ann, bob) as (listener, dialer):
        async with chatter(listener):  # for who is frozen takes no more words than fit into a pipe
            await trio.sleep(0.3)
            await dialer.freeze()
            await found_out([listener], trio.current_time())
        dialer.thaw()
        await listener.connected(2)


async def found_out(lives: Sequence[Life], since: float) -> None:
    """See that all of them learn in time that their link is gone."""
    async with trio.open_nursery() as nursery:
        for life in lives:
            nursery.start_soon(finds_out, life, since)


async def finds_out(life: Life, since: float) -> None:
    seconds = await seconds_until_told(life, since=since, patience=LONG)
    print(f"{life.name} found out after {seconds / IMPATIENT.ping:.1f} intervals of PINGs")  # noqa: T201  (see -rP)


def test_the_proportions_are_those_of_everybody() -> None:
    """After the first PING that nobody answers, less than two intervals of PINGs pass, whatever the jitter."""
    assert IMPATIENT.dead / IMPATIENT.ping == USUAL.dead / USUAL.ping
    assert IMPATIENT.write_stall / IMPATIENT.ping == USUAL.write_stall / USUAL.ping
    latest_ping = 1.2 * USUAL.ping
    assert USUAL.dead - latest_ping < 2 * USUAL.ping


async def test_connections_that_the_system_destroys_are_made_again(impatient: Pair, ann: Book, bob: Book) -> None:
    """Each is reset at a random moment, on one side or on the other."""
    dice = random.Random(6)
    async with impatient.talking(ann, bob) as (listener, dialer):
        async with chatter(listener, dialer):
            for times in range(1, 9):
                side, other = dice.choice([(impatient.left, impatient.right), (impatient.right, impatient.left)])
                await trio.sleep(dice.uniform(0, 0.3))
                side.run("ss", "--tcp", "--kill", "dst", other.host)
                await listener.connected(times + 1)
                await dialer.connected(times + 1)
        assert len(listener.told("disconnected")) == 8


async def test_a_queue_that_drops_what_is_too_much_loses_nothing(usual: Pair, ann: Book, bob: Book) -> None:
    async with usual.talking(ann, bob) as (listener, dialer):
        for side in (usual.left, usual.right):
            side.run(*f"tc qdisc add dev {CABLE} root tbf rate 400kbit burst 3000 latency 20ms".split())
        try:
            async with chatter(listener, dialer):
                await trio.sleep(3)
            dropped = [dropped_by(side) for side in (usual.left, usual.right)]
        finally:
            for side in (usual.left, usual.right):
                side.run(*f"tc qdisc delete dev {CABLE} root".split())
        assert max(dropped) > 0


def dropped_by(side: Side) -> int:
    """Return how many packets its queue has thrown away."""
    words = side.run("tc", "-s", "qdisc", "show", "dev", CABLE).split()
    return int(words[words.index("(dropped") + 1].rstrip(","))
