"""What programs are told about whose key it is, and what they decide."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.errors import UntrustedPeer
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.contacts import How, Trust
from tests.support.faces import Program, open_program, protect_disk
from tests.support.json_programs import DIAL, LISTEN, JsonProgram, open_json_program
from tests.support.peers import HOME, Network, Peer, open_peer

NAMED = NodeSettings(name="bob", accept=Accept.ANYONE)
CODE = re.compile(r"/verify (\d+(?:-[a-z]+){3})$", re.MULTILINE)


async def refused(peer: Peer) -> None:
    with pytest.raises(UntrustedPeer):
        await peer.node.dial(HOME)


@asynccontextmanager
async def with_a_code(path: Path) -> AsyncIterator[tuple[Program, JsonProgram, str]]:
    """A person that listens, a program that has dialed it, and the code that the person was given to say."""
    network = Network()
    async with (
        open_program(network, LISTEN, seed=1, directory=path / "one") as person,
        open_json_program(network, DIAL, seed=2, directory=path / "other", run=1) as program,
    ):
        await person.out.wait_for("connected")
        await program.wait_for("connected", trust="known", petname=None)
        person.keys.type("/verify\n")
        await person.out.wait_for("minutes is verified")
        found = CODE.search(person.out.text)
        assert found
        yield person, program, found[1]


async def test_a_code_verifies_and_the_next_link_says_so(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with with_a_code(tmp_path) as (person, program, code):
        peer = str(person.node.id)
        program.command("verify", peer=peer, code=code)
        await program.wait_for("verified", peer=peer, how="code", by_us=True, durable=True)
        await person.out.wait_for("is verified: it knew the code")
        await program.node.contacts.rename(person.node.id, "Ann")
        program.command("close")
        await program.wait_ended()
    network = Network()
    async with (
        open_program(network, LISTEN, seed=1, directory=tmp_path / "one", run=2),
        open_json_program(network, DIAL, seed=2, directory=tmp_path / "other", run=3) as program,
    ):
        await program.wait_for("connected", peer=peer, trust="verified", petname="Ann")


async def test_a_wrong_code_is_a_warning_and_the_end_of_one_link(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with with_a_code(tmp_path) as (person, program, code):
        program.command("verify", peer=str(person.node.id), code=f"{code.partition('-')[0]}-zoo-zoo-zoo")
        failed = await program.wait_for("claim_failed", peer=str(person.node.id), ours=True)
        assert (failed["address"], failed["tries_left"]) == (str(HOME), None)
        await person.out.wait_for("✗ warning: ")
        assert (await program.wait_for("disconnected", clean=False))["redial"] is not None
        await program.wait_for("connected", link=2, trust="known")
        program.command("verify", peer=str(person.node.id), code=code)
        await program.wait_for("verified", how="code", by_us=True)


async def test_digits_verify_whose_they_are_and_nobody_else(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with with_a_code(tmp_path) as (person, program, _):
        peer, digits = person.node.id, person.node.id.fingerprint
        program.command("verify", peer=str(peer), code=program.node.id.fingerprint, ref="1")
        error = await program.wait_for("error", code="not_verified", ref="1")
        assert "in the middle" in error["hint"]
        program.command("verify", peer=str(peer), code="otter", ref="2")
        await program.wait_for("error", code="data", ref="2")
        program.command("verify", peer="peer1x", code=digits, ref="3")
        await program.wait_for("error", code="unknown_peer", ref="3")
        assert program.node.contacts.trust(peer) is not Trust.VERIFIED
        program.command("verify", peer=str(peer), code=digits)
        await program.wait_for("verified", peer=str(peer), how="fingerprint", by_us=True, durable=True)
        contact = program.node.contacts.of(peer)
        assert contact is not None
        assert contact.how is How.FINGERPRINT


async def test_a_blocked_peer_loses_its_link_and_comes_no_more(tmp_path: Path, autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, directory=tmp_path) as program,
        open_peer(network, settings=NAMED) as bob,
    ):
        await program.wait_for("listening")
        await bob.node.dial(HOME)
        await program.wait_for("connected", trust="new")
        program.command("block", peer=str(bob.node.id))
        await program.wait_for("disconnected", peer=str(bob.node.id))
        await refused(bob)
        program.command("accept", peer=str(bob.node.id), ref="1")
        await program.wait_for("error", code="untrusted", ref="1")
        assert not program.told("stranger")
        protect_disk(program.node)
        program.command("block", peer=str(program.node.id), ref="2")
        assert "cannot write" in (await program.wait_for("error", ref="2"))["message"]


async def test_whose_name_a_peer_imitates_is_told(tmp_path: Path, autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path) as program,
        open_peer(network, seed=1, settings=NAMED) as bob,
        open_peer(network, seed=2, settings=NodeSettings(name="B0B")) as mallory,
        trio.open_nursery() as nursery,
    ):
        await program.wait_for("listening")
        await program.node.contacts.know(bob.node.id)
        await program.node.contacts.rename(bob.node.id, "Bob")
        await bob.node.dial(HOME)
        connected = await program.wait_for("connected", petname="Bob")
        assert "imitates" not in connected
        nursery.start_soon(mallory.node.dial, HOME)
        stranger = await program.wait_for("stranger", imitates="Bob")
        program.command("accept", peer=stranger["peer"])
        await program.wait_for("connected", petname=None, imitates="Bob")
        mallory.node.rename("Mallory")
        await mallory.node.sessions[0].send("hi")
        assert (await program.wait_for("message"))["name"] == "Mallory"
        assert "now calls itself Mallory" in program.err.text
