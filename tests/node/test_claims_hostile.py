"""Codes and peers that do not play by the rules, frame by frame: none of them gets further than its proof."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from p2pchat.crypto.codes import Code
from p2pchat.crypto.identity import Identity
from p2pchat.errors import CodeFailed, LinkLost, NotLetIn, P2PChatError, RemoteProtocolError, StoreFull
from p2pchat.node import events
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.protocol.events import Event
from p2pchat.protocol.invites import CLAIM, NO_TAG, Claimant, Issuer
from p2pchat.store.contacts import Trust
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import (
    Close,
    Frame,
    Hello,
    PakeClaim,
    PakeConfirm,
    PakeReply,
    PakeResult,
    Resume,
)
from tests.support.framing import HELLO, RESUME
from tests.support.peers import HOME, Network, Peer, open_peer
from tests.support.visitors import Host, Visitor

ANN = Identity.from_seed(bytes([1]) * 32).peer_id
EVE = Identity.from_seed(bytes([66]) * 32)
CLAIMING = Hello("test/1", [CLAIM], 4096, 2**20, "eve")
SHARE = bytes([9]) + bytes(31)  # X25519's base point: as good a share as any
SLOT = 1  # of the first code


def settings(accept: Accept) -> NodeSettings:
    return NodeSettings(accept=accept, name="ann")


@asynccontextmanager
async def home(directory: Path, accept: Accept = Accept.ANYONE) -> AsyncIterator[tuple[Network, Peer]]:
    """Ann, who listens, and keeps what she knows."""
    network = Network()
    async with open_peer(network, seed=1, directory=directory, settings=settings(accept)) as ann:
        await ann.node.listen(HOME)
        yield network, ann


async def visit(network: Network, *said: Frame) -> Visitor:
    """Return Eve, who has shaken hands and said that, and nothing else."""
    visitor = Visitor(await network.connect(HOME), EVE)
    await visitor.shake_hands()
    await visitor.say(*said)
    return visitor


def claimant(visitor: Visitor, code: Code) -> Claimant:
    return Claimant(code, binding=visitor.connection.binding, own=EVE.peer_id, peer=ANN, entropy=bytes)


def heard_by(visitor: Visitor) -> list[str]:
    return [type(event).__name__ for event in visitor.told if isinstance(event, Frame)]


async def until(visitor: Visitor, kind: type[Event]) -> list[str]:
    """Return the names of all frames that were heard when one of `kind` came."""
    with trio.fail_after(1000):
        await visitor.hear(lambda event: isinstance(event, kind))
    return heard_by(visitor)


async def code_of(visitor: Visitor) -> CloseCode:
    """Return the code of the CLOSE that ends the link."""
    with trio.fail_after(1000):
        close = await visitor.hear(lambda event: isinstance(event, Close))
    assert isinstance(close, Close)
    return CloseCode(close.code)


async def refuse(*args: object, **kwargs: object) -> None:
    """Be a disk without room."""
    await trio.lowlevel.checkpoint()
    raise StoreFull("the disk is full")


def told(peer: Peer) -> list[str]:
    """What Ann was warned of."""
    return [event.reason.partition(":")[0] for event in peer.told if isinstance(event, events.ClaimFailed)]


# ---- visitors


async def test_with_a_code_in_play_nothing_leaves_before_the_proof(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Not even where anyone is let in, and whatever the visitor says besides."""
    async with home(tmp_path) as (network, ann):
        code = Code(SLOT, (await ann.node.invite(60)).secret)
        visitor = await visit(network, CLAIMING, RESUME)
        await trio.sleep(9)
        run = claimant(visitor, code)
        await visitor.say(run.claim())
        assert await until(visitor, PakeReply) == ["Hello", "PakeReply"]
        await trio.sleep(9)
        (reply,) = [event for event in visitor.told if isinstance(event, PakeReply)]
        confirm = run.replied(reply)
        assert run.holds
        await trio.sleep(0.5)
        assert ann.node.contacts.trust(EVE.peer_id) is Trust.NEW
        await visitor.say(confirm)
        assert await until(visitor, Resume) == ["Hello", "PakeReply", "PakeResult", "Resume"]
        assert visitor.told.count(PakeResult(SLOT, ok=True)) == 1
        assert ann.node.contacts.trust(EVE.peer_id) is Trust.VERIFIED
        await ann.wait_for(events.Connected)


@pytest.mark.parametrize("accept", list(Accept), ids=lambda accept: accept.value)
async def test_who_announces_a_claim_and_makes_none_is_judged_like_anybody(
    tmp_path: Path, accept: Accept, autojump_clock: MockClock
) -> None:
    async with home(tmp_path, accept) as (network, ann):
        visitor = await visit(network, CLAIMING, RESUME)
        await trio.sleep(9.5)
        assert ann.node.gate.half_open == 1  # it costs a place there for as long
        assert ann.told == [events.Listening(address=HOME)]
        await trio.sleep(1)
        assert ann.node.gate.half_open == 0
        if accept is Accept.ANYONE:
            assert await until(visitor, Resume) == ["Hello", "Resume"]
            return
        stranger = await ann.wait_for(events.Stranger)
        assert (stranger.peer, stranger.waiting) == (EVE.peer_id, accept is Accept.ASK)
        if accept is Accept.ASK:
            assert await ann.node.accept(EVE.peer_id)
            await until(visitor, Resume)
        else:
            assert await code_of(visitor) == CloseCode.NOT_AUTHORIZED


