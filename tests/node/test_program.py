"""A program between two peers, and visitors that came in by another way than a listener of ours."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.errors import ConnectFailed, RemoteProtocolError
from p2pchat.node import events
from p2pchat.node.link import LinkEnd
from p2pchat.node.settings import NodeSettings
from p2pchat.wire.close_codes import CloseCode
from tests.support.peers import HOME, Network, Wire, open_peer

HOP = Address("exec", "ssh box p2pchat stdio")


class Carried(Wire):
    """A wire through a program that says `remarks`, and ends as `how` once the wire is closed."""

    def __init__(self, wire: Wire, remarks: list[str], how: str) -> None:
        super().__init__(wire._inner)
        self.ending = ""
        self._remarks = remarks
        self._how = how
        self._gone = trio.Event()

    async def next_remark(self) -> str | None:
        if not self._remarks:
            await self._gone.wait()
        await trio.lowlevel.checkpoint()
        return self._remarks.pop(0) if self._remarks else None

    async def aclose(self) -> None:
        self.ending = self._how
        self._gone.set()
        await super().aclose()


class Hop(Network):
    """A network whose every connection leads through a program."""

    def __init__(self, *, remarks: tuple[str, ...] = (), how: str = "", says: bytes | None = None) -> None:
        super().__init__()
        self._remarks = remarks
        self._how = how
        self._says = says  # None: there is a peer behind it

    async def connect(self, address: Address) -> Wire:
        if self._says is None:
            return Carried(await super().connect(HOME), list(self._remarks), self._how)
        ours, theirs = trio.testing.memory_stream_pair()
        await theirs.send_all(self._says)
        await theirs.send_eof()
        return Carried(Wire(ours), list(self._remarks), self._how)


async def test_what_the_program_says_is_told_as_its_words(autojump_clock: MockClock) -> None:
    network = Hop(remarks=("Last login: today", "connected: alice"))
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob:
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOP)
        await bob.wait_for(events.Notice, count=2)
        told = [event.text for event in bob.told if isinstance(event, events.Notice)]
        assert told == ["the command says: Last login: today", "the command says: connected: alice"]
        assert session.address == HOP
        await session.send("hi")
        assert await ann.wait_heard(1) == ["hi"]


async def test_a_program_that_ends_by_itself_could_not_be_reached(autojump_clock: MockClock) -> None:
    network = Hop(how="the command ended (exit status 255)", says=b"")
    async with open_peer(network) as ann:
        with pytest.raises(ConnectFailed, match=r"was not reached: the command ended \(exit status 255\)"):
            await ann.node.dial(HOP)


async def test_a_program_that_we_ended_hung_up(autojump_clock: MockClock) -> None:
    async with open_peer(Hop(says=b"")) as ann:
        with pytest.raises(RemoteProtocolError, match="hung up"):
            await ann.node.dial(HOP)


@pytest.mark.parametrize("motd", [b"Welcome to box!\n", b"\nWelcome to box!\n", b"\r\n\r\nWelcome"])
async def test_text_before_the_protocol_is_shown_with_what_to_do(motd: bytes, autojump_clock: MockClock) -> None:
    async with open_peer(Hop(how="the command ended (exit status 0)", says=motd)) as ann:
        with pytest.raises(RemoteProtocolError, match=r"this is not a p2pchat: it said '.*Welcome") as failed:
            await ann.node.dial(HOP)
        assert "login scripts" in failed.value.hint


async def test_a_visitor_by_another_way_is_served_like_any_other(autojump_clock: MockClock) -> None:
    network = Hop()
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2) as bob, trio.open_nursery() as nursery:
        (door,) = await network.listen(HOME)
        ends: list[LinkEnd] = []

        async def serve() -> None:
            ends.append(await ann.node.visit(await door.accept(), scheme="exec"))

        nursery.start_soon(serve)
        session = await bob.node.dial(HOP)
        await session.send("hi")
        assert await ann.wait_heard(1) == ["hi"]
        nursery.start_soon(session.leave)
        (await ann.wait_for(events.Leaving)).session.goodbye()
        await ann.wait_for(events.Disconnected)
        await trio.testing.wait_all_tasks_blocked()
        assert [(end.clean, end.code) for end in ends] == [(True, CloseCode.NORMAL)]


async def test_an_address_that_is_not_for_people_is_not_announced(autojump_clock: MockClock) -> None:
    network = Network()
    async with open_peer(network, seed=1) as ann, open_peer(network, seed=2, settings=NodeSettings()) as bob:
        await ann.node.listen(Address("memory", "hidden"), quiet=True)
        await ann.node.listen(HOME)
        await bob.node.dial(Address("memory", "hidden"))
        await ann.wait_for(events.Connected)
        assert [event.address for event in ann.told if isinstance(event, events.Listening)] == [HOME]
