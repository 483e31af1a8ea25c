"""`p2pchat send` as scripts run it: real processes, real sockets, a real disk."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from p2pchat.cli import links
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.wire.messages import MAX_TEXT
from tests.support.programs import Home, Program

pytestmark = pytest.mark.slow

EVE = Identity.from_seed(bytes([3]) * 32).peer_id


class Ended(NamedTuple):
    """What came of a run."""

    code: int
    out: str
    err: str


@pytest.fixture
def ann(tmp_path: Path) -> Home:
    """Who listens."""
    return Home(tmp_path / "ann")


@pytest.fixture
def bob(tmp_path: Path) -> Home:
    """Who sends."""
    return Home(tmp_path / "bob")


def id_of(home: Home) -> PeerId:
    return PeerId.parse(json.loads(home.call("id", "--json").stdout)["peer"])


@asynccontextmanager
async def listening(home: Home, *words: str) -> AsyncIterator[tuple[Program, str]]:
    """A listener that lets anyone in, and its address."""
    async with home.run("listen", "localhost:0", "--accept", "anyone", *words) as listener:
        yield listener, await listener.port()


async def send(home: Home, *words: str, stdin: bytes = b"", fresh: bool = False) -> Ended:
    """Run `send` to its end."""
    async with home.run("send", *words, fresh=fresh) as program:
        if stdin:
            await program.type(stdin)
        await program.end_input()
        code = await program.wait()
        await program.heard_out()
        return Ended(code, program.out.decode(), program.err.decode())


def nowhere() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("localhost", 0)) as server:
        return f"localhost:{server.getsockname()[1]}"


async def test_a_message_arrives_exactly_as_it_is(ann: Home, bob: Home) -> None:
    async with listening(ann) as (listener, address):
        ended = await send(bob, address, "the backup is done", fresh=True)
        assert ended.code == 0
        assert re.fullmatch(r"delivered [0-9a-f-]{36}\n", ended.out)
        assert id_of(ann).fingerprint in ended.err  # of whom is expected there from now on
        for stdin, words in ((b"two\nlines\n", ("-",)), (b"\xff\xfe", ()), (b"-\n", ("-",))):
            assert (await send(bob, address, *words, stdin=stdin)).code == 0
        await listener.wait_for("-\n-\n|\n-\n")
        assert listener.out == b"the backup is done\ntwo\nlines\n\xff\xfe\n-\n"
        assert b"error" not in listener.err


async def test_nothing_is_stored_for_nobody(bob: Home) -> None:
    ended = await send(bob, nowhere(), "hi")
    assert (ended.code, ended.out) == (69, "")
    assert ended.err.endswith("nothing was stored\n")
    assert b"nothing waits" in bob.call("queue").stderr


async def test_what_waits_for_a_peer_can_be_withdrawn_by_the_line_that_says_so(bob: Home) -> None:
    bob.call("trust", str(EVE), address := nowhere())
    ended = await send(bob, address, "hi", "--timeout", "1")
    assert ended.code == 75
    assert ended.out.startswith("queued ")
    command = re.search(r"to withdraw it: (p2pchat unsend \S+)\n", ended.err)
    assert command
    assert ended.out.split()[1] in bob.call("queue", "--json").stdout.decode()
    assert bob.paste(command[1]).returncode == 0
    assert bob.call("queue", "--json").stdout == b""


async def test_what_waits_goes_out_later_in_order_and_once(ann: Home, bob: Home) -> None:
    bob.call("trust", str(id_of(ann)), nobody := nowhere())
    for text in ("one", "two"):
        assert (await send(bob, nobody, text, "--wait", "queued")).code == 0
    assert (await send(bob, nobody, "three", "--key", "k", "--timeout", "0.5")).code == 75
    async with listening(ann) as (listener, address):
        bob.call("trust", str(id_of(ann)), address)
        ended = await send(bob, str(id_of(ann)), "--flush")
        assert (ended.code, ended.out.count("delivered")) == (0, 3)
        assert (await send(bob, address, "three", "--key", "k")).code == 0
        assert (await send(bob, address, "four")).code == 0
        await listener.wait_for("four\n")
        assert listener.out == b"one\ntwo\nthree\nfour\n"


async def test_another_key_is_refused_until_it_is_trusted(ann: Home, bob: Home) -> None:
    async with listening(ann) as (listener, address):
        bob.call("trust", str(EVE), address)
        ended = await send(bob, address, "for eve alone")
        assert ended.code == 77
        assert {EVE.fingerprint, id_of(ann).fingerprint} <= set(re.findall(r"\d{5}(?: \d{5}){5}", ended.err))
        command = re.search(r"`(p2pchat trust [^`]+)`", ended.err)
        assert command
        assert bob.paste(command[1]).returncode == 0
        assert (await send(bob, address, "for ann")).code == 0
        await listener.wait_for("for ann\n")
        assert listener.out == b"for ann\n"


async def test_a_program_gets_one_object(ann: Home, bob: Home) -> None:
    async with listening(ann) as (_, address):
        ended = await send(bob, address, "hi", "--json")
        assert ended.code == 0
        state = json.loads(ended.out)
        assert (state["event"], state["state"], state["peer"]) == ("state", "delivered", str(id_of(ann)))
    ended = await send(bob, nowhere(), "hi", "--json")
    assert ended.code == 69
    error = json.loads(ended.out)
    assert (error["event"], error["code"]) == ("error", "unreachable")
    assert "nothing was stored" in error["hint"]


async def test_who_is_interrupted_is_told_what_stays(bob: Home) -> None:
    bob.call("trust", str(EVE), address := nowhere())
    async with bob.run("send", address, "hi", "-v") as program:
        await program.end_input()
        while b'"id"' not in bob.call("queue", "--json").stdout:
            pass
        program.signal(signal.SIGINT)
        assert await program.wait() == 130
        await program.wait_for("not delivered: interrupted\n(.*\n)*hint: .*to withdraw it: p2pchat unsend ")


async def test_a_program_that_has_the_peer_sends_for_the_script(ann: Home, bob: Home) -> None:
    """Bob listens; Ann, who has dialed him, has no address at which she could be reached."""
    async with listening(bob) as (listener, address), ann.run("dial", address) as dialer:
        await listener.wait_for("connected: peer1")
        for text in ("by another way", "and once more"):
            assert (await send(bob, str(id_of(ann)), text)).code == 0
            await dialer.wait_for(f"{text}\n")
        await listener.type("still here\n")
        await dialer.wait_for("still here\n")
    ended = await send(bob, str(id_of(ann)), "too late")
    assert ended.code == 75
    assert "no address of" in ended.err


async def test_a_guest_refuses_by_our_pins(ann: Home, bob: Home) -> None:
    async with listening(ann) as (_, address):
        bob.call("trust", str(EVE), address)
        async with bob.run("dial", address, "--guest") as dialer:
            assert await dialer.wait() == 77
            await dialer.wait_for("somebody else answers at")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("bob", "hi"), 66, "nobody here is called 'bob'"),
        (("box:1", ""), 65, "there is nothing to send"),
        (("box:1",), 65, "there is nothing to send"),
        (("box:1", "--flush"), 65, "nothing waits for box:1"),
        (("box:1", "hi", "--flush"), 2, "it sends what waits"),
        (("box:1", "hi", "--key", ""), 2, "it takes 1 to 256 characters"),
        (("box:1", "hi", "--expires", "soon"), 2, "it takes a time: 90s, 5m, 1h, 7d"),
        (("box:1", "hi", "--expires", "0s"), 2, "it takes a time: 90s, 5m, 1h, 7d"),
        (("box:1", "hi", "--wait", "forever"), 2, "'forever' is not one of"),
        (("peer1" + "q" * 59, "hi"), 2, "is not a peer id"),
    ],
)
async def test_what_cannot_be_sent_is_told(bob: Home, words: tuple[str, ...], code: int, said: str) -> None:
    ended = await send(bob, *words)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


async def test_a_message_has_an_end(bob: Home) -> None:
    bob.call("trust", str(EVE), address := nowhere())
    longest = b"x" * MAX_TEXT
    assert (await send(bob, address, "--wait", "queued", stdin=longest + b"\n")).code == 0
    ended = await send(bob, address, stdin=longest + b"y")
    assert ended.code == 65
    assert "1,048,576 bytes" in ended.err


async def test_a_person_is_asked_for_words_and_a_program_for_input(bob: Home) -> None:
    async with bob.run_in_terminal("send", "box:1") as program:
        assert await program.wait() == 2
        await program.wait_for("what to say")
    ends = os.pipe()
    try:
        async with bob.run("send", "box:1", stdin=ends[1], fresh=True) as program:  # from which nothing can be read
            assert await program.wait() == 74
            await program.wait_for("cannot read standard input: ")
    finally:
        for end in ends:
            os.close(end)


async def test_who_wants_to_hear_nothing_hears_errors_alone(bob: Home) -> None:
    bob.call("trust", str(EVE), address := nowhere())
    assert await send(bob, address, "hi", "--wait", "queued", "-q") == (0, "", "")
    ended = await send(bob, address, "hi", "--timeout", "0", "-q")
    assert (ended.code, ended.out) == (75, "")
    assert "to withdraw it: p2pchat unsend" in ended.err


async def test_we_do_not_write_to_ourselves(ann: Home) -> None:
    async with listening(ann) as (listener, address):
        for word in (address, str(id_of(ann)), links.write(id_of(ann))):
            ended = await send(ann, word, "hi")
            assert ended.code == 65
            assert "this is you" in ended.err
        assert b"connected" not in listener.err


# ---- dial, by the words that only peers have


async def test_a_link_leads_to_one_peer_and_to_nobody_else(ann: Home, bob: Home) -> None:
    async with ann.run("listen", "*:0", "--accept", "anyone") as listener:
        found = await listener.wait_for(r"localhost:(\d+)")
        shown = re.search(r"and only to you:  p2pchat dial '(p2pchat:.*)'", listener.err.decode())
        assert shown is None or links.read(shown[1]).peer == id_of(ann)  # a machine may have no network
        place = f"?a=tcp:localhost:{found[1]}"
        async with bob.run("dial", f"p2pchat:{id_of(ann)}{place}") as dialer:
            await dialer.type("hi\n")
            await listener.wait_for("hi\n")
        async with bob.run("dial", f"p2pchat:{EVE}{place}") as dialer:
            assert await dialer.wait() == 77
            await dialer.wait_for(f"somebody else answers at .*{EVE.fingerprint}")


async def test_an_id_leads_where_its_peer_was_last(ann: Home, bob: Home) -> None:
    async with listening(ann) as (listener, address):
        bob.call("trust", str(id_of(ann)), address)
        bob.call("trust", str(id_of(ann)), nowhere())  # newer, and tried first
        async with bob.run("dial", str(id_of(ann))) as dialer:
            await dialer.type("hi\n")
            await listener.wait_for("hi\n")
        async with bob.run("dial", str(EVE)) as dialer:
            assert await dialer.wait() == 66
            await dialer.wait_for(f"no address of {EVE} is known here")
