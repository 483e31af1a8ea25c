"""Several programs of one profile and one peer; and pipes that keep what they said."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat import errors
from p2pchat.ui.chat import Plan
from p2pchat.wire.messages import Text
from tests.support.faces import END_OF_INPUT, fill_disk, open_program
from tests.support.kept import BOB, DIAL, chatting, wait_heard
from tests.support.peers import HOME, Network, open_peer


@pytest.fixture
def network() -> Network:
    return Network()


async def test_what_another_window_says_is_shown_and_its_link_is_used(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        chatting(network, tmp_path) as (one, bob),
        open_program(network, DIAL, directory=tmp_path / "me", run=1) as other,
    ):
        await other.out.wait_for("-- another p2pchat of yours has the connection to bob\n")
        other.keys.type("by the other one\n")
        await wait_heard(bob, "by the other one")
        await other.out.wait_for("-- ✓ #1: delivered\n")
        await one.out.wait_for(" you, elsewhere: by the other one  #1 ·\n")
        await one.out.wait_for("-- ✓ #1: delivered\n")
        await bob.node.sessions[0].send("hello both")
        for program in (one, other):
            await program.out.wait_for(" bob: hello both\n")
        other.keys.type("/who\n")
        await other.out.wait_for(", by another p2pchat, whom you talk to")
        other.keys.type("/q\n")
        assert await other.wait_ended() is None
        one.keys.type("still here\n")
        await wait_heard(bob, "by the other one", "still here")


async def test_a_pipe_whose_peer_stays_away_ends_and_what_it_said_is_kept(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    plan = Plan(dial=HOME, patience=60)
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        async with open_program(network, plan, kind="pipe", directory=tmp_path / "me") as program:
            await program.err.wait_for("connected")
            network.up = False
            network.cut()
            program.keys.type("one\ntwo\n")
            error = await program.wait_ended()
            assert isinstance(error, errors.StillQueued)
            assert error.hint.startswith("2 messages stay queued; p2pchat sends them when it meets peer1")
        network.up = True
        async with open_program(network, plan, kind="pipe", directory=tmp_path / "me", run=1) as program:
            await wait_heard(bob, "one", "two")


async def test_a_pipe_on_a_full_disk_tells_how_many_lines_were_accepted(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        async with open_program(network, DIAL, kind="pipe", directory=tmp_path / "me") as program:
            await program.err.wait_for("connected")
            program.keys.type("one\ntwo\n")
            await wait_heard(bob, "one", "two")
            await trio.sleep(1)
            fill_disk(program.node)
            program.keys.type("x" * 100_000 + "\n")
            error = await program.wait_ended()
            assert isinstance(error, errors.StoreFull)
            assert error.hint.endswith("; lines of the input that were accepted before: 2")


async def test_a_pipe_shares_the_link_of_another_program_and_waits_for_answers(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        chatting(network, tmp_path) as (_, bob),
        open_program(network, DIAL, kind="pipe", directory=tmp_path / "me", run=1) as pipe,
    ):
        pipe.keys.type("question\n", END_OF_INPUT)
        await wait_heard(bob, "question")
        await trio.sleep(3)
        await bob.node.sessions[0].send("answer")
        await trio.sleep(3)
        await bob.node.sessions[0].send("and more")
        assert await pipe.wait_ended() is None
        assert pipe.out.text == "answer\nand more\n"
        assert bob.node.sessions[0].connected


async def test_a_pipe_that_shares_a_link_ends_with_all_that_the_log_has(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        chatting(network, tmp_path) as (_, bob),
        open_program(network, DIAL, kind="pipe", directory=tmp_path / "me", run=1) as pipe,
    ):
        await pipe.err.wait_for("another p2pchat of yours has the connection to bob")
        session = bob.node.sessions[0]
        await session.send_many([Text(str(number)) for number in range(1000)])
        await session.drained()  # at once: the pipe has not looked since
        pipe.node.session(bob.node.id).goodbye()
        assert await pipe.wait_ended() is None
        assert pipe.out.lines == [str(number) for number in range(1000)]
        assert session.connected
