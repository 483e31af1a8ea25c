"""The local socket: one process has it, its user alone gets in, and nobody minds being without."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest
import trio

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
