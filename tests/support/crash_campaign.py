"""Two profiles that talk all the time and are killed all the time, at moments that a seed decides."""

from __future__ import annotations

import random
import socket
from functools import partial
from pathlib import Path

import trio

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Life
from tests.support.crash_verdict import Verdict, judge
from tests.support.programs import Home

BURSTS = (1, 1, 2, 3, 8, 20)  # messages that are given at once
A_LIFE = 150  # messages at most
LONGEST = 1.0  # seconds until somebody is killed, whether or not what was waited for has happened


class Side:
    """A profile whose process begins again and again."""

    def __init__(self, forks: Forks, book: Book, words: tuple[str, ...], rng: random.Random) -> None:
        self.book = book
        self.life: Life
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
        async with self._forks.run(self.book.home, *self._words, "--json", "--accept", "anyone") as program:
            self.life = Life(self.book, program)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._talk)
                task_status.started()
                await self._end.wait()
                nursery.cancel_scope.cancel()
            assert program.process.returncode is None, f"it ended by itself: {program.err!r}"
        self.life.read()
        self._ended.set()

    async def kill(self) -> None:
        """Kill the process, and wait until all that it said is noted."""
        self.kills += 1
        self._end.set()
        await self._ended.wait()

    async def be_quiet(self) -> None:
        """Say no more in this life."""
        self._talks = False
        await self._silent.wait()

    async def _talk(self) -> None:
        left = A_LIFE
        await self.life.connected()
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


class Campaign:
    """Ann listens, Bob dials."""

    def __init__(self, forks: Forks, directory: Path, seed: int) -> None:
        self._rng = rng = random.Random(seed)
        self._forks = forks
        directory.mkdir()
        address = str(directory / "socket") if rng.random() < 0.5 else f"127.0.0.1:{free_port()}"
        ann, bob = (Book(Home(directory / name), name) for name in ("ann", "bob"))
        self.ann = Side(forks, ann, ("listen", address), rng)
        self.bob = Side(forks, bob, ("dial", address, "--retry"), rng)

    async def run(self, kills: int) -> Verdict:
        """Kill that often, let everything be delivered, and judge."""
        async with trio.open_nursery() as nursery:
            for side in (self.ann, self.bob):
                await nursery.start(side.live)
            patience = 2  # Bob dials ever more seldom, unless he begins anew
            while self.ann.kills + self.bob.kills < kills:
                victims = self._rng.choice([[self.ann], [self.bob], [self.ann, self.bob]])
                patience = 2 if self.bob in victims else patience - 1
                if patience == 0:
                    victims, patience = [self.bob], 2
                await self._wait_for_the_moment(self._rng.choice(victims))
                for victim in victims:
                    await victim.kill()
                for victim in victims:
                    await nursery.start(victim.live)
            for side in (self.ann, self.bob):
                await side.be_quiet()
                await side.life.deliver()
            for side in (self.ann, self.bob):
                await side.kill()
        verdict = await judge(self._forks, self.ann.book, self.bob.book)
        verdict.kills = self.ann.kills + self.bob.kills
        return verdict

    async def _wait_for_the_moment(self, side: Side) -> None:
        """Wait until any time of the life of `side`: while it starts, greets, talks, or has talked."""
        with trio.move_on_after(LONGEST):
            match self._rng.randrange(4):
                case 0:
                    pass
                case 1:
                    await side.life.connected()
                case 2:
                    await side.life.until(lambda: bool(side.life.states))
                case 3:
                    seen = len(side.book.heard) + self._rng.randrange(40)
                    await side.life.until(lambda: len(side.book.heard) > seen)
            await trio.sleep(self._rng.choice([0.0, 0.02, 0.2]) * self._rng.random())


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
