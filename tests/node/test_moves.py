"""The table of states is the truth about the store: its log tells these moves and no others, and all of them."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

from p2pchat.node.events import MOVES, State
from p2pchat.protocol import outbox
from p2pchat.protocol.assembly import Messages
from p2pchat.protocol.ledger import Seen
from p2pchat.store import guests, history, journal
from p2pchat.store.database import Database
from p2pchat.store.transaction import SqlTransaction
from p2pchat.wire import messages
from tests.support.delivery_pair import entry
from tests.support.stored import in_memory, ledger

READ, DELIVERED, SENT, WAITING, WITHDRAWN = range(1, 6)  # messages, by how far they come


def talk_with_a_guest(database: Database) -> None:
    """Say five messages, and wait too long for the guest to take those in the middle."""
    kept = ledger(database, peer=bytes(31) + b"\1")
    transaction = SqlTransaction(database, kept)
    with database.transaction():
        transaction.connected("tcp:box:7272", name="", guest=True)
        kept.append([entry(number) for number in (READ, DELIVERED, SENT, WAITING, WITHDRAWN)])
        assert outbox.void(kept, WITHDRAWN.to_bytes(16)) is outbox.Withdrawal.WITHDRAWN
        transaction.failed([WITHDRAWN.to_bytes(16)], "withdrawn")
        kept.hand(SENT)
        kept.drop(SENT, bytes(16 * SENT))
        kind, body = messages.encode_body(messages.Read(READ.to_bytes(16)))
        kept.take(Seen(epoch=b"theirs", seq=1, state=bytes(32)), Messages([1], [entry(9, body, kind=int(kind))]))
        kept.flush()
    database.connection.execute("UPDATE pairs SET met_ms = 0")
    database.forget()
    assert guests.expire(database) == 2


def moves(database: Database) -> dict[bytes, list[State]]:
    """Return the states of each message, as the log tells them."""
    found: dict[bytes, list[State]] = {}
    for record in journal.since(database, 0):
        match record.what:
            case journal.Said(mine=True, id=message_id):
                found[message_id] = [State.QUEUED]
            case journal.Became(state=state, ids=ids):
                for message_id in ids:
                    found[message_id].append(State(state))
    return found


def test_the_log_tells_all_moves_of_the_table_and_no_others() -> None:
    with closing(in_memory()) as database:
        talk_with_a_guest(database)
        told = moves(database)
        final = {row.id: State(row.state) for row in history.page(database)}
    taken = {pair for states in told.values() for pair in pairwise(states)}
    assert taken == {(before, after) for before, afters in MOVES.items() for after in afters}
    assert {message_id: states[-1] for message_id, states in told.items()} == final


def test_nobody_comes_back() -> None:
    """Every message has an end: no state leads to itself, and one that leads nowhere is final."""
    assert set(MOVES) == set(State)
    assert [state for state in State if state.leads_to(state)] == []
    assert {state for state in State if not MOVES[state]} == {State.READ, State.FAILED}
    assert [after for after in State if State.QUEUED.leads_to(after)] == list(State)[1:]
