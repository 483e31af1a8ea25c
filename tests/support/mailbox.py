"""A profile that sends, and what its runs of `send` come to: in one process, on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from p2pchat.cli import peers
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.cli.peers import Target
from p2pchat.cli.send_report import Report
from p2pchat.cli.sending import Sending, Wish
from p2pchat.cli.settings import Common
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.node import events
from p2pchat.node.node import open_node
from p2pchat.node.settings import Accept, NodeSettings
from p2pchat.store import pins, queue
from p2pchat.store.database import Database
from p2pchat.store.store import open_store
from tests.support.peers import HOME, Network, Peer, open_peer, virtual_env

ME = Identity.from_seed(bytes([9]) * 32)
ANN = Identity.from_seed(bytes([1]) * 32).peer_id  # who listens, usually


class Mailbox:
    """The profile, and what its newest run of `send` came to."""

    def __init__(self, network: Network, directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
        directory.mkdir()
        self.directory = directory
        self.network = network
        self.err = ""  # what the newest run said on standard error
        self.out = ""
        self.ids: list[UUID] = []  # of its messages
        self.notices: list[events.Notice] = []
        self._capfd = capfd
        self._seeds = count(100)

    def change(self, function: Callable[[Database], object]) -> None:
        """Change the store while nobody has it open, or as another process would."""
        with closing(Database.open(self.directory / "history.db", wall=lambda: 0.0)) as db, db.transaction():
            function(db)

    def expect(self, peer: PeerId = ANN) -> None:
        """Pin `peer` at the only address there is."""
        self.change(lambda db: pins.move(db, str(HOME), peer))

    def waiting(self) -> list[bytes]:
        """The ids of what waits."""
        with closing(Database.open(self.directory / "history.db", wall=lambda: 0.0)) as db:
            return [one.id for one in queue.waiting(db)]

    def target(self, word: str) -> Target:
        """Return whom `word` means here."""
        with closing(Database.open(self.directory / "history.db", wall=lambda: 0.0)) as db:
            return peers.resolve(word, db)

    @asynccontextmanager
    async def sending(self, wish: Wish, *, word: str = str(HOME)) -> AsyncIterator[Sending]:
        """What `posting.run` does, up to the run itself; the end is the report."""
        env = virtual_env(self.network, seed=next(self._seeds))
        target = self.target(word)
        async with (
            open_store(self.directory / "history.db", env=env) as store,
            open_node(ME, env=env, settings=NodeSettings(own_guest=False, flags=" -F"), store=store) as node,
        ):
            sending = Sending(node, store, target, wish, notice=self.notices.append)
            yield sending
            await sending.part()

    async def send(self, wish: Wish, *, word: str = str(HOME), common: Common | None = None) -> ExitCode:
        """Run `send`, and return its exit code."""
        async with self.sending(wish, word=word) as sending:
            await sending.run()
            told = await sending.told()
        self.ids = sending.ids
        try:
            return Report(wait=wish.wait, told=told, error=sending.error, flags=" -F").tell(common or Common())
        finally:
            self.out, self.err = self._capfd.readouterr()


@asynccontextmanager
async def listening(
    network: Network, directory: Path | None = None, *, seed: int = 1, **how: object
) -> AsyncIterator[Peer]:
    settings = NodeSettings(**({"accept": Accept.ANYONE} | how))  # type: ignore[arg-type]
    async with open_peer(network, seed=seed, directory=directory, settings=settings) as peer:
        await peer.node.listen(HOME)
        yield peer
