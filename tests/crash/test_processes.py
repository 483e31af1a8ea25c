"""Several processes of one profile, and links that move: whatever has the peer, each message arrives once, in order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.support.crash_campaign import free_port
from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Life, living
from tests.support.crash_verdict import judge

pytestmark = pytest.mark.slow


@pytest.fixture
def door(tmp_path: Path) -> str:
    return str(tmp_path / "door")


@asynccontextmanager
async def listening(forks: Forks, book: Book, *doors: str) -> AsyncIterator[Life]:
    """A listener that can be dialed."""
    async with living(forks, book, "listen", *doors) as life:
        await life.until(lambda: len(life.told("listening")) == len(doors))
        yield life


async def settled(forks: Forks, ann: Book, bob: Book, *last: Life) -> None:
    """Let `last`, one of each profile, have everything delivered; then compare."""
    for life in last:
        await life.deliver()
    for life in last:
        await life.die()
    verdict = await judge(forks, ann, bob)
    assert verdict.faults == {}, verdict


async def test_what_the_second_window_says_goes_by_the_first(forks: Forks, ann: Book, bob: Book, door: str) -> None:
    async with listening(forks, ann, door) as listener, living(forks, bob, "dial", door) as first:
        await first.connected()
        async with living(forks, bob, "dial", door) as second:
            await second.connected()
            async with trio.open_nursery() as nursery:
                for life in (first, second, listener):
                    nursery.start_soon(life.say, 20)
            for life in (first, second, listener):
                await life.until(lambda life=life: list(life.states.values()) == ["delivered"] * 20)  # type: ignore[misc]
            for life in (first, second):
                await life.hears(*listener.states)
                await life.until(lambda life=life: len({line["id"] for line in life.told("state")}) == 40)  # type: ignore[misc]
            assert len(listener.told("connected")) == 1, "nobody has dialed a second time"
            await settled(forks, ann, bob, listener, second)


async def test_the_second_window_goes_on_when_the_first_is_killed(
    forks: Forks, ann: Book, bob: Book, door: str
) -> None:
    async with listening(forks, ann, door) as listener, living(forks, bob, "dial", door) as first:
        await first.connected()
        async with living(forks, bob, "dial", door) as second:
            await second.connected()
            await first.say(30)
            await second.say(30)
            await first.until(lambda: "queued" in first.states.values())
            await first.die()
            await second.connected(2)
            await settled(forks, ann, bob, second, listener)


async def test_scripts_send_while_a_listener_has_the_peer_and_after_it_died(
    forks: Forks, ann: Book, bob: Book, door: str
) -> None:
    """Bob listens; there is no address at which his scripts could reach Ann."""
    said: list[str] = []

    async def send(text: str) -> None:
        program = await forks.call(bob.home, "send", peer, text, "--timeout", "20", "--json")
        assert json.loads(program.out)["state"] == "delivered", program.err
        said.append(text)

    async with living(forks, ann, "dial", door, "--retry") as dialer:
        async with listening(forks, bob, door) as listener:
            await listener.connected()
            peer = listener.told("connected")[0]["peer"]
            async with trio.open_nursery() as nursery:
                for number in range(5):
                    nursery.start_soon(send, f"parallel {number}")
        program = await forks.call(bob.home, "send", peer, "alone", "--timeout", "0.1")
        assert program.process.returncode == 75
        async with listening(forks, bob, door) as listener:
            await listener.connected()
            await send("last")
            await dialer.until(lambda: "last" in dialer.heard)
    assert sorted(dialer.heard[:5]) == sorted(said[:5])
    assert dialer.heard[5:] == ["alone", "last"]


async def test_both_dial_each_other_at_the_same_time(forks: Forks, ann: Book, bob: Book, tmp_path: Path) -> None:
    doors = [str(tmp_path / name) for name in ("a", "b")]
    async with listening(forks, ann, doors[0]), listening(forks, bob, doors[1]):
        for _ in range(3):
            async with (
                living(forks, ann, "dial", doors[1], "--retry") as one,
                living(forks, bob, "dial", doors[0], "--retry") as other,
                trio.open_nursery() as nursery,
            ):
                for life in (one, other):
                    await life.say(20)
                for life in (one, other):
                    nursery.start_soon(life.deliver)
        await trio.lowlevel.checkpoint()
    verdict = await judge(forks, ann, bob)
    assert verdict.faults == {}, verdict
    assert verdict.messages == 2 * 3 * 21


async def test_a_peer_moves_from_tcp_to_unix_in_mid_conversation(forks: Forks, ann: Book, bob: Book, door: str) -> None:
    port = f"127.0.0.1:{free_port()}"
    async with listening(forks, ann, port, door) as listener, living(forks, bob, "dial", port) as by_tcp:
        await by_tcp.connected()
        async with living(forks, bob, "dial", door) as by_unix:
            await by_unix.connected()
            for life in (listener, by_tcp, by_unix):
                await life.say(30)
            await listener.until(lambda: not {"sent", "delivered"}.isdisjoint(listener.states.values()))
            await by_tcp.die()
            await by_unix.connected(2)
            assert [life.told("connected")[-1]["transport"] for life in (by_tcp, by_unix)] == ["tcp", "unix"]
            await settled(forks, ann, bob, by_unix, listener)


async def test_what_a_thawed_process_finds_in_its_socket_does_no_harm(
    forks: Forks, ann: Book, bob: Book, tmp_path: Path
) -> None:
    """It holds messages that have arrived by another link since, and acknowledgements of what is long dropped."""
    doors = [str(tmp_path / name) for name in ("a", "b")]
    async with listening(forks, ann, doors[0]) as frozen, listening(forks, ann, doors[1]) as other:
        async with living(forks, bob, "dial", doors[0]) as dialer:
            await dialer.connected()
            await frozen.connected()
            await dialer.freeze()
            to_ack = await frozen.say(20)
            await frozen.reached("sent", *to_ack)
            await frozen.freeze()
            dialer.thaw()
            await dialer.hears(*to_ack)
            late = await dialer.say(50)
            await dialer.reached("sent", *late[:10])  # the socket will not take all of them
        async with living(forks, bob, "dial", doors[1], "--retry") as again:
            await again.connected()
            await again.deliver()
            await other.deliver()
            frozen.thaw()
            await frozen.until(lambda: len(frozen.told("connected") + frozen.told("disconnected")) == 2)  # it notices
            await frozen.hears(*late[:10])
            await settled(forks, ann, bob, again, other)


async def test_a_frozen_window_keeps_what_others_say_and_sends_it_when_it_thaws(
    forks: Forks, ann: Book, bob: Book, door: str
) -> None:
    async with listening(forks, ann, door) as listener, living(forks, bob, "dial", door) as frozen:
        await frozen.connected()
        await listener.connected()
        await frozen.freeze()
        async with living(forks, bob, "dial", door) as second:
            await second.connected()
            names = await second.say(20)
            await second.reached("queued", *names)
            to_come = await listener.say(20)
            await listener.reached("sent", *to_come)
            frozen.thaw()
            await second.reached("delivered", *names)
            await second.hears(*to_come)
            await settled(forks, ann, bob, second, listener)
