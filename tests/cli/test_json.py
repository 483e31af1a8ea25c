"""Programs that chat over JSON, as processes: every line they write is held against the schema."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
import trio

from tests.support import contract
from tests.support.json_processes import echo, talking
from tests.support.programs import Home

pytestmark = pytest.mark.slow

ANYONE = ("--accept", "anyone")


@pytest.fixture
def ann(tmp_path: Path) -> Home:
    return Home(tmp_path / "ann")


@pytest.fixture
def bob(tmp_path: Path) -> Home:
    return Home(tmp_path / "bob")


async def test_an_echo_bot_and_its_guest(ann: Home, bob: Home) -> None:
    said = ["hello", "žluťoučký kůň", "\x1b[2J\u202e", "two\nlines", "", "x" * 2**20]
    async with (
        talking(ann, "listen", "localhost:0", "--once", *ANYONE, fresh=True) as bot,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(echo, bot)
        async with talking(bob, "dial", await bot.address(), "--name", "bob\x07", fresh=True) as guest:
            for number, text in enumerate(said):
                await guest.command("send", text=text, ref=str(number), at="once")
            await guest.wait_for("message", count=len(said))
            await guest.program.end_input()
            assert await guest.program.wait() == 0
            assert [event["text"] for event in guest.told("message")] == said
            for number in range(len(said)):
                states = [event["state"] for event in guest.told("state", ref=str(number))]
                assert states == ["queued", "sent", "delivered"]
            assert guest.events[-1]["clean"]
            assert re.fullmatch(rb"p2pchat: this key is expected at [^\n]+\n", guest.program.err)
        assert await bot.program.wait() == 0
        nursery.cancel_scope.cancel()
        heard = [(event["id"], event["name"]) for event in bot.told("message")]
        assert heard == [(event["id"], "bob\x07") for event in guest.told("state", state="queued")]


async def test_a_stranger_is_let_in_by_a_command(ann: Home, bob: Home) -> None:
    async with (
        talking(ann, "listen", "localhost:0", "--accept", "ask") as host,
        talking(bob, "dial", await host.address()) as guest,
    ):
        stranger = await host.wait_for("stranger", waiting=True)
        me = (await guest.wait_for("ready"))["peer"]
        assert stranger["peer"] == me
        await guest.program.wait_for("waiting to be let in\n")
        await host.command("accept", peer=me)
        assert (await host.wait_for("connected"))["trust"] == "known"
        await guest.command("send", text="thank you")
        heard = await host.wait_for("message", text="thank you")
        await host.command("read", id=heard["id"])
        await guest.wait_for("state", state="read", id=heard["id"])


async def test_of_a_process_on_this_machine_its_user_is_told(ann: Home, bob: Home, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/socket"
    async with talking(ann, "listen", address, "--accept", "ask") as host:
        await host.address()
        async with talking(bob, "dial", address) as guest:
            stranger = await host.wait_for("stranger", waiting=True)
            await host.command("accept", peer=stranger["peer"])
            theirs = (await host.wait_for("connected"))["user"]
            ours = (await guest.wait_for("connected"))["user"]
            assert stranger["user"] == theirs
            assert theirs["uid"] == ours["uid"] == os.geteuid()
            assert len({theirs["pid"], ours["pid"], os.getpid()}) == 3


async def test_known_is_the_default_and_a_refusal_has_its_code(ann: Home, bob: Home) -> None:
    async with talking(ann, "listen", "localhost:0") as host:
        async with talking(bob, "dial", await host.address()) as guest:
            assert await guest.program.wait() == 77
            assert [event["event"] for event in guest.events] == ["ready", "error"]
            assert guest.events[-1]["code"] == "untrusted"
        await host.wait_for("stranger", waiting=False)


async def test_bad_and_huge_commands_are_skipped(ann: Home, bob: Home) -> None:
    async with (
        talking(ann, "listen", "localhost:0", *ANYONE) as host,
        talking(bob, "dial", await host.address(), fresh=True) as guest,  # whose memory is measured
    ):
        for line in (b"hello\n", b"\xff\xfe\n", b'{"command":"fly"}\n', b"[" * 10**6 + b"\n", b"x" * 10**8 + b"\n"):
            await guest.program.type(line)
        await guest.command("send", text="x" * (2**20 + 1))
        await guest.command("send", text="still here")
        await host.wait_for("message", text="still here")
        await guest.wait_for("error", line=6)
        codes = [(event["code"], event["line"]) for event in guest.told("error")]
        assert codes == [*(("bad_command", n) for n in range(1, 5)), ("too_long", 5), ("too_long", 6)]
        assert peak_memory(guest.program.process.pid) < 150 * 2**20


def peak_memory(pid: int) -> int:
    """Return the bytes that a process ever held at once; 0 where the system does not say."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


async def test_with_several_peers_a_command_names_one(ann: Home, bob: Home, tmp_path: Path) -> None:
    eve = Home(tmp_path / "eve")
    async with (
        talking(ann, "listen", "localhost:0", *ANYONE) as host,
        talking(bob, "dial", await host.address()) as one,
        talking(eve, "dial", await host.address()) as other,
    ):
        await host.wait_for("connected", count=2)
        await host.command("send", text="to whom?", ref="1")
        await host.wait_for("error", code="ambiguous_peer", ref="1", line=1)
        await host.command("send", text="to eve", peer=(await other.wait_for("ready"))["peer"])
        await other.wait_for("message", text="to eve")
        assert one.told("message") == []


