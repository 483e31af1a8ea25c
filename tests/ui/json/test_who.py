"""Programs ask who is here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.contacts import How
from p2pchat.transports.credentials import LocalUser
from p2pchat.ui.json import events
from tests.support.json_programs import DIAL, LISTEN, chatting, open_json_program
from tests.support.peers import HOME, Network, open_peer

SUITE = "Noise_XXhfs_25519+MLKEM768_ChaChaPoly_SHA256"


async def test_who_is_here_is_told_and_who_waits(tmp_path: Path, autojump_clock: MockClock) -> None:
    network = Network()
    async with (
        open_json_program(network, LISTEN, accept=Accept.ASK, directory=tmp_path) as program,
        open_peer(network, seed=1, settings=NodeSettings(name="Robert")) as bob,
        open_peer(network, seed=2) as eve,
        trio.open_nursery() as nursery,
    ):
        program.command("who")
        assert await program.wait_for("who") == {"event": "who", "ref": None, "peers": [], "strangers": []}
        await program.node.contacts.verify(bob.node.id, How.CODE)
        await program.node.contacts.rename(bob.node.id, "bob")
        await bob.node.dial(HOME)
        nursery.start_soon(eve.node.dial, HOME)
        await program.wait_for("stranger", waiting=True)
        program.command("who", ref="7")
        told = await program.wait_for("who", ref="7")
        assert told["strangers"] == [str(eve.node.id)]
        [peer] = told["peers"]
        contact = program.node.contacts.of(bob.node.id)
        assert contact is not None
        assert contact.verified_ms is not None
        connected = await program.wait_for("connected")
        assert peer == {
            **{key: value for key, value in connected.items() if key != "event"},
            "trust": "verified",
            "petname": "bob",
            "verified_at": events.timestamp(contact.verified_ms),
            "how": "code",
            "me": False,
            "guest": True,
            "connected": True,
            "user": None,
            "suite": SUITE,
        }
        nursery.cancel_scope.cancel()


async def test_of_a_connection_that_is_lost_nothing_is_claimed(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, bob, network):
        network.up = False
        network.cut()
        await program.wait_for("disconnected")
        program.command("who")
        [peer] = (await program.wait_for("who"))["peers"]
        assert peer["peer"] == str(bob.node.id)
        assert peer["trust"] == "known"
        assert [peer[key] for key in ("connected", "transport", "address", "user", "link", "suite")] == [False] + [
            None
        ] * 5


async def test_ones_own_guest_is_oneself(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_json_program(network, LISTEN, seed=7) as program, open_peer(network, seed=7) as other:
        await program.wait_for("listening")
        await other.node.dial(HOME)
        await program.wait_for("connected")
        program.command("who")
        [peer] = (await program.wait_for("who"))["peers"]
        assert (peer["me"], peer["guest"], peer["verified_at"]) == (True, True, None)


async def test_where_another_process_has_the_link_the_store_is_the_way(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    network = Network()
    async with open_peer(network) as bob:
        await bob.node.listen(HOME)
        async with (
            open_json_program(network, DIAL, directory=tmp_path) as first,
            open_json_program(network, DIAL, directory=tmp_path, run=1) as second,
        ):
            for program, way in ((first, "memory"), (second, "store")):
                link = (await program.wait_for("connected"))["link"]
                program.command("who")
                [peer] = (await program.wait_for("who"))["peers"]
                assert (peer["connected"], peer["transport"], peer["link"]) == (True, way, link)


@pytest.mark.parametrize(
    ("process", "told"),
    [
        (LocalUser(0, 42), {"uid": 0, "name": "root", "pid": 42}),
        (LocalUser(2**31 + 7, 0), {"uid": 2**31 + 7, "name": None, "pid": None}),
    ],
)
def test_a_user_of_this_machine_is_told_in_fields(process: LocalUser, told: dict[str, object]) -> None:
    assert events.whose(process) == {"user": told}
    assert events.whose(None) == {}


async def test_a_process_on_this_machine_is_told_of_with_its_user(autojump_clock: MockClock) -> None:
    async with chatting(DIAL) as (program, _, _):
        program.node.sessions[0].user = LocalUser(os.geteuid(), os.getpid())
        program.command("who")
        [peer] = (await program.wait_for("who"))["peers"]
        assert (peer["user"]["uid"], peer["user"]["pid"]) == (os.geteuid(), os.getpid())
