"""The line face on a terminal of memory: what the keys do. `test_line_in_tmux.py` has it on a real one."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from prompt_toolkit.input import PipeInput

from p2pchat import errors
from p2pchat.node import events
from p2pchat.node.settings import Accept
from p2pchat.ui.chat import Plan
from p2pchat.wire.messages import Read
from tests.support.desk import BOB, PASTE, Drawer, chatting, open_desk, play
from tests.support.faces import ME, fill_disk
from tests.support.peers import HOME, Network, Peer, open_peer


def test_what_is_typed_is_said_and_stands_there_with_its_fate() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            keys.send_text("hello\r")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == ["hello"]
            await desk.wait_for("you: hello  #1 ✓ guest\n")
            await bob.node.sessions[0].send("hi\nthere")
            await desk.wait_for("bob: hi\n      there\n")

    play(scene)


def test_keys_that_edit() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            keys.send_text("one\x1b\rtwo\r")  # Esc Enter
            keys.send_text("\x1b[200~three\nfour\n\x1b[201~\r")  # a paste
            keys.send_text("never\x03said\r")  # Ctrl-C clears
            keys.send_text("\r\r/me waves\r//etc\r")
            with trio.fail_after(10):
                assert await bob.wait_heard(5) == ["one\ntwo", "three\nfour", "said", "/me waves", "/etc"]
            await desk.wait_for("* you waves  #4 ✓ guest")

    play(scene)


def test_what_may_be_a_mistake_is_sent_at_the_second_enter() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            keys.send_text(" /q\r")
            await desk.wait_for("a slash after blanks may have been meant as a command: Enter again sends it")
            assert not bob.heard
            keys.send_text("\r/xyzzy\r")
            await desk.wait_for("there is no command /xyzzy, and nothing was sent")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == [" /q"]

    play(scene)


def test_ctrl_c_twice_on_an_empty_line_ends() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, _, _):
            keys.send_text("\x03x\x7f\x03")  # something between them disarms it
            await desk.wait_for("Ctrl-C again ends at once, /q says goodbye first")
            assert not desk.ended.is_set()
            keys.send_text("\x03")
            assert isinstance(await desk.wait_ended(), errors.Interrupted)

    play(scene)


def test_ctrl_d_says_goodbye_and_ctrl_c_does_not_wait_for_it() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            bob.paused = True
            keys.send_text("last words\r")
            await desk.wait_for("#1 you: last words")
            keys.send_text("\x04")
            await desk.wait_for("waiting for 1 message to arrive")
            keys.send_text("\x03")
            assert isinstance(await desk.wait_ended(), errors.Interrupted)
            assert "you: last words  #1 ✗" in desk.text

    play(scene)


def test_what_was_not_sent_is_there_again() -> None:
    drawer = Drawer("from last time")

    async def scene(keys: PipeInput) -> None:
        async with chatting(keys, drawer=drawer) as (desk, bob, _):
            await desk.wait_for("this was typed and not sent when the last chat ended: Enter twice sends it, Ctrl-C")
            assert drawer.text == ""
            keys.send_text(", and more\r")
            await desk.wait_for("part of this is from the last chat: Enter again sends it, Ctrl-C clears it")
            assert not bob.heard
            keys.send_text("\r")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == ["from last time, and more"]
            keys.send_text("half a tho")
            await desk.wait_for("half a tho")

    play(scene)
    assert drawer.text == "half a tho"


@pytest.mark.parametrize(
    ("drawer", "told"),
    [
        (None, "-- ✗ not sent: half\n-- a tho\n"),
        (Drawer(is_broken=True), "-- cannot keep your draft: the disk is full; it was: half\n-- a tho\n"),
        (Drawer(), "-- what you had not sent is kept for the next start\n"),
    ],
    ids=["guest", "disk full", "kept"],
)
def test_what_cannot_be_kept_is_shown(drawer: Drawer | None, told: str) -> None:
    shown = []

    async def scene(keys: PipeInput) -> None:
        async with chatting(keys, drawer=drawer) as (desk, _, _):
            shown.append(desk)
            keys.send_text("half\x1b\ra tho")
            await desk.wait_for("a tho")

    play(scene)
    assert told in shown[0].text


def test_without_anybody_the_text_stays() -> None:
    async def scene(keys: PipeInput) -> None:
        network = Network()
        async with open_desk(network, keys) as desk, open_peer(network, settings=BOB) as bob:
            await desk.wait_for("listening")
            keys.send_text("anybody?\r")
            await desk.wait_for("nobody is here yet, so this was not sent")
            await bob.node.dial(HOME)
            await desk.wait_for("connected")
            keys.send_text("\r")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == ["anybody?"]

    play(scene)


def test_what_waits_is_drawn_above_the_line_with_how_far_it_has_come() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, network):
            keys.send_text("heard\r")
            await desk.wait_for("you: heard  #1 ✓ guest")
            bob.paused = True
            keys.send_text("shown late\r")
            await desk.wait_for("#2 you: shown late")
            await desk.wait_for("→", after="you: heard  #1")  # alone, if it is drawn where the dot was
            network.cut()
            await desk.wait_for("connection lost: bob")
            keys.send_text("sent late\r")
            await desk.wait_for("· #3 you: sent late")
            await bob.node.dial(HOME)
            bob.resume()
            await desk.wait_for("you: shown late  #2 ✓ guest")
            await desk.wait_for("you: sent late  #3 ✓ guest")
            assert bob.heard == ["heard", "shown late", "sent late"]

    play(scene)


def test_strangers_clear_and_completion() -> None:
    async def scene(keys: PipeInput) -> None:
        network = Network()
        async with (
            open_desk(network, keys, accept=Accept.ASK) as desk,
            open_peer(network, settings=BOB) as bob,
            trio.open_nursery() as nursery,
        ):
            await desk.wait_for("listening")
            nursery.start_soon(bob.node.dial, HOME)
            await desk.wait_for("/accept 1 lets it in")
            keys.send_text("/acc\t\t\r")
            await desk.wait_for("connected: bob")
            keys.send_text("/sw\t\t\r")
            await desk.wait_for("you now talk to bob")
            before = desk.paper.getvalue().count("\x1b[2J")
            keys.send_text("/clear\r/who\r")
            await desk.wait_for("whom you talk to")
            assert desk.paper.getvalue().count("\x1b[2J") == before + 1

    play(scene)


def test_an_answer_that_overtakes_the_acknowledgement_comes_after_what_it_answers() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            bob.paused = True
            keys.send_text("question\r")
            await desk.wait_for("#1 you: question")
            await desk.wait_for("→", after="connected: bob")
            await bob.node.sessions[0].send("answer")
            await desk.wait_for("you: question  #1 →\n")
            await desk.wait_for("bob: answer\n", after="you: question  #1 →\n")
            bob.resume()
            await desk.wait_for("-- ✓ guest #1: delivered\n")

    play(scene)


def test_where_receipts_come_a_message_waits_for_its_own(tmp_path: Path) -> None:
    async def scene(keys: PipeInput) -> None:
        network = Network()
        async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
            await bob.node.listen(HOME)
            async with open_desk(network, keys, plan=Plan(dial=HOME), directory=tmp_path / "me") as desk:
                await desk.wait_for("connected: bob")
                keys.send_text("one\r")
                await desk.wait_for("you: one  #1 ✓\n")
                await receipt(bob, 1)
                await desk.wait_for("-- ✓✓ #1: read\n")
                keys.send_text("two\r")
                await receipt(bob, 2)
                await desk.wait_for("you: two  #2 ✓✓\n")
                keys.send_text("three\r")
                await desk.wait_for("you: three  #3 ✓\n")
                assert "-- ✓✓ #2" not in desk.text

    play(scene)


async def receipt(bob: Peer, count: int) -> None:
    """Let bob tell that he has read his newest message, the `count`-th."""
    await bob.wait_heard(count)
    received = [event for event in bob.told if isinstance(event, events.MessagesReceived)]
    *_, newest = received[-1].messages
    await bob.node.sessions[0].post(Read(newest.id.bytes))


def test_what_the_disk_refuses_stays_in_the_line(tmp_path: Path) -> None:
    async def scene(keys: PipeInput) -> None:
        network = Network()
        async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
            await bob.node.listen(HOME)
            async with open_desk(network, keys, plan=Plan(dial=HOME), directory=tmp_path / "me") as desk:
                await desk.wait_for("connected: bob")
                fill_disk(desk.node)
                text = "x" * 10_000
                keys.send_text(PASTE % text + "\r")
                await desk.wait_for("✗ not accepted: no room left")
                await desk.wait_for("x" * 90, after="✗ not accepted")
                assert bob.heard == []

    play(scene)


def test_what_another_window_says_is_shown(tmp_path: Path) -> None:
    async def scene(keys: PipeInput) -> None:
        network = Network()
        async with (
            open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
            open_desk(network, keys, plan=Plan(dial=HOME, retry=True), directory=tmp_path / "me") as desk,
        ):
            await bob.node.listen(HOME)
            await desk.wait_for("connected: bob")
            async with open_peer(network, seed=7, identity=ME, directory=tmp_path / "me") as window:
                session = await window.node.dial(HOME)
                await session.send("from over there")
                await desk.wait_for("you, elsewhere: from over there  #1")
                await desk.wait_for("-- ✓ #1: delivered\n")
                assert bob.heard == ["from over there"]

    play(scene)
