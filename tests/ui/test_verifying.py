"""Making sure in a chat whose key it is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node import events
from p2pchat.store.contacts import How, Trust
from p2pchat.ui.chat import Plan
from p2pchat.ui.verifying import digits_of
from tests.support import kept
from tests.support.faces import Program, open_program, protect_disk
from tests.support.peers import HOME, Network, open_peer

LISTEN = Plan(listen=(HOME,))
DIAL = Plan(dial=HOME)
CODE = re.compile(r"/verify (\d+(?:-[a-z]+){3})$", re.MULTILINE)


@pytest.fixture
def network() -> Network:
    return Network()


@asynccontextmanager
async def two_people(network: Network, path: Path) -> AsyncIterator[tuple[Program, Program]]:
    """Two programs with a person each, connected."""
    async with (
        open_program(network, LISTEN, seed=1, directory=path / "one") as host,
        open_program(network, DIAL, seed=2, directory=path / "other", run=1) as visitor,
    ):
        await host.out.wait_for("connected")
        await visitor.out.wait_for("connected")
        yield host, visitor


async def code_of(program: Program) -> str:
    program.keys.type("/verify\n")
    await program.out.wait_for("minutes is verified")
    found = CODE.search(program.out.text)
    assert found
    return found[1]


async def test_a_code_that_one_says_and_the_other_types_verifies_both(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with two_people(network, tmp_path) as (host, visitor):
        code = await code_of(host)
        visitor.keys.type(f"/verify {code.replace('-', ' ')}\n")
        await visitor.out.wait_for("is verified: the code that it gave you was right, and nobody is in between")
        await host.out.wait_for("is verified: it knew the code that you gave out, and nobody is in between")
        for program, peer in ((host, visitor.node.id), (visitor, host.node.id)):
            contact = program.node.contacts.of(peer)
            assert contact is not None
            assert (contact.trust, contact.how) == (Trust.VERIFIED, How.CODE)
        network.cut()
        await visitor.out.wait_for("connected again")
        visitor.keys.type("/who\n")
        await visitor.out.wait_for("by a code that only the two of you had")


async def test_a_code_is_for_the_peer_that_one_talks_to(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        two_people(network, tmp_path) as (host, visitor),
        open_program(network, DIAL, seed=3, directory=tmp_path / "third", run=2) as third,
    ):
        await third.out.wait_for("connected")
        code = await code_of(host)  # for the visitor, who came first
        third.keys.type(f"/verify {code}\n")
        await third.out.wait_for("✗ warning: ")
        await host.out.wait_for("✗ warning: ")
        visitor.keys.type(f"/verify {code}\n")
        await visitor.out.wait_for("is verified: the code that it gave you was right")


async def connected_again(program: Program, times: int) -> None:
    with trio.fail_after(1000):
        while program.out.text.count("-- connected again") < times:
            await program.out.grew.wait()


async def test_a_slip_is_told_on_both_sides_changes_nothing_and_the_chat_goes_on(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with two_people(network, tmp_path) as (host, visitor):
        code = await code_of(host)
        visitor.keys.type(f"/verify {code}\n")
        await host.out.wait_for("is verified: it knew the code")
        slot = (await code_of(host)).partition("-")[0]
        await visitor.out.wait_for("is verified: the code")
        network.cut()
        await visitor.out.wait_for("connected again")
        for times, left in enumerate(("2 more tries", "one more try"), start=2):
            visitor.keys.type(f"/verify {slot}-zoo-zoo-zoo\n")
            await host.out.wait_for(f"type it again, carefully, for it bears {left}")
            await connected_again(visitor, times)
        assert "new one" not in host.out.text
        visitor.keys.type(f"/verify {slot}-zoo-zoo-zoo\n")
        await host.out.wait_for("it was tried three times, and is dead")
        await connected_again(visitor, 4)
        visitor.keys.type(f"/verify {slot}-zoo-zoo-zoo\n")
        await host.out.wait_for("it claimed a code that is dead, because it was tried three times")
        await connected_again(visitor, 5)
        for program in (host, visitor):
            text = program.out.text
            assert text.count("-- it is still verified, as before") == 4
            assert text.count("-- that ended the connection to ") == 4
            assert text.count("connection lost") == 1  # when it was cut
            assert "let us in" not in text
            assert "let it in" not in text
        assert visitor.out.text.count("-- if it was a slip: type it once more, carefully") == 4


async def test_who_is_not_verified_is_as_before(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with two_people(network, tmp_path) as (host, visitor):
        slot = (await code_of(host)).partition("-")[0]
        visitor.keys.type(f"/verify {slot}-zoo-zoo-zoo\n")
        await visitor.out.wait_for("-- it is known and not verified, as before")
        await host.out.wait_for("-- it is not verified, as before")
        await visitor.node.contacts.refresh()
        assert visitor.node.contacts.trust(host.node.id) is Trust.KNOWN
        assert host.node.contacts.trust(visitor.node.id) is not Trust.VERIFIED


@pytest.mark.parametrize("kind", ["plain", "pipe"])
async def test_who_wants_it_quiet_is_warned_all_the_same(
    network: Network, tmp_path: Path, autojump_clock: MockClock, kind: str
) -> None:
    async with (
        open_program(network, LISTEN, kind=kind, seed=1, quiet=True, directory=tmp_path / "one") as host,
        open_program(network, DIAL, seed=2, directory=tmp_path / "other", run=1) as visitor,
    ):
        await visitor.out.wait_for("connected")
        visitor.keys.type("/verify 1-zoo-zoo-zoo\n")
        await (host.out if kind == "plain" else host.err).wait_for("✗ warning: ")
        assert "connected" not in host.out.text + host.err.text


async def test_the_digits_of_the_peer_verify_it_however_they_are_grouped(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        program.keys.type(f"/verify {bob.node.id.fingerprint.replace(' ', '-')}\n")
        await program.out.wait_for("-- bob is verified: these are the digits of its key")
        contact = program.node.contacts.of(bob.node.id)
        assert contact is not None
        assert (contact.trust, contact.how) == (Trust.VERIFIED, How.FINGERPRINT)
        network.cut()
        program.keys.type("/verify\n")
        await program.out.wait_for("bob is verified; to make sure")


async def test_other_digits_verify_nobody(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        own, theirs = program.node.id.fingerprint, bob.node.id.fingerprint
        program.keys.type(
            f"/verify {own}\n", f"/verify {theirs[:-1]}\n", f"/verify {theirs[:-1]}{1 - int(theirs[-1] == '1')}\n"
        )
        await program.out.wait_for("✗ these are not the digits of bob, and nothing was verified")
        assert "-- these are your own digits: type those that the other side reads to you" in program.out.lines
        assert "-- a fingerprint has 30 digits, and these are 29" in program.out.lines
        await program.node.contacts.refresh()
        assert program.node.contacts.trust(bob.node.id) is Trust.KNOWN


async def test_what_is_no_code_is_told_and_costs_nothing(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        program.keys.type("/verify otter\n", "/who\n")
        await program.out.wait_for("it sees")
        assert "-- nothing was verified: a code begins with the number of an invite" in program.out.lines
        assert not any(isinstance(event, events.ClaimFailed) for event in bob.told)


async def test_a_code_needs_a_link_and_digits_do_not(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost")
        program.keys.type("/verify 1-otter-amber-knife\n", f"/verify {bob.node.id.fingerprint}\n")
        await program.out.wait_for("bob is verified")
        assert "nothing was verified: a code is claimed over a link, and " in program.out.text


async def test_a_guest_is_verified_for_this_run_and_gets_no_code(network: Network, autojump_clock: MockClock) -> None:
    async with open_peer(network) as bob:
        await bob.node.listen(HOME)
        async with open_program(network, DIAL) as program:
            await program.out.wait_for("connected")
            program.keys.type("/verify\n", "/who\n")
            await program.out.wait_for("it sees")
            assert f"--   its fingerprint   {bob.node.id.fingerprint}" in program.out.lines
            assert f"--   your fingerprint  {program.node.id.fingerprint}" in program.out.lines
            assert "minutes" not in program.out.text
            program.keys.type(f"/verify {bob.node.id.fingerprint}\n")
            await program.out.wait_for(" is verified for this run: these are the digits of its key")


async def test_nobody_and_oneself_need_no_verification(network: Network, autojump_clock: MockClock) -> None:
    async with open_program(network, LISTEN, seed=7) as program, open_peer(network, seed=7) as other:
        program.keys.type("/verify\n")
        await program.out.wait_for("nobody is here yet, so there is nobody to verify")
        await other.node.dial(HOME)
        await program.out.wait_for("connected: you (guest)")
        program.keys.type("/verify\n", "/who\n")
        await program.out.wait_for("this is you, and nobody has to verify that")
        await program.out.wait_for("this is you: it has your key, or your key vouches for it")


async def test_what_the_disk_refuses_was_not_verified(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        protect_disk(program.node)
        program.keys.type(f"/verify {bob.node.id.fingerprint}\n")
        await program.out.wait_for("nothing was verified: ")
        await trio.sleep(1)


@pytest.mark.parametrize(
    ("text", "digits"),
    [("12345 67890", "1234567890"), ("1-2.3,4", "1234"), ("\uff11\uff12", "12"), ("7-otter", None), ("", None)],
)  # fmt: skip
def test_digits_are_digits_however_they_are_typed(text: str, digits: str | None) -> None:
    assert digits_of(text) == digits
