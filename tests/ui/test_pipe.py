"""Pipes: bytes out equal bytes in, and a program that ends when it should."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat import errors
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.ui.chat import Plan
from p2pchat.ui.marks import UNICODE
from p2pchat.ui.outlets import CleanLines
from p2pchat.wire.messages import Data, Text
from tests.support.faces import END_OF_INPUT, Paper, Program, open_program
from tests.support.peers import HOME, Network, Peer, open_peer
from tests.ui.test_transcript import message

LISTEN = Plan(listen=(HOME,))
ONCE = Plan(listen=(HOME,), once=True, patience=60)
DIAL = Plan(dial=HOME, timeout=60, patience=60)
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)


@asynccontextmanager
async def chatting(
    plan: Plan, *typed: str | bytes, quiet: bool = False
) -> AsyncIterator[tuple[Program, Peer, Network]]:
    """A program between two pipes and a peer called bob, connected; `typed` is in the pipe from the beginning."""
    network = Network()
    async with open_peer(network, settings=BOB) as bob:
        if plan.dial:
            await bob.node.listen(HOME)
        async with open_program(network, plan, kind="pipe", quiet=quiet) as program:
            program.keys.type(*typed)
            await trio.sleep(1)
            if plan.listen:
                await bob.node.dial(HOME)
            await bob.wait_for(events.Connected)
            yield program, bob, network
            bob.resume()


async def test_between_two_pipes_the_bytes_are_the_same(autojump_clock: MockClock) -> None:
    data = b"one\n\xff\xfe\n\nthree\r\n" + b"x" * (2**20 + 10) + b"\n/q\n" + "é".encode() * 2**19 + b"\x00last"
    network = Network()
    async with (
        open_program(network, ONCE, kind="pipe", seed=1) as receiver,
        open_program(network, DIAL, kind="pipe", seed=2) as sender,
    ):
        receiver.keys.type(END_OF_INPUT)
        sender.keys.type(*(data[start : start + 65536] for start in range(0, len(data), 65536)), END_OF_INPUT)
        assert await sender.wait_ended() is None
        assert await receiver.wait_ended() is None
        assert receiver.out.data == data
        assert sender.out.data == b""


async def test_ten_thousand_lines_arrive_in_order(autojump_clock: MockClock) -> None:
    data = b"".join(b"%d\n" % n for n in range(10_000))
    network = Network()
    async with (
        open_program(network, ONCE, kind="pipe", seed=1) as receiver,
        open_program(network, DIAL, kind="pipe", seed=2) as sender,
    ):
        receiver.keys.type(END_OF_INPUT)
        sender.keys.type(data, END_OF_INPUT)
        assert await receiver.wait_ended() is None
        assert receiver.out.data == data


async def test_input_is_not_read_before_somebody_is_there(autojump_clock: MockClock) -> None:
    async with open_program(Network(), LISTEN, kind="pipe") as program:
        program.keys.type("secret\n")
        await trio.sleep(1000)
        assert program.keys.taken == 0


async def test_a_dialer_whose_input_ended_waits_for_answers_while_they_keep_coming(autojump_clock: MockClock) -> None:
    async with chatting(DIAL, "question\n", END_OF_INPUT) as (program, bob, _):
        await bob.wait_for(events.Leaving)
        session = bob.node.sessions[0]
        for n in range(4):
            await trio.sleep(4)
            await session.send(f"answer {n}")
        began = trio.current_time()
        assert await program.wait_ended() is None
        assert trio.current_time() - began == pytest.approx(5, abs=0.1)
        assert program.out.text == "".join(f"answer {n}\n" for n in range(4))


async def test_a_dialer_with_open_input_ends_with_the_goodbye_of_its_peer(autojump_clock: MockClock) -> None:
    async with chatting(DIAL, "one\n") as (program, bob, _):
        await bob.wait_heard(1)
        bob.node.sessions[0].goodbye()
        began = trio.current_time()
        assert await program.wait_ended() is None
        assert trio.current_time() - began == pytest.approx(1, abs=0.1)


async def test_a_pipe_that_still_talks_is_not_cut_off_by_a_goodbye(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        bob.node.sessions[0].goodbye()
        for n in range(4):
            await trio.sleep(0.8)
            program.keys.type(f"{n}\n")
        assert await program.wait_ended() is None
        assert bob.heard == ["0", "1", "2", "3"]


async def test_what_is_left_in_the_pipe_after_the_goodbyes_is_not_read(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, network):
        bob.node.sessions[0].goodbye()
        await bob.wait_for(events.Disconnected)
        program.keys.type("too late\n")
        async with open_peer(network, seed=7) as eve:
            await eve.node.dial(HOME)
            program.keys.type("not for you\n")
            await trio.sleep(10)
            assert eve.heard == []
            assert not program.ended.is_set()


async def test_input_goes_to_the_first_peer_and_everybody_is_heard(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, network), open_peer(network, seed=7) as eve:
        await eve.node.dial(HOME)
        program.keys.type("hello\n")
        assert await bob.wait_heard(1) == ["hello"]
        await eve.node.sessions[0].send("from eve")
        await program.out.wait_for("from eve\n")
        assert eve.heard == []


async def test_end_of_input_of_a_listener_only_means_that_it_says_nothing(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN, END_OF_INPUT) as (program, bob, _):
        await trio.sleep(1000)
        await bob.node.sessions[0].send("still there?")
        await program.out.wait_for("still there?\n")
        assert not program.ended.is_set()


async def test_once_ends_after_the_first_chat_that_ends_with_a_goodbye(autojump_clock: MockClock) -> None:
    async with chatting(ONCE, END_OF_INPUT) as (program, bob, _):
        await bob.node.sessions[0].leave()
        assert await program.wait_ended() is None


async def test_once_waits_a_minute_for_a_lost_peer(autojump_clock: MockClock) -> None:
    async with chatting(ONCE, "queued\n") as (program, bob, network):
        await bob.wait_heard(1)
        await trio.sleep(1)
        bob.node.sessions[0].finish()
        network.up = False
        network.cut()
        began = trio.current_time()
        program.keys.type("never heard\n")
        error = await program.wait_ended()
        assert trio.current_time() - began == pytest.approx(60)
        assert isinstance(error, errors.LinkLost)
        assert error.hint == "messages that were not delivered, and that nothing keeps: 1"


async def test_once_goes_on_when_the_peer_is_back_in_time(autojump_clock: MockClock) -> None:
    async with chatting(ONCE, END_OF_INPUT) as (program, bob, network):
        network.cut()
        await bob.wait_for(events.Connected, count=2)
        await trio.sleep(1000)
        assert not program.ended.is_set()
        await bob.node.sessions[0].leave()
        assert await program.wait_ended() is None


async def test_strangers_do_not_count_for_once(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_program(network, ONCE, kind="pipe", accept=Accept.KNOWN) as program, open_peer(network) as eve:
        await trio.sleep(1)
        with pytest.raises(errors.UntrustedPeer):
            await eve.node.dial(HOME)
        await program.err.wait_for("p2pchat: a stranger was refused")
        assert f"p2pchat: to let it in next time: let-in {eve.node.id}" in program.err.lines
        await trio.sleep(1000)
        assert not program.ended.is_set()


async def test_a_dialer_gives_a_lost_link_a_minute(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, _, network):
        network.up = False
        network.cut()
        began = trio.current_time()
        error = await program.wait_ended()
        assert isinstance(error, errors.LinkLost)
        assert trio.current_time() - began == pytest.approx(60)
        assert "p2pchat: connection lost: bob" in program.err.text
        assert "goodbye" not in program.err.text


async def test_a_goodbye_that_was_lost_is_said_again(autojump_clock: MockClock) -> None:
    async with chatting(DIAL, "all\n", END_OF_INPUT) as (program, bob, network):
        await bob.wait_for(events.Leaving)
        network.cut()
        await bob.wait_for(events.Leaving, count=2)
        bob.node.sessions[0].goodbye()
        assert await program.wait_ended() is None
        assert bob.heard == ["all"]


async def test_nobody_there_ends_it_at_once(autojump_clock: MockClock) -> None:
    async with open_program(Network(), DIAL, kind="pipe") as program:
        assert isinstance(await program.wait_ended(), errors.ConnectFailed)
        assert trio.current_time() == 0


async def test_retry_keeps_trying_for_as_long_as_it_may(autojump_clock: MockClock) -> None:
    network = Network()
    plan = Plan(dial=HOME, retry=True, timeout=30)
    async with open_program(network, plan, kind="pipe") as program:
        error = await program.wait_ended()
        assert isinstance(error, errors.ConnectFailed)
        assert trio.current_time() == 30
        assert len(network.dials) > 2
        assert "; trying again in" in program.err.text


async def test_retry_reaches_a_peer_that_comes_late(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_program(network, Plan(dial=HOME, retry=True), kind="pipe") as program:
        await trio.sleep(100)
        async with open_peer(network) as bob:
            await bob.node.listen(HOME)
            program.keys.type("at last\n")
            assert await bob.wait_heard(1) == ["at last"]


async def test_reached_but_not_let_in_in_time(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, settings=NodeSettings(accept=Accept.ASK)) as bob:
        await bob.node.listen(HOME)
        async with open_program(network, Plan(dial=HOME, timeout=20), kind="pipe") as program:
            program.keys.type("not read\n")
            error = await program.wait_ended()
            assert isinstance(error, errors.NotLetIn)
            assert trio.current_time() == pytest.approx(20)
            assert program.keys.taken == 0
            assert "; waiting to be let in" in program.err.text


async def test_a_closed_output_ends_it(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.out.is_closed = True
        await bob.node.sessions[0].send("anybody?")
        assert isinstance(await program.wait_ended(), errors.StdoutClosed)


async def test_what_nobody_read_is_not_acknowledged_and_a_stalled_reader_does_not_stop_our_words(
    autojump_clock: MockClock,
) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.out.stall()
        session = bob.node.sessions[0]
        await session.send("one")
        await trio.sleep(100)
        assert await session.unsaid() == 1
        program.keys.type("we can still talk\n")
        assert await bob.wait_heard(1) == ["we can still talk"]
        program.out.read_on()
        await session.drained()
        assert program.out.text == "one\n"


async def test_quiet_has_no_status_lines(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN, quiet=True) as (program, bob, _):
        await bob.node.sessions[0].send("hi")
        await program.out.wait_for("hi\n")
        assert program.err.text == ""


async def test_safe_output_is_clean_and_keeps_its_lines() -> None:
    paper = Paper()
    said = [message(Text("\x1b[2Jhi")), message(Data(b"caf\xe9", more=True)), message(Text("two\nlines"))]
    await CleanLines(paper, marks=UNICODE).show("bob", said)
    assert paper.text == "␛[2Jhi\ncaf\\xe9\ntwo\nlines\n"
