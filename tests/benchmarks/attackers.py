"""What strangers can do to a listener over real sockets, each as one try that is made again and again.

Nobody here has a conscience, and none of them is let in. As a process: `python -m tests.benchmarks.attackers NAME PORT
SECONDS` prints how many tries were made.
"""

from __future__ import annotations

import itertools
import os
import resource
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import trio
from msgspec.structs import replace

from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import Begin
from p2pchat.protocol.handshake import PREFACE
from p2pchat.protocol.invites import CLAIM
from p2pchat.wire.frames import MAX_FRAME_BODY, Hello, PakeClaim, PakeConfirm, PakeReply, Ping, Unknown
from tests.support.framing import HELLO, RESUME
from tests.support.visitors import Visitor, what_is_answered

GONE = (trio.BrokenResourceError, OSError)  # what it is like to be turned away, or not to be reached
ADDRESSES = 200  # of loopback, from which one machine plays many


class Aim:
    """Where an attack goes, and from which addresses it comes."""

    def __init__(self, port: int, *, spread: bool) -> None:
        self.tries = 0
        self._port = port
        self._sources = itertools.cycle(_sources(ADDRESSES if spread else 1))

    async def connect(self) -> trio.SocketStream:
        """Return a stream from the next address."""
        return await trio.open_tcp_stream("127.0.0.1", self._port, local_address=next(self._sources))

    @asynccontextmanager
    async def greet(self, *features: str) -> AsyncIterator[Visitor]:
        """Yield a visitor who has proved its new key, said HELLO and heard the answer."""
        visitor = Visitor(await self.connect(), Identity.generate(os.urandom))
        async with visitor.stream:
            await visitor.shake_hands()
            await visitor.say(replace(HELLO, features=[*HELLO.features, *features]))
            await visitor.hear(lambda event: isinstance(event, Hello))
            yield visitor


def _sources(count: int) -> Iterator[str]:
    return (f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count))


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to be a nuisance."""

    title: str
    one_try: Callable[[Aim], Awaitable[None]]
    width: int  # tries at the same time
    spread: bool = True  # over many addresses; or all from one


async def say_nothing(aim: Aim) -> None:
    """Connect, and wait to be sent away."""
    async with await aim.connect() as stream:
        await what_is_answered(stream)


async def cling(aim: Aim) -> None:
    """Connect, and never let go, whatever is said."""
    async with await aim.connect():
        await trio.sleep_forever()


async def lie_about_a_length(aim: Aim) -> None:
    """Announce the longest message there could be, and send some of it."""
    async with await aim.connect() as stream:
        await stream.send_all(PREFACE + b"\xff\xff" + bytes(60_000))
        await what_is_answered(stream)


async def dribble(aim: Aim) -> None:
    """Send message A one byte at a time."""
    async with await aim.connect() as stream:
        for byte in OPENING:
            await stream.send_all(bytes([byte]))
            await trio.sleep(0.05)


async def open_and_wait(aim: Aim) -> None:
    """Send a message A that was made long ago, take message B, and say nothing more."""
    async with await aim.connect() as stream:
        await stream.send_all(OPENING)
        await what_is_answered(stream)


async def open_and_leave(aim: Aim) -> None:
    """Make the other side compute a message B, and go: cheap here, dear there."""
    async with await aim.connect() as stream:
        await stream.send_all(OPENING)
        await stream.receive_some(4096)


async def be_a_stranger(aim: Aim) -> None:
    """Prove a new key, greet, and wait to be let in or refused."""
    async with aim.greet() as visitor:
        await visitor.say(RESUME)
        await what_is_answered(visitor.stream)


async def ping(aim: Aim) -> None:
    """Prove a new key, greet, and ping without end."""
    async with aim.greet() as visitor:
        await visitor.flood(Ping(1), 1000)
        await what_is_answered(visitor.stream)


async def send_giants(aim: Aim) -> None:
    """Prove a new key, greet, and send the largest frames that mean nothing."""
    async with aim.greet() as visitor:
        await visitor.flood(Unknown(0xF0, bytes(MAX_FRAME_BODY)), 300)
        await what_is_answered(visitor.stream)


async def withhold_a_record(aim: Aim) -> None:
    """Prove a new key, greet, announce the longest record, and keep its end back."""
    async with aim.greet() as visitor:
        await visitor.stream.send_all(b"\xff\xff" + bytes(60_000))
        await what_is_answered(visitor.stream)


async def claim(aim: Aim) -> None:
    """Prove a new key, claim a code that was never given out, and go through with it."""
    async with aim.greet(CLAIM) as visitor:
        await visitor.say(PakeClaim(1, os.urandom(32)))
        await visitor.hear(lambda event: isinstance(event, PakeReply))
        await visitor.say(PakeConfirm(1, os.urandom(64)))
        await what_is_answered(visitor.stream)


async def announce_a_claim(aim: Aim) -> None:
    """Prove a new key, say that a claim comes, and let everybody wait for it."""
    async with aim.greet(CLAIM) as visitor:
        await what_is_answered(visitor.stream)


OPENING = Connection(Role.INITIATOR, Identity.from_seed(bytes(32)), entropy=os.urandom, now=0.0).send(Begin(), now=0.0)

ATTACKS = {
    "silence": Attack("connections that say nothing, one address", say_nothing, width=300, spread=False),
    "silent-crowd": Attack("connections that say nothing, 200 addresses", say_nothing, width=1500),
    "clinging": Attack("connections that never let go", cling, width=2500),
    "lengths": Attack("handshakes with lying lengths", lie_about_a_length, width=50),
    "dribble": Attack("handshakes, a byte at a time", dribble, width=200),
    "openings": Attack("messages A, one address", open_and_leave, width=50, spread=False),
    "opening-crowd": Attack("messages A, 200 addresses", open_and_leave, width=50),
    "half-open": Attack("handshakes that stop half-way", open_and_wait, width=300),
    "strangers": Attack("strangers with keys of their own", be_a_stranger, width=50),
    "pings": Attack("strangers that ping", ping, width=20),
    "giants": Attack("strangers that send giant frames", send_giants, width=20),
    "claims": Attack("strangers that claim codes", claim, width=50),
    "announcers": Attack("strangers that announce a claim and wait", announce_a_claim, width=200),
    "records": Attack("strangers that keep a record's end", withhold_a_record, width=50),
}


async def run(attack: Attack, port: int, *, seconds: float, tries: int = sys.maxsize) -> int:
    """Attack whoever listens on `port`; return how many tries were begun."""
    aim = Aim(port, spread=attack.spread)

    async def try_again() -> None:
        while aim.tries < tries:
            aim.tries += 1
            with suppress(*GONE):
                await attack.one_try(aim)
            await trio.lowlevel.checkpoint()

    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for _ in range(attack.width):
                nursery.start_soon(try_again)
    return aim.tries


def main(name: str, port: str, seconds: str) -> None:
    """Be the attacker that the command line asks for."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(trio.run(lambda: run(ATTACKS[name], int(port), seconds=float(seconds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
