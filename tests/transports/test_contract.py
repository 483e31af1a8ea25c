"""Every transport keeps one contract; a plug-in that was found through the same door keeps it too."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from p2pchat.address import Address
from p2pchat.testing import contract
from p2pchat.transports.registry import Transports

TOY_PLUGIN = Path(__file__).parent / "toy_plugin"


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.fixture(params=["tcp-v4", "tcp-v6", "tcp-name", "unix", "memory", "plug-in"])
def address(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Address:
    match request.param:
        case "tcp-v4":
            return Address("tcp", "127.0.0.1:0")
        case "tcp-v6":
            if not has_ipv6():
                pytest.skip("this machine has no ::1")
            return Address("tcp", "[::1]:0")
        case "tcp-name":  # two listeners, where the machine has both families
            return Address("tcp", "localhost:0")
        case "unix":
            return Address("unix", str(tmp_path / "s"))
        case "memory":
            return Address("memory", "here")
        case _:
            monkeypatch.syspath_prepend(TOY_PLUGIN)
            return Address("toy", "garden")


@pytest.mark.parametrize("promise", contract.PROMISES, ids=lambda promise: promise.__name__)
async def test_transport_keeps(promise: contract.Promise, address: Address) -> None:
    await contract.check_promise(promise, Transports(), address)
