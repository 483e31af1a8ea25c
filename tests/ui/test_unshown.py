"""What a pipe or a program was never shown: it is told how much that is by the next process of the profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import StoreFailed
from p2pchat.node import events
from p2pchat.ui.chat import Plan
from p2pchat.ui.pipe import PREFIX
from p2pchat.ui.unshown import NOTHING, Unshown
from tests.support.faces import ME, Program, open_program, words
from tests.support.json_programs import JsonProgram, open_json_program
from tests.support.kept import BOB
from tests.support.peers import HOME, Network, Peer, open_peer

LISTEN = Plan(listen=(HOME,))
COUNT = 600


@pytest.fixture
def network() -> Network:
    return Network()


async def fill(program: Program | JsonProgram, bob: Peer) -> None:
    """Let bob say one thing that is read, and many that are acknowledged, and come no further than to our disk."""
    session = await bob.node.dial(HOME)
    await session.send("was read")
    await program.out.wait_for("was read")
    await trio.sleep(1)
    program.out.stall()
    for number in range(COUNT):
        await session.send(f"number {number}")
    await session.drained()


def notice(bob: Peer, count: int) -> str:
    came = f"{count} messages of bob came earlier and were not shown (the last of what was shown may be among them)"
    return f"{PREFIX}{came}: `p2pchat history {bob.node.id}` has them\n"


async def test_a_pipe_says_how_many_messages_an_earlier_one_left(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        async with open_program(network, LISTEN, kind="pipe", directory=tmp_path / "me") as program:
            await program.err.wait_for("listening")
            await fill(program, bob)
        async with open_program(network, LISTEN, kind="pipe", directory=tmp_path / "me", run=1) as program:
            await program.err.wait_for(notice(bob, COUNT))
            await bob.node.sessions[-1].send("newer")
            await program.out.wait_for("newer\n")
            network.cut()
            await program.err.wait_for("connected again: bob")
            assert program.err.text.count("came earlier") == 1
            assert program.out.text == "newer\n"
        async with open_program(network, LISTEN, kind="pipe", directory=tmp_path / "me", run=2) as program:
            await program.err.wait_for("connected: bob")
            await bob.node.sessions[-1].send("newest")
            await program.out.wait_for("newest\n")
            assert "came earlier" not in program.err.text  # for what was written at the end was noted


async def test_a_program_is_told_where_to_go_on(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        async with open_json_program(network, LISTEN, directory=tmp_path / "me") as program:
            await program.wait_for("listening")
            await fill(program, bob)
            read = program.told("message")[-1]
            assert "unshown" not in program.told("connected")[0]
        async with open_json_program(network, LISTEN, directory=tmp_path / "me", run=1) as program:
            connected = await program.wait_for("connected")
            assert connected["unshown"] == COUNT
            assert read["cursor"] <= connected["since"]
            await program.err.wait_for(notice(bob, COUNT))
            network.cut()
            assert "unshown" not in await program.wait_for("connected", count=2)


class Broken:
    """A store that cannot be read."""

    async def read(self, _: object) -> None:
        await trio.lowlevel.checkpoint()
        raise StoreFailed("the disk is gone")


async def test_a_guest_and_a_disk_that_does_not_tell_have_left_nothing(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    broken: Any = Broken()
    async with (
        open_peer(network, settings=BOB) as bob,
        open_peer(network, seed=5, directory=tmp_path / "me") as me,
    ):
        await me.node.listen(HOME)
        await bob.node.dial(HOME)
        session = (await me.wait_for(events.Connected)).session
        for store in (None, broken):
            assert await Unshown(store).left(session) == NOTHING


async def test_one_message_is_one(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network, settings=BOB) as bob, open_peer(network, seed=5) as me:
        await me.node.listen(HOME)
        await bob.node.dial(HOME)
        session = (await me.wait_for(events.Connected)).session
        assert words(ME).unshown(session, 0) == []
        assert words(ME).unshown(session, 1)[0].startswith("1 message of bob came earlier and was not shown (")
