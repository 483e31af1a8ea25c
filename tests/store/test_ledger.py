"""The ledger in a database keeps the contract, within one job and over several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from p2pchat.protocol.ledger import Ledger
from p2pchat.store.database import Database
from tests.store.ledger_contract import LedgerContract, messages, seen_at
from tests.support.stored import Reread, in_memory, ledger


@pytest.fixture
def database() -> Iterator[Database]:
    database = in_memory()
    with database.transaction():
        yield database
    database.close()


class TestSqlLedger(LedgerContract):
    durable = True

    @pytest.fixture(autouse=True)
    def _database(self, database: Database) -> None:
        self.database = database

    def make(self, epoch: bytes) -> Ledger:
        return ledger(self.database, epoch=epoch)


class TestSqlLedgerOverSeveralJobs(TestSqlLedger):
    def make(self, epoch: bytes) -> Ledger:
        return cast("Ledger", Reread(self.database, ledger(self.database, epoch=epoch)))

    def test_an_id_is_new_once(self, ledger: Ledger) -> None:
        """The ids of messages are known by their rows; what was entered and not taken is undone with its job."""
        ids = [number.to_bytes(16) for number in range(1, 200)]
        assert list(ledger.enter(ids)) == ids
        ledger.take(seen_at(3), messages(1, 100, 199))
        assert set(ledger.enter(ids)) == set(ids) - {ids[0], ids[99], ids[198]}

    def test_what_is_not_confirmed_can_be_undone_but_its_ids_stay_known(self, ledger: Ledger) -> None:
        mark = ledger.take(seen_at(1), messages(1))
        ledger.rewind()
        ledger.confirm(mark)
        assert ledger.seen == seen_at(1)
        assert list(ledger.enter([(1).to_bytes(16)])) == []
