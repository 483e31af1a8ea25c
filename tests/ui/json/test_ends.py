"""How conversations of programs end: by goodbyes, which wait for an answer, and otherwise."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from p2pchat import errors
from p2pchat.node import events
from p2pchat.ui.chat import Plan
from p2pchat.ui.json import face
from tests.support.json_programs import BOB, DIAL, LISTEN, ONCE, chatting, open_json_program
from tests.support.peers import HOME, Network, open_peer


async def test_the_end_of_input_is_close_for_a_dialer(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        program.keys.type('{"command":"send","text":"last, without a newline"}', b"")
        await bob.wait_for(events.Leaving)
        assert bob.heard == ["last, without a newline"]
        await bob.node.sessions[0].send("answer")
        await program.wait_for("message", text="answer")
        await bob.node.sessions[0].leave()
        assert await program.wait_ended() is None


async def test_commands_of_a_dialer_wait_for_its_peer(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_json_program(network, Plan(dial=HOME, retry=True)) as program:
        program.command("send", text="early", ref="1")
        program.end_input()
        await program.wait_for("error", code="unreachable")
        assert program.keys.taken == 0
        async with open_peer(network, settings=BOB) as bob:
            await bob.node.listen(HOME)
            assert await bob.wait_heard(1) == ["early"]
            assert await program.wait_ended() is None
            assert program.states("1") == ["queued", "sent", "delivered"]


async def test_the_end_of_input_of_a_listener_ends_nothing(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.end_input()
        await trio.sleep(1000)
        await bob.node.sessions[0].send("still there?")
        await program.wait_for("message")
        bob.node.sessions[0].goodbye()
        began = trio.current_time()
        await program.wait_for("disconnected", clean=True)
        assert trio.current_time() - began < 1  # who can give no more commands is not waited for
        assert not program.ended.is_set()


async def test_a_goodbye_waits_for_close(autojump_clock: MockClock) -> None:
    async with chatting(ONCE) as (program, bob, _):
        bob.node.sessions[0].goodbye()
        leaving = await program.wait_for("leaving")
        await trio.sleep(3)
        program.command("send", text="wait")
        await trio.sleep(3)
        assert program.told("disconnected") == []
        program.command("close", peer=leaving["peer"])
        assert await program.wait_ended() is None
        assert bob.heard == ["wait"]


async def test_nothing_is_sent_after_close(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        bob.paused = True
        program.command("send", text="first")
        program.command("close")
        program.command("send", text="too late", ref="1")
        await program.wait_for("error", code="closing", ref="1")
        bob.resume()
        await bob.wait_for(events.Leaving)
        await bob.node.sessions[0].leave()
        assert await program.wait_ended() is None
        assert bob.heard == ["first"]


async def test_nothing_is_sent_when_the_conversation_is_over_and_the_program_does_not_know_yet(
    autojump_clock: MockClock,
) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.out.stall()
        await bob.node.sessions[0].send("this line keeps the program busy")
        await trio.sleep(1)
        program.node.sessions[0].finish()
        program.command("send", text="too late", ref="1")
        await trio.sleep(1)
        program.out.read_on()
        await program.wait_for("error", code="closing", ref="1")
        await program.wait_for("disconnected", clean=False)


async def test_a_goodbye_is_answered_after_the_linger(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        bob.node.sessions[0].goodbye()
        await program.wait_for("leaving")
        began = trio.current_time()
        assert await program.wait_ended() is None
        assert trio.current_time() - began == pytest.approx(5, abs=0.1)


async def test_who_comes_back_soon_after_a_goodbye_may_stay(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        bob.node.sessions[0].goodbye()
        await program.wait_for("leaving")
        program.command("close")
        await program.wait_for("disconnected", clean=True)
        session = await bob.node.dial(HOME)
        await trio.sleep(60)
        assert session.connected
        program.command("send", text="welcome back")
        assert await bob.wait_heard(1) == ["welcome back"]


async def test_a_close_that_was_lost_is_said_again(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, network):
        program.command("close")
        program.command("close")
        await bob.wait_for(events.Leaving)
        network.cut()
        await bob.wait_for(events.Leaving, count=2)
        await bob.node.sessions[0].leave()
        assert await program.wait_ended() is None
        assert program.told("error") == []


@pytest.mark.parametrize("waiting", [False, True], ids=["nothing", "a message"])
async def test_close_without_a_link_is_now_and_spares_who_comes_later(
    autojump_clock: MockClock, *, waiting: bool
) -> None:
    async with open_json_program(network := Network(), LISTEN) as program:
        async with open_peer(network, settings=BOB) as bob:
            await bob.node.dial(HOME)
            await program.wait_for("connected")
        gone = await program.wait_for("disconnected", clean=False)
        if waiting:
            program.command("send", text="never heard", ref="1", peer=gone["peer"])
        program.command("close", peer=gone["peer"])
        program.command("close", peer=gone["peer"])
        assert (await program.wait_for("disconnected", clean=True))["redial"] is None
        assert program.states("1") == (["queued", "failed"] if waiting else [])
        program.command("send", text="too late", ref="2", peer=gone["peer"])
        await program.wait_for("error", ref="2", code="unknown_peer")
        async with open_peer(network, settings=BOB) as bob:
            session = await bob.node.dial(HOME)
            await trio.sleep(60)
            assert session.connected
            program.command("send", text="hello again", ref="3")
            assert await bob.wait_heard(1) == ["hello again"]
            await program.wait_for("state", ref="3", state="delivered")


async def test_once_a_close_without_a_link_is_the_end(autojump_clock: MockClock) -> None:
    async with chatting(ONCE) as (program, _, network):
        network.up = False
        network.cut()
        await program.wait_for("disconnected", clean=False)
        program.command("close")
        assert await program.wait_ended() is None


async def test_a_dialer_whose_link_is_lost_says_goodbye_on_the_next(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, network):
        network.up = False
        network.cut()
        await program.wait_for("disconnected", clean=False)
        program.command("send", text="last words")
        program.command("close")
        await program.wait_for("error", code="unreachable")
        network.up = True
        assert await bob.wait_heard(1) == ["last words"]
        await bob.wait_for(events.Leaving)
        await bob.node.sessions[0].leave()
        assert await program.wait_ended() is None


async def test_a_peer_that_goes_away_has_not_said_goodbye(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        bob.node.sessions[0].finish()
        gone = await program.wait_for("disconnected")
        assert not gone["clean"]
        assert gone["reason"] == "went away"
        assert gone["redial"] is not None
        assert program.told("leaving") == []


async def test_a_link_that_stays_lost_fails_what_waits(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, _, network):
        network.up = False
        network.cut()
        await program.wait_for("disconnected")
        program.command("send", text="never heard", ref="1")
        assert isinstance(await program.wait_ended(), errors.LinkLost)
        assert program.states("1") == ["queued", "failed"]
        assert program.events[-1]["reason"] == "this program ended before it was acknowledged"


async def test_what_nobody_took_when_the_conversation_ended_has_failed(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        bob.node.sessions[0].goodbye()
        await program.wait_for("leaving")
        bob.paused = True
        program.command("send", text="never shown", ref="1")
        await trio.sleep(4)
        assert await program.wait_ended() is None
        assert program.states("1") == ["queued", "sent", "failed"]


async def test_a_reader_that_is_gone_ends_it(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.out.is_closed = True
        await bob.node.sessions[0].send("anybody?")
        assert isinstance(await program.wait_ended(), errors.StdoutClosed)


async def test_a_reader_that_reads_no_more_is_as_good_as_gone_at_the_end(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_json_program(network, Plan(dial=HOME, retry=True, timeout=30)) as program:
        await program.wait_for("ready")
        program.out.stall()
        assert isinstance(await program.wait_ended(), errors.StdoutClosed)
        assert trio.current_time() == pytest.approx(30 + face.LAST_WORDS)
