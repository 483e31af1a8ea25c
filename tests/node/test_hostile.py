"""Visitors with bad manners, on real sockets: never a crash, a hang, a leak, or a delay for whoever is accepted.

In every test an accepted peer chats before, meanwhile and after. Limits in seconds are shortened, so that tests end;
what they are by default is tested on virtual time.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from p2pchat.address import parse
from p2pchat.crypto.identity import Identity
from p2pchat.env import system_env
from p2pchat.node import events
from p2pchat.node.contacts import someone
from p2pchat.node.node import open_node
from p2pchat.node.session import Session
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.events import Begin
from p2pchat.protocol.handshake import PREFACE
from p2pchat.protocol.limits import Limits
from p2pchat.transports.registry import Transports
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Close, Msg, Ping, Typing, Unknown
from tests.support.framing import msg
from tests.support.peers import Peer
from tests.support.visitors import Visitor, what_is_answered

PATIENCE = 20.0  # real seconds after which a test that hangs fails
HASTY = Limits(handshake=0.3, hello=0.3, resume=0.3, ping=0.2, dead=0.4)
FRIEND = Identity.generate(os.urandom)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what nobody tells: the kernel and the other side of a socket, in real time."""
    with trio.fail_after(5):
        while not condition():  # noqa: ASYNC110  (nobody sets an event for us over there)
            await trio.sleep(0.01)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Home:
    """A listening node with one accepted peer."""

    def __init__(self, peer: Peer, port: int, session: Session) -> None:
        self.peer = peer
        self.port = port
        self.session = session
        self._said = 0

    async def still_chats(self) -> None:
        """Check that a message of the accepted peer still comes through, at once."""
        self._said += 1
        with trio.fail_after(5):
            await self.session.send(f"{self._said}")
            await self.session.drained()
        assert self.peer.heard[-1] == f"{self._said}"

    async def is_at_rest(self) -> None:
        """Wait until the visitors are gone from the node's books."""
        node = self.peer.node
        await until(lambda: not node.gate.half_open and len(node.sessions) == 1 and not len(node.waiting_room))


@asynccontextmanager
async def home(*, limits: Limits = HASTY, accept: Accept = Accept.KNOWN) -> AsyncIterator[Home]:
    env = system_env(Transports())
    known = NodeSettings(accept=accept, contacts=(someone(FRIEND.peer_id, accepted=True),), limits=limits)
    with trio.fail_after(PATIENCE):
        async with (
            trio.open_nursery() as nursery,
            open_node(Identity.generate(os.urandom), env=env, settings=known) as node,
            open_node(FRIEND, env=env) as friend,
        ):
            peer, friends_face = Peer(node), Peer(friend)
            nursery.start_soon(peer.listen_to_feed)
            nursery.start_soon(friends_face.listen_to_feed)
            await node.listen(parse("127.0.0.1:0"))
            address = (await peer.wait_for(events.Listening)).address
            session = await friend.dial(address)
            place = Home(peer, int(str(address).rpartition(":")[2]), session)
            await place.still_chats()
            before = open_descriptors()
            yield place
            await place.is_at_rest()
            await place.still_chats()
            await until(lambda: open_descriptors() <= before)


async def test_a_port_scanner() -> None:
    async with home() as place:
        for _ in range(50):
            await (await trio.open_tcp_stream("127.0.0.1", place.port)).aclose()


@pytest.mark.parametrize(
    "words",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"\n",
        bytes(100_000),
        PREFACE + b"\xff\xff" + bytes(2000),
        PREFACE + b"\x00\x00",
        PREFACE + (1216).to_bytes(2) + bytes(1216),
        PREFACE + (1216).to_bytes(2) + b"\xff" * 1216,
    ],
    ids=["http", "ssh", "tls", "newline", "zeros", "long", "short", "zero key", "bad key"],
)
async def test_whoever_does_not_speak_p2pchat_gets_no_answer(words: bytes) -> None:
    async with home() as place, await trio.open_tcp_stream("127.0.0.1", place.port) as stream:
        await stream.send_all(words)
        assert await what_is_answered(stream) == b""


async def test_another_version_gets_a_hint() -> None:
    async with home() as place, await trio.open_tcp_stream("127.0.0.1", place.port) as stream:
        await stream.send_all(b"p2pchat\x02" + bytes(10))
        assert await what_is_answered(stream) == bytes([0, 0, 1, CloseCode.UNSUPPORTED])


@pytest.mark.parametrize("said", [0, 1, 8, 9, 700, 1225])
async def test_silence_at_any_point_of_the_handshake_is_cut_off(said: int) -> None:
    async with home() as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            began = trio.current_time()
            await visitor.stream.send_all(visitor.connection.send(Begin(), now=0.0)[:said])
            assert await what_is_answered(visitor.stream) == b""
            assert trio.current_time() - began < 2
            await place.still_chats()