async def test_a_killed_peer_has_not_said_goodbye(ann: Home, bob: Home) -> None:
    async with (
        talking(ann, "listen", "localhost:0", *ANYONE) as host,
        talking(bob, "dial", await host.address(), "--timeout", "1") as guest,
    ):
        await host.wait_for("connected")
        host.program.signal(signal.SIGKILL)
        lost = await guest.wait_for("disconnected")
        assert not lost["clean"]
        assert lost["redial"] is not None
        await guest.command("send", text="not heard yet", ref="1")
        assert await guest.program.wait() == 75
        assert [event["state"] for event in guest.told("state")] == ["queued"]
        assert guest.events[-1]["code"] == "stored"
        assert b"error" not in guest.program.err


async def test_a_killed_dialer_is_a_lost_link_to_its_listener(ann: Home, bob: Home) -> None:
    async with talking(ann, "listen", "localhost:0", *ANYONE) as host:
        async with talking(bob, "dial", await host.address()) as guest:
            await host.wait_for("connected")
            guest.program.signal(signal.SIGKILL)
            lost = await host.wait_for("disconnected")
            assert (lost["clean"], lost["redial"]) == (False, None)
        async with talking(bob, "dial", await host.address()):
            await host.wait_for("connected", link=2)


async def test_a_pipe_and_a_program_understand_each_other(ann: Home, bob: Home) -> None:
    async with talking(ann, "listen", "localhost:0", "--once", *ANYONE) as host, trio.open_nursery() as nursery:
        nursery.start_soon(echo, host)
        async with bob.run("dial", await host.address()) as pipe:
            await pipe.type(b"text\n\xff\nlast")
            await pipe.end_input()
            assert await pipe.wait() == 0
            assert pipe.out == b"text\nlast\n"
        assert await host.program.wait() == 0
        nursery.cancel_scope.cancel()
        assert [event.get("text") or event["data"] for event in host.told("message")] == ["text", "/w==", "last"]
        assert host.told("message")[-1]["more"]


async def test_lines_are_whole_when_a_signal_ends_it(ann: Home, bob: Home) -> None:
    async with (
        talking(ann, "listen", "localhost:0", *ANYONE) as host,
        talking(bob, "dial", await host.address()) as guest,
    ):
        for n in range(2000):
            await guest.command("send", text=f"{n} {'x' * 50}")
        await host.wait_for("message", count=100)
        host.program.signal(signal.SIGTERM)
        assert await host.program.wait() == 143
        assert host.program.out.endswith(b"\n")
        _ = host.events
        assert host.told("error") == []


async def test_a_reader_that_is_gone_ends_it_quietly(ann: Home, bob: Home) -> None:
    reader, writer = os.pipe()
    async with ann.run("listen", str(ann.path / "socket"), "--json", *ANYONE, stdout=writer) as host:
        os.close(writer)
        os.close(reader)
        assert await host.wait() == 141
        assert host.err == b""


@pytest.mark.parametrize(
    ("words", "environ", "code", "word"),
    [
        (["dial", "localhost:1", "--json"], {}, 69, "unreachable"),
        (["dial", "localhost:1"], {"P2PCHAT_JSON": "1"}, 69, "unreachable"),
        (["dial", "--json"], {}, 2, "usage"),
        (["dial", "localhost:99999", "--json"], {}, 2, "usage"),
        (["listen", "--json", "--timeout", "soon"], {}, 2, "usage"),
        (["listen", "/proc/no/place", "--json"], {}, 73, "cannot_write"),
        (["id", "--json", "--data-dir", "/proc/no/place"], {}, 73, "cannot_write"),
        (["listen", "--json"], {"P2PCHAT_ACCEPT": "friends"}, 78, "configuration"),
    ],
    ids=str,
)
def test_what_cannot_begin_is_an_error_object(
    ann: Home, words: list[str], environ: dict[str, str], code: int, word: str
) -> None:
    done = ann.call(*words, environ=environ)
    assert (done.returncode, done.stderr) == (code, b"")
    last = contract.read(done.stdout)[-1]
    assert (last["event"], last["code"]) == ("error", word)


def test_json_can_be_asked_for_in_the_configuration_and_taken_back(ann: Home) -> None:
    config = ann.path / "config" / "p2pchat" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("json = true\n")
    environ = {"XDG_CONFIG_HOME": str(ann.path / "config")}
    assert contract.read(ann.call("dial", "localhost:1", environ=environ).stdout)[-1]["code"] == "unreachable"
    taken_back = ann.call("dial", "localhost:1", "--no-json", environ=environ)
    assert taken_back.stdout == b""
    assert taken_back.stderr.startswith(b"p2pchat: error: ")


def test_the_id_is_one_object(ann: Home) -> None:
    done = ann.call("id", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    shown = json.loads(done.stdout)
    contract.check(shown, "id")
    assert done.stdout.count(b"\n") == 1
    assert shown["peer"] in ann.call("id").stdout.decode()
