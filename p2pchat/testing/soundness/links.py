"""Do bytes come through here, whole and in order: every transport that is installed, without leaving the machine."""

from __future__ import annotations

import shlex
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from p2pchat.address import Address
from p2pchat.testing import stream_promises
from p2pchat.testing.door import receive_exactly
from p2pchat.testing.soundness.finding import Check, NotHere, Subject
from p2pchat.transports import base

if TYPE_CHECKING:
    from p2pchat.env import Net
    from p2pchat.transports.registry import Transports

LOOPBACK: Final = Address("tcp", "127.0.0.1:0")
LOOPBACK_6: Final = Address("tcp", "[::1]:0")
SOME: Final = bytes(range(256)) * 4096  # 1 MiB: more than the buffers between us and a command hold

_ECHO: Final = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer.raw, sys.stdout.buffer.raw, 65536)"
_FIREWALL: Final = (
    "let this machine talk to itself: a firewall, or a container without a loopback interface (`ip link`)"
)


def transports(net: Transports) -> list[Check]:
    """Return a check for each transport that is installed, those of plug-ins last."""
    ours = [
        Check(name="tcp IPv4", attempt=ipv4, cure=_FIREWALL),
        Check(name="tcp IPv6", attempt=ipv6, cure=_FIREWALL),
        Check(name="unix", attempt=unix, cure="TMPDIR has to be a short path on a disk that can hold sockets"),
        Check(name="exec", attempt=command, cure="the Python that runs p2pchat has to be able to start processes"),
        Check(name="memory", attempt=memory),
    ]
    built_in = {"tcp", "unix", "exec", "memory"}
    return ours + [
        Check(name=f"{scheme}:", attempt=partial(plug_in, scheme=scheme), cure="repair or uninstall that plug-in")
        for scheme in sorted(net.schemes - built_in)
    ]


async def ipv4(subject: Subject) -> str:
    """Check TCP over IPv4, on this machine."""
    return await _moves_bytes(subject.make_net(), LOOPBACK)


async def ipv6(subject: Subject) -> str:
    """Check TCP over IPv6, on this machine."""
    if not _has_ipv6():
        raise NotHere("this machine has no IPv6")
    return await _moves_bytes(subject.make_net(), LOOPBACK_6)


async def unix(subject: Subject) -> str:
    """Check Unix sockets."""
    if not hasattr(socket, "AF_UNIX"):
        raise NotHere("this system has no Unix sockets")
    return await _moves_bytes(subject.make_net(), Address("unix", str(subject.room("unix") / "socket")))


async def memory(subject: Subject) -> str:
    """Check links within one process."""
    return await _moves_bytes(subject.make_net(), Address("memory", "selftest"))


async def command(subject: Subject) -> str:
    """Check that a command is started, and that bytes come through it."""
    if not sys.executable:
        raise NotHere("this Python does not know its own program, so there is none to start")
    address = Address("exec", shlex.join([sys.executable, "-I", "-S", "-c", _ECHO]))
    stream = await subject.make_net().connect(address)
    async with stream, trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, SOME)
        if await receive_exactly(stream, len(SOME)) != SOME:
            raise AssertionError("what came back from a command is not what was sent to it")
    return f"{len(SOME) >> 20} MiB to a command and back"


async def plug_in(subject: Subject, *, scheme: str) -> str:
    """Check the transport of a plug-in, if it says where that can be done."""
    net = subject.make_net()
    transport = net.transport(scheme)
    if not isinstance(transport, base.HasLoopback):
        raise NotHere("it loads; nothing says where on this machine alone it can be tried (`loopback`)")
    return await _moves_bytes(net, Address(scheme, transport.loopback))


async def _moves_bytes(net: Net, address: Address) -> str:
    await stream_promises.connections_are_apart(net, address)
    await stream_promises.bulk_arrives_both_ways(net, address)
    return f"{stream_promises.BULK >> 20} MiB each way at once, and connections do not mix"


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False
