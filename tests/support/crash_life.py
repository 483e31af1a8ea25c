"""Profiles that live many times, and what became of all that they were told to say.

Each process speaks JSON. Its messages have names, `ann3.17` for the seventeenth of Ann's third process, and a content
that follows from the name, so that whoever reads it anywhere can tell whether it is whole.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any

import trio

from tests.support.crash_forks import Forks
from tests.support.programs import PATIENCE, Home, Process, Program

Line = dict[str, Any]


def text_of(name: str) -> str:
    """Return what the message called `name` says: mostly little, at times more than fits into one entry."""
    rng = random.Random(name)
    size = rng.randrange(40_000, 120_000) if rng.random() < 0.01 else rng.randrange(200)
    return f"{name} {'é' * (size // 4)}{'.' * (size // 2)}"


def name_in(text: str) -> str:
    return text.partition(" ")[0]


@dataclass
class Book:
    """A profile, and what its processes were told, one life after the other or several at once."""

    home: Home
    name: str
    together: bool = False  # several of its processes run at once, and each shows all that comes
    lives: int = 0
    tried: list[str] = field(default_factory=list)  # names of messages that a process was given
    accepted: list[str] = field(default_factory=list)  # those that it has told to be queued
    refused: list[str] = field(default_factory=list)  # those that it has told not to accept
    heard: list[list[str]] = field(default_factory=list)  # texts, as one process, or one after the other, showed them


class Life:
    """One process of a profile, and what it says."""

    def __init__(self, book: Book, program: Program) -> None:
        book.lives += 1
        self.book = book
        self.program = program
        self.name = f"{book.name}{book.lives}"
        self.events: list[Line] = []
        self.states: dict[str, str] = {}  # by the names of messages of this life: the newest, or "refused"
        if book.together or not book.heard:
            book.heard.append([])
        self.heard = book.heard[-1]
        self._said = 0
        self._read = 0  # bytes

    def read(self) -> None:
        """Take notice of every whole line that there is."""
        end = self.program.out.rfind(b"\n") + 1
        new, self._read = self.program.out[self._read : end], end
        for line in new.splitlines():
            event = json.loads(line)
            self.events.append(event)
            self._note(event)

    def _note(self, event: Line) -> None:
        match event:
            case {"event": "message", "text": text}:
                self.heard.append(text)
            case {"event": "state", "ref": str(name), "state": state}:
                if state == "queued":
                    self.book.accepted.append(name)
                self.states[name] = state
            case {"event": "error", "ref": str(name)}:
                self.book.refused.append(name)
                self.states[name] = "refused"

    def told(self, event: str) -> list[Line]:
        self.read()
        return [line for line in self.events if line["event"] == event]

    async def until(self, condition: Callable[[], bool], *, patience: float = PATIENCE) -> None:
        """Wait until what it said makes `condition` true."""
        with trio.move_on_after(patience):
            while True:
                more = self.program.more
                self.read()
                if condition():
                    return
                await more.wait()
        newest = [event for event in self.events if event["event"] not in {"message", "state"}][-5:]
        raise AssertionError(f"{self.name} did not come so far: {newest}, {self.program.err!r}")

    @property
    def process(self) -> Process:
        return self.program.process

    async def die(self) -> None:
        """Kill it, and wait until it is dead."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def freeze(self) -> None:
        """Stop it, but not in the middle of a transaction: that would lock the others of its profile out."""
        while True:
            self.process.send_signal(signal.SIGSTOP)
            database = sqlite3.connect(self.book.home.data / "history.db", timeout=0.1)
            with closing(database), suppress(sqlite3.OperationalError):
                database.execute("BEGIN IMMEDIATE")
                return
            self.thaw()
            await trio.lowlevel.checkpoint()

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def connected(self, times: int = 1) -> None:
        await self.until(lambda: len(self.told("connected")) >= times)

    async def say(self, count: int = 1) -> list[str]:
        """Give it so many messages at once; returns their names. What it makes of them it will tell."""
        names = [f"{self.name}.{number}" for number in range(self._said + 1, self._said + count + 1)]
        self._said += count
        self.book.tried += names
        commands = ({"command": "send", "text": text_of(name), "ref": name} for name in names)
        await self.program.type("".join(json.dumps(command) + "\n" for command in commands))
        return names

    async def reached(self, state: str, *names: str) -> None:
        """Wait until it has told that these messages are in that state."""
        await self.until(lambda: all(self.states.get(name) == state for name in names))

    async def answered(self) -> None:
        """Wait until it has told of each message whether it accepts it."""
        await self.until(lambda: len(self.states) == self._said)

    async def hears(self, *names: str) -> None:
        """Wait until it has shown these messages."""
        await self.until(lambda: set(names) <= set(map(name_in, self.heard)))

    async def until_refused(self) -> None:
        """Say more and more, until something is not accepted."""
        while "refused" not in self.states.values():
            await self.say(50)
            await self.answered()

    async def deliver(self) -> None:
        """Say one more message, and wait until it is delivered, and with it all that was accepted before."""
        await self.reached("delivered", *await self.say())


@asynccontextmanager
async def living(forks: Forks, book: Book, *words: str, **how: Any) -> AsyncIterator[Life]:
    """Run a process of the profile, until the end of the block; by then all that it told is noted."""
    async with forks.run(book.home, *words, "--json", "--accept", "anyone", **how) as program:
        life = Life(book, program)
        yield life
    life.read()
