"""Somebody in the middle, with a key of its own, who shakes hands with both sides and passes on what they say.

What it can do at a plain first contact is told here, too: nothing in a protocol can keep it from that, and people are
told so (docs/explanation/trust.md).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from p2pchat.address import Address
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import UntrustedPeer
from p2pchat.node import events
from p2pchat.store import pins
from p2pchat.store.database import Database
from p2pchat.wire.frames import Frame, Msg
from tests.support.middle import Middle
from tests.support.peers import HOME, Network, Peer, open_peer

ANN, BOB = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2))
MALLORY = Identity.from_seed(bytes([66]) * 32)
REAL = Address("memory", "real")  # where Ann is; HOME is where Bob believes her to be


@asynccontextmanager
async def between(directory: Path, *, pinned: PeerId | None = None) -> AsyncIterator[tuple[Peer, Peer, Middle]]:
    """Ann, who listens; Bob, who dials HOME; and Mallory, who answers there."""
    network = Network()
    for name in ("ann", "bob"):
        (directory / name).mkdir()
    if pinned is not None:
        expect(directory / "bob", pinned)
    async with (
        open_peer(network, seed=1, directory=directory / "ann") as ann,
        open_peer(network, seed=2, directory=directory / "bob") as bob,
        trio.open_nursery() as nursery,
    ):
        await ann.node.listen(REAL)
        middle = Middle(network, MALLORY, at=HOME, towards=REAL)
        await nursery.start(middle.run)
        yield ann, bob, middle
        nursery.cancel_scope.cancel()


def expect(directory: Path, peer: PeerId) -> None:
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db, db.transaction():
        pins.move(db, str(HOME), peer)


def pinned_at_home(directory: Path) -> PeerId | None:
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return pins.peer_at(db, str(HOME))


async def test_at_a_plain_first_contact_it_reads_everything(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The promise that is not made."""
    async with between(tmp_path) as (ann, bob, middle):
        session = await bob.node.dial(HOME)
        await session.send("the secret")
        assert await ann.wait_heard(1) == ["the secret"]
        assert middle.read == ["the secret"]
        assert middle.met == [BOB]


async def test_at_a_plain_first_contact_it_can_change_what_is_said(tmp_path: Path, autojump_clock: MockClock) -> None:
    """And so is this one: who holds both ends is the peer, to both."""

    def lie(frame: Frame) -> Frame:
        if not isinstance(frame, Msg):
            return frame
        (entry,) = frame.entries
        return Msg(frame.first, [msgspec.structs.replace(entry, body=b"\x93\xa2no\xc0\xc2")])

    async with between(tmp_path) as (ann, bob, middle):
        middle.alter = lie
        session = await bob.node.dial(HOME)
        await session.send("yes")
        assert await ann.wait_heard(1) == ["no"]


async def test_fingerprints_tell_it_from_whom_they_mean(tmp_path: Path, autojump_clock: MockClock) -> None:
    """What both screens show differs from what both owners read out."""
    async with between(tmp_path) as (ann, bob, _):
        session = await bob.node.dial(HOME)
        met = (await ann.wait_for(events.Connected)).session
        assert session.peer.fingerprint == met.peer.fingerprint == MALLORY.peer_id.fingerprint
        assert MALLORY.peer_id.fingerprint not in {ANN.fingerprint, BOB.fingerprint}
        told = [event.text for event in bob.told if isinstance(event, events.Notice)]
        assert any(MALLORY.peer_id.fingerprint in text for text in told)  # to be compared by voice


@pytest.mark.parametrize("how", ["pin", "id"])
async def test_where_a_key_is_expected_it_learns_nothing(tmp_path: Path, how: str, autojump_clock: MockClock) -> None:
    """Refused before message C: it sees keys made for this one connection, and nobody is dialed in Bob's name."""
    async with between(tmp_path, pinned=ANN if how == "pin" else None) as (ann, bob, middle):
        with pytest.raises(UntrustedPeer, match="somebody else answers at memory:home") as told:
            await bob.node.dial(HOME, expected=ANN if how == "id" else None)
        assert ANN.fingerprint in str(told.value)
        assert MALLORY.peer_id.fingerprint in str(told.value)
        assert middle.met == []
        assert middle.said_to_it == [1226]  # the preface and message A
        assert ann.told == [events.Listening(address=REAL)]
    assert pinned_at_home(tmp_path / "bob") == (ANN if how == "pin" else None)


async def test_once_somebody_is_pinned_it_comes_too_late(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A conversation that began without it goes on without it: the redial wants the same key."""
    network = Network()
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob, trio.open_nursery() as nursery:
        async with open_peer(network, seed=1, directory=tmp_path / "ann") as ann:
            await ann.node.listen(HOME)
            session = await bob.node.dial(HOME)
            await session.send("before")
            assert await ann.wait_heard(1) == ["before"]
        middle = Middle(network, MALLORY, at=HOME, towards=REAL)
        await nursery.start(middle.run)
        await session.send("for Ann alone")
        failed = await bob.wait_for(events.DialFailed)
        while failed.redial is not None:
            failed = await bob.wait_for(events.DialFailed, count=1 + bob.told.count(failed))
        assert isinstance(failed.error, UntrustedPeer)
        assert middle.met == []
        assert middle.read == []
        assert session.over
        nursery.cancel_scope.cancel()
    assert pinned_at_home(tmp_path / "bob") == ANN
