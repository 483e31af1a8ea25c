"""Who is here, how safe it is to talk to them, and who is to be refused for good."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import NotLetIn, UntrustedPeer
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.contacts import How, Trust
from p2pchat.ui.chat import Plan
from tests.support import kept
from tests.support.faces import Program, open_program, protect_disk
from tests.support.peers import HOME, Network, Peer, open_peer

LISTEN = Plan(listen=(HOME,))
BOB = NodeSettings(name="bob", accept=Accept.ANYONE)


@pytest.fixture
def network() -> Network:
    return Network()


async def know(program: Program, bob: Peer, name: str) -> None:
    """Make `bob` a contact that is called `name`."""
    await program.node.contacts.know(bob.node.id)
    await program.node.contacts.rename(bob.node.id, name)


# ---- names


async def test_a_contact_is_called_by_its_petname_everywhere(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        await know(program, bob, "Robert Smith")
        program.keys.type("/who\n", "/switch rob\n")
        await program.out.wait_for("you now talk to Robert Smith")
        assert any(line.startswith("-- 1: Robert Smith (peer1") for line in program.out.lines)
        await bob.node.sessions[0].send("hi")
        await program.out.wait_for(" Robert Smith: hi")
        network.cut()
        await program.out.wait_for("connected again: Robert Smith")
        program.keys.type("/history\n", "/grep hi\n")
        await program.out.wait_for(
            "Robert Smith: hi\n",
        )
        await trio.sleep(1)
        assert sum("Robert Smith: hi" in line for line in program.out.lines) == 3


async def test_whoever_calls_itself_like_a_contact_is_told_once_and_called_by_its_id(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, directory=tmp_path) as program,
        open_peer(network, seed=1, settings=BOB) as bob,
        open_peer(network, seed=2, settings=NodeSettings(name="B0B", accept=Accept.ANYONE)) as mallory,
    ):
        await know(program, bob, "bob")
        await mallory.node.dial(HOME)
        await program.out.wait_for(" calls itself bob, is not your bob")
        short = f"{str(mallory.node.id)[:13]}…{str(mallory.node.id)[-4:]}"
        assert f"-- connected: {short}, not verified, a guest: it keeps nothing" in program.out.lines
        await mallory.node.sessions[0].send("it is me")
        await program.out.wait_for(f" {short}: it is me")
        mallory.node.rename("mallory")
        await program.out.wait_for(f"{short} now calls itself mallory")
        mallory.node.rename("b\u043eb")
        await trio.sleep(10)
        assert sum("is not your bob" in line for line in program.out.lines) == 2
        assert not any(" bob: " in line for line in program.out.lines)


async def test_a_stranger_that_poses_as_a_contact_is_told_so_in_the_question(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path) as program,
        open_peer(network, seed=1, settings=BOB) as bob,
        open_peer(network, seed=2, settings=BOB) as mallory,
        trio.open_nursery() as nursery,
    ):
        await know(program, bob, "bob")
        nursery.start_soon(refused, mallory)
        await program.out.wait_for("-- a stranger asks to be let in: it calls itself bob, is not your bob")
        program.keys.type("/reject 1\n")


async def refused(peer: Peer) -> None:
    with pytest.raises(UntrustedPeer):
        await peer.node.dial(HOME)


async def tried(peer: Peer) -> None:
    """Dial, and mind no refusal: virtual time runs on while the disk is asked, and nobody waits for ever."""
    with suppress(UntrustedPeer, NotLetIn):
        await peer.node.dial(HOME)


# ---- /who


async def test_who_tells_of_the_only_peer_all_that_is_so(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with kept.chatting(network, tmp_path) as (program, bob):
        program.keys.type("/who\n")
        await program.out.wait_for("it sees")
        text = program.out.text
        assert ", not verified, whom you talk to" in text
        assert f"--   id             {bob.node.id}" in text
        assert "not verified: nobody has checked whose key this is; /verify does" in text
        assert "Noise_XXhfs_25519+MLKEM768_ChaChaPoly_SHA256" in text
        assert "path           inside of one process, memory:home" in text
        assert "what you have read" in text.partition("it sees")[2].partition("; not")[0]
        await program.node.contacts.verify(bob.node.id, How.CODE)
        program.keys.type("/who bob\n")
        await program.out.wait_for("by a code that only the two of you had")
        network.up = False
        network.cut()
        await program.out.wait_for("connection lost")
        program.keys.type("/who 1\n")
        await program.out.wait_for("there is no connection now")


async def test_who_lists_several_and_tells_of_one_when_asked(network: Network, autojump_clock: MockClock) -> None:
    ann = NodeSettings(name="ann", accept=Accept.ANYONE)
    async with (
        open_program(network, LISTEN) as program,
        open_peer(network, seed=1, settings=BOB) as bob,
        open_peer(network, seed=2, settings=ann) as other,
    ):
        await bob.node.dial(HOME)
        await other.node.dial(HOME)
        await program.out.wait_for("connected: ann")
        program.keys.type("/who\n")
        await program.out.wait_for("/who and a name or a number tells how safe it is to talk to that one")
        assert "encrypted" not in program.out.text
        assert ", for this run" in program.out.text
        program.keys.type("/who ann\n", "/who 7\n")
        await program.out.wait_for("there is no number 7 in /who")
        assert f"--   id             {other.node.id}" in program.out.lines
        assert "a guest too: this program keeps nothing" in program.out.text


# ---- /block


async def test_a_peer_is_blocked_by_its_name_and_its_link_ends(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, directory=tmp_path) as program,
        open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
    ):
        await bob.node.dial(HOME)
        await program.out.wait_for("connected: bob")
        program.keys.type("/block bob\n")
        await program.out.wait_for(
            "-- bob is blocked, the connection is closed, and it learns only that it was refused; `"
        )
        assert program.node.contacts.trust(bob.node.id) is Trust.BLOCKED
        assert "connection lost" not in program.out.text
        await refused(bob)
        await trio.sleep(10)
        assert program.out.text.count("connected: ") == 1
        assert program.out.text.count("bob is blocked") == 1


async def test_a_peer_that_another_program_blocks_is_told_as_blocked(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, directory=tmp_path) as program,
        open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
    ):
        await bob.node.dial(HOME)
        await program.out.wait_for("connected: bob")
        await program.node.block(bob.node.id)
        await program.out.wait_for("-- bob is blocked, and the connection is closed")
        assert "connection lost" not in program.out.text


async def test_a_stranger_is_blocked_by_its_number_and_asks_no_more(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path) as program,
        open_peer(network, settings=BOB) as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(refused, bob)
        await program.out.wait_for("/block 1 for good")
        program.keys.type("/block 1\n", "/block 1\n", "/block nobody\n")
        await program.out.wait_for("there is no such name in /who")
        assert "-- no stranger number 1 waits; /who lists those who do" in program.out.lines
        await trio.sleep(1)
        await refused(bob)
        assert program.out.text.count("a stranger asks") == 1


async def test_who_keeps_nothing_blocks_for_this_run(network: Network, autojump_clock: MockClock) -> None:
    async with open_program(network, LISTEN) as program, open_peer(network, settings=BOB) as bob:
        await bob.node.dial(HOME)
        await program.out.wait_for("connected: bob")
        program.keys.type("/block bob\n")
        await program.out.wait_for("is blocked for this run, the connection is closed, and it learns only that it was")


async def test_what_the_disk_refuses_was_not_decided(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path / "me") as program,
        open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(tried, bob)
        await program.out.wait_for("/block 1 for good")
        protect_disk(program.node)
        program.keys.type("/block 1\n")
        await program.out.wait_for(" is not blocked: ")
        program.keys.type("/accept 1\n")
        await program.out.wait_for(" is not let in: ")
        program.keys.type("/reject 1\n")  # the question is still there
        await program.out.wait_for(" refused")
        nursery.cancel_scope.cancel()


# ---- /accept


async def test_whoever_is_accepted_comes_in_again_unasked_and_who_is_blocked_is_not_accepted(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path / "me") as program,
        open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(bob.node.dial, HOME)
        await program.out.wait_for("/accept 1 lets it in")
        program.keys.type("/accept 1\n")
        await program.out.wait_for(" let in, from now on")
        await program.out.wait_for("connected: bob")
        network.cut()
        await program.out.wait_for("connected again: bob")
        assert program.node.contacts.trust(bob.node.id) is Trust.KNOWN
        assert program.out.text.count("a stranger asks") == 1
        nursery.cancel_scope.cancel()
