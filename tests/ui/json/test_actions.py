"""What commands do, and what those get that cannot be done."""

from __future__ import annotations

from uuid import UUID

import pytest
import trio
from trio.testing import MockClock

from tests.support.json_programs import DIAL, LISTEN, chatting, open_json_program
from tests.support.peers import HOME, Network, open_peer


async def test_ambiguous_and_unknown_peers(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, network), open_peer(network, seed=7) as eve:
        program.command("send", text="to bob alone", ref="1")
        await bob.wait_heard(1)
        await eve.node.dial(HOME)
        await program.wait_for("connected", count=2)
        program.command("send", text="to whom?", ref="2")
        await program.wait_for("error", code="ambiguous_peer", ref="2", line=2)
        program.command("close")
        await program.wait_for("error", code="ambiguous_peer", ref=None, line=3)
        program.command("send", text="to eve", ref="3", peer=str(eve.node.id))
        assert await eve.wait_heard(1) == ["to eve"]
        program.command("send", text="to nobody", ref="4", peer="peer1x")
        await program.wait_for("error", code="unknown_peer", ref="4")
        assert bob.heard == ["to bob alone"]


@pytest.mark.slow
async def test_many_commands_at_once_are_all_done(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.keys.type("".join(f'{{"command":"send","text":"{n}","ref":"{n}"}}\n' for n in range(400)))
        assert await bob.wait_heard(400) == [str(n) for n in range(400)]
        await program.wait_for("state", ref="399", state="delivered")
        assert len(program.told("state")) == 1200


async def test_before_somebody_is_there_a_listener_can_send_nothing(autojump_clock: MockClock) -> None:
    async with open_json_program(Network(), LISTEN) as program:
        program.command("send", text="anybody?", ref="1")
        await program.wait_for("error", code="not_connected", ref="1")
        program.command("close")
        await program.wait_for("error", code="not_connected", line=2)


async def test_bad_lines_are_told_and_skipped(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        program.keys.type("hello\n\n  \r\n", '{"command":"sned"}\n', '{"command":"accept","peer":"bob"}\n')
        program.keys.type(b"x" * (7 * 2**20), "x\n")
        program.command("send", text="x" * (2**20 + 1), ref="big")
        program.command("send", text="x" * 2**20, unknown=[1, 2])
        assert [len(text) for text in await bob.wait_heard(1)] == [2**20]
        found = [(event["code"], event["line"], event["ref"]) for event in program.told("error")]
        assert found == [
            ("bad_command", 1, None),
            ("bad_command", 4, None),
            ("bad_command", 5, None),
            ("too_long", 6, None),
            ("too_long", 7, "big"),
        ]


async def test_what_is_said_while_the_link_is_lost_waits_and_says_so(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, network):
        network.up = False
        network.cut()
        lost = await program.wait_for("disconnected", clean=False)
        assert lost["redial"] > 0
        failed = await program.wait_for("error", code="unreachable")
        assert "; dialling again in " in failed["message"]
        assert "line" not in failed
        program.command("send", text="later", ref="1")
        queued = await program.wait_for("state", state="queued")
        assert queued["reason"] == "the connection is lost"
        assert queued["next_attempt"].startswith("2027-01-15T08:0")
        network.up = True
        assert await bob.wait_heard(1) == ["later"]
        await program.wait_for("state", state="delivered")
        assert program.states("1") == ["queued", "sent", "delivered"]
        assert (await program.wait_for("connected", link=2))["peer"] == str(bob.node.id)


async def test_a_peer_that_does_not_read_stops_a_listener_for_ten_seconds_only(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, network), open_peer(network, seed=7) as eve:
        await eve.node.dial(HOME)
        await program.wait_for("connected", count=2)
        bob.paused = True
        for n in range(4):
            program.command("send", text="x" * 2**20, ref=str(n), peer=str(bob.node.id))
        program.command("send", text="and you?", peer=str(eve.node.id))
        began = trio.current_time()
        assert await eve.wait_heard(1) == ["and you?"]
        full = program.told("error")
        assert {event["code"] for event in full} == {"outbox_full"}
        assert trio.current_time() - began == pytest.approx(10 * len(full), abs=1)


async def test_a_receipt_becomes_a_state(autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, seed=1) as listener,
        open_json_program(network, DIAL, seed=2) as dialer,
    ):
        await listener.wait_for("connected")
        listener.command("send", text="read this", ref="1")
        heard = await dialer.wait_for("message")
        dialer.command("read", id=heard["id"])
        await listener.wait_for("state", state="read", id=heard["id"])
        assert listener.states("1") == ["queued", "sent", "delivered", "read"]
        dialer.command("read", id=heard["id"])
        await dialer.wait_for("error", code="unknown_message")
        assert listener.told("message") == []


async def test_strangers_get_no_receipts(autojump_clock: MockClock) -> None:
    async with chatting(LISTEN) as (program, bob, _):
        await bob.node.sessions[0].send("have you read this?")
        heard = await program.wait_for("message")
        program.command("read", id=heard["id"])
        await program.wait_for("error", code="not_accepted")
        program.command("accept", peer=heard["peer"])
        program.command("read", id=heard["id"])
        await bob.wait_state("read", UUID(heard["id"]))


async def test_every_command_gets_its_ref_back(autojump_clock: MockClock) -> None:
    async with open_json_program(Network(), LISTEN) as program:
        nobody = "peer1x"
        program.command("accept", peer=nobody, ref="1")
        program.command("reject", peer=str(program.node.id), ref="2")
        program.command("read", id=str(UUID(int=1)), ref="3")
        program.command("close", ref="4")
        program.command("close", peer=nobody, ref="5")
        await program.wait_for("error", ref="5")
        assert [(event["code"], event["ref"]) for event in program.told("error")] == [
            ("bad_command", "1"),
            ("not_waiting", "2"),
            ("unknown_message", "3"),
            ("not_connected", "4"),
            ("unknown_peer", "5"),
        ]
