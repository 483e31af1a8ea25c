"""A person whose program keeps what is said: where a chat goes on, what became of each message, and what was read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node import events
from p2pchat.node.settings import Accept
from p2pchat.ui.chat import Plan
from p2pchat.ui.lookup import CONTEXT, MAX_NEW
from p2pchat.wire.messages import Data, Read, Text
from tests.support.faces import fill_disk, open_program
from tests.support.kept import BOB, DIAL, chatting, wait_heard
from tests.support.peers import HOME, Network, open_peer

LISTEN = Plan(listen=(HOME,))


@pytest.fixture
def network() -> Network:
    return Network()


# ---- states


async def test_delivered_and_read_are_two_things(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with chatting(network, tmp_path) as (program, bob):
        program.keys.type("one\ntwo\n")
        ids = await wait_heard(bob, "one", "two")
        await program.out.wait_for("-- ✓ #2: delivered\n")
        await bob.node.sessions[0].send_many([Read(one.bytes) for one in ids])
        await program.out.wait_for("-- ✓✓ #2: read\n")
        told = [line for line in program.out.lines if "#1" in line]
        assert told == ["-- ✓ #1: delivered", "-- ✓✓ #1: read"]


async def test_what_is_withdrawn_has_failed_and_why_tells_the_story(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (program, bob):
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost")
        program.keys.type("never\n", "heard\n")
        await program.out.wait_for("-- · #2 queued until bob is back\n")
        program.keys.type("/unsend 1\n")
        await program.out.wait_for("-- ✗ #1: failed, withdrawn\n")
        program.keys.type("/why 2\n")
        await program.out.wait_for("-- #2: ")
        await program.out.wait_for("it goes out when any p2pchat of this profile meets that peer")
        await program.out.wait_for("to withdraw it: /unsend 2\n")
        network.up = True
        await wait_heard(bob, "heard")
        await program.out.wait_for("-- ✓ #2: delivered\n")
        program.keys.type("/unsend 2\n/unsend\n/unsend 7\n/why 1\n")
        await program.out.wait_for("-- #2 does not wait any more: it is delivered\n")
        await program.out.wait_for("-- which one? its number stands beside each message of yours\n")
        await program.out.wait_for("-- no message of yours here has the number 7\n")
        await program.out.wait_for("failed: withdrawn\n")


async def test_what_has_left_cannot_be_called_back(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with chatting(network, tmp_path, guest=True) as (program, bob):
        bob.paused = True
        program.keys.type("on its way\n")
        await trio.sleep(1)
        program.keys.type("/unsend 1\n")
        await program.out.wait_for("-- too late: #1 has left, and cannot be called back\n")
        bob.resume()
        await program.out.wait_for("-- ✓ guest #1: delivered\n")


async def test_what_the_disk_refuses_is_not_accepted(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (program, bob):
        program.keys.type("one\n")
        await wait_heard(bob, "one")
        fill_disk(program.node)
        program.keys.type("x" * 100_000 + "\n")
        await program.out.wait_for("-- ✗ not accepted: ")
        await program.out.wait_for("-- make room on that disk; what was said before is safe\n")
        assert bob.heard == ["one"]


# ---- receipts


@pytest.mark.parametrize("kind", ["text", "data"])
async def test_what_was_shown_is_told_to_whom_we_dialed(
    network: Network, tmp_path: Path, kind: str, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (_, bob):
        body = Text("seen?") if kind == "text" else Data(b"\xff")
        message = await bob.node.sessions[0].post(body)
        await bob.wait_state("read", message)


async def test_strangers_do_not_learn_what_was_read(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path, plan=LISTEN) as (_, bob):
        message = await bob.node.sessions[0].post(Text("seen?"))
        await bob.wait_state("delivered", message)
        await trio.sleep(60)
        assert not any(event.read for event in bob.told if isinstance(event, events.StatesChanged))


async def test_nobody_learns_what_was_read_without_receipts(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path, receipts=False) as (program, bob):
        message = await bob.node.sessions[0].post(Text("seen?"))
        await program.out.wait_for("bob: seen?")
        await trio.sleep(60)
        assert not any(event.read for event in bob.told if isinstance(event, events.StatesChanged))
        assert (await bob.wait_state("delivered", message)).session.peer == program.node.id


async def test_what_goes_to_a_file_was_read_by_nobody(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        for run in range(2):
            async with open_program(network, DIAL, kind="file", directory=tmp_path / "me", run=run) as program:
                await program.err.wait_for("connected: bob")
                await bob.wait_for(events.Connected, count=run + 1)
                message = await bob.node.sessions[-1].post(Text("for the file"))
                await bob.wait_state("delivered", message)
                await trio.sleep(60)
                assert program.out.text == "for the file\n"  # and nothing of the run before
        assert not any(event.read for event in bob.told if isinstance(event, events.StatesChanged))


async def test_who_is_not_talked_to_learns_it_when_they_are(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path / "me") as program,
        open_peer(network, seed=1, settings=BOB, directory=tmp_path / "bob") as bob,
        open_peer(network, seed=2, directory=tmp_path / "eve") as eve,
        trio.open_nursery() as nursery,
    ):
        await program.out.wait_for("listening")
        for number, peer in enumerate((bob, eve), 1):
            nursery.start_soon(peer.node.dial, HOME)
            await program.out.wait_for(f"/accept {number}")
            program.keys.type(f"/accept {number}\n")
            await peer.wait_for(events.Connected)
        first = await bob.node.sessions[0].post(Text("hi from bob"))
        other = await eve.node.sessions[0].post(Text("hi from eve"))
        await bob.wait_state("read", first)
        await trio.sleep(60)
        assert not any(event.read for event in eve.told if isinstance(event, events.StatesChanged))
        program.keys.type("/switch 2\n")
        await eve.wait_state("read", other)


# ---- where a chat goes on


async def test_a_chat_goes_on_with_its_last_lines_and_what_is_new(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (program, bob):
        for number in range(CONTEXT):
            await bob.node.sessions[0].send(f"old {number}")
        await program.out.wait_for("old 4")
        program.keys.type("mine\n")
        await program.out.wait_for("-- ✓ #1: delivered\n")
        await trio.sleep(1)
    async with (
        open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
        open_peer(network, seed=99, directory=tmp_path / "me") as unseen,  # a pipe of the same profile
    ):
        await unseen.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.send("new")
        await session.drained()
    await trio.sleep(86_400)
    async with chatting(network, tmp_path) as (program, bob):
        await bob.node.sessions[0].send("newer")
        await program.out.wait_for("bob: newer")
        lines = [line[6:] if line[2:3] == ":" else line for line in program.out.lines]
        start = lines.index("bob: old 1")
        assert lines[start:] == [
            "bob: old 1",
            "bob: old 2",
            "bob: old 3",
            "bob: old 4",
            "you: mine  #1 ✓",
            "-- new --",
            "bob: new",
            f"{program.out.lines[start + 7]}",
            "bob: newer",
        ]
        assert lines[start + 7].startswith("-- 2027-01-")


async def test_a_chat_goes_on_with_where_messages_may_be_missing(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    def lose() -> None:
        with closing(sqlite3.connect(next((tmp_path / "me").rglob("history.db")), isolation_level=None)) as db:
            newest = "max((SELECT max(cursor) FROM events), (SELECT max(cursor) FROM messages))"
            db.execute(f"INSERT INTO events (cursor, count, at_ms, kind, pair) SELECT {newest} + 1, 1, 0, 'gap', 1")

    for text in ("first", "second"):
        async with chatting(network, tmp_path) as (program, bob):
            await bob.node.sessions[0].send(text)
            await program.out.wait_for(f"bob: {text}")
            await trio.sleep(1)
        lose()
    async with chatting(network, tmp_path) as (program, bob):
        await trio.sleep(1)
    missing = "-- messages with bob may be missing here --"
    lines = [line[6:] if line[2:3] == ":" else line for line in program.out.lines]
    start = lines.index("bob: first")
    assert lines[start : start + 4] == ["bob: first", missing, "bob: second", missing]


async def test_of_many_unread_ones_the_newest_are_shown_and_the_others_counted(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
        open_peer(network, seed=99, directory=tmp_path / "me") as unseen,
    ):
        await unseen.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await session.send_many([Text(f"{number}.") for number in range(MAX_NEW + 2)])
        await session.drained()
    async with chatting(network, tmp_path) as (program, bob):
        await program.out.wait_for(f"bob: {MAX_NEW + 1}.")
        assert f"-- 2 unread messages before these are not shown: p2pchat history {bob.node.id}" in program.out.lines
        assert sum("bob: " in line for line in program.out.lines) == MAX_NEW


# ---- looking up


async def test_history_and_grep_show_this_conversation(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (program, bob):
        program.keys.type("/history\n")
        await program.out.wait_for("-- nothing was said yet\n")
        program.keys.type("the Café is open\n")
        await program.out.wait_for("-- ✓ #1: delivered\n")
        await bob.node.sessions[0].send("which one?")
        await program.out.wait_for("bob: which one?")
        program.keys.type("/history 1\n/grep cafe\n/grep tea\n")
        await program.out.wait_for("-- nothing was found\n")
        told = program.out.text.partition("bob: which one?\n")[2]
        assert "    bob: which one?\n" in told
        assert " ✓  you: the Café is open\n" in told


async def test_who_keeps_nothing_can_look_up_nothing(network: Network, autojump_clock: MockClock) -> None:
    async with open_program(network, LISTEN) as program, open_peer(network, settings=BOB) as bob:
        await program.out.wait_for("listening")
        await bob.node.dial(HOME)
        await program.out.wait_for("connected")
        program.keys.type("hi\n")
        await program.out.wait_for("-- ✓ guest #1: delivered")
        program.keys.type("/history\n", "/grep hi\n", "/why\n")
        await program.out.wait_for("-- #1 to bob is delivered\n-- this program keeps nothing, and knows no more\n")
        assert program.out.text.count("-- this program keeps nothing, so there is nothing to look up\n") == 2


async def test_a_store_that_cannot_be_read_is_told_of(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (program, _):
        assert program.node.store is not None
        program.node.store._reader.close()
        program.keys.type("/history\n")
        await program.out.wait_for(f"-- {tmp_path}/me/history.db could not be read or written: ")


async def test_a_clock_that_is_wrong_is_remarked_on_once(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with chatting(network, tmp_path) as (program, bob):
        session = bob.node.sessions[0]
        session.now_ms = lambda: 1_800_003_600_000  # type: ignore[method-assign]  # an hour ahead
        for _ in range(2):
            await session.send("hi")
        await session.drained()
        await trio.sleep(1)
        (told,) = [line for line in program.out.lines if "clock" in line]
        assert told == "-- the clock of bob is about 60 minutes ahead of yours; the times shown are yours"


# ---- the end


async def test_what_stays_in_the_store_is_not_lost(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with chatting(network, tmp_path) as (program, _):
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost")
        program.keys.type("one\n", "two\n", "/q\n")
        assert await program.wait_ended() is None
        assert program.out.lines[-1] == "-- · 2 messages stay queued; p2pchat sends them when it meets bob again"
