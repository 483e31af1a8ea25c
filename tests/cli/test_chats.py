"""Two programs of two people: who gets in, what goes wrong, and what is left behind."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import stat
import subprocess
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.support.programs import Home, Program

pytestmark = pytest.mark.slow


@pytest.fixture
def ann(tmp_path: Path) -> Home:
    return Home(tmp_path / "ann")


@pytest.fixture
def bob(tmp_path: Path) -> Home:
    return Home(tmp_path / "bob")


async def failed(home: Home, *words: str) -> tuple[int, str]:
    """Return the exit code and the errors of a program that cannot begin."""
    async with home.run(*words) as program:
        code = await program.wait()
        await program.wait_for("p2pchat: error: .*\n")
        return code, program.err.decode()


async def chat(listener: Program, dialer: Program) -> None:
    """Let each say something to the other."""
    await dialer.type("question\n")
    await listener.wait_for("question\n")
    await listener.type("answer\n")
    await dialer.wait_for("answer\n")


async def test_a_stranger_is_refused_and_our_words_say_how_to_let_it_in(ann: Home, bob: Home) -> None:
    async with ann.run("listen", "localhost:0", fresh=True) as listener:
        address = await listener.port()
        code, said = await failed(bob, "dial", address)
        assert code == 77
        assert "did not let us in" in said
        command = (await listener.wait_for("to let it in next time: (.*)\n"))[1]
        assert ann.paste(command).returncode == 0
        assert shlex.split(command)[2] in said  # bob was told the id to tell ann
        async with bob.run("dial", address, fresh=True) as dialer:
            await chat(listener, dialer)


def id_of(home: Home) -> str:
    """Return who `home` is."""
    return str(json.loads(home.call("id", "--json").stdout)["peer"])


async def test_a_list_of_an_older_version_becomes_contacts_and_a_spoilt_one_lets_nobody_in(
    ann: Home, bob: Home
) -> None:
    guest = id_of(bob)
    id_of(ann)  # which makes the profile
    old = ann.data / "accepted"
    old.write_text(f"{guest}\noops\n")
    code, said = await failed(ann, "listen", "localhost:0")
    assert code == 78
    assert "accepted, line 2: " in said
    old.write_text(f"{guest}  # bob\n")
    async with ann.run("listen", "localhost:0") as listener:
        address = await listener.port()
        assert not old.exists()
        async with bob.run("dial", address) as dialer:
            await chat(listener, dialer)


async def test_a_guest_keeps_out_whom_its_profile_has_blocked(ann: Home, bob: Home) -> None:
    assert ann.call("block", id_of(bob)).returncode == 0
    async with ann.run("listen", "localhost:0", "--guest", "--accept", "anyone") as listener:
        code, said = await failed(bob, "dial", await listener.port())
        assert code == 77
        assert "did not let us in" in said
        assert b"stranger" not in listener.err


async def test_who_is_blocked_meanwhile_is_gone_and_cannot_be_dialed(ann: Home, bob: Home) -> None:
    async with ann.run("listen", "localhost:0", "--accept", "anyone") as listener:
        address = await listener.port()
        async with bob.run("dial", address) as dialer:
            await chat(listener, dialer)
            assert bob.call("block", id_of(ann)).returncode == 0
            await dialer.wait_for("p2pchat: error: you have blocked this peer")
            assert await dialer.wait() == 77
        code, said = await failed(bob, "dial", address)
        assert code == 77
        assert f"`p2pchat unblock {id_of(ann)}`" in said


async def test_anyone_over_a_unix_socket_by_another_name(ann: Home, bob: Home, tmp_path: Path) -> None:
    path = str(tmp_path / "a socket")
    async with ann.run("listen", path, "--accept", "anyone") as listener:
        assert await listener.port() == shlex.quote(path).split()[0]
        async with bob.run("dial", path, "--name", "bob\x1b[2J") as dialer:
            await chat(listener, dialer)
            await listener.wait_for("connected: peer1.*, not verified\n")  # what it calls itself is harmless to nobody
            assert b"\x1b" not in listener.err


async def test_a_killed_peer_is_a_lost_connection_and_the_port_is_free_at_once(ann: Home, bob: Home) -> None:
    async with ann.run("listen", "localhost:0", "--accept", "anyone") as listener:
        address = await listener.port()
        async with bob.run("dial", address) as dialer:
            await chat(listener, dialer)
            listener.signal(signal.SIGKILL)
            await dialer.wait_for("connection lost")
            assert b"goodbye" not in dialer.err
            async with ann.run("listen", address, "--accept", "anyone", "--once") as again:
                await dialer.wait_for("connected again")
                await chat(again, dialer)
                await dialer.end_input()
                await again.end_input()
                assert await dialer.wait() == 0
                assert await again.wait() == 0


async def test_a_killed_dialer_is_a_lost_connection_and_the_listener_goes_on(ann: Home, bob: Home) -> None:
    async with ann.run("listen", "localhost:0", "--accept", "anyone") as listener:
        address = await listener.port()
        async with bob.run("dial", address) as dialer:
            await chat(listener, dialer)
            dialer.signal(signal.SIGKILL)
        await listener.wait_for("connection lost")
        assert b"goodbye" not in listener.err
        async with bob.run("dial", address) as dialer:
            await dialer.wait_for("connected")


async def test_a_link_that_stays_lost_is_an_error_without_a_terminal(ann: Home, bob: Home) -> None:
    async with (
        ann.run("listen", "localhost:0", "--accept", "anyone") as listener,
        bob.run("dial", await listener.port(), "--timeout", "1") as dialer,
    ):
        await chat(listener, dialer)
        listener.signal(signal.SIGKILL)
        assert await dialer.wait() == 74
        await dialer.wait_for("p2pchat: error: the connection was lost and did not come back within 1 second\n")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=str,
)
async def test_signals_end_it_with_a_word_to_the_peer(ann: Home, number: signal.Signals, code: int) -> None:
    async with ann.run("listen", "localhost:0") as listener, ann.run("dial", await listener.port()) as dialer:
        await chat(listener, dialer)
        listener.signal(number)
        assert await listener.wait() == code
        assert b"error" not in listener.err
        await dialer.wait_for("went away")
        dialer.signal(number)
        assert await dialer.wait() == code


async def test_what_the_parent_ignores_stays_ignored(ann: Home) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with ann.run("listen", "localhost:0", fresh=True) as listener:
            await listener.port()
            listener.signal(signal.SIGHUP)
            listener.signal(signal.SIGTERM)  # which comes after the other one, whose code would be 129
            assert await listener.wait() == 143
    finally:
        signal.signal(signal.SIGHUP, before)


async def test_what_cannot_begin_has_a_line_a_hint_and_a_code(ann: Home, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = f"127.0.0.1:{server.getsockname()[1]}"
        for words, expected in [
            (["listen", taken], 73),
            (["listen", "/proc/no/place"], 73),
            (["dial", str(tmp_path / "nobody")], 69),
            (["dial", "127.0.0.1:1"], 69),
            (["dial", "127.0.0.1:99999"], 2),
            (["dial", "foo:bar:baz"], 2),
            (["listen", "localhost", "--profile", "../up"], 2),
            (["listen", "localhost", "--accept", "ask"], 78),
        ]:
            code, said = await failed(ann, *words)
            assert (words, code) == (words, expected)
            assert said.startswith("p2pchat: error: ")
            assert [line.partition(":")[0] for line in said.splitlines()[1:]] in ([], ["hint"])


async def test_what_is_not_a_p2pchat_is_said_so(ann: Home) -> None:
    async def banner(stream: trio.SocketStream) -> None:
        await stream.send_all(b"SSH-2.0-OpenSSH_9.2\r\n")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, banner, 0, host="127.0.0.1"))
        code, said = await failed(ann, "dial", f"127.0.0.1:{listener.socket.getsockname()[1]}")
        assert code == 76
        assert "p2pchat: error: " in said
        nursery.cancel_scope.cancel()


async def test_what_is_kept_is_ours_alone_and_words_are_in_the_history_only(ann: Home, bob: Home) -> None:
    old = os.umask(0)
    try:
        async with (
            ann.run("listen", "localhost:0", "--accept", "anyone") as listener,
            bob.run("dial", await listener.port(), "-v") as dialer,
        ):
            await chat(listener, dialer)
    finally:
        os.umask(old)
    for home in ann, bob:
        kept = {path.name: path for path in home.path.rglob("*") if path.is_file()}
        locks = {name for name in kept if name.endswith(".lock")}
        history = {name for name in kept if name.startswith("history.db")}  # they were killed: its log is still there
        reached = {"default.addresses"} if home is ann else set()  # where: `invite` wants to know
        assert kept.keys() - locks - history - reached == {"identity.key", "log"}
        for name, path in kept.items():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            content = path.read_bytes()
            assert name not in locks or not content
            assert name in history or (b"question" not in content and b"answer" not in content)
        assert b"question" in home.call("history").stdout
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in [home.data, home.log.parent])
    assert ": connected by way of " in ann.log.read_text()


async def test_a_guest_leaves_nothing_behind(ann: Home, bob: Home) -> None:
    async with (
        ann.run("listen", "localhost:0", "--accept", "anyone", environ={"P2PCHAT_GUEST": "1"}) as listener,
        bob.run("dial", await listener.port(), "--guest") as dialer,
    ):
        await chat(listener, dialer)
    assert list(ann.path.iterdir()) == []
    assert list(bob.path.iterdir()) == []


async def test_an_id_is_made_once_and_is_the_same_ever_after(ann: Home) -> None:
    async def read(*words: str) -> str:
        async with ann.run("id", *words) as program:
            assert await program.wait() == 0
            await program.wait_for(r"fingerprint  \d{5}( \d{5}){5}\n")
            return program.out.decode()

    first = await read()
    assert first.startswith("peer id      peer1")
    assert await read() == first
    assert await read("--profile", "work") != first
    assert (ann.path / "data" / "p2pchat" / "work" / "identity.key").exists()
    assert await read("--data-dir", str(ann.path / "elsewhere")) != first
    assert (ann.path / "elsewhere" / "identity.key").exists()


async def test_no_input_only_listens(ann: Home) -> None:
    async with (
        ann.run("listen", "localhost:0") as listener,
        ann.run("dial", await listener.port(), "--no-input") as dialer,
    ):
        await dialer.type("never read\n")
        await listener.wait_for("connected")
        await listener.type("heard\n")
        await dialer.wait_for("heard\n")
        assert listener.out == b""


async def test_the_demo_plays_a_chat(ann: Home) -> None:
    async with ann.run("demo", stdin=subprocess.DEVNULL, fresh=True) as demo:
        assert await demo.wait() == 0
        await demo.wait_for("-- ✓ 4 messages delivered and answered")
        assert demo.out.count(b" echo") == 5
        assert demo.err == b""
    assert list(ann.path.iterdir()) == []
