"""Nodes that keep what is said: they may end at any time, and several of them may be one profile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import StoreError
from p2pchat.node import events, failures
from p2pchat.node.complaints import SAY_AGAIN
from p2pchat.node.link import LinkEnd
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store import history, queue, timeline
from p2pchat.store.store import Store
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.messages import Data, Profile, Read, Text
from tests.support.peers import HOME, Network, Peer, open_peer

ANN = Identity.from_seed(bytes([1]) * 32)
BOB = Identity.from_seed(bytes([2]) * 32)


@pytest.fixture
def network() -> Network:
    return Network()


async def states(peer: Peer, of: PeerId) -> list[tuple[bool, str]]:
    """Return who said each message that `peer` keeps, and how far it has come."""
    assert peer.node.store is not None
    rows = await peer.node.store.read(lambda db: history.page(db, peer=of, limit=100))
    return [(row.mine, row.state) for row in rows]


async def test_what_is_said_while_nobody_is_there_arrives_when_both_are_back(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
        session = bob.node.session(ANN.peer_id)
        ids = [await session.post(Text(f"{n}")) for n in range(3)]
        await session.send_many([Text("3"), Data(b"\xff"), Text("5")])
        await session.send("6")
        assert await session.unsaid() == 7
    async with open_peer(network, seed=1, directory=tmp_path / "ann") as ann:
        await ann.node.listen(HOME)
        async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
            session = await bob.node.dial(HOME)
            await session.drained()
            await bob.wait_state("delivered", ids[-1])
            assert await ann.wait_heard(6) == ["0", "1", "2", "3", "5", "6"]
            first = await ann.wait_for(events.MessagesReceived)
            assert list(first.cursors) == sorted(first.cursors)
            assert len(first.received_ms) == len(first.messages)
            assert await states(bob, ANN.peer_id) == [(True, "delivered")] * 7
        assert await states(ann, BOB.peer_id) == [(False, "received")] * 7


async def test_neither_says_that_it_is_a_guest(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
        open_peer(network, seed=3) as guest,
    ):
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        assert not session.guest
        assert (await guest.node.dial(HOME)).guest is False
        told = [await ann.wait_for(events.Connected, count=count) for count in (1, 2)]
        assert {each.session.peer: each.session.guest for each in told} == {BOB.peer_id: False, guest.node.id: True}


async def test_nothing_is_shown_twice_to_who_was_away(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
        session = bob.node.session(ANN.peer_id)
        for turn in range(3):
            async with open_peer(network, seed=1, directory=tmp_path / "ann") as ann:
                await ann.node.listen(HOME)
                if turn == 0:
                    assert await bob.node.dial(HOME) is session
                await session.send(f"turn {turn}")
                assert await ann.wait_heard(1) == [f"turn {turn}"]
                await session.drained()
                assert ann.heard == [f"turn {turn}"]


async def test_a_face_that_is_behind_holds_nobody_up_and_hears_everything(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        ann.paused = True
        for start in range(0, 5000, 500):
            await session.send_many([Text(f"{n}") for n in range(start, start + 500)])
        await session.drained()
        assert len(ann.heard) < 5000
        ann.resume()
        assert await ann.wait_heard(5000) == [f"{n}" for n in range(5000)]


async def test_a_withdrawn_message_is_never_heard(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        session = bob.node.session(ANN.peer_id)
        doomed = await session.post(Text("oh no"))
        kept = await session.post(Text("yes"))
        late = await session.post(Text("too old"), expires_ms=session.now_ms() + 1000)
        assert await session.unsend(doomed) is Withdrawal.WITHDRAWN
        assert await session.unsend(UUID(int=7)) is Withdrawal.UNKNOWN
        assert (await bob.wait_state("failed", late)).reason == "expired"
        assert trio.current_time() < 2  # nobody had to come for that
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await bob.wait_state("delivered", kept)
        assert (await bob.wait_state("failed", doomed)).reason == "withdrawn"
        assert await session.unsend(kept) is Withdrawal.UNKNOWN
        assert await ann.wait_heard(1) == ["yes"]


async def test_receipts_and_names_are_kept_with_what_they_are_about(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        await ann.node.listen(HOME)
        to_ann = await bob.node.dial(HOME)
        said = await to_ann.post(Text("hi"))
        await ann.wait_heard(1)
        to_bob = ann.node.sessions[0]
        await to_bob.send_many([Read(said.bytes), Profile("ann")])
        await bob.wait_state("read", said)
        await to_bob.drained()
        assert to_ann.name == "ann"
        assert await states(bob, ANN.peer_id) == [(True, "read")]


async def test_a_key_says_a_message_once(network: Network, tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
        one = await bob.node.session(ANN.peer_id).post(Text("pay 5"), key="invoice 7")
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
        assert await bob.node.session(ANN.peer_id).post(Text("pay 5"), key="invoice 7") == one
        assert await bob.node.session(ANN.peer_id).unsaid() == 1


# ---- several processes of one profile: one identity and one directory, and dice of their own


async def test_two_processes_of_a_profile_share_one_link(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as second,
    ):
        await ann.node.listen(HOME)
        async with open_peer(network, seed=3, identity=BOB, directory=tmp_path / "bob") as first:
            one = await first.node.dial(HOME)
            await one.send("from the first")
            other = await second.node.dial(HOME)
            await second.wait_for(events.Elsewhere)
            assert other.elsewhere
            assert len(network.dials) == 1  # the pin tells whom the address leads to, and the first one has that peer
            said = await other.post(Text("from the second"))
            await second.wait_state("delivered", said)
            assert await ann.wait_heard(2) == ["from the first", "from the second"]
            await ann.node.sessions[0].send("to both")
            assert await first.wait_heard(1) == await second.wait_heard(1) == ["to both"]
            elsewhere = await first.wait_for(events.SaidElsewhere)
            assert [message.id for message in elsewhere.messages] == [said]
        # The one with the link is gone: the other one takes the lock and dials.
        await second.wait_for(events.Connected)
        await other.send("alone now")
        assert await ann.wait_heard(3) == ["from the first", "from the second", "alone now"]


async def test_a_link_that_comes_to_another_process_is_left_to_it(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as listener,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
        open_peer(network, seed=3, identity=ANN, directory=tmp_path / "ann") as dialer,
    ):
        await listener.node.listen(HOME)
        back = Address("memory", "bob")
        await bob.node.listen(back)
        going = await dialer.node.dial(back)
        await going.send("one")
        coming = await bob.node.dial(HOME)  # the newer link wins, whichever process it leads to
        await dialer.wait_for(events.Elsewhere)
        said = await going.post(Text("two"))
        await dialer.wait_state("delivered", said)
        assert await bob.wait_heard(2) == ["one", "two"]
        await coming.send("three")
        assert await listener.wait_heard(1) == await dialer.wait_heard(1) == ["three"]
        gone = [event for event in dialer.told if isinstance(event, events.Disconnected)]
        assert gone == []


# ---- a disk that refuses

LONG = "x" * 300_000  # more than the pages have room for that are there already


@contextmanager
def full_disk(store: Store | None) -> Iterator[None]:
    """Let the file of `store` grow no more."""
    assert store is not None
    connection = store._writer.connection
    connection.execute("PRAGMA max_page_count = 1")  # no less than there are
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


async def test_what_the_disk_does_not_take_is_not_accepted_and_the_next_one_is(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        with full_disk(bob.node.store), pytest.raises(StoreError, match="no room"):
            await session.send(LONG)
        await session.send("accepted")
        assert await ann.wait_heard(1) == ["accepted"]


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)
        await ann.wait_for(events.Connected)
        with full_disk(ann.node.store):
            await session.send(LONG)
            gone = await bob.wait_for(events.Disconnected)
            assert gone.code == CloseCode.STORE_FAILED
            assert session.has_unsaid
            assert bob.node.store
            await bob.node.store.flush()
            (waiting,) = await bob.node.store.read(queue.waiting)
            story = await bob.node.store.read(partial(timeline.why, own=bob.node.id, message_id=waiting.id))
            assert story
            assert story.newest
            assert gone.reason == story.newest.reason == "the other side cannot store what we say"
        notice = await ann.wait_for(events.Notice)
        assert "no room" in notice.text
        await session.drained()
        assert await ann.wait_heard(1) == [LONG]


@pytest.mark.parametrize("turn", range(8))  # the tasks take their turns in another order each time
async def test_two_who_dial_each_other_at_once_agree_on_one_link(
    network: Network, tmp_path: Path, autojump_clock: MockClock, turn: int
) -> None:
    back = Address("memory", f"bob {turn}")
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        await ann.node.listen(HOME)
        await bob.node.listen(back)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ann.node.dial, back)
            nursery.start_soon(bob.node.dial, HOME)
        await ann.node.session(BOB.peer_id).send("one")
        await bob.node.session(ANN.peer_id).send("two")
        assert await ann.wait_heard(1) == ["two"]
        assert await bob.wait_heard(1) == ["one"]
        await trio.sleep(30)
        assert len(network.dials) == 2
        assert sum(not end.closed for ends in network.wires for end in ends) == 2


async def test_a_full_disk_is_told_once_in_a_while_and_not_at_each_link(
    network: Network, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
    ):
        await ann.node.listen(HOME)
        session = await bob.node.dial(HOME)

        def told() -> int:
            return sum(isinstance(event, events.Notice) and "no room" in event.text for event in ann.told)

        with full_disk(ann.node.store):
            await session.send(LONG)
            await bob.wait_for(events.Disconnected, count=4)
            assert told() == 1
            await trio.sleep(SAY_AGAIN * 1.5)
            assert told() == 2
        await session.drained()
        with full_disk(ann.node.store):
            await session.send(LONG)
            await trio.sleep(SAY_AGAIN / 2)
            assert told() == 3


@pytest.mark.parametrize("by_peer", [True, False])
def test_a_dial_that_a_store_has_ended_is_told_in_words(*, by_peer: bool) -> None:
    end = LinkEnd(reason="no", code=CloseCode.STORE_FAILED, by_peer=by_peer)
    told = "tcp:box:7272 ended the connection: no" if by_peer else "tcp:box:7272: no"
    assert str(failures.of_dial(Address("tcp", "box:7272"), PeerId(bytes(32)), end, proved=True)) == told
