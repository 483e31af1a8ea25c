"""Descriptors that Trio does not own: nothing is lost, nothing is doubled, and no mode is changed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from p2pchat import errors
from p2pchat.ui import stdio


@contextmanager
def descriptors(*fds: int) -> Iterator[None]:
    """Close them at the end, whichever are still open."""
    try:
        yield
    finally:
        for fd in fds:
            with suppress(OSError):
                os.close(fd)


def is_blocking(fd: int) -> bool:
    return not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK


def drain(fd: int) -> bytes:
    """Return what is in a pipe now."""
    data = b""
    while select.select([fd], [], [], 0)[0]:
        data += os.read(fd, 65536)
    return data


async def read_all(fd: int) -> bytes:
    source, data = stdio.Input(fd), b""
    while some := await source.receive_some():
        data += some
    return data


async def test_a_pipe_is_read_to_its_end_and_stays_blocking() -> None:
    reader, writer = os.pipe()
    with descriptors(reader, writer):
        os.write(writer, b"one\ntwo")
        os.close(writer)
        assert await read_all(reader) == b"one\ntwo"
        assert is_blocking(reader)


async def test_reading_waits_without_blocking_others() -> None:
    reader, writer = os.pipe()
    heard: list[bytes] = []

    async def listen() -> None:
        heard.append(await stdio.Input(reader).receive_some())

    with descriptors(reader, writer):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            assert heard == []
            os.write(writer, b"hi")
    assert heard == [b"hi"]


async def test_a_cancelled_read_loses_nothing() -> None:
    reader, writer = os.pipe()
    with descriptors(reader, writer):
        source = stdio.Input(reader)
        with trio.CancelScope() as scope:
            scope.cancel()
            os.write(writer, b"kept")
            await source.receive_some()
        assert scope.cancelled_caught
        assert await source.receive_some() == b"kept"


async def test_a_regular_file_is_read_although_epoll_refuses_it(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"x" * 200_000)
    with path.open("rb") as file:
        assert await read_all(file.fileno()) == b"x" * 200_000


async def test_the_null_device_is_empty_and_swallows() -> None:
    fd = os.open(os.devnull, os.O_RDWR)
    with descriptors(fd):
        assert await read_all(fd) == b""
        await stdio.Output(fd).send_all(b"gone")
        assert is_blocking(fd)


async def test_a_directory_is_an_error_with_a_reason(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    with descriptors(fd), pytest.raises(errors.StdioFailed, match="cannot read standard input: Is a directory"):
        await stdio.Input(fd).receive_some()


async def test_a_terminal_that_hung_up_is_not_an_end_of_input() -> None:
    master, slave = pty.openpty()
    with descriptors(master, slave):
        source, sink = stdio.Input(slave), stdio.Output(slave)
        os.close(master)
        with pytest.raises(errors.TerminalGone):
            await source.receive_some()
        with pytest.raises(errors.TerminalGone):
            await sink.send_all(b"anybody there?")


async def test_end_of_input_on_a_terminal_is_no_hang_up() -> None:
    master, slave = pty.openpty()
    with descriptors(master, slave):
        os.write(master, b"\x04")
        assert await stdio.Input(slave).receive_some() == b""
        assert is_blocking(slave)


async def test_a_stalled_reader_stops_only_the_writer() -> None:
    reader, writer = os.pipe()
    data = os.urandom(300_000)
    with descriptors(reader, writer):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stdio.Output(writer).send_all, data)
            await trio.testing.wait_all_tasks_blocked()  # we are running, so the loop is not blocked
            assert is_blocking(writer)
            received = b""
            while len(received) < len(data):
                received += drain(reader)
                await trio.testing.wait_all_tasks_blocked()
    assert received == data


async def test_a_reader_that_is_gone_is_told_apart_from_other_errors() -> None:
    reader, writer = os.pipe()
    with descriptors(reader, writer):
        sink = stdio.Output(writer)
        os.close(reader)
        with pytest.raises(errors.StdoutClosed):
            await sink.send_all(b"anybody?")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
async def test_a_full_disk_is_an_error_with_a_reason() -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    with descriptors(fd), pytest.raises(errors.StdioFailed, match="cannot write standard output: No space left"):
        await stdio.Output(fd).send_all(b"x")


async def test_writers_take_turns() -> None:
    reader, writer = os.pipe()
    one, two = b"1" * 150_000, b"2" * 150_000
    with descriptors(reader, writer):
        sink, received = stdio.Output(writer), b""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sink.send_all, one)
            nursery.start_soon(sink.send_all, two)
            while len(received) < 300_000:
                await trio.testing.wait_all_tasks_blocked()
                received += drain(reader)
    assert received in {one + two, two + one}


@given(st.lists(st.tuples(st.binary(max_size=100_000), st.booleans()), max_size=5))
def test_a_cancelled_write_is_finished_by_the_next(writes: list[tuple[bytes, bool]]) -> None:
    async def main() -> None:
        reader, writer = os.pipe()
        with descriptors(reader, writer):
            sink, received = stdio.Output(writer), b""
            for data, give_up in [*writes, (b"the end", False)]:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(sink.send_all, data)
                    await trio.testing.wait_all_tasks_blocked()
                    while not give_up and nursery.child_tasks:
                        received += drain(reader)
                        await trio.testing.wait_all_tasks_blocked()
                    nursery.cancel_scope.cancel()
            received += drain(reader)
        assert received == b"".join(data for data, _ in writes) + b"the end"

    trio.run(main)


def test_who_seldom_writes_learns_that_nobody_reads(tmp_path: Path) -> None:
    read, write = os.pipe()
    file = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    try:
        stdio.Output(file).check_reader()
        stdio.Output(write).check_reader()
        os.close(read)
        with pytest.raises(errors.StdoutClosed):
            stdio.Output(write).check_reader()
    finally:
        os.close(write)
        os.close(file)
