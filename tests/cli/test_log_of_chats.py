"""The log of real chats: what a live face told is what the log tells, to whoever reads it, and however it was read."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import trio

from tests.support import contract
from tests.support.contract import Line
from tests.support.json_processes import Talk, echo, talking
from tests.support.programs import Home

pytestmark = pytest.mark.slow

ANYONE = ("--accept", "anyone")
KEPT = {"connected", "message", "state", "disconnected"}
NOT_KEPT = {"trust", "redial", "next_attempt", "link", "cursor", "at"}  # or counted otherwise by the log


@pytest.fixture
def ann(tmp_path: Path) -> Home:
    return Home(tmp_path / "ann")


@pytest.fixture
def bob(tmp_path: Path) -> Home:
    return Home(tmp_path / "bob")


def log(home: Home, *words: str) -> list[Line]:
    done = home.call("events", "--json", *words)
    assert (done.returncode, done.stderr) == (0, b"")
    return contract.parse(done.stdout)


def essence(told: list[Line]) -> list[Line]:
    """What both kinds of lines say, in an order that both have: the log's is that of commits."""
    kept = [
        {key: value for key, value in line.items() if key not in NOT_KEPT} for line in told if line["event"] in KEPT
    ]
    return sorted(
        kept, key=lambda line: (line["event"], line.get("id", ""), contract.WAY.index(line.get("state", "read")))
    )


async def chat(ann: Home, bob: Home, said: list[str]) -> tuple[Talk, Talk]:
    """Let Bob dial Ann's echo and say something; returns what both faces told."""
    async with talking(ann, "listen", "localhost:0", "--once", *ANYONE) as bot, trio.open_nursery() as nursery:
        nursery.start_soon(echo, bot)
        async with talking(bob, "dial", await bot.address()) as guest:
            for number, text in enumerate(said):
                await guest.command("send", text=text, ref=str(number))
            await guest.wait_for("message", count=len(said))
            await guest.program.end_input()
            assert await guest.program.wait() == 0
        assert await bot.program.wait() == 0
        nursery.cancel_scope.cancel()
    return bot, guest


async def test_the_log_tells_what_the_live_faces_told(ann: Home, bob: Home) -> None:
    said = ["hello", "", "\x1b[2J", "x" * 100_000]
    for talk, home in zip(await chat(ann, bob, said), (ann, bob), strict=True):
        told = log(home)
        cursors = [line["cursor"] for line in told]
        assert cursors == [f"{cursor:016}" for cursor in range(1, len(told) + 1)]
        assert essence(told) == essence(talk.events)
        live = [line["cursor"] for line in talk.told("message")]
        assert live == [line["cursor"] for line in told if line["event"] == "message"]
        (story,) = contract.parse(home.call("why", talk.told("message")[0]["id"], "--json").stdout)
        assert [step["step"] for step in story["steps"]] == ["composed", "received"]
        assert home.call("queue", "--json").stdout == b""


async def test_a_reader_that_is_killed_goes_on_without_a_gap(ann: Home, bob: Home) -> None:
    async with talking(ann, "events", "--follow") as first:
        await chat(ann, bob, [str(n) for n in range(20)])
        await first.wait_for("message", count=7)
        first.program.signal(signal.SIGKILL)
        await first.program.wait()
    whole = first.program.out[: first.program.out.rfind(b"\n") + 1]
    before = contract.parse(whole)
    after = log(ann, "--since", before[-1]["cursor"])
    assert before + after == log(ann)
