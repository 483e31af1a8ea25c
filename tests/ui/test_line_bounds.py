"""The line face where there is too much, or where it ends: nothing that was typed is lost."""

from __future__ import annotations

import pytest
import trio
from prompt_toolkit.input import PipeInput

from p2pchat import errors
from p2pchat.ui.line import MAX_TYPED, TOO_LONG
from p2pchat.ui.prompt import MAX_LINE
from tests.support.desk import BOB, PASTE, Drawer, chatting, open_desk, play
from tests.support.peers import HOME, Network, open_peer


def test_too_much_at_once_stays_in_the_line() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (_, bob, _):
            keys.send_text("x\r" * (MAX_TYPED + 50))
            with trio.fail_after(10):
                heard = await bob.wait_heard(MAX_TYPED)
            assert all(set(text) == {"x"} for text in heard)  # what did not fit was put together with the next

    play(scene)


@pytest.mark.parametrize("search", ["", "\x12"], ids=["line", "search"])
def test_what_would_make_the_line_too_long_is_not_inserted(search: str) -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            keys.send_text(f"{search}{PASTE % ('x' * 3 * MAX_LINE)}")
            await desk.wait_for("not inserted: the line takes 16384 characters at most")
            assert "x" * 20 not in desk.text
            keys.send_text("\x07\x03still here\r")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == ["still here"]

    play(scene)


def test_a_full_line_takes_no_key_more_and_says_so_once() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            keys.send_text("a line before\r")
            text = "y" * (MAX_LINE - 1)
            keys.send_text(f"{PASTE % text}\x1b[D\x1b[Dabc{PASTE % 'defg'}\r")  # the cursor is not at the end
            await desk.wait_for(TOO_LONG[:40])
            with trio.fail_after(10):
                assert await bob.wait_heard(2) == ["a line before", f"{text[2:]}a{text[:2]}"]
            assert desk.text.count(TOO_LONG[:40]) == 1

    play(scene)


def test_a_draft_too_long_for_the_line_comes_bit_by_bit() -> None:
    drawer = Drawer("d" * MAX_LINE + "the rest")

    async def scene(keys: PipeInput) -> None:
        async with chatting(keys, drawer=drawer) as (desk, _, _):
            await desk.wait_for("the line takes 16384 characters of that; the rest comes next time")
            keys.send_text("\x03new")
            await desk.wait_for("new")

    play(scene)
    assert drawer.text == "new\nthe rest"


def test_what_waits_for_room_is_not_lost() -> None:
    drawer = Drawer()

    async def scene(keys: PipeInput) -> None:
        async with chatting(keys, drawer=drawer) as (desk, _, network):
            session = desk.node.sessions[0]
            network.cut()
            await desk.wait_for("connection lost: bob")
            with trio.move_on_after(0.1):
                while True:
                    await session.send("x" * 10_000)  # until there is no room
            keys.send_text("/me waits\r//etc\rthere\r/who\r/me comes last\rhalf")
            await desk.wait_for("half")

    play(scene)
    assert drawer.text == "/me waits\n//etc\nthere\n/me comes last\nhalf"


def test_what_comes_back_can_be_sent_as_it_was_typed() -> None:
    async def scene(keys: PipeInput) -> None:
        network = Network()
        async with open_desk(network, keys) as desk, open_peer(network, settings=BOB) as bob:
            await desk.wait_for("listening")
            keys.send_text("//etc\r")
            await desk.wait_for("nobody is here yet, so this was not sent")
            await bob.node.dial(HOME)
            await desk.wait_for("connected")
            keys.send_text("\r")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == ["/etc"]

    play(scene)


def test_without_the_draft_enter_asks_nothing() -> None:
    async def scene(keys: PipeInput) -> None:
        async with chatting(keys, drawer=Drawer("/who")) as (desk, bob, _):
            keys.send_text("\x03new\r/who\r")
            await desk.wait_for("whom you talk to")
            with trio.fail_after(10):
                assert await bob.wait_heard(1) == ["new"]
            assert "Enter again" not in desk.text

    play(scene)


def test_a_terminal_that_hangs_up_ends_the_chat() -> None:
    drawer = Drawer()

    async def scene(keys: PipeInput) -> None:
        async with chatting(keys, drawer=drawer) as (desk, _, _):
            keys.send_text("half")
            await desk.wait_for("half")
            keys.close()
            assert isinstance(await desk.wait_ended(), errors.TerminalGone)

    play(scene)
    assert drawer.text == "half"


def test_in_the_end_pastes_are_no_longer_told_from_keys() -> None:
    shown = []

    async def scene(keys: PipeInput) -> None:
        async with chatting(keys) as (desk, bob, _):
            shown.append(desk)
            for n in range(50):
                await bob.node.sessions[0].send(f"{n}")
            await desk.wait_for("bob: 49")

    play(scene)
    drawn = shown[0].paper.getvalue()
    assert drawn.rfind("\x1b[?2004l") > drawn.rfind("\x1b[?2004h")
    assert drawn.count("\x1b[?2004l") <= 2  # never while the prompt was up
