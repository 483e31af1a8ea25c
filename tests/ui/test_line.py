"""The line face on a terminal of memory: what the keys do. `test_line_in_tmux.py` has it on a real one."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input

from p2pchat import errors
from p2pchat.env import system_env
from p2pchat.node.node import Node, open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.ui import bridge, chat
from p2pchat.ui.chat import Plan
from p2pchat.ui.line import MAX_TYPED, TOO_LONG, LineFace
from p2pchat.ui.prompt import MAX_LINE
from p2pchat.ui.terminal import Printer, Terminal
from tests.support.faces import ME, words
from tests.support.peers import HOME, Network, Peer, open_peer

LISTEN = Plan(listen=(HOME,))
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)
PASTE = "\x1b[200~%s\x1b[201~"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*([a-zA-Z])")


@dataclass
class Drawer:
    """Where a draft waits: in memory, or nowhere."""

    text: str = ""
    is_broken: bool = False

    def take(self) -> str:
        text, self.text = self.text, ""
        return text

    def keep(self, text: str) -> None:
        if self.is_broken:
            raise errors.StoreError("cannot keep your draft: the disk is full")
        self.text = text


@dataclass
class Desk:
    """A person's terminal, and how the chat at it ended."""

    keys: PipeInput
    paper: io.StringIO
    node: Node
    error: errors.P2PChatError | None = None
    ended: trio.Event = field(default_factory=trio.Event)

    @property
    def text(self) -> str:
        """Everything that was ever drawn, without its escapes."""
        return ESCAPES.sub(lambda found: " " if found[1] == "C" else "", self.paper.getvalue())

    async def wait_for(self, text: str) -> None:
        with trio.move_on_after(10):
            while text not in self.text:  # noqa: ASYNC110  (a file that tells nobody)
                await trio.sleep(0.005)
            return
        raise AssertionError(f"{text!r} was not drawn, but {self.text!r}")

    async def wait_ended(self) -> errors.P2PChatError | None:
        with trio.fail_after(10):
            await self.ended.wait()
        return self.error


@asynccontextmanager
async def open_desk(
    network: Network,
    keys: PipeInput,
    *,
    drawer: Drawer | None = None,
    accept: Accept = Accept.ANYONE,
    plan: Plan = LISTEN,
) -> AsyncIterator[Desk]:
    """Somebody listens at HOME with the line face."""
    paper = io.StringIO()
    terminal = Terminal(paper, lambda: Size(rows=24, columns=100), term="xterm")
    env = system_env(network)
    async with trio.open_nursery() as nursery, open_node(ME, env=env, settings=NodeSettings(accept=accept)) as node:
        desk = Desk(keys, paper, node)
        printer = Printer(terminal, encoding="utf-8")
        face = LineFace(terminal, printer, words=words(), wall=env.wall, draft=drawer, keys=keys)

        async def live() -> None:
            try:
                await chat.run(node, face, plan)
            except errors.P2PChatError as exc:
                desk.error = exc
            desk.ended.set()

        nursery.start_soon(live)
        yield desk
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def chatting(keys: PipeInput, *, drawer: Drawer | None = None) -> AsyncIterator[tuple[Desk, Peer, Network]]:
    """A desk, and a peer called bob that has dialled it."""
    network = Network()
    async with open_desk(network, keys, drawer=drawer) as desk, open_peer(network, settings=BOB) as bob:
        await desk.wait_for("listening")
        await bob.node.dial(HOME)
        await desk.wait_for("connected: bob")
        yield desk, bob, network
        bob.resume()


Scene = Callable[[PipeInput], Awaitable[None]]


def play(scene: Scene) -> None:
    """Run `scene` beside asyncio, as the line face needs it."""
    with create_pipe_input() as keys:
        bridge.run(partial(scene, keys))


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
            await desk.wait_for("waiting for 1 messages to arrive")
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
            await desk.wait_for("→ #2 you: shown late")
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
