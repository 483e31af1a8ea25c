"""`dial exec:` and `stdio` as processes: who talks to whom, what each end says, and that nobody is left behind."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import signal
import subprocess
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.support.processes import descendants, wait_for_the_end_of
from tests.support.programs import MAIN, PATIENCE, Home, Program

pytestmark = pytest.mark.slow

HARD_BYTES = bytes(range(256)) * 2000 + b"\n" + b"x" * 2**20 + b"\n\r\n no newline \xff"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def box(tmp_path: Path) -> Home:
    """The home of somebody else, on the other side of the command."""
    return Home(tmp_path / "box")


def there(box: Home, *words: str, before: str = "", after: str = "") -> str:
    """The address of the program in that home; `before` and `after` are what its shell does around it."""
    environ = {name: value for name, value in box.environ.items() if name.startswith(("HOME", "XDG_"))}
    command = shlex.join(["env", *(f"{name}={value}" for name, value in environ.items()), *MAIN, *words])
    return f"exec:sh -c {shlex.quote(before + command + after)}" if before or after else f"exec:{command}"


@asynccontextmanager
async def dialing(home: Home, address: str, *words: str) -> AsyncIterator[Program]:
    """Dial; at the end of the block neither the dialer nor anything that it has started may live."""
    async with home.run("dial", address, "--linger", "0.5", *words) as dialer:
        yield dialer
        left = descendants(dialer.process.pid)
    await wait_for_the_end_of(left)


async def ended(program: Program) -> tuple[int, str]:
    """Return its exit code, and everything it said on standard error."""
    await program.end_input()
    code = await program.wait()
    await program.heard_out()
    return code, program.err.decode()


# --- who talks to whom


async def test_oneself_over_a_command(home: Home) -> None:
    """First run, no flags: the dialer meets its own key and comes back as a guest."""
    async with dialing(home, there(home, "stdio")) as dialer:
        await dialer.type("hi\n")
        code, said = await ended(dialer)
    assert (code, dialer.out) == (0, b"")
    assert "p2pchat: connected: you (over there)\n" in said
    assert "p2pchat: the command says: p2pchat: connected: you (guest)" in said
    assert b" hi\n" in home.call("history").stdout  # over there it was stored, and not shown
    assert "error" not in said


async def test_a_stranger_over_a_command_learns_how_to_get_in(home: Home, box: Home) -> None:
    async with dialing(home, there(box, "stdio")) as dialer:
        code, said = await ended(dialer)
    assert code == 77
    assert "did not let us in" in said
    line = re.search(r"the command says: p2pchat: to let it in next time: (p2pchat trust .*)", said)
    assert line
    assert box.paste(line[1]).returncode == 0
    async with dialing(home, there(box, "stdio")) as dialer:
        await dialer.type("hi\n")
        code, said = await ended(dialer)
    assert code == 0
    assert b" hi\n" in box.call("history").stdout


async def test_what_was_shown_was_cleaned_twice(home: Home, box: Home) -> None:
    async with dialing(home, there(box, "stdio", "--guest", "--accept", "anyone", "--quiet")) as dialer:
        await dialer.type(b"\x1b]0;owned\x07\n")
        code, said = await ended(dialer)
    assert code == 0
    assert "]0;owned" in said
    assert "\x1b" not in said


async def test_a_guest_of_a_profile_has_another_key(home: Home) -> None:
    async with dialing(home, there(home, "stdio", "--guest", "--accept", "anyone")) as dialer:
        code, said = await ended(dialer)
    assert code == 0
    assert "your own p2pchat" not in said
    assert "a guest: it keeps nothing" in said


async def test_ask_needs_somebody_to_ask(home: Home, box: Home) -> None:
    async with dialing(home, there(box, "stdio", "--accept", "ask")) as dialer:
        code, said = await ended(dialer)
    assert code == 69
    assert "the command ended (exit status 78)" in said
    assert "the command says: p2pchat: error: there is no terminal to ask at\n" in said


# --- passed on to the process that listens


@asynccontextmanager
async def listening(home: Home, *words: str, **how: object) -> AsyncIterator[Program]:
    async with home.run("listen", "localhost:0", "--accept", "anyone", *words, **how) as listener:  # type: ignore[arg-type]
        await listener.port()
        yield listener


async def test_bytes_are_the_same_behind_a_relay(home: Home, box: Home, tmp_path: Path) -> None:
    with (tmp_path / "in").open("w+b") as source, (tmp_path / "out").open("wb") as result:
        source.write(HARD_BYTES)
        source.seek(0)
        async with listening(box, "--once", stdin=subprocess.DEVNULL, stdout=result) as listener:
            async with home.run("dial", there(box, "stdio"), "--linger", "0.5", stdin=source) as dialer:
                assert await dialer.wait() == 0
            assert await listener.wait() == 0
    assert (tmp_path / "out").read_bytes() == HARD_BYTES
    assert b"the command says" not in dialer.err


async def test_both_sides_talk_through_a_relay(home: Home, box: Home) -> None:
    async with listening(box, "--once") as listener, dialing(home, there(box, "stdio")) as dialer:
        await dialer.wait_for("connected")
        await listener.type("from the listener\n")
        await dialer.wait_for("from the listener\n")
        await dialer.type("from the dialer\n")
        await listener.wait_for("from the dialer\n")
        await listener.end_input()
        assert (await ended(dialer))[0] == 0
        assert await listener.wait() == 0


async def test_the_socket_is_where_the_session_keeps_its_own(home: Home) -> None:
    runtime = home.path / "runtime"
    environ = {"XDG_RUNTIME_DIR": str(runtime)}
    async with listening(home, "--profile", "work", environ=environ) as listener:
        assert (runtime / "p2pchat" / "work.sock").is_socket()
        command = there(home, "stdio", "--profile", "work", before=f"XDG_RUNTIME_DIR={runtime} ")
        async with dialing(home, command) as dialer:
            await dialer.type("hi\n")
            assert (await ended(dialer))[0] == 0
        await listener.wait_for("hi\n")
        listener.signal(signal.SIGTERM)
        assert await listener.wait() == 143
    assert list((runtime / "p2pchat").iterdir()) == []


async def test_a_guest_passes_nobody_on_and_owns_nothing(home: Home, box: Home) -> None:
    async with listening(box, "--guest"):
        assert not box.data.exists()
    async with listening(box), dialing(home, there(box, "stdio", "--guest", "--accept", "anyone")) as dialer:
        await dialer.type("hi\n")
        assert ": hi\n" in (await ended(dialer))[1]


async def test_who_listens_may_end_while_somebody_is_there(home: Home, box: Home) -> None:
    async with listening(box) as listener, dialing(home, there(box, "stdio")) as dialer:
        await dialer.wait_for("connected")
        listener.signal(signal.SIGTERM)
        assert await listener.wait() == 143
        await dialer.wait_for("went away")


# --- commands that are no peers


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        ("exec:no-such-program-anywhere", 69, "there is no such program: exec:no-such-program-anywhere\n"),
        ("exec:/etc/passwd", 69, "the program of exec:/etc/passwd is not executable\n"),
        ("exec:false", 69, "exec:false was not reached: the command ended (exit status 1)\n"),
        ("exec:sh -c 'echo no route to box >&2; exit 255'", 69, "(exit status 255) and said: no route to box\n"),
        ("exec:sh -c 'head -c 100 >/dev/null; kill -9 $$'", 69, "the command ended (signal 9, Killed)\n"),
        ("exec:cat", 76, "this is not a p2pchat: it said 'p2pchat"),
        ("exec:", 2, "the command is missing\n"),
    ],
    ids=lambda value: str(value).partition("\n")[0][:40],
)
async def test_what_is_no_peer_is_told(home: Home, command: str, code: int, told: str) -> None:
    async with dialing(home, command) as dialer:
        ending, said = await ended(dialer)
    assert told in said
    assert "hint: " in said
    assert ending == code


@pytest.mark.parametrize("motd", ["Welcome to box!", "", r"\nLast login: today"])
async def test_text_before_the_protocol_is_shown(home: Home, box: Home, motd: str) -> None:
    address = there(box, "stdio", before=f"printf '{motd}\\n';")
    async with dialing(home, address) as dialer:
        code, said = await ended(dialer)
    assert code == 76
    assert "this is not a p2pchat: it said '" + motd in said
    assert "login scripts have to be silent" in said


async def test_a_command_that_hangs_is_given_up_and_ended(home: Home) -> None:
    async with dialing(home, "exec:sh -c 'trap \"\" TERM; sleep 1000'") as dialer:
        code, said = await ended(dialer)
    assert code == 76
    assert "the handshake was not finished in time" in said


async def test_a_person_at_a_terminal_is_told_what_it_is_for(home: Home) -> None:
    async with home.run_in_terminal("stdio") as program:
        assert await program.wait() == 2
        await program.wait_for("stdio talks to a program, and this is a terminal")


def test_it_prints_no_json(home: Home) -> None:
    done = subprocess.run([*MAIN, "stdio", "--json"], env=home.environ, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"p2pchat: error: no such option: --json\n")


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [(b"GET / HTTP/1.1\r\n\r\n", 76, "the visitor does not speak p2pchat"), (b"", 0, ""), (b"p2pchat\x01", 0, "")],
)
def test_visitors_of_other_kinds(home: Home, said: bytes, code: int, told: str) -> None:
    done = subprocess.run([*MAIN, "stdio"], env=home.environ, input=said, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (code, b"")
    assert told in done.stderr.decode()
    assert bool(done.stderr) == bool(told)


# --- the ends of processes


@pytest.mark.parametrize("passed_on", [False, True], ids=["peer", "relay"])
async def test_a_dialer_that_is_killed_leaves_nobody(home: Home, box: Home, passed_on: bool) -> None:  # noqa: FBT001
    async with listening(box, *([] if passed_on else ["--guest"])):
        async with home.run("dial", there(box, "stdio", "--accept", "anyone")) as dialer:
            await dialer.wait_for("connected")
            left = descendants(dialer.process.pid)
            assert left
            dialer.signal(signal.SIGKILL)
            await dialer.wait()
        await wait_for_the_end_of(left)


async def test_a_command_that_is_killed_is_started_again(home: Home, box: Home) -> None:
    async with listening(box) as listener, dialing(home, there(box, "stdio"), "--timeout", "30") as dialer:
        await dialer.wait_for("connected")
        (command,) = descendants(dialer.process.pid)
        os.kill(command, signal.SIGKILL)
        await dialer.wait_for("connection lost")
        await dialer.wait_for("connected again")
        await dialer.type("still here\n")
        await listener.wait_for("still here\n")
        assert (await ended(dialer))[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_dialer_that_is_told_to_end_ends_the_command(home: Home, number: signal.Signals) -> None:
    async with dialing(home, "exec:sh -c 'sleep 1000 & sleep 1000'") as dialer:
        while len(descendants(dialer.process.pid)) < 3:  # noqa: ASYNC110  (nobody tells us)
            await trio.sleep(0.01)
        left = descendants(dialer.process.pid)
        dialer.signal(number)
        assert await dialer.wait() == 128 + number
        await wait_for_the_end_of(left)


async def test_a_responder_that_is_told_to_end_goes_away(home: Home, box: Home) -> None:
    async with dialing(home, there(box, "stdio", "--accept", "anyone")) as dialer:
        await dialer.wait_for("connected")
        (command,) = descendants(dialer.process.pid)
        os.kill(command, signal.SIGTERM)
        await dialer.wait_for(r"went away")


async def test_a_lost_visitor_is_an_error_of_its_own(home: Home, box: Home, tmp_path: Path) -> None:
    """Its dialer cannot be told any more; the exit code is for whoever started it otherwise."""
    code = tmp_path / "code"
    command = there(
        box, "stdio", "--accept", "anyone", after=f" 2>/dev/null; echo $? >{code}.new; mv {code}.new {code}"
    )
    async with home.run("dial", command) as dialer:
        await dialer.wait_for("connected")
        dialer.signal(signal.SIGKILL)
        await dialer.wait()
    with trio.fail_after(PATIENCE):
        while not code.exists():  # noqa: ASYNC110  (a file sets no event)
            await trio.sleep(0.01)
    assert code.read_text() == "74\n"


async def test_descriptors_that_others_share_stay_blocking(home: Home) -> None:
    (stdin, writes), (reads, stdout) = os.pipe(), os.pipe()
    async with home.run("stdio", stdin=stdin, stdout=stdout, fresh=True) as program:
        os.write(writes, b"p2p")
        while int.from_bytes(fcntl.ioctl(stdin, termios.FIONREAD, bytes(4)), "little"):  # noqa: ASYNC110
            await trio.sleep(0.01)
        assert all(map(os.get_blocking, (stdin, writes, reads, stdout)))
        os.close(writes)
        assert await program.wait() == 0
    for fd in (stdin, reads, stdout):
        os.close(fd)
