"""A command as a stream: its pipes keep Trio's promises, and whatever becomes of it, nothing of it is left running."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from p2pchat import address as addresses
from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.listen_promises import check_wording
from p2pchat.transports import exec as execs
from p2pchat.transports import failures
from p2pchat.transports.base import HasProgram, remote_of
from p2pchat.transports.exec import Command, ExecStream, ExecTransport
from p2pchat.transports.remarks import MAX_LINE
from tests.support.descriptors import no_descriptors_left, open_descriptors
from tests.support.processes import group_of, wait_for_nobody

#: Hands its descriptors 0 and 1 to whoever listens at the socket, and stays until that end closes.
LENDER = """
import os, socket, sys
sock = socket.socket(socket.AF_UNIX)
sock.connect(sys.argv[1])
socket.send_fds(sock, [b"here"], [0, 1])
nothing = os.open(os.devnull, os.O_RDWR)
os.dup2(nothing, 0)
os.dup2(nothing, 1)
sock.recv(1)
"""


def shell(script: str) -> Address:
    return command("sh", "-c", script)


def command(*words: str) -> Address:
    return Address("exec", shlex.join(words))


@asynccontextmanager
async def running(script: str) -> AsyncIterator[ExecStream]:
    stream = await ExecTransport().connect(shell(script))
    try:
        yield stream
    finally:
        await trio.aclose_forcefully(stream)


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


async def remarks(stream: HasProgram) -> list[str]:
    said = []
    while (line := await stream.next_remark()) is not None:
        said.append(line)
    return said


# --- the stream


@pytest.mark.slow
async def test_the_pipes_keep_the_promises_of_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other ends of the child's pipes are ours to look at: it lends them."""
    monkeypatch.setattr(execs, "FAREWELL", 0.0)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(tmp_path / "door"))
    door.listen()
    lender = command(sys.executable, "-ISc", LENDER, str(tmp_path / "door"))

    async def make() -> tuple[ExecStream, trio.StapledStream[trio.lowlevel.FdStream, trio.lowlevel.FdStream]]:
        near = await ExecTransport().connect(lender)
        await trio.lowlevel.wait_readable(door)
        line, _ = door.accept()
        with line:
            _, (reads, writes), _, _ = socket.recv_fds(line, 10, 2)
        return near, trio.StapledStream(trio.lowlevel.FdStream(writes), trio.lowlevel.FdStream(reads))

    async def make_clogged() -> tuple[ExecStream, trio.StapledStream[trio.lowlevel.FdStream, trio.lowlevel.FdStream]]:
        near, far = await make()
        for stream in (near, far):
            with trio.move_on_after(0.1):
                await stream.send_all(bytes(2**20))
        return near, far

    with door:
        await trio.testing.check_half_closeable_stream(make, make_clogged)


async def test_bytes_go_both_ways_and_ends_go_one_by_one() -> None:
    async with running("cat; echo after the end") as stream:
        await stream.send_all(b"\x00\xff one")
        assert await stream.receive_some(2) == b"\x00\xff"
        await stream.send_eof()
        await stream.send_eof()
        assert await read_all(stream) == b" oneafter the end\n"
        with pytest.raises(trio.ClosedResourceError):
            await stream.send_all(b"more")
    with pytest.raises(trio.ClosedResourceError):
        await stream.send_eof()
    await stream.aclose()
    assert remote_of(stream) == shell("cat; echo after the end")


async def test_words_reach_the_program_as_they_are() -> None:
    """No shell looks at them."""
    address = addresses.parse("exec:printf '%s|' 'two words' '$HOME' '*' ';' '\"'")
    async with await ExecTransport().connect(address) as stream:
        assert await read_all(stream) == b'two words|$HOME|*|;|"|'


async def test_descriptors_of_the_command_block_as_programs_expect() -> None:
    script = "import os; print([os.get_blocking(fd) for fd in range(3)])"
    address = command(sys.executable, "-ISc", script)
    async with await ExecTransport().connect(address) as stream:
        assert await read_all(stream) == b"[True, True, True]\n"


async def test_a_command_gets_no_terminal_and_no_descriptors_of_ours() -> None:
    script = (
        "import os; print(os.getsid(0) == os.getpid() == os.getpgid(0), sorted(map(int, os.listdir('/dev/fd')))[:5])"
    )
    address = command(sys.executable, "-ISc", script)
    async with await ExecTransport().connect(address) as stream:
        assert await read_all(stream) == b"True [0, 1, 2, 3]\n"  # 3 reads the list


# --- what it says to people


async def test_its_remarks_come_in_lines_and_blank_ones_do_not() -> None:
    async with running(r"printf 'one\n\n \ntwo \303\251 \377\nthree' >&2") as stream:
        assert isinstance(stream, HasProgram)
        assert await remarks(stream) == ["one", "two é \\xff", "three"]
        assert await stream.next_remark() is None


async def test_last_words_are_kept_when_the_stream_is_closed() -> None:
    async with running("echo first >&2; read end; echo last >&2; exit 7") as stream:
        assert await stream.next_remark() == "first"
    assert await remarks(stream) == ["last"]
    assert stream.ending == "the command ended (exit status 7) and said: last"


async def test_who_waits_for_a_remark_gets_the_last_words() -> None:
    async with trio.open_nursery() as nursery:
        stream = await ExecTransport().connect(shell("read end; printf 'last\nwords' >&2"))
        heard: list[str] = []

        async def listen() -> None:
            heard.extend(await remarks(stream))

        nursery.start_soon(listen)
        await trio.testing.wait_all_tasks_blocked()
        await stream.aclose()
    assert heard == ["last", "words"]