async def test_a_stranger_that_waits_for_a_person_may_claim_meanwhile(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with home(tmp_path, Accept.ASK) as (network, ann):
        code = Code(SLOT, (await ann.node.invite(600)).secret)
        visitor = await visit(network, HELLO, RESUME)
        await ann.wait_for(events.Stranger)
        await trio.sleep(60)
        run = claimant(visitor, code)
        await visitor.say(run.claim())
        await until(visitor, PakeReply)
        (reply,) = [event for event in visitor.told if isinstance(event, PakeReply)]
        await visitor.say(run.replied(reply))
        await until(visitor, Resume)
        assert not len(ann.node.waiting_room)
        assert not await ann.node.accept(EVE.peer_id)


async def test_who_is_blocked_gets_no_wait_and_makes_no_event(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with home(tmp_path) as (network, ann):
        await ann.node.block(EVE.peer_id)
        began = trio.current_time()
        visitor = await visit(network, CLAIMING, PakeClaim(SLOT, SHARE))
        assert await until(visitor, Close) == ["Hello", "Close"]
        assert visitor.told[-1] == Close(CloseCode.NOT_AUTHORIZED)
        assert trio.current_time() == began
        await trio.sleep(60)
        assert ann.told == [events.Listening(address=HOME)]


@pytest.mark.parametrize(
    ("said", "closed"),
    [
        ([PakeClaim(SLOT, SHARE), PakeClaim(SLOT, SHARE)], CloseCode.PROTOCOL),
        ([PakeConfirm(SLOT, NO_TAG)], CloseCode.PROTOCOL),
        ([PakeClaim(SLOT, SHARE), PakeConfirm(SLOT, NO_TAG)], CloseCode.PROTOCOL),
        ([PakeReply(SLOT, SHARE, NO_TAG)], CloseCode.PROTOCOL),
        ([PakeResult(SLOT, ok=True)], CloseCode.PROTOCOL),
        ([PakeClaim(SLOT, bytes(32))], CloseCode.PROTOCOL),
        ([PakeClaim(SLOT, SHARE)], CloseCode.TIMEOUT),
    ],
    ids=["twice", "confirm alone", "confirm too soon", "reply", "result", "bad share", "no confirm"],
)
async def test_a_claim_out_of_order_ends_the_link(
    tmp_path: Path, said: list[Frame], closed: CloseCode, autojump_clock: MockClock
) -> None:
    async with home(tmp_path) as (network, ann):
        await ann.node.invite(600)
        visitor = await visit(network, CLAIMING, *said)
        assert await code_of(visitor) == closed
        assert trio.current_time() <= 12
        await trio.sleep(2)
        assert not ann.node.sessions
        assert ann.node.gate.half_open == 0
        assert len(told(ann)) == isinstance(said[0], PakeClaim)


async def test_who_learns_that_it_was_wrong_and_leaves_is_told_of(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with home(tmp_path) as (network, ann):
        await ann.node.invite(600)
        visitor = await visit(network, CLAIMING, PakeClaim(SLOT, SHARE))
        await until(visitor, PakeReply)
        network.cut()
        await ann.wait_for(events.ClaimFailed)
        assert told(ann) == ["it claimed a code of yours and left before it had proven that it knows it"]


async def test_claims_of_nothing_do_not_fill_the_screen(tmp_path: Path, autojump_clock: MockClock) -> None:
    """And hide no guess at a code that is there."""
    async with home(tmp_path) as (network, ann):
        for slot in range(100, 110):
            visitor = await visit(network, CLAIMING, PakeClaim(slot, SHARE))
            await until(visitor, PakeReply)
            await visitor.say(PakeConfirm(slot, NO_TAG))
            assert await code_of(visitor) == CloseCode.NOT_AUTHORIZED
            assert PakeResult(slot, ok=False) in visitor.told
        await ann.node.invite(600)
        visitor = await visit(network, CLAIMING, PakeClaim(SLOT, SHARE))
        await until(visitor, PakeReply)
        await visitor.say(PakeConfirm(SLOT, NO_TAG))
        await code_of(visitor)
        await trio.sleep(1)
        assert told(ann) == ["it claimed a code that is not there"] * 3 + [
            "it claimed a code of yours and did not know it"
        ]


async def test_where_the_disk_refuses_to_count_nobody_gets_an_answer(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home(tmp_path) as (network, ann):
        await ann.node.invite(600)
        monkeypatch.setattr(ann.node.contacts, "write", refuse)
        visitor = await visit(network, CLAIMING, PakeClaim(SLOT, SHARE))
        assert await until(visitor, Close) == ["Hello", "Close"]
        assert visitor.told[-1] == Close(CloseCode.STORE_FAILED)


async def test_where_the_disk_refuses_to_burn_nobody_is_told_that_it_was_right(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with home(tmp_path) as (network, ann):
        code = Code(SLOT, (await ann.node.invite(600)).secret)
        visitor = await visit(network, CLAIMING)
        run = claimant(visitor, code)
        await visitor.say(run.claim())
        await until(visitor, PakeReply)
        (reply,) = [event for event in visitor.told if isinstance(event, PakeReply)]
        monkeypatch.setattr(ann.node.contacts, "write", refuse)
        await visitor.say(run.replied(reply))
        assert await until(visitor, Close) == ["Hello", "PakeReply", "Close"]
        assert visitor.told[-1] == Close(CloseCode.STORE_FAILED)
        assert ann.node.contacts.trust(EVE.peer_id) is Trust.NEW


# ---- hosts


async def receive(network: Network, *said: Frame, secret: str) -> list[str]:
    """Be a host that answers a claim, says `said`, and nothing more; return what it heard."""
    (listener,) = await network.listen(HOME)
    async with listener:
        host = Host(await listener.accept(), EVE)
        await host.shake_hands()
        await host.say(CLAIMING)
        await until(host, PakeClaim)
        (claim,) = [event for event in host.told if isinstance(event, PakeClaim)]
        assert host.connection.peer is not None
        issuer = Issuer(binding=host.connection.binding, own=EVE.peer_id, peer=host.connection.peer, entropy=bytes)
        issuer.claimed(claim)
        reply = issuer.reply(secret)
        await host.say(*(reply if isinstance(frame, PakeReply) else frame for frame in said))
        with trio.move_on_after(100):
            await until(host, Close)
        return heard_by(host)


REPLY = PakeReply(SLOT, SHARE, NO_TAG)  # stands for the right one
RIGHT, WRONG = "a-b", "c-d"


class Case(NamedTuple):
    """What a host says once it was claimed from, and what becomes of it."""

    secret: str
    said: list[Frame]
    error: type[P2PChatError]
    heard: list[str]  # by the host, after HELLO and PAKE_CLAIM


CASES = {
    "wrong tag": Case(WRONG, [RESUME, REPLY, PakeResult(SLOT, ok=True)], CodeFailed, ["PakeConfirm", "Close"]),
    "wrong tag, then resume": Case(WRONG, [REPLY, RESUME], CodeFailed, ["PakeConfirm", "Close"]),
    "no result": Case(RIGHT, [RESUME, REPLY], NotLetIn, ["PakeConfirm", "Close"]),
    "no reply": Case(RIGHT, [RESUME], NotLetIn, ["Close"]),
    "result too soon": Case(RIGHT, [REPLY, PakeResult(SLOT, ok=False)], RemoteProtocolError, ["Close"]),
    "result alone": Case(RIGHT, [PakeResult(SLOT, ok=True)], RemoteProtocolError, ["Close"]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_claimant_says_no_more_than_it_must(tmp_path: Path, case: Case, autojump_clock: MockClock) -> None:
    """A host without the code may accept anybody: nothing of ours reaches it, and it is expected nowhere."""
    network = Network()
    heard: list[str] = []

    async def host() -> None:
        heard.extend(await receive(network, *case.said, secret=case.secret))

    async with open_peer(network, seed=2, directory=tmp_path) as bob, trio.open_nursery() as nursery:
        nursery.start_soon(host)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(case.error):
            await bob.node.dial(HOME, code=Code(SLOT, RIGHT))
        is_proven = case.secret == RIGHT and REPLY in case.said
        assert bob.node.contacts.trust(EVE.peer_id) is (Trust.VERIFIED if is_proven else Trust.NEW)
        assert await bob.node.pinned(HOME) == (EVE.peer_id if is_proven else None)
        assert not bob.node.sessions
    assert heard == ["Hello", "PakeClaim", *case.heard]


async def test_what_cannot_be_remembered_is_not_confirmed(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network()
    heard: list[str] = []

    async def host() -> None:
        heard.extend(await receive(network, REPLY, secret=RIGHT))

    async with open_peer(network, seed=2, directory=tmp_path) as bob, trio.open_nursery() as nursery:
        nursery.start_soon(host)
        await trio.testing.wait_all_tasks_blocked()
        monkeypatch.setattr(bob.node.contacts, "write", refuse)
        with pytest.raises(LinkLost, match="the disk is full"):
            await bob.node.dial(HOME, code=Code(SLOT, RIGHT))
    assert heard == ["Hello", "PakeClaim", "Close"]


async def test_a_guest_refuses_as_the_profile_does(autojump_clock: MockClock) -> None:
    """It has no store, so it gives out no codes, and whatever is claimed is not there."""
    network = Network()
    async with open_peer(network, seed=1, settings=settings(Accept.ANYONE)) as ann:
        await ann.node.listen(HOME)
        with pytest.raises(P2PChatError, match="a guest gives out no codes"):
            await ann.node.invite(60)
        visitor = await visit(network, CLAIMING, PakeClaim(SLOT, SHARE))
        await until(visitor, PakeReply)
        await visitor.say(PakeConfirm(SLOT, NO_TAG))
        assert await code_of(visitor) == CloseCode.NOT_AUTHORIZED
