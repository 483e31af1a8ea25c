"""A program that keeps what is said: cursors of the store, what the disk refuses, and other programs of the profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from p2pchat import errors
from p2pchat.cli import exit_codes
from tests.support.faces import fill_disk
from tests.support.json_programs import BOB, DIAL, open_json_program
from tests.support.peers import HOME, Network, open_peer


@pytest.fixture
def network() -> Network:
    return Network()


async def test_states_are_durable_and_cursors_are_those_of_the_log(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        cursors = []
        for n in range(2):
            async with open_json_program(network, DIAL, directory=tmp_path / "me", run=n) as program:
                program.command("send", text="hi", ref=f"r{n}")
                delivered = await program.wait_for("state", state="delivered")
                assert delivered["durable"]
                assert program.states(f"r{n}") == ["queued", "sent", "delivered"]
                await bob.node.sessions[-1].send("hello")
                cursors.append((await program.wait_for("message"))["cursor"])
        assert len(cursors[0]) == 16
        assert cursors[0] < cursors[1]


async def test_what_stays_in_the_store_has_not_failed_and_goes_out_later(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        async with open_json_program(network, DIAL, directory=tmp_path / "me") as program:
            await program.wait_for("connected")
            network.up = False
            network.cut()
            await program.wait_for("disconnected")
            program.command("send", text="later", ref="1")
            error = await program.wait_ended()
            assert isinstance(error, errors.StillQueued)
            assert exit_codes.of(error) == exit_codes.ExitCode.STORED
            assert "1 message stays queued; p2pchat sends it when it meets peer1" in error.hint
            assert program.states("1") == ["queued"]
            queued = program.told("state")[0]
        network.up = True
        async with open_json_program(network, DIAL, directory=tmp_path / "me", run=1) as program:
            assert await bob.wait_heard(1) == ["later"]
            await program.wait_for("state", state="delivered", id=queued["id"], ref=None)


async def test_what_the_disk_refuses_is_an_error_with_its_ref(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        async with open_json_program(network, DIAL, directory=tmp_path / "me") as program:
            await program.wait_for("connected")
            fill_disk(program.node)
            program.command("send", text="x" * 100_000, ref="big")
            refused = await program.wait_for("error", ref="big")
            assert (refused["code"], refused["line"]) == ("io", 1)
            assert refused["hint"]
            assert program.states("big") == []


async def test_of_two_programs_of_a_profile_one_has_the_link_and_both_hear_everything(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        async with open_json_program(network, DIAL, directory=tmp_path / "me") as one:
            await one.wait_for("connected", transport="memory")
            async with open_json_program(network, DIAL, directory=tmp_path / "me", run=1) as other:
                assert (await other.wait_for("connected", transport="store"))["address"] is None
                other.command("send", text="by the store", ref="1")
                assert await bob.wait_heard(1) == ["by the store"]
                await other.wait_for("state", ref="1", state="delivered")
                assert other.states("1") == ["queued", "sent", "delivered"]
                queued = await one.wait_for("state", state="queued")
                assert queued["reason"] == "said by another p2pchat of this profile"
                assert queued["id"] == other.told("state")[0]["id"]
                await bob.node.sessions[-1].send("hello")
                assert (await one.wait_for("message"))["cursor"] == (await other.wait_for("message"))["cursor"]
                one.command("close")
                one.end_input()
                bob.node.sessions[-1].goodbye()
                assert await one.wait_ended() is None
                other.command("send", text="by myself", ref="2")
                assert await bob.wait_heard(2) == ["by the store", "by myself"]
                await other.wait_for("state", ref="2", state="delivered")


async def test_a_program_whose_peer_another_one_has_ends_when_its_input_does(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, settings=BOB, directory=tmp_path / "bob") as bob:
        await bob.node.listen(HOME)
        async with open_json_program(network, DIAL, directory=tmp_path / "me") as one:
            await one.wait_for("connected")
            async with open_json_program(network, DIAL, directory=tmp_path / "me", run=1) as other:
                other.command("send", text="in passing", ref="1")
                other.end_input()
                assert await other.wait_ended() is None
                assert other.states("1") == ["queued", "sent", "delivered"]
                assert other.told("disconnected")[0]["clean"]
            one.command("send", text="still there")
            assert await bob.wait_heard(2) == ["in passing", "still there"]
            assert one.told("disconnected") == []