async def test_a_byte_at_a_time_does_not_buy_time() -> None:
    async with home() as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            began = trio.current_time()
            with pytest.raises(trio.BrokenResourceError):
                await drip(visitor.stream, visitor.connection.send(Begin(), now=0.0))
            assert trio.current_time() - began < 5


async def drip(stream: trio.abc.Stream, data: bytes) -> None:
    for byte in data:
        await stream.send_all(bytes([byte]))
        await trio.sleep(0.02)  # real time is what this visitor is about


async def test_silence_after_message_b_is_cut_off() -> None:
    async with home() as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.stream.send_all(visitor.connection.send(Begin(), now=0.0))
            assert len(await what_is_answered(visitor.stream)) == 1299


async def test_garbage_in_place_of_message_c_is_not_answered() -> None:
    async with home() as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.stream.send_all(visitor.connection.send(Begin(), now=0.0))
            heard = 0
            while heard < 1299:
                heard += len(await visitor.stream.receive_some(65536))
            await visitor.stream.send_all((161).to_bytes(2) + bytes(161))
            assert await what_is_answered(visitor.stream) == b""


@pytest.mark.parametrize("record", [b"\x00\x10" + bytes(16), b"\x00\x20" + bytes(32), b"\x00\x00"])
async def test_garbage_after_the_handshake_ends_the_link_with_a_code(record: bytes) -> None:
    async with home(accept=Accept.ANYONE) as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.shake_hands()
            await visitor.greet()
            await visitor.stream.send_all(record)
            closed = await visitor.hear(lambda event: isinstance(event, Close))
            assert closed == Close(CloseCode.PROTOCOL)


async def test_a_record_that_never_comes_is_waited_for_no_longer_than_silence() -> None:
    async with home(accept=Accept.ANYONE) as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.shake_hands()
            await visitor.greet()
            await visitor.stream.send_all(b"\xff\xff" + bytes(1000))
            closed = await visitor.hear(lambda event: isinstance(event, Close))
            assert closed == Close(CloseCode.TIMEOUT)


async def test_a_stranger_can_deliver_nothing() -> None:
    async with home() as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.shake_hands()
            await visitor.greet_and_be_refused()
        assert place.peer.heard == ["1"]


async def test_a_stranger_that_waits_cannot_fill_the_screen() -> None:
    async with home(accept=Accept.ASK) as place:
        for _ in range(10):
            visitor = await Visitor.dial(place.port, identity=Identity.from_seed(bytes(32)))
            async with visitor.stream:
                await visitor.shake_hands()
                await visitor.begin_to_greet()
        await place.is_at_rest()
        assert len([event for event in place.peer.told if isinstance(event, events.Stranger)]) <= 3


@pytest.mark.parametrize("frame", [Ping(1), Typing(on=True), Unknown(0xF5, b"\x90")], ids=["ping", "typing", "unknown"])
async def test_a_flood_of_frames_that_mean_nothing_ends_the_link(frame: Ping | Typing | Unknown) -> None:
    async with home(accept=Accept.ANYONE) as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.shake_hands()
            await visitor.greet()
            await visitor.flood(frame, 1000)
            closed = await visitor.hear(lambda event: isinstance(event, Close))
            assert closed == Close(CloseCode.RATE)
            await place.still_chats()


async def test_a_gap_in_the_numbers_ends_the_link() -> None:
    async with home(accept=Accept.ANYONE) as place:
        visitor = await Visitor.dial(place.port)
        async with visitor.stream:
            await visitor.shake_hands()
            await visitor.greet()
            await visitor.say(Msg(5, msg().entries))
            closed = await visitor.hear(lambda event: isinstance(event, Close))
            assert closed == Close(CloseCode.SEQUENCE)
        assert place.peer.heard == ["1"]


async def test_a_flood_of_connections_is_bounded_and_disturbs_nobody() -> None:
    async with home(limits=Limits(handshake=1.0, half_open_per_address=4)) as place, trio.open_nursery() as nursery:
        hints: list[bytes] = []

        async def knock() -> None:
            async with await trio.open_tcp_stream("127.0.0.1", place.port) as stream:
                hints.append(await what_is_answered(stream))

        for _ in range(200):
            nursery.start_soon(knock)
        for _ in range(20):
            await place.still_chats()
            assert place.peer.node.gate.half_open <= 4
        nursery.cancel_scope.cancel()


async def test_handshakes_are_rationed() -> None:
    async with home(limits=Limits(handshake_rate=1.0, handshake_burst=5)) as place:
        answered = 0
        for _ in range(15):
            visitor = await Visitor.dial(place.port)
            async with visitor.stream:
                await visitor.stream.send_all(visitor.connection.send(Begin(), now=0.0))
                answered += len(await visitor.stream.receive_some(100)) > 4
        assert answered < 10
