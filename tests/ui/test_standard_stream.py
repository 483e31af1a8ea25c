"""Descriptors 0 and 1 as a stream: Trio's promises, kept on blocking descriptors that others share."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
import trio
import trio.testing

from p2pchat.ui.standard_stream import StandardStream
from tests.support.descriptors import open_descriptors

Far = trio.StapledStream[trio.lowlevel.FdStream, trio.lowlevel.FdStream]


def through_pipes() -> tuple[StandardStream, Far]:
    (source, writes), (reads, sink) = os.pipe(), os.pipe()
    return StandardStream(source, sink), trio.StapledStream(
        trio.lowlevel.FdStream(writes), trio.lowlevel.FdStream(reads)
    )


def through_a_socket() -> tuple[StandardStream, trio.SocketStream]:
    """As under sshd: one socket is both, and has two numbers."""
    ours, theirs = socket.socketpair()
    with ours:
        near = StandardStream(os.dup(ours.fileno()), os.dup(ours.fileno()))
    return near, trio.SocketStream(trio.socket.from_stdlib_socket(theirs))


@pytest.mark.parametrize("open_pair", [through_pipes, through_a_socket])
async def test_it_keeps_the_promises_of_streams(open_pair: object) -> None:
    """No clogged pair: it cannot tell whether there is room without blocking, and says that there always is."""

    async def make() -> tuple[StandardStream, trio.abc.HalfCloseableStream]:
        await trio.lowlevel.checkpoint()
        return open_pair()  # type: ignore[operator, no-any-return]

    await trio.testing.check_half_closeable_stream(make, None)


@pytest.mark.parametrize("open_pair", [through_pipes, through_a_socket])
async def test_more_than_fits_waits_for_the_reader(open_pair: object) -> None:
    near, far = open_pair()  # type: ignore[operator]
    data = bytes(range(256)) * 4096
    async with near, far, trio.open_nursery() as nursery:
        nursery.start_soon(near.send_all, data)
        await trio.testing.wait_all_tasks_blocked(0.01)
        got = b""
        while len(got) < len(data):
            got += await far.receive_some()
        assert got == data


async def test_one_task_at_a_time_sends_and_one_receives() -> None:
    near, far = through_pipes()
    async with near, far:
        for action in (lambda: near.send_all(bytes(2**20)), near.receive_some):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(action)
                await trio.testing.wait_all_tasks_blocked()
                with pytest.raises(trio.BusyResourceError):
                    await action()
                nursery.cancel_scope.cancel()


async def test_whoever_is_gone_broke_the_stream() -> None:
    near, far = through_a_socket()
    await far.aclose()
    with pytest.raises(trio.BrokenResourceError, match="nobody reads"):
        await near.send_all(b"x")
    await near.send_eof()  # there is nobody to tell
    await near.aclose()


async def test_a_directory_is_no_source() -> None:
    near = StandardStream(os.open("/", os.O_RDONLY), os.open(os.devnull, os.O_WRONLY))
    with pytest.raises(trio.BrokenResourceError, match="cannot read"):
        await near.receive_some()
    await near.aclose()


async def test_closed_means_closed() -> None:
    before = open_descriptors()
    near, far = through_pipes()
    async with far:
        with trio.CancelScope() as scope:
            scope.cancel()
            await near.aclose()
        assert scope.cancelled_caught
        for closed in (near.send_eof, near.receive_some, near.wait_send_all_might_not_block):
            with pytest.raises(trio.ClosedResourceError):
                await closed()
    assert open_descriptors() == before


async def test_the_shared_file_stays_blocking() -> None:
    (source, writes), (reads, sink) = os.pipe(), os.pipe()
    async with StandardStream(os.dup(source), os.dup(sink)) as near:
        os.write(writes, b"x")
        await near.send_all(await near.receive_some())
        assert all(map(os.get_blocking, (source, writes, reads, sink)))
    for fd in (source, writes, reads, sink):
        os.close(fd)


def test_what_is_printed_by_mistake_is_read_by_people() -> None:
    program = """
import os, sys, trio
from p2pchat.ui import standard_stream

async def main():
    async with standard_stream.take_over() as stream:
        print("a mistake", flush=True)
        os.system("echo and another")
        await stream.send_all(b"[" + await stream.receive_some() + b"]")
        assert sys.stdin.read() == ""

trio.run(main)
"""
    done = subprocess.run([sys.executable, "-c", program], input=b"in", capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"[in]", b"a mistake\nand another\n")