async def test_a_line_without_end_is_cut() -> None:
    async with running("yes | tr -d '\n' | head -c 200000 >&2; echo >&2; echo done >&2") as stream:
        long, done = await remarks(stream)
    assert (len(long), done) == (MAX_LINE, "done")


@pytest.mark.slow
async def test_a_command_that_talks_without_end_waits_for_its_listener() -> None:
    async with running("yes >&2") as stream:
        assert await stream.next_remark() == "y"
    assert len(await remarks(stream)) <= 2 * 65536
    assert stream.ending == ""


# --- how it ends


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("exit 0", "the command ended (exit status 0)"),
        ("echo 'Permission denied' >&2; exit 255", "the command ended (exit status 255) and said: Permission denied"),
        ("kill -KILL $$", f"the command ended (signal 9, {signal.strsignal(9)})"),
        ("kill -34 $$", f"the command ended (signal 34, {signal.strsignal(34)})"),
    ],
)
async def test_the_end_of_a_command_is_told(script: str, ending: str) -> None:
    async with running(script) as stream:
        assert await stream.receive_some() == b""
    assert stream.ending == ending


@pytest.mark.slow
@pytest.mark.parametrize("ignored", ["", "trap '' TERM;", "trap '' TERM INT HUP PIPE;"])
async def test_whoever_stays_is_ended_and_all_whom_it_has_started(ignored: str) -> None:
    async with running(f"{ignored} sleep 1000 & sleep 1000 </dev/null >/dev/null 2>&1 & echo; wait") as stream:
        await stream.receive_some()
        group = group_of(stream)
    assert stream.ending == ""
    await wait_for_nobody(group)


async def test_whom_a_command_leaves_behind_is_ended_too() -> None:
    async with running("sleep 1000 </dev/null >/dev/null 2>&1 & echo") as stream:
        await stream.receive_some()
        group = group_of(stream)
    assert stream.ending == "the command ended (exit status 0)"
    await wait_for_nobody(group)


async def test_no_zombie_and_no_descriptor_is_left() -> None:
    before = open_descriptors()
    async with running("cat") as stream:
        assert open_descriptors() > before
        leader = group_of(stream)  # our own child
    assert open_descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(leader, os.WNOHANG)  # noqa: ASYNC222  (does not wait)


@pytest.mark.slow
async def test_a_cancelled_close_ends_everything_all_the_same() -> None:
    stream = await ExecTransport().connect(shell("sleep 1000"))
    with trio.CancelScope() as scope:
        scope.cancel()
        await stream.aclose()
    assert scope.cancelled_caught
    await wait_for_nobody(group_of(stream))


async def test_a_cancelled_connect_leaves_nothing() -> None:
    before = open_descriptors()
    with trio.CancelScope() as scope:
        scope.cancel()
        await ExecTransport().connect(shell("sleep 1000"))
    assert scope.cancelled_caught
    assert open_descriptors() == before


@pytest.mark.slow
async def test_it_ends_where_the_system_cannot_watch_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSYS, "no pidfd here")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    async with running("read end; exit 3") as stream:
        pass
    assert stream.ending == "the command ended (exit status 3)"
    async with running("sleep 1000 & sleep 1000") as stream:
        group = group_of(stream)
    await wait_for_nobody(group)


async def test_what_cannot_die_is_told_to_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process in an uninterruptible sleep, a dead file server's say; here signals do not reach it."""
    monkeypatch.setattr(execs, "FAREWELL", 0.0)
    monkeypatch.setattr(execs, "DEADLINE", 0.01)
    process = await trio.lowlevel.open_process(["sleep", "1000"], start_new_session=True)
    with monkeypatch.context() as deaf:
        deaf.setattr(os, "killpg", lambda *_: None)
        assert await Command(process).end() is None
    assert caplog.messages == [f"process {process.pid} does not die: the system does not let it"]
    process.kill()
    await process.wait()


# --- what cannot be started


async def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    (tmp_path / "rubbish").write_bytes(b"\x7fELF")
    (tmp_path / "rubbish").chmod(0o700)
    for words, told in [
        ("no-such-program-anywhere x", "there is no such program"),
        (f"{tmp_path}/data/program", "there is no such program"),
        (f"{tmp_path}/data", "is not executable"),
        (f"{tmp_path}/rubbish", "none that this machine can run"),
    ]:
        before = open_descriptors()
        address = addresses.parse(f"exec:{words}")
        with pytest.raises(ConnectFailed, match=told) as failed:
            await ExecTransport().connect(address)
        check_wording(failed.value, address)
        assert open_descriptors() == before


async def test_without_descriptors_it_fails_like_every_transport() -> None:
    with no_descriptors_left(), pytest.raises(ConnectFailed, match="no file descriptors are left"):
        await ExecTransport().connect(shell("true"))


@pytest.mark.parametrize("number", list(execs._CONNECT))
def test_every_known_failure_is_a_sentence_and_a_hint(number: int) -> None:
    address = shell("echo {braces}")
    check_wording(failures.explain(ConnectFailed, OSError(number, "raw"), address, execs._CONNECT), address)


async def test_nobody_comes_in_through_a_command() -> None:
    address = shell("true")
    with pytest.raises(ListenFailed, match="can be dialed only") as failed:
        await ExecTransport().listen(address)
    check_wording(failed.value, address)
    with trio.CancelScope() as scope:
        scope.cancel()
        await ExecTransport().listen(address)
    assert scope.cancelled_caught
