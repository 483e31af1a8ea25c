"""TCP as p2pchat uses it: both families, one port, tuned sockets, and a sentence for whatever goes wrong."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
import trio
import trio.testing

from p2pchat.address import Address, host_and_port, parse
from p2pchat.errors import ConnectFailed, ListenFailed
from p2pchat.testing.door import open_door
from p2pchat.transports import sockets, tcp
from p2pchat.transports.tcp import TcpTransport
from tests.support.descriptors import no_descriptors_left, open_descriptors
from tests.transports.test_contract import has_ipv6

ANYWHERE = Address("tcp", "127.0.0.1:0")
NOT_OURS = "192.0.2.1"  # TEST-NET-1: no machine has it
UNROUTABLE = "255.255.255.255"  # a broadcast, which TCP refuses on the spot

Place = tuple[str, int]


class Names(trio.abc.HostnameResolver):
    """A name server of our own: every name has the addresses that the test says."""

    def __init__(self, *places: Place, failure: int | None = None) -> None:
        self.places = places
        self.failure = failure

    async def getaddrinfo(self, host: Any, port: Any, *how: Any) -> Any:
        if self.failure is not None:
            raise socket.gaierror(self.failure, "no luck")
        families = (socket.AF_INET6 if ":" in place[0] else socket.AF_INET for place in self.places)
        return [(kind, socket.SOCK_STREAM, 0, "", place) for kind, place in zip(families, self.places, strict=True)]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> Any:
        raise NotImplementedError


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken but that nobody listens on, so that no other test gets it meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def raw(stream: trio.abc.Stream) -> socket.socket:
    assert isinstance(stream, sockets.SocketStream)
    return stream._socket


async def test_both_ends_are_tuned() -> None:
    async with open_door(TcpTransport(), ANYWHERE) as door:
        dialed, accepted = await door.pair()
    async with dialed, accepted:
        for sock in (raw(dialed), raw(accepted)):
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 90_000


async def test_both_ends_know_where_the_other_is() -> None:
    async with open_door(TcpTransport(), ANYWHERE) as door:
        dialed, accepted = await door.pair()
    async with dialed, accepted:
        assert isinstance(dialed, sockets.SocketStream)
        assert isinstance(accepted, sockets.SocketStream)
        assert dialed.remote == door.address
        assert str(accepted.remote) == f"tcp:127.0.0.1:{raw(dialed).getsockname()[1]}"


async def test_everywhere_is_one_port_on_all_interfaces_of_both_families() -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    transport = TcpTransport()
    async with open_door(transport, parse("*:0")) as door:
        assert len(door.listeners) == 2
        host, port = host_and_port(door.address)
        assert (host, port != 0) == ("*", True)
        for here in (f"127.0.0.1:{port}", f"[::1]:{port}"):
            async with await transport.connect(parse(here)), await door.accept() as accepted:
                assert str(getattr(accepted, "remote", None)).startswith(f"tcp:{here.rpartition(':')[0]}:")


async def test_a_port_that_one_family_cannot_have_is_not_taken_in_the_other() -> None:
    if not has_ipv6():
        pytest.skip("this machine has no ::1")
    with socket.create_server(("::", 0), family=socket.AF_INET6) as other:
        port = other.getsockname()[1]
        before = open_descriptors()
        with pytest.raises(ListenFailed, match=rf"^tcp:\*:{port} is in use already$"):
            await TcpTransport().listen(parse(f"*:{port}"))
        assert open_descriptors() == before


def test_port_0_is_tried_again_until_it_is_free_in_all_places() -> None:
    before = open_descriptors()
    clash = [(socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_INET, ("0.0.0.0", 0))]  # never both on one port
    with pytest.raises(OSError, match="in use"):
        tcp._bind_all(clash, tries=3)
    assert open_descriptors() == before


async def test_a_family_that_this_machine_lacks_is_left_out() -> None:
    trio.socket.set_custom_hostname_resolver(Names((NOT_OURS, 0), ("127.0.0.1", 0), ("127.0.0.1", 0)))
    async with open_door(TcpTransport(), parse("half.example:0")) as door:
        assert len(door.listeners) == 1


async def test_dialing_a_name_goes_on_to_the_address_that_answers(closed_port: int) -> None:
    async with open_door(TcpTransport(), ANYWHERE) as door:
        port = host_and_port(door.address)[1]
        trio.socket.set_custom_hostname_resolver(Names(("127.0.0.2", port), (UNROUTABLE, port), ("127.0.0.1", port)))
        async with await TcpTransport().connect(parse(f"box.example:{port}")) as stream:
            assert stream.remote == door.address


@pytest.mark.parametrize(
    ("typed", "names", "sentence"),
    [
        ("127.0.0.1:{port}", None, "nobody listens on tcp:127.0.0.1:{port}"),
        (f"{UNROUTABLE}:9", None, f"there is no route to tcp:{UNROUTABLE}:9"),
        ("box:{port}", Names((UNROUTABLE, 9), ("127.0.0.1", 9)), "nobody listens on tcp:box:{port}"),
        ("nosuch.example", Names(failure=socket.EAI_NONAME), "the host name nosuch.example is not known"),
        ("box", Names(failure=socket.EAI_AGAIN), "no name server answers for box"),
        ("box", Names(failure=socket.EAI_MEMORY), "cannot use tcp:box:7272: no luck"),
        ("a.\u2488com", None, "the host name a.\u2488com is not known"),
        ("*", None, "tcp:*:7272 can only be listened on"),
        ("box:0", None, "tcp:box:0 can only be listened on"),
    ],
)
async def test_why_nobody_was_reached(typed: str, names: Names | None, sentence: str, closed_port: int) -> None:
    if names:
        names.places = tuple((host, closed_port) for host, _ in names.places)
        trio.socket.set_custom_hostname_resolver(names)
    before = open_descriptors()
    with pytest.raises(ConnectFailed) as told:
        await TcpTransport().connect(parse(typed.format(port=closed_port)))
    assert str(told.value) == sentence.format(port=closed_port)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    ("typed", "names", "sentence"),
    [
        (f"{NOT_OURS}:0", None, f"tcp:{NOT_OURS}:0 is not an address of this machine"),
        ("nosuch.example", Names(failure=socket.EAI_NONAME), "the host name nosuch.example is not known"),
        ("a.\u2488com", None, "the host name a.\u2488com is not known"),
    ],
)
async def test_why_it_could_not_listen(typed: str, names: Names | None, sentence: str) -> None:
    if names:
        trio.socket.set_custom_hostname_resolver(names)
    with pytest.raises(ListenFailed) as told:
        await TcpTransport().listen(parse(typed))
    assert str(told.value) == sentence
    assert told.value.hint


async def test_meeting_oneself_is_nobody_listening(closed_port: int) -> None:
    class FromThatPort(trio.abc.SocketFactory):
        """Gives every socket the very port that is dialed, as the system does once in a while."""

        def socket(self, *kind: Any) -> Any:
            sock = socket.socket(*kind)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", port))
            return trio.socket.from_stdlib_socket(sock)

    with socket.socket() as chooser:
        chooser.bind(("127.0.0.1", 0))
        port = chooser.getsockname()[1]
    trio.socket.set_custom_socket_factory(FromThatPort())
    before = open_descriptors()
    with pytest.raises(ConnectFailed, match="nobody listens"):
        await TcpTransport().connect(parse(f"127.0.0.1:{port}"))
    assert open_descriptors() == before


async def test_a_cancelled_connect_leaves_no_socket_open() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, socket.create_connection(deaf.getsockname()):
        before = open_descriptors()  # the queue is full: whoever comes next is kept waiting
        async with trio.open_nursery() as nursery:
            nursery.start_soon(TcpTransport().connect, parse(f"127.0.0.1:{deaf.getsockname()[1]}"))
            await trio.testing.wait_all_tasks_blocked()
            assert open_descriptors() > before
            nursery.cancel_scope.cancel()
        assert open_descriptors() == before


async def test_running_out_of_descriptors_does_not_end_a_listener() -> None:
    async with open_door(TcpTransport(), ANYWHERE) as door:
        (listener,) = door.listeners
        dialed = await door.connect()
        with no_descriptors_left():
            with pytest.raises(OSError, match="open files") as told:
                await listener.accept()
            assert told.value.errno == errno.EMFILE  # what trio.serve_listeners waits at and tries again
            with pytest.raises(ConnectFailed, match="no file descriptors are left for tcp:127"):
                await door.connect()
            with pytest.raises(ListenFailed, match="no file descriptors are left for tcp:127"):
                await TcpTransport().listen(ANYWHERE)
        async with dialed, await listener.accept() as accepted:
            await dialed.send_all(b"x")
            assert await accepted.receive_some() == b"x"


async def test_trio_goes_on_serving_when_descriptors_are_free_again(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    served = trio.Event()

    async def serve(stream: trio.abc.Stream) -> None:
        served.set()
        await stream.aclose()

    async with open_door(TcpTransport(), ANYWHERE) as door, trio.open_nursery() as nursery:
        dialed = await door.connect()
        with no_descriptors_left():
            nursery.start_soon(trio.serve_listeners, serve, list(door.listeners))
            await trio.testing.wait_all_tasks_blocked()
            assert not served.is_set()
        await served.wait()
        nursery.cancel_scope.cancel()
    await dialed.aclose()
    assert "accept returned EMFILE" in caplog.text


async def test_who_hangs_up_before_being_accepted_is_a_broken_stream_and_nothing_more() -> None:
    async with open_door(TcpTransport(), ANYWHERE) as door:
        dialed = await door.connect()
        raw(dialed).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close with a reset
        await dialed.aclose()
        async with await door.accept() as accepted:
            assert getattr(accepted, "remote", ...) is None
            with pytest.raises(trio.BrokenResourceError, match="the connection broke: Connection reset by peer"):
                await accepted.receive_some()
            assert isinstance(accepted, sockets.SocketStream)
            with pytest.raises(trio.BrokenResourceError):
                await accepted.send_eof()
