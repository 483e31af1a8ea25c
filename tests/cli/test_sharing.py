"""`listen --allow-user`: a path that another user of this machine may knock at."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from p2pchat.address import Address
from p2pchat.cli import main, sharing
from p2pchat.transports.registry import Transports
from p2pchat.transports.unix import UnixTransport
from tests.support.programs import Home

ME = pwd.getpwuid(os.geteuid()).pw_name


def test_nobody_is_named_and_nothing_changes() -> None:
    transports = Transports()
    sharing.share(transports, [Address("tcp", "*:7272")], [])
    assert transports._transports == {}


def test_only_the_unix_sockets_that_were_named_are_shared() -> None:
    transports = Transports()
    where = [Address("tcp", "*:7272"), Address("unix", "/run/a"), Address("unix", "/run/b")]
    sharing.share(transports, where, [ME, "0"])
    made = transports._transports["unix"]
    assert isinstance(made, UnixTransport)
    assert made._shared == dict.fromkeys(["/run/a", "/run/b"], frozenset({0, os.geteuid()}))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["localhost:0", "--allow-user", ME], 2, "it is about Unix sockets"),
        (["./meet", "--allow-user", "no such user"], 78, "there is no user 'no such user' on this machine"),
    ],
)
def test_what_cannot_be_is_told(words: list[str], code: int, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["listen", "--guest", *words]) == code
    error, hint = capfd.readouterr().err.splitlines()
    assert said in error
    assert hint.startswith("hint: ")


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another user")
async def test_the_socket_of_a_listener_is_for_everybody_to_knock_at_and_that_of_its_profile_is_not(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    async with home.run("listen", str(tmp_path / "meet"), "--allow-user", "nobody") as program:
        await program.wait_for("listening on")
        assert (tmp_path / "meet").stat().st_mode & 0o777 == 0o666
        (own,) = (home.data / "run").glob("*.sock")
        assert own.stat().st_mode & 0o777 == 0o600
