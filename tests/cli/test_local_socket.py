"""The local socket: one process has it, its user alone gets in, and nobody minds being without."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest
import trio

from p2pchat import address
from p2pchat.cli import local_socket
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.node.node import open_node
from p2pchat.transports.registry import Transports

ME = Identity.from_seed(bytes(32))


async def test_the_first_that_listens_has_it_until_it_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "run" / "default.sock"
    env = system_env(Transports())
    assert await local_socket.reach(path) is None
    async with open_node(ME, env=env) as first:
        await local_socket.own(path, first)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        async with open_node(ME, env=env) as second:
            await local_socket.own(path, second)
            assert "no local socket: unix:" in caplog.text
        stream = await local_socket.reach(path)
        assert stream is not None
        await trio.aclose_forcefully(stream)
    assert not path.exists()
    assert await local_socket.reach(path) is None


async def test_a_place_that_cannot_be_used_is_no_reason_not_to_chat(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").write_bytes(b"")
    async with open_node(ME, env=system_env(Transports())) as node:
        await local_socket.own(tmp_path / "file" / "s", node)
        await local_socket.own(tmp_path / ("x" * 200), node)
    assert caplog.text.count("no local socket: ") == 2
    assert await local_socket.reach(tmp_path / ("x" * 200)) is None


async def test_its_owner_notes_where_it_listens_while_it_does(tmp_path: Path) -> None:
    path, note = tmp_path / "run" / "default.sock", tmp_path / "run" / "default.addresses"
    places = [address.parse("localhost:7300"), address.parse("./a b"), address.parse("[::1]:1")]
    async with open_node(ME, env=system_env(Transports())) as node:
        assert await local_socket.addresses(path) is None
        with local_socket.noting(path) as write:
            assert await local_socket.own(path, node)
            assert await local_socket.addresses(path) == []  # nothing is known yet
            old = os.umask(0)
            try:
                write(places)
            finally:
                os.umask(old)
            assert stat.S_IMODE(note.stat().st_mode) == 0o600
            assert await local_socket.addresses(path) == places
        assert not note.exists()
        note.write_bytes(b"\xff")
        assert await local_socket.addresses(path) == []
    assert await local_socket.addresses(path) is None


async def test_the_note_of_an_owner_that_was_killed_is_none(tmp_path: Path) -> None:
    path, note = tmp_path / "run" / "default.sock", tmp_path / "run" / "default.addresses"
    note.parent.mkdir(mode=0o700)
    note.write_text("tcp:old:1\n")
    assert await local_socket.addresses(path) is None
    async with open_node(ME, env=system_env(Transports())) as node:
        await local_socket.own(path, node)
        assert await local_socket.addresses(path) == []


def test_a_note_that_cannot_be_written_is_no_reason_not_to_listen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "default.addresses").symlink_to(tmp_path / "victim")
    with local_socket.noting(tmp_path / "default.sock") as write:
        write([address.EVERYWHERE])
    assert (tmp_path / "victim").read_text() == "kept"
    assert "cannot note where we listen" in caplog.text
