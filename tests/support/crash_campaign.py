"""Two profiles that talk all the time and are killed all the time, at moments that a seed decides."""

from __future__ import annotations

import math
import random
import signal
import socket
from enum import Enum
from functools import partial
from pathlib import Path

import trio

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Life, living
from tests.support.crash_verdict import Verdict, judge
from tests.support.programs import Home

BURSTS = (1, 1, 2, 3, 8, 20)  # messages that are given at once
A_LIFE = 150  # messages at most
LONGEST = 1.0  # seconds until somebody is killed, whether or not what was waited for has happened


class Side:
    """A process of a profile that begins again and again."""

    def __init__(self, forks: Forks, book: Book, words: tuple[str, ...], rng: random.Random) -> None:
        self.book = book
        self.life: Life
        self.dials = words[0] == "dial"
        self.kills = 0
        self._forks = forks
        self._rng = rng
        self._words = words
        self._talks = True
        self._silent = trio.Event()
        self._end = trio.Event()
        self._ended = trio.Event()

    async def live(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Run one process that talks, until `kill`."""
        self._talks = True
        self._silent, self._end, self._ended = trio.Event(), trio.Event(), trio.Event()
        async with living(self._forks, self.book, *self._words) as self.life:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._talk)
                task_status.started()
                await self._end.wait()
                nursery.cancel_scope.cancel()
            assert self.life.process.returncode is None, f"it ended by itself: {self.life.program.err!r}"
        self._ended.set()

    async def kill(self) -> None:
        """Kill the process, and wait until all that it said is noted."""
        self.kills += 1
        self._end.set()
        await self._ended.wait()

    async def freeze(self, seconds: float) -> None:
        """Let the process stand still for a while."""
        self.life.process.send_signal(signal.SIGSTOP)
        await trio.sleep(seconds)
        self.life.process.send_signal(signal.SIGCONT)

    async def be_quiet(self) -> None:
        """Say no more in this life."""
        self._talks = False
        if self.life.told("connected"):
            await self._silent.wait()

    async def _talk(self) -> None:
        left = A_LIFE
        await self.life.until(lambda: bool(self.life.told("connected")), patience=math.inf)  # nobody may visit it
        while self._talks and left > 0:
            burst = min(left, self._rng.choice(BURSTS))
            left -= burst
            names = await self.life.say(burst)
            await self.life.answered()
            if self._rng.random() < 0.5:
                await self.life.until(partial(self._is_done, names[-1]))
        self._silent.set()

    def _is_done(self, name: str) -> bool:
        return self.life.states.get(name) in {"delivered", "refused"}


class Cast(Enum):
    """Who is there."""

    PAIR = "Ann listens, Bob dials"
    WINDOWS = "Ann listens, two processes of Bob dial her"
    CROSSED = "both listen, both dial"


class Campaign:
    """A war, until everything that was said is delivered all the same."""

    def __init__(self, forks: Forks, directory: Path, seed: int, cast: Cast = Cast.PAIR) -> None:
        self._rng = rng = random.Random(seed)
        self._forks = forks
        directory.mkdir()
        several = cast is not Cast.PAIR
        self._books = ann, bob = [Book(Home(directory / name), name, together=several) for name in ("ann", "bob")]
        anns, bobs = (
            str(directory / name) if rng.random() < 0.5 else f"127.0.0.1:{free_port()}" for name in ("a", "b")
        )
        roles = [(ann, ("listen", anns)), (bob, ("dial", anns, "--retry"))]
        if cast is Cast.WINDOWS:
            roles += [(bob, ("dial", anns, "--retry"))]
        if cast is Cast.CROSSED:
            roles += [(bob, ("listen", bobs)), (ann, ("dial", bobs, "--retry"))]
        self.sides = [Side(forks, book, words, rng) for book, words in roles]

    async def run(self, kills: int) -> Verdict:
        """Kill that often, let everything be delivered, and judge."""
        async with trio.open_nursery() as nursery:
            for side in self.sides:
                await nursery.start(side.live)
            while self._kills < kills:
                await self._strike(nursery)
            for side in self._last():
                await side.life.connected()
            for side in self.sides:
                await side.be_quiet()
            for side in self._last():
                await side.life.deliver()
            for side in self.sides:
                await side.kill()
        verdict = await judge(self._forks, *self._books)
        verdict.kills = self._kills
        return verdict

    @property
    def _kills(self) -> int:
        return sum(side.kills for side in self.sides)

    def _last(self) -> list[Side]:
        """Return who is sure to have the other profile in the end: a listener may have been passed by."""
        dialers = [side for side in self.sides if side.dials]
        books = [side.book for side in dialers]
        return dialers + [side for side in self.sides if side.book not in books]

    async def _strike(self, nursery: trio.Nursery) -> None:
        """Kill somebody at some moment, or everybody, and let them begin again. All are frozen at times."""
        victims = self._rng.sample(self.sides, self._rng.randint(1, len(self.sides)))
        if self._rng.random() < 0.3:  # or those who dial would do it ever more seldom
            victims = [side for side in self.sides if side in victims or side.dials]
        await self._wait_for_the_moment(victims[0])
        if self._rng.random() < 0.2:
            await self._rng.choice(self.sides).freeze(self._rng.random() * 0.2)
        for victim in victims:
            await victim.kill()
        for victim in victims:
            await nursery.start(victim.live)

    async def _wait_for_the_moment(self, side: Side) -> None:
        """Wait until any time of the life of `side`: while it starts, greets, talks, or has talked."""
        life = side.life
        with trio.move_on_after(LONGEST):
            match self._rng.randrange(4):
                case 0:
                    pass
                case 1:
                    await life.connected()
                case 2:
                    await life.until(lambda: bool(life.states))
                case 3:
                    seen = len(life.heard) + self._rng.randrange(40)
                    await life.until(lambda: len(life.heard) > seen)
            await trio.sleep(self._rng.choice([0.0, 0.02, 0.2]) * self._rng.random())


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
