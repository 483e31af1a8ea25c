"""People at terminals: real ones, but for the glass."""

from __future__ import annotations

import os
import signal
import termios
from pathlib import Path

import pytest

from tests.support.programs import Home, Program

pytestmark = pytest.mark.slow

CTRL_C, CTRL_D = "\x03", "\x04"


@pytest.fixture
def ann(tmp_path: Path) -> Home:
    return Home(tmp_path / "ann")


@pytest.fixture
def bob(tmp_path: Path) -> Home:
    return Home(tmp_path / "bob")


async def meet(listener: Program, dialer: Program) -> None:
    """Let each say something to the other."""
    await dialer.wait_for("-- connected")
    await listener.wait_for("-- connected")
    await dialer.type("how are you\n")
    await listener.wait_for(r"\d\d:\d\d [^\n]*: how are you\r\n")
    await listener.type("fine\n")
    await dialer.wait_for(r"\d\d:\d\d [^\n]*: fine\r\n")


async def test_two_terminals_of_one_user_chat_and_quit(ann: Home) -> None:
    async with ann.run_in_terminal("listen", "localhost:0", "--plain", fresh=True) as listener:
        address = await listener.port()
        async with ann.run_in_terminal("dial", address, "--plain", fresh=True) as dialer:
            await meet(listener, dialer)
            await dialer.type("/q\n")
            assert await dialer.wait() == 0
        await listener.wait_for(r"-- goodbye from you \(guest\)")
        async with ann.run_in_terminal("dial", address, "--plain") as dialer:
            await dialer.wait_for("-- connected")
            await listener.wait_for(r"goodbye from [\s\S]*-- connected")
            await listener.type(CTRL_D)
            assert await listener.wait() == 0
            assert await dialer.wait() == 0
            assert "-- goodbye from you (over there)" in dialer.lines


async def test_a_stranger_is_asked_about_and_let_in(ann: Home, bob: Home) -> None:
    async with (
        ann.run_in_terminal("listen", "localhost:0", "--plain") as listener,
        bob.run_in_terminal("dial", await listener.port(), "--plain", "--name", "bob") as dialer,
    ):
        await listener.wait_for("-- a stranger asks to be let in, calling itself bob")
        await dialer.wait_for("; waiting to be let in")
        await listener.type("/accept 1\n")
        await meet(listener, dialer)
        assert any(line.endswith(" bob: how are you") for line in listener.lines)


async def test_control_c_ends_it_at_once(ann: Home) -> None:
    async with (
        ann.run_in_terminal("listen", "localhost:0", "--plain") as listener,
        ann.run_in_terminal("dial", await listener.port(), "--plain") as dialer,
    ):
        await meet(listener, dialer)
        await listener.type(f"half a line{CTRL_C}")
        assert await listener.wait() == 130
        await dialer.wait_for("went away")
        await dialer.wait_for("trying again in")
        await dialer.type(CTRL_C)
        assert await dialer.wait() == 130


async def test_a_killed_peer_is_a_lost_connection_and_is_redialled(ann: Home) -> None:
    async with ann.run_in_terminal("listen", "localhost:0", "--plain") as listener:
        address = await listener.port()
        async with ann.run_in_terminal("dial", address, "--plain") as dialer:
            await meet(listener, dialer)
            listener.signal(signal.SIGKILL)
            await dialer.wait_for("-- connection lost: ")
            await dialer.type("are you there?\n")
            await dialer.wait_for("-- · #2 queued until ")
            async with ann.run_in_terminal("listen", address, "--plain") as again:
                await again.wait_for(": are you there\\?")
                await dialer.wait_for("-- connected again")
            assert "goodbye" not in dialer.out.decode()


async def test_a_terminal_that_goes_away_ends_it(ann: Home) -> None:
    async with ann.run_in_terminal("listen", "localhost:0", "--plain") as listener:
        await listener.port()
        assert listener.terminal is not None
        os.close(listener.terminal)
        listener.terminal = os.open(os.devnull, os.O_RDONLY)
        assert await listener.wait() == 129


async def test_peer_text_never_drives_the_terminal(ann: Home) -> None:
    nasty = "\x1b]0;owned\x07\x1b[2J\u202efdp.exe\x9b31m\rroot: hi"
    async with (
        ann.run_in_terminal("listen", "localhost:0", "--plain") as listener,
        ann.run("dial", await listener.port(), "--name", "\x1b[31mbob\n-- hi") as dialer,
    ):
        await dialer.type(nasty + "\n")
        await listener.wait_for("root: hi")
        for char in "\x1b\x07\x9b\u202e":
            assert char not in listener.out.decode()
        assert not any(line.startswith("-- hi") for line in listener.lines)


async def test_answers_to_a_pipe_are_shown_as_in_a_chat_where_somebody_looks(ann: Home) -> None:
    ours, theirs = os.openpty()
    async with (
        ann.run("listen", "localhost:0") as listener,
        ann.run("dial", await listener.port(), stdout=theirs) as dialer,
    ):
        dialer.terminal = ours
        await listener.wait_for("connected")
        await listener.type("\x1b[2Jhello\n")
        assert os.read(ours, 100).decode().endswith(" you (over there): ␛[2Jhello\r\n")
        dialer.terminal = None
    os.close(ours)
    os.close(theirs)


async def test_the_terminal_is_left_as_it_was(ann: Home) -> None:
    async with ann.run_in_terminal("demo", "--plain") as demo:
        assert demo.terminal is not None
        before = termios.tcgetattr(demo.terminal)
        await demo.wait_for("-- connected: echo")
        assert termios.tcgetattr(demo.terminal) == before
        assert os.get_blocking(demo.terminal)
        await demo.type("hello\n")
        await demo.wait_for(r"\d\d:\d\d echo: hello\r\n")
        await demo.type("/foo\n")
        await demo.wait_for("-- there is no command /foo, and nothing was sent")
        await demo.type("/q\n")
        assert await demo.wait() == 0


async def test_a_locale_without_utf_8_gets_ascii(ann: Home) -> None:
    async with ann.run_in_terminal("demo", "--plain", environ={"LC_ALL": "C"}) as demo:
        await demo.wait_for("-- connected: echo")
        await demo.type("čau\n")
        await demo.wait_for(r"echo: \\u010dau\r\n")
        await demo.wait_for(r"-- \+ guest")
