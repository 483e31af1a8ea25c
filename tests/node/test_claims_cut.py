"""Claims that are cut off: whatever ends when, nobody is trusted by half."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from trio.testing import MockClock

from p2pchat.crypto.identity import Identity
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store.contacts import Trust
from p2pchat.store.database import Database
from tests.support.acquainted import invited, pinned, trust
from tests.support.peers import HOME, Network, open_peer
from tests.support.steps import NEVER, cancelled_at

ANN, BOB = (Identity.from_seed(bytes([seed]) * 32).peer_id for seed in (1, 2))
KNOWN = NodeSettings(accept=Accept.KNOWN)


async def claim(directory: Path, note: Callable[[], None]) -> None:
    """Bob dials Ann with a code; `note` is called before and after."""
    network = Network()
    directory.mkdir()
    async with (
        open_peer(network, seed=1, directory=directory / "ann", settings=KNOWN) as one,
        open_peer(network, seed=2, directory=directory / "bob") as other,
    ):
        await one.node.listen(HOME)
        code = await invited(one.node)
        note()
        await other.node.dial(HOME, code=code)
        note()


async def test_whoever_ends_at_any_step_nobody_is_trusted_by_half(tmp_path: Path, autojump_clock: MockClock) -> None:
    """Both programs end: the code is burnt if and only if Bob comes in, and whom he expects has proven itself."""
    marks: list[int] = []
    with cancelled_at(NEVER) as instrument:
        await claim(tmp_path / "whole", lambda: marks.append(NEVER - instrument.left))
    seen = set()
    begin, end = marks
    for step in range(begin, end, 6):
        directory = tmp_path / f"{step}"
        with cancelled_at(step):
            await claim(directory, lambda: None)
        with closing(Database.open(directory / "ann" / "history.db", wall=lambda: 0.0)) as db:
            attempts = [attempts for (attempts,) in db.connection.execute("SELECT attempts FROM invites")]
        anns, bobs = trust(directory / "ann", BOB), trust(directory / "bob", ANN)
        assert pinned(directory / "bob") == (ANN if bobs is Trust.VERIFIED else None)
        assert anns is Trust.NEW or (bobs is Trust.VERIFIED and attempts == [])
        assert bobs is Trust.NEW or anns is Trust.VERIFIED or attempts == [1]
        seen.add((anns, bobs))
    assert seen == {(Trust.NEW, Trust.NEW), (Trust.NEW, Trust.VERIFIED), (Trust.VERIFIED, Trust.VERIFIED)}
