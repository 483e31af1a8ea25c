"""A person at a terminal that draws nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from p2pchat.crypto.identity import Identity
from p2pchat.errors import P2PChatError
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.ui.chat import Plan
from p2pchat.ui.strangers import MAX_ASKED, Strangers
from tests.support.faces import END_OF_INPUT, Program, open_program
from tests.support.peers import HOME, Network, Peer, open_peer

LISTEN = Plan(listen=(HOME,))
DIAL = Plan(dial=HOME)
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)


@asynccontextmanager
async def chatting(plan: Plan = LISTEN, *, quiet: bool = False) -> AsyncIterator[tuple[Program, Peer, Network]]:
    """A program at a terminal and a peer called bob, connected."""
    network = Network()
    async with open_peer(network, settings=BOB) as bob:
        if plan.dial:
            await bob.node.listen(HOME)
        async with open_program(network, plan, quiet=quiet) as program:
            if plan.listen:
                await trio.sleep(1)
                await bob.node.dial(HOME)
            await trio.sleep(1)
            yield program, bob, network
            bob.resume()


async def test_what_is_typed_is_said_and_what_is_said_is_shown(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type("hello\n")
        assert await bob.wait_heard(1) == ["hello"]
        await bob.node.sessions[0].send("hi\nthere")
        await program.out.wait_for("      there")
        assert program.out.lines[-2][5:] == " bob: hi"
        assert program.out.lines[-1] == "      there"


async def test_what_happens_is_told_in_lines_of_our_own(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, network):
        await program.out.wait_for("connected")
        bob.node.sessions[0].name = ""
        network.cut()
        await program.out.wait_for("connected again")
        short = f"peer1{str(bob.node.id)[5:13]}…{str(bob.node.id)[-4:]}"
        assert program.out.lines == [
            "-- listening on memory:home",
            f"-- connected: bob ({short}), not verified, a guest: it keeps nothing",
            "-- connection lost: bob",
            "-- connected again: bob",
        ]


async def test_several_lines_at_once_are_several_messages(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type("one\ntwo\nth", "ree\n\n")
        assert await bob.wait_heard(3) == ["one", "two", "three"]


async def test_every_delivery_is_told(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type("one\n")
        await program.out.wait_for("-- ✓ guest #1: delivered\n")
        program.keys.type("two\nthree\n")
        await bob.wait_heard(3)
        await trio.sleep(60)
        assert program.out.lines[-1] == "-- ✓ guest #2 to #3: delivered"


async def test_what_is_said_on_a_lost_link_is_queued_and_its_delivery_is_told(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, network):
        program.keys.type("one\n")
        await program.out.wait_for("✓")
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost: bob")
        assert "trying again in" in program.out.text
        program.keys.type("two\n")
        await program.out.wait_for("· #2 queued until bob is back")
        network.up = True
        assert await bob.wait_heard(2) == ["one", "two"]
        await trio.sleep(1)
        assert program.out.lines[-2:] == ["-- → #2: sent", "-- ✓ guest #2: delivered"]
        assert "goodbye" not in program.out.text


async def test_without_anybody_nothing_is_sent(autojump_clock: MockClock) -> None:
    async with open_program(Network(), LISTEN) as program:
        program.keys.type("anybody?\n")
        await program.out.wait_for("-- nobody is here yet, so this was not sent")


@pytest.mark.parametrize("quit_by", ["/q\n", "/quit\n", "/exit\n", END_OF_INPUT], ids=repr)
@pytest.mark.parametrize("plan", [LISTEN, DIAL], ids=["listen", "dial"])
async def test_quitting_delivers_says_goodbye_and_ends(
    autojump_clock: MockClock, plan: Plan, quit_by: str | bytes
) -> None:
    async with chatting(plan) as (program, bob, _):
        program.keys.type("last words\n", quit_by)
        leaving = await bob.wait_for(events.Leaving)
        assert bob.heard == ["last words"]
        leaving.session.goodbye()
        assert await program.wait_ended() is None


async def test_quitting_waits_five_seconds_at_most_and_says_what_was_not_delivered(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        bob.paused = True
        program.keys.type("one\n", "two\n")
        await trio.sleep(1)
        began = trio.current_time()
        program.keys.type("/q\n")
        assert await program.wait_ended() is None
        assert trio.current_time() - began == pytest.approx(5)
        assert "-- waiting for 2 messages to arrive; /q again does not wait" in program.out.lines
        assert "-- ✗ messages that were not delivered, and that nothing keeps: 2" in program.out.lines


async def test_a_second_quit_does_not_wait(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        bob.paused = True
        program.keys.type("one\n")
        await trio.sleep(1)
        began = trio.current_time()
        program.keys.type("/q\n", "/q\n")
        assert await program.wait_ended() is None
        assert trio.current_time() == began


async def test_on_a_lost_link_quitting_does_not_wait_at_all(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, _, network):
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost")
        began = trio.current_time()
        program.keys.type("never heard\n", "/q\n")
        assert await program.wait_ended() is None
        assert trio.current_time() == began
        assert "-- ✗ messages that were not delivered, and that nothing keeps: 1" in program.out.lines


async def test_a_dialer_ends_when_its_peer_says_goodbye(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        bob.node.sessions[0].goodbye()
        assert await program.wait_ended() is None
        assert "-- goodbye from bob" in program.out.lines


async def test_a_listener_goes_on_and_waits_for_the_next(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, network):
        bob.node.sessions[0].goodbye()
        await program.out.wait_for("goodbye from bob")
        async with open_peer(network, seed=7) as eve:
            await eve.node.dial(HOME)
            await eve.node.sessions[0].send("good day")
            await program.out.wait_for("good day")
            program.keys.type("you are the next\n")
            assert await eve.wait_heard(1) == ["you are the next"]


async def test_control_d_behind_a_half_typed_line_is_like_enter(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type("half", END_OF_INPUT)
        assert await bob.wait_heard(1) == ["half"]
        assert not program.ended.is_set()


async def test_mistakes_are_explained_and_never_sent(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type(
            *("/foo\n", " /q\n", b"caf\xe9\n", "/switch 7\n", "/switch x\n", "/accept 3\n", "/clear\n", "/reconnect\n"),
            *("//foo\n", "/me waves\n", f"/nick {'x' * 65}\n", "/help\n"),
        )
        await program.out.wait_for("refuse stranger")
        assert await bob.wait_heard(2) == ["/foo", "/me waves"]
        for line in [
            "-- there is no command /foo, and nothing was sent",
            "-- a slash after blanks is not sent",
            "-- this line is not UTF-8, and was not sent",
            "-- there is no number 7 in /who",
            "-- there is no such name in /who",
            "-- a name has at most 64 characters, so nothing has changed",
            "-- nothing was drawn here, so there is nothing to clear",
            "-- nobody waits to be dialled again",
            "-- no stranger number 3 waits; /who lists those who do",
        ]:
            assert line in program.out.lines


async def test_a_text_beyond_any_message_is_refused(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type("x" * (2**20 + 1) + "\n", "short\n")
        assert await bob.wait_heard(1) == ["short"]
        await program.out.wait_for("✗ not sent: ")


async def test_enter_does_not_wait_for_ever_while_too_much_waits_to_be_sent(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, _, network):
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost")
        program.keys.type(*["x" * 2**20 + "\n"] * 3)
        await program.out.wait_for("✗ not sent: too much waits to be sent already")


async def test_who_and_switch_with_two_peers(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, network), open_peer(network, seed=7, settings=BOB) as other:
        await other.node.dial(HOME)
        await trio.sleep(1)
        program.keys.type("to the first\n", "/who\n", "/switch 2\n", "to the second\n")
        assert await bob.wait_heard(1) == ["to the first"]
        assert await other.wait_heard(1) == ["to the second"]
        who = [line for line in program.out.lines if line[:5] in {"-- 1:", "-- 2:"}]
        assert who[0].endswith(", whom you talk to")
        assert who[0].startswith("-- 1: peer1")  # two call themselves bob, so neither is shown as bob
        assert who[1].startswith(f"-- 2: {str(other.node.id)[:13]}…")
        bob.node.sessions[0].goodbye()
        other.node.sessions[0].goodbye()
        await program.out.wait_for("you now talk to peer1")


async def test_when_the_current_peer_leaves_the_next_one_is_current(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, network), open_peer(network, seed=7) as other:
        await other.node.dial(HOME)
        await trio.sleep(1)
        bob.node.sessions[0].goodbye()
        await program.out.wait_for("you now talk to peer1")
        program.keys.type("hello\n")
        assert await other.wait_heard(1) == ["hello"]


async def test_who_alone(autojump_clock: MockClock) -> None:
    async with open_program(Network(), LISTEN) as program:
        program.keys.type("/who\n")
        await program.out.wait_for("nobody else is here")


@asynccontextmanager
async def asked() -> AsyncIterator[tuple[Program, Peer, Network]]:
    """A program whose person is asked about a stranger who calls itself bob."""
    network = Network()
    async with open_program(network, LISTEN, accept=Accept.ASK) as program, open_peer(network, settings=BOB) as bob:
        await program.out.wait_for("listening")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dial, bob)
            await program.out.wait_for("/accept 1 lets it in, /reject 1 refuses, /block 1 for good")
            yield program, bob, network
            nursery.cancel_scope.cancel()


async def dial(peer: Peer) -> None:
    try:
        await peer.node.dial(HOME)
    except P2PChatError as exc:
        peer.heard.append(f"error: {exc}")


async def test_a_stranger_is_shown_with_all_that_is_known(autojump_clock: MockClock) -> None:
    async with asked() as (program, bob, _):
        assert "-- a stranger asks to be let in, calling itself bob" in program.out.lines
        assert f"--   id           {bob.node.id}" in program.out.lines
        assert f"--   fingerprint  {bob.node.id.fingerprint}" in program.out.lines
        program.keys.type("/who\n")
        await program.out.wait_for(f"stranger 1: {bob.node.id}, waiting")


async def test_a_stranger_that_has_left_does_not_wait(autojump_clock: MockClock) -> None:
    async with asked() as (program, bob, network):
        network.cut()
        await trio.sleep(1)
        program.keys.type("/who\n")
        await program.out.wait_for(f"stranger 1: {bob.node.id}, who has left")


async def test_enter_alone_never_accepts_and_accept_does(autojump_clock: MockClock) -> None:
    async with asked() as (program, bob, _):
        program.keys.type("\n", "y\n", "/accept\n")
        await program.out.wait_for("no stranger number 0 waits")
        assert not bob.node.sessions
        program.keys.type("/accept 1\n")
        await program.out.wait_for("let in, for this run")
        await program.out.wait_for("connected: bob")
        program.keys.type("/accept 1\n")
        await program.out.wait_for("no stranger number 1 waits")


async def test_reject_refuses(autojump_clock: MockClock) -> None:
    async with asked() as (program, bob, _):
        program.keys.type("/reject 1\n")
        await program.out.wait_for("refused")
        await trio.sleep(1)
        assert bob.heard[0].startswith("error: ")


async def test_a_stranger_that_waits_no_more_can_still_be_let_in(autojump_clock: MockClock) -> None:
    async with asked() as (program, _, network):
        network.cut()
        await trio.sleep(1)
        program.keys.type("/accept 1\n")
        await program.out.wait_for("let in, for this run; it does not wait any more, but it may come back")


def test_numbers_of_strangers_never_come_twice_and_are_bounded() -> None:
    strangers = Strangers()
    peers = [Identity.from_seed(n.to_bytes(32)).peer_id for n in range(MAX_ASKED + 1)]
    numbers = [strangers.add(peer) for peer in peers]
    assert numbers == list(range(1, MAX_ASKED + 2))
    assert strangers.find(1) is None  # forgotten: the oldest
    assert strangers.add(peers[5]) == 6
    assert strangers.find(6) == peers[5]
    strangers.forget(peers[5])
    assert strangers.add(peers[5]) == MAX_ASKED + 2


async def test_quiet_says_only_what_needs_an_answer(autojump_clock: MockClock) -> None:
    async with chatting(quiet=True) as (program, bob, _):
        await bob.node.sessions[0].send("hi")
        await program.out.wait_for("hi")
        program.keys.type("hello\n")
        await bob.wait_heard(1)
        await trio.sleep(1)
        assert [line[6:] for line in program.out.lines] == ["bob: hi"]


async def test_a_peer_is_found_by_its_name_too(autojump_clock: MockClock) -> None:
    ann = NodeSettings(name="Ann Other", accept=Accept.ANYONE)
    bart = NodeSettings(name="Bo Knot", accept=Accept.ANYONE)
    async with (
        chatting() as (program, bob, network),
        open_peer(network, seed=7, settings=ann) as other,
        open_peer(network, seed=8, settings=bart) as third,
    ):
        await other.node.dial(HOME)
        await third.node.dial(HOME)
        await trio.sleep(1)
        program.keys.type("/switch ann\n", "hello ann\n", "/switch bo\n", "/switch Bob\n", "hello bob\n")
        assert await other.wait_heard(1) == ["hello ann"]
        assert await bob.wait_heard(1) == ["hello bob"]
        assert "-- this fits several of those in /who; their numbers do not" in program.out.lines
        await third.node.sessions[0].send("something")
        await program.out.wait_for("Bo Knot: something")


async def test_a_new_name_is_told(autojump_clock: MockClock) -> None:
    async with chatting() as (program, bob, _):
        program.keys.type("/nick carol\n", "hello\n")
        await program.out.wait_for("others see your new name from now on")
        await bob.wait_heard(1)
        assert bob.node.sessions[0].name == "carol"


@pytest.mark.parametrize("name", ["you", "You: #3", "you to bob", "you (guest)"])
async def test_nobody_else_is_you(autojump_clock: MockClock, name: str) -> None:
    async with chatting() as (program, bob, _):
        bob.node.rename(name)
        await bob.node.sessions[0].send("forged")
        await program.out.wait_for(f"{str(bob.node.id)[:13]}…{str(bob.node.id)[-4:]}: forged")
