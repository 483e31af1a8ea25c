"""Two people behind one address: what counts is the key, for who dials them and for whom they dial."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from trio.testing import MockClock

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import UntrustedPeer
from p2pchat.node import events
from p2pchat.store import pins
from p2pchat.store.database import Database
from tests.support.peers import HOME, Network, open_peer

ANN, CAROL = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 4))


def pinned(directory: Path) -> PeerId | None:
    with closing(Database.open(directory / "history.db", wall=lambda: 0.0)) as db:
        return pins.peer_at(db, str(HOME))


async def test_who_is_dialed_there_second_is_refused_until_somebody_decides(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Ann's laptop leaves and Carol's gets its address: nobody is talked to by mistake, and the pin stays Ann's."""
    network = Network()
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
        async with open_peer(network, seed=1, directory=tmp_path / "ann") as ann:
            await ann.node.listen(HOME)
            session = await bob.node.dial(HOME)
            await session.leave()
        async with open_peer(network, seed=4, directory=tmp_path / "carol") as carol:
            await carol.node.listen(HOME)
            with pytest.raises(UntrustedPeer, match="somebody else answers"):
                await bob.node.dial(HOME)
            assert carol.told == [events.Listening(address=HOME)]
            assert pinned(tmp_path / "bob") == ANN


async def test_whose_id_is_known_is_reached_there_and_the_pin_is_not_moved(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """With Carol's link, Carol is reached at the address where Ann is expected; a plain dial still wants Ann."""
    network = Network()
    async with open_peer(network, seed=2, directory=tmp_path / "bob") as bob:
        async with open_peer(network, seed=1, directory=tmp_path / "ann") as ann:
            await ann.node.listen(HOME)
            await (await bob.node.dial(HOME)).leave()
        async with open_peer(network, seed=4, directory=tmp_path / "carol") as carol:
            await carol.node.listen(HOME)
            session = await bob.node.dial(HOME, expected=CAROL)
            await session.send("for Carol")
            assert await carol.wait_heard(1) == ["for Carol"]
            await session.leave()
            with pytest.raises(UntrustedPeer, match="somebody else answers"):
                await bob.node.dial(HOME)
    assert pinned(tmp_path / "bob") == ANN


async def test_who_dials_from_there_is_told_apart_by_key(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Both come from the same place, in turns and at once: two conversations, nothing of one in the other."""
    network = Network()
    async with (
        open_peer(network, seed=1, directory=tmp_path / "ann") as ann,
        open_peer(network, seed=2, directory=tmp_path / "bob") as bob,
        open_peer(network, seed=4, directory=tmp_path / "carol") as carol,
    ):
        await ann.node.listen(HOME)
        for peer in (bob, carol):
            await (await peer.node.dial(HOME)).send(f"I am {peer.node.id}")
        await ann.wait_heard(2)
        said = {
            event.session.peer: message.body.text  # type: ignore[union-attr]
            for event in ann.told
            if isinstance(event, events.MessagesReceived)
            for message in event.messages
        }
        assert said == {peer.node.id: f"I am {peer.node.id}" for peer in (bob, carol)}
    assert pinned(tmp_path / "ann") is None
