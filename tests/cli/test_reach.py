"""What to type on the other side."""

from __future__ import annotations

import shlex

import pytest

from p2pchat import address
from p2pchat.cli import peers, reach
from p2pchat.crypto.identity import Identity

ME = Identity.from_seed(bytes(32)).peer_id


def link(host_and_port: str) -> str:
    """The line with the link for those who are elsewhere."""
    return f"and only to you:  p2pchat dial 'p2pchat:{ME}?a=tcp:{host_and_port}'"


@pytest.mark.parametrize(
    ("bound", "lines"),
    [
        (
            "*:7272",
            [
                "listening on port 7272 of every interface",
                "on this machine:  p2pchat dial localhost",
                "from elsewhere:   p2pchat dial 10.0.0.7",
                link("10.0.0.7:7272"),
                "`p2pchat listen localhost` keeps it on this machine",
            ],
        ),
        (
            "[::]:7300",
            [
                "listening on port 7300 of every interface",
                "on this machine:  p2pchat dial localhost:7300",
                "from elsewhere:   p2pchat dial 10.0.0.7:7300",
                link("10.0.0.7:7300"),
                "`p2pchat listen localhost` keeps it on this machine",
            ],
        ),
        (
            "localhost:7300",
            ["listening on port 7300, for this machine only", "on this machine:  p2pchat dial localhost:7300"],
        ),
        ("[::1]", ["listening on port 7272, for this machine only", "on this machine:  p2pchat dial localhost"]),
        ("box", ["listening on port 7272 of box", "from elsewhere:   p2pchat dial box", link("box:7272")]),
        (
            "[2001:db8::1]",
            [
                "listening on port 7272 of 2001:db8::1",
                "from elsewhere:   p2pchat dial '[2001:db8::1]'",
                link("[2001:db8::1]:7272"),
            ],
        ),
        (
            "[2001:db8::1]:1",
            [
                "listening on port 1 of 2001:db8::1",
                "from elsewhere:   p2pchat dial '[2001:db8::1]:1'",
                link("[2001:db8::1]:1"),
            ],
        ),
        ("unix:/tmp/a b", ["listening on unix:/tmp/a b", "on this machine:  p2pchat dial '/tmp/a b'"]),
        ("memory:demo", ["listening on memory:demo"]),
    ],
)
def test_a_listening_address_says_how_to_reach_it(bound: str, lines: list[str]) -> None:
    assert reach.lines(address.parse(bound), me=ME, own_host="10.0.0.7") == lines


def test_without_a_network_nothing_is_said_about_others() -> None:
    assert not [line for line in reach.lines(address.EVERYWHERE, me=ME) if "elsewhere" in line or "p2pchat:" in line]


def test_what_is_printed_can_be_dialled() -> None:
    host = reach.own_host()
    assert host == "" or str(address.parse(host)) == f"tcp:{host}:7272"
    for bound in ("box", "[2001:db8::1]:1"):
        line = reach.lines(address.parse(bound), me=ME)[-1]
        target = peers.resolve(shlex.split(line)[-1], None)
        assert (target.peer, target.addresses) == (ME, (address.parse(bound),))


def test_a_machine_without_a_way_out_has_no_address_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "ELSEWHERE", ("127.0.0.1", 9))
    assert reach.own_host() == ""
    monkeypatch.setattr(reach, "ELSEWHERE", ("255.255.255.255", 9))
    assert reach.own_host() == ""


@pytest.mark.parametrize(
    ("wanted", "bound", "is_within"),
    [
        ("localhost:7300", "localhost:7300", True),
        ("localhost:7300", "127.0.0.1:7300", True),
        ("localhost:7300", "*:7300", True),
        ("*:7300", "localhost:7300", False),
        ("*:7300", "[::]:7300", True),
        ("box:7300", "localhost:7300", False),
        ("localhost:7301", "*:7300", False),
        ("/tmp/s", "/tmp/s", True),
        ("/tmp/s", "*:7300", False),
        ("*:7300", "/tmp/s", False),
    ],
)
def test_who_listens_widely_listens_narrowly(wanted: str, bound: str, is_within: bool) -> None:  # noqa: FBT001
    assert reach.is_within(address.parse(wanted), address.parse(bound)) is is_within
