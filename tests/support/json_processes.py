"""Processes that speak JSON: commands in, and events out, each held against the schema."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from tests.support import contract
from tests.support.contract import Line
from tests.support.programs import PATIENCE, Home, Program


class Talk:
    """A running program that speaks JSON."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._events: list[Line] = []
        self._read = 0  # bytes

    @property
    def events(self) -> list[Line]:
        """Everything told so far in whole lines, checked."""
        end = self.program.out.rfind(b"\n") + 1
        if end > self._read:
            self._events += contract.parse(self.program.out[self._read : end])
            self._read = end
            contract.check_order(self._events)
        return self._events

    def told(self, name: str, **fields: object) -> list[Line]:
        """Return the events called `name` with these fields so far."""
        return [event for event in self.events if {"event": name, **fields}.items() <= event.items()]

    async def wait_for(self, name: str, *, count: int = 1, **fields: object) -> Line:
        """Return the `count`-th such event once it was told."""
        with trio.fail_after(PATIENCE):
            while True:
                more = self.program.more
                if len(found := self.told(name, **fields)) >= count:
                    return found[count - 1]
                await more.wait()

    async def command(self, name: str, **fields: object) -> None:
        await self.program.type(json.dumps({"command": name, **fields}) + "\n")

    async def address(self) -> str:
        """Return where it listens."""
        return str((await self.wait_for("listening"))["address"])


@asynccontextmanager
async def talking(home: Home, *words: str, **how: Any) -> AsyncIterator[Talk]:
    async with home.run(*words, "--json", **how) as program:
        yield Talk(program)


async def echo(bot: Talk) -> None:
    """Answer each message with itself, and each goodbye with another."""
    done = 0
    while True:
        more = bot.program.more
        events = bot.events
        for event in events[done:]:
            match event:
                case {"event": "message", "text": text, "peer": peer}:
                    await bot.command("send", text=text, peer=peer)
                case {"event": "leaving", "peer": peer}:
                    await bot.command("close", peer=peer)
        done = len(events)
        await more.wait()
