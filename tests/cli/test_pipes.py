"""Two processes and their pipes: bytes out equal bytes in, and every end has its code."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from pathlib import Path

import pytest
import trio

from tests.support.programs import Home

pytestmark = pytest.mark.slow

LINES = b"".join(b"line %d\n" % n for n in range(10_000))
HARD_INPUTS = {
    "ten megabytes without a newline": bytes(range(32, 127)) * 105_264,
    "ten thousand lines and one of a mebibyte": LINES + b"x" * 2**20 + b"\n",
    "no text, and a last line without a newline": bytes(range(256)) * 300 + b"\n\xff\n\r\n" + "žluť".encode(),
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.mark.parametrize("data", HARD_INPUTS.values(), ids=HARD_INPUTS.keys())
async def test_the_bytes_that_arrive_are_the_bytes_that_were_sent(home: Home, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as result:
        async with home.run("listen", "localhost:0", "--once", stdin=subprocess.DEVNULL, stdout=result) as listener:
            async with home.run("dial", await listener.port(), stdin=source) as dialer:
                assert await dialer.wait() == 0
            assert await listener.wait() == 0
    assert (tmp_path / "out").read_bytes() == data


async def test_first_run_same_user_no_flags(home: Home) -> None:
    """And both say so: one is the guest of the other."""
    async with home.run("listen", "localhost:0", "--once") as listener:
        await listener.end_input()
        async with home.run("dial", await listener.port(), fresh=True) as dialer:
            await dialer.type("hi\n")
            await dialer.end_input()
            assert await dialer.wait() == 0
            assert b"p2pchat: your own p2pchat answered: this one goes on as its guest, for this run\n" in dialer.err
            assert dialer.out == b""
        assert await listener.wait() == 0
        assert listener.out == b"hi\n"
        assert b"p2pchat: connected: you (guest)\n" in listener.err


async def test_both_directions_at_once(home: Home) -> None:
    async with home.run("listen", "localhost:0", "--once") as listener:
        async with home.run("dial", await listener.port()) as dialer:
            await dialer.wait_for("connected")
            await listener.type("to the dialer\n")
            await dialer.type("to the listener\n")
            await dialer.wait_for("to the dialer\n")
            await listener.wait_for("to the listener\n")
            await dialer.end_input()
            await listener.end_input()
            assert await dialer.wait() == 0
        assert await listener.wait() == 0


async def test_a_reader_that_is_gone_ends_it_quietly(home: Home) -> None:
    reader, writer = os.pipe()
    async with home.run("listen", "localhost:0", stdin=subprocess.DEVNULL, stdout=writer) as listener:
        os.close(writer)
        os.close(reader)
        async with home.run("dial", await listener.port()) as dialer:
            await dialer.type("anybody?\n")
            assert await listener.wait() == 141
        assert b"error" not in listener.err


async def test_a_stalled_reader_stops_nothing_else(home: Home) -> None:
    reader, writer = os.pipe()
    async with (
        home.run("listen", "localhost:0", stdout=writer) as listener,
        home.run("dial", await listener.port()) as dialer,
    ):
        os.close(writer)
        await dialer.type(LINES)
        await listener.wait_for("connected")
        await listener.type("I still hear myself\n")
        await dialer.wait_for("I still hear myself\n")
        listener.signal(signal.SIGTERM)
        assert await listener.wait() == 143
    os.close(reader)


async def test_what_a_killed_listener_has_not_written_is_told(home: Home, tmp_path: Path) -> None:
    """Nothing is lost in silence: what is in the pipe, and what the next one says, are all lines together."""
    bob = Home(tmp_path / "bob")
    listen = ("listen", "localhost:0", "--accept", "anyone")
    reader, writer = os.pipe()
    async with home.run(*listen, stdin=subprocess.DEVNULL, stdout=writer) as listener:
        os.close(writer)
        async with bob.run("dial", await listener.port()) as dialer:
            await dialer.type(LINES)
            await dialer.end_input()
            assert await dialer.wait() == 0
        listener.signal(signal.SIGKILL)
        await listener.wait()
    with os.fdopen(reader, "rb") as pipe:
        written = pipe.read().count(b"\n")
    async with home.run(*listen, stdin=subprocess.DEVNULL) as listener, bob.run("dial", await listener.port()):
        told = await listener.wait_for(
            r"p2pchat: (\d+) messages of \S+ came earlier and were not shown .*`(.*)` has them\n"
        )
    lines = LINES.count(b"\n")
    assert lines - written <= int(told[1]) < lines
    assert home.paste(told[2]).stdout.endswith(b"line 9999\n")


async def test_descriptors_of_the_parent_stay_blocking(home: Home) -> None:
    """They share the open file with us: whatever the program did to it, we see here."""
    ends = [os.pipe(), os.pipe()]
    (stdin, typing), (reading, stdout) = ends
    async with (
        home.run("listen", "localhost:0", stdin=stdin, stdout=stdout, fresh=True) as listener,
        home.run("dial", await listener.port()) as dialer,
    ):
        await dialer.type("hi\n")
        await trio.to_thread.run_sync(os.read, reading, 10)
        os.write(typing, b"ho\n")
        await dialer.wait_for("ho\n")
        assert not any(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK for pair in ends for fd in pair)
    for fd in (stdin, typing, reading, stdout):
        os.close(fd)


async def test_a_full_disk_is_an_error(home: Home) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a disk that is always full")
    full = os.open("/dev/full", os.O_WRONLY)
    async with (
        home.run("listen", "localhost:0", stdin=subprocess.DEVNULL, stdout=full, fresh=True) as listener,
        home.run("dial", await listener.port()) as dialer,
    ):
        os.close(full)
        await dialer.type("hi\n")
        assert await listener.wait() == 74
        await listener.wait_for("p2pchat: error: cannot write standard output: No space left on device\n")


async def test_quiet_and_safe(home: Home) -> None:
    async with home.run("listen", "localhost:0", "--once", "--safe", stdin=subprocess.DEVNULL) as listener:
        async with home.run("dial", await listener.port(), "-q") as dialer:
            await dialer.type("\x1b]0;owned\x07\n")
            await dialer.end_input()
            assert await dialer.wait() == 0
            assert dialer.err == b""
        assert await listener.wait() == 0
        assert listener.out.decode() == "␛]0;owned␇\n"
