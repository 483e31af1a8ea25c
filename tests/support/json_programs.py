"""A program behind the JSON face, on virtual time: commands in, checked events out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from p2pchat import errors
from p2pchat.cli import exit_codes
from p2pchat.crypto.identity import Identity
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.limits import Limits
from p2pchat.ui.chat import Plan
from p2pchat.ui.json.face import JsonFace
from p2pchat.ui.json.lines import Lines
from p2pchat.ui.reader import Manner
from tests.support import contract
from tests.support.contract import Line
from tests.support.faces import END_OF_INPUT, Keys, Paper, kept_in, words
from tests.support.peers import HOME, Network, Peer, open_peer, virtual_env

LINGER = 5.0

LISTEN = Plan(listen=(HOME,))
ONCE = Plan(listen=(HOME,), once=True, patience=60)
DIAL = Plan(dial=HOME, timeout=60, patience=60)
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)


@dataclass
class JsonProgram:
    """What runs on one side, and how it ended."""

    node: Node
    keys: Keys
    out: Paper
    err: Paper
    error: errors.P2PChatError | None = None
    ended: trio.Event = field(default_factory=trio.Event)

    @property
    def events(self) -> list[Line]:
        """Everything told so far, checked."""
        return contract.read(self.out.data)

    def told(self, name: str) -> list[Line]:
        """Return the events called `name` so far."""
        return [event for event in self.events if event["event"] == name]

    def states(self, ref: str | None) -> list[str]:
        """Return the states so far of the message `ref`."""
        return [event["state"] for event in self.told("state") if event["ref"] == ref]

    async def wait_for(self, name: str, *, count: int = 1, **fields: object) -> Line:
        """Return the `count`-th event called `name` with these fields, once it was told."""
        with trio.fail_after(10_000):
            while True:
                more = self.out.grew
                told = map(json.loads, self.out.lines)
                found: list[Line] = [event for event in told if {"event": name, **fields}.items() <= event.items()]
                if len(found) >= count:
                    return found[count - 1]
                await more.wait()

    def command(self, name: str, **fields: object) -> None:
        """Let a command be read."""
        self.keys.type(json.dumps({"command": name, **fields}) + "\n")

    def end_input(self) -> None:
        """Let there be no more commands."""
        self.keys.type(END_OF_INPUT)

    async def wait_ended(self) -> errors.P2PChatError | None:
        """Return the error with which the chat ended, None for a good end."""
        with trio.fail_after(10_000):
            await self.ended.wait()
        return self.error


@asynccontextmanager
async def open_json_program(
    network: Network,
    plan: Plan,
    *,
    accept: Accept = Accept.ANYONE,
    seed: int = 99,
    name: str = "",
    quiet: bool = False,
    no_input: bool = False,
    directory: Path | None = None,
    run: int = 0,
) -> AsyncIterator[JsonProgram]:
    """Run `plan` behind the JSON face; the program is stopped at the end of the block.

    With a `directory` it keeps there what is said; without one it is a guest. `run` tells apart the runs of a test:
    what is random differs in each.
    """
    env = virtual_env(network, seed=seed + 1000 * run)
    keys, out, err = Keys(), Paper(), Paper()
    me = Identity.from_seed(bytes([seed]) * 32)
    settings = NodeSettings(accept=accept, name=name, limits=Limits(linger=LINGER, pipe_quiet=LINGER))
    async with (
        trio.open_nursery() as nursery,
        kept_in(directory, env) as store,
        open_node(me, env=env, settings=settings, store=store) as node,
    ):
        program = JsonProgram(node, keys, out, err)
        told_in = words(me)
        told_in.meet(node)
        face = JsonFace(
            source=None if no_input else keys,
            lines=Lines(out),
            status=None if quiet else err,
            manner=Manner(words=told_in, store=store, quiet=quiet),
            code_of=lambda error: exit_codes.word(exit_codes.of(error)),
        )

        async def live() -> None:
            try:
                await face.run(node, plan)
            except errors.P2PChatError as exc:
                program.error = exc
            program.ended.set()

        nursery.start_soon(live)
        yield program
        _ = program.events  # which checks them all
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def chatting(plan: Plan) -> AsyncIterator[tuple[JsonProgram, Peer, Network]]:
    """A program and a peer called bob, connected."""
    network = Network()
    async with open_peer(network, settings=BOB) as bob:
        if plan.dial:
            await bob.node.listen(HOME)
        async with open_json_program(network, plan) as program:
            await trio.sleep(1)
            if plan.listen:
                await bob.node.dial(HOME)
            await program.wait_for("connected")
            yield program, bob, network
            bob.resume()
