"""What a program is told: events of its peers, in order, and nothing that was not written."""

from __future__ import annotations

from base64 import b64decode

import pytest
import trio
from trio.testing import MockClock

from p2pchat import errors
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.ui.chat import Plan
from p2pchat.wire.frames import Typing
from p2pchat.wire.messages import Data, Edit, Readable, Text
from tests.support.json_programs import DIAL, LISTEN, chatting, open_json_program
from tests.support.peers import HOME, Network, open_peer


async def test_a_chat_from_ready_to_disconnected(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, _):
        me, it = str(program.node.id), str(bob.node.id)
        program.command("send", text="hello", ref="1")
        await bob.wait_heard(1)
        await bob.node.sessions[0].send("hé")
        heard = await program.wait_for("message")
        program.command("close")
        assert await program.wait_ended() is None
        assert program.events[0] == {"event": "ready", "protocol": 1, "version": "0.1.0", "peer": me}
        (connected,) = program.told("connected")
        assert (connected["peer"], connected["name"], connected["trust"], connected["link"]) == (it, "bob", "known", 1)
        assert (connected["transport"], connected["address"]) == ("memory", "memory:home")
        assert program.states("1") == ["queued", "sent", "delivered"]
        assert (heard["peer"], heard["name"], heard["text"]) == (it, "bob", "hé")
        assert heard["sent_at"] <= heard["received_at"] < "2027-01-15T08:01"
        (gone,) = program.told("disconnected")
        assert gone["clean"]
        assert program.events[-1] == gone


async def test_bytes_pieces_and_unknown_kinds_keep_what_they_are(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        said: list[Readable] = [
            Data(b"\xff\x00"),
            Text("begun", None, more=True),
            Data(b"\xfe", more=True),
            Edit(bytes(16), "no"),
        ]
        await bob.node.sessions[0].send_many(said)
        await program.wait_for("message", count=4)
        data, begun, more, edit = program.told("message")
        assert b64decode(data["data"]) == b"\xff\x00"
        assert (begun["text"], begun["more"]) == ("begun", True)
        assert (b64decode(more["data"]), more["more"]) == (b"\xfe", True)
        assert edit["unreadable"] == 3


@pytest.mark.slow
async def test_a_flood_arrives_in_order_and_is_written_in_pieces(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        session = bob.node.sessions[0]
        for n in range(1000):
            await session.send(f"{n} {'x' * 100}")
        await session.drained()
        assert [event["text"].split()[0] for event in program.told("message")] == [str(n) for n in range(1000)]


async def test_nothing_is_acknowledged_that_was_not_written(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.out.stall()
        session = bob.node.sessions[0]
        await session.send("hi")
        await trio.sleep(100)
        assert await session.unsaid() == 1
        program.out.read_on()
        await session.drained()


async def test_people_are_told_on_standard_error(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, settings=NodeSettings(accept=Accept.ASK)) as bob:
        await bob.node.listen(HOME)
        async with open_json_program(network, Plan(dial=HOME, timeout=20)) as program:
            error = await program.wait_ended()
            assert isinstance(error, errors.NotLetIn)
            assert "; waiting to be let in\n" in program.err.text
            assert [event["event"] for event in program.events] == ["ready"]


async def test_a_stranger_waits_for_accept(autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, accept=Accept.ASK, name="home") as program,
        open_peer(network) as eve,
        trio.open_nursery() as nursery,
    ):
        await program.wait_for("listening", address=str(HOME))
        nursery.start_soon(eve.node.dial, HOME)
        stranger = await program.wait_for("stranger", waiting=True)
        assert stranger["peer"] == str(eve.node.id)
        assert stranger["fingerprint"] == eve.node.id.fingerprint
        program.command("accept", peer=stranger["peer"])
        assert (await program.wait_for("connected"))["trust"] == "known"
        program.command("send", text="welcome")
        assert await eve.wait_heard(1) == ["welcome"]


async def test_a_stranger_is_sent_away_once(autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, accept=Accept.ASK) as program,
        open_peer(network) as eve,
        trio.open_nursery() as nursery,
    ):
        await program.wait_for("listening")

        async def knock() -> None:
            with pytest.raises(errors.UntrustedPeer):
                await eve.node.dial(HOME)

        nursery.start_soon(knock)
        stranger = await program.wait_for("stranger")
        program.command("reject", peer=stranger["peer"])
        program.command("reject", peer=stranger["peer"])
        assert (await program.wait_for("error"))["code"] == "not_waiting"


async def test_who_was_refused_is_let_in_the_next_time(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_json_program(network, LISTEN, accept=Accept.KNOWN) as program, open_peer(network) as eve:
        await program.wait_for("listening")
        with pytest.raises(errors.UntrustedPeer):
            await eve.node.dial(HOME)
        stranger = await program.wait_for("stranger", waiting=False)
        program.command("accept", peer=stranger["peer"].upper())
        await trio.sleep(1)
        await eve.node.dial(HOME)
        assert (await program.wait_for("connected"))["trust"] == "known"


async def test_a_guest_of_our_own_key_is_you(autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, accept=Accept.KNOWN, seed=7) as program,
        open_peer(network, seed=7) as myself,
    ):
        await program.wait_for("listening")
        await myself.node.dial(HOME)
        connected = await program.wait_for("connected")
        assert connected["trust"] == "known"
        assert connected["peer"] != program.told("ready")[0]["peer"]


async def test_quiet_and_without_input(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, settings=NodeSettings(accept=Accept.ASK)) as bob:
        await bob.node.listen(HOME)
        async with open_json_program(network, DIAL, quiet=True, no_input=True) as program:
            program.end_input()
            stranger = await bob.wait_for(events.Stranger)
            await trio.sleep(10)
            await bob.node.accept(stranger.peer)
            await program.wait_for("connected")
            await bob.node.sessions[0].send("hi")
            await program.wait_for("message")
            assert program.keys.taken == 0
            assert program.err.data == b""
            assert not program.ended.is_set()


async def test_a_peer_that_types_is_told(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        exchange = bob.node.sessions[0]._exchange
        assert exchange is not None
        exchange.link.say(Typing(on=True))
        await program.wait_for("typing", peer=str(bob.node.id), on=True)
        exchange.link.say(Typing(on=False))
        await program.wait_for("typing", on=False)
