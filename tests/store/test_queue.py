"""What waits is told oldest first, and can be withdrawn until it has left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from p2pchat.crypto.identity import PeerId
from p2pchat.protocol import outbox
from p2pchat.protocol.ids import EntryIds
from p2pchat.protocol.outbox import Withdrawal
from p2pchat.store import journal, queue, timeline
from p2pchat.store.database import Database
from p2pchat.store.journal import Became
from p2pchat.store.ledger import SqlLedger
from p2pchat.store.transaction import SqlTransaction
from p2pchat.wire.frames import MAX_BODY
from p2pchat.wire.messages import Kind
from tests.support import stored
from tests.support.entropy import seeded

NOW = 1_795_348_800_000  # Unix milliseconds
ANN, BOB = PeerId(b"a" * 32), PeerId(b"b" * 32)


class Talk:
    """Our side of the conversation with one peer."""

    def __init__(self, db: Database, peer: PeerId, *, guest: bool = False) -> None:
        self.db = db
        self.ledger: SqlLedger = stored.ledger(db, peer=peer.key)
        self._ids = EntryIds(seeded(peer.key[0]))
        with db.transaction():
            SqlTransaction(db, self.ledger).connected("tcp:box:7272", name="somebody", guest=guest)
            self.ledger.flush()

    def say(self, body: bytes = b"hi", *, expires_ms: int | None = None, ref: str | None = None) -> bytes:
        with self.db.transaction():
            queued = outbox.enqueue(self.ledger, self._ids, (Kind.DATA, body), now_ms=NOW, expires_ms=expires_ms)
            SqlTransaction(self.db, self.ledger).tag(queued.id, key=None, ref=ref)
            self.ledger.flush()
        return queued.id

    def send(self, through: int) -> None:
        with self.db.transaction():
            self.ledger.hand(through)
            self.ledger.flush()

    def acknowledge(self, through: int) -> None:
        with self.db.transaction():
            outbox.acknowledged(self.ledger, through)
            self.ledger.flush()

    def unsend(self, message_id: bytes) -> Withdrawal:
        (named,) = timeline.find(self.db, message_id.hex())
        return queue.unsend(self.db, named)


@pytest.fixture
def db() -> Iterator[Database]:
    with closing(stored.in_memory()) as database:
        yield database


def waiting(db: Database, peer: PeerId | None = None) -> list[bytes]:
    return [one.id for one in queue.waiting(db, peer)]


def test_nothing_waits_in_an_empty_store(db: Database) -> None:
    assert waiting(db) == []


def test_what_waits_is_told_with_all_that_is_known(db: Database) -> None:
    talk = Talk(db, BOB, guest=True)
    first = talk.say(b"hi", ref="42")
    second = talk.say(b"longer", expires_ms=NOW + 1000)
    talk.send(1)
    one, two = queue.waiting(db)
    assert (one.cursor, one.id, one.own.key, one.peer) == (2, first, stored.OWN, BOB)
    assert (one.name, one.guest, one.ref, one.is_sent) == ("somebody", True, "42", True)
    assert (one.since_ms, one.size, one.expires_ms) == (NOW, 2, None)
    assert (two.id, two.ref, two.is_sent, two.size, two.expires_ms) == (second, None, False, 6, NOW + 1000)


def test_what_waits_for_several_peers_is_told_oldest_first(db: Database) -> None:
    ann, bob = Talk(db, ANN), Talk(db, BOB)
    said = [talk.say() for talk in (bob, ann, ann, bob)]
    assert waiting(db) == said
    assert waiting(db, ANN) == said[1:3]
    assert waiting(db, BOB) == [said[0], said[3]]
    assert waiting(db, PeerId(b"c" * 32)) == []


def test_more_than_a_page_waits(db: Database) -> None:
    ann, bob = Talk(db, ANN), Talk(db, BOB)
    said = [(ann if n % 3 else bob).say() for n in range(2 * queue.PAGE)]
    assert waiting(db) == said


def test_what_is_delivered_or_withdrawn_does_not_wait(db: Database) -> None:
    talk = Talk(db, BOB)
    said = [talk.say() for _ in range(3)]
    talk.send(1)
    talk.acknowledge(1)
    assert waiting(db) == said[1:]
    assert talk.unsend(said[1]) is Withdrawal.WITHDRAWN
    assert waiting(db) == said[2:]


def test_a_long_message_is_one_and_what_was_deleted_here_still_waits(db: Database) -> None:
    talk = Talk(db, BOB)
    long = talk.say(bytes(MAX_BODY + 5))
    assert [(one.id, one.size) for one in queue.waiting(db)] == [(long, MAX_BODY + 5)]
    db.connection.execute("UPDATE messages SET body = NULL")
    assert [(one.id, one.size) for one in queue.waiting(db)] == [(long, 5)]


def test_what_was_withdrawn_has_failed_in_the_log_once(db: Database) -> None:
    talk = Talk(db, BOB)
    message_id = talk.say(ref="42")
    assert talk.unsend(message_id) is Withdrawal.WITHDRAWN
    assert talk.unsend(message_id) is Withdrawal.WITHDRAWN
    assert journal.since(db, 2)[0].what == Became("failed", [message_id], ["42"], "withdrawn", 0)
    assert journal.newest(db) == 3
    told = timeline.why(db, PeerId(stored.OWN), message_id)
    assert told
    assert (told.state, told.reason) == ("failed", "withdrawn")


def test_it_is_too_late_once_a_link_has_a_piece_of_it(db: Database) -> None:
    talk = Talk(db, BOB)
    message_id = talk.say(bytes(MAX_BODY + 5))
    talk.send(1)
    assert talk.unsend(message_id) is Withdrawal.TOO_LATE
    assert waiting(db) == [message_id]
    talk.send(2)
    talk.acknowledge(2)
    assert talk.unsend(message_id) is Withdrawal.UNKNOWN
    assert journal.newest(db) == 4  # connected, queued, sent, delivered


def test_whoever_holds_the_conversation_sees_the_withdrawal(db: Database) -> None:
    talk = Talk(db, BOB)
    message_id = talk.say(b"secret")
    assert talk.unsend(message_id) is Withdrawal.WITHDRAWN
    db.forget()  # as at the next commit of another process
    assert [bytes(entry.body) for entry in talk.ledger.entries(1, 1)] == [b"\x90"]
    assert talk.ledger.head.waiting == 0
