"""The judges of stores in the simulated world: what is half done in one, or written by the wrong process, is told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from itertools import chain

import pytest

from p2pchat.store.schema import MIGRATIONS
from p2pchat.testing.judges.checker import Broken
from p2pchat.testing.judges.halves import WRONG, check_whole
from p2pchat.testing.judges.sessions import Fences
from p2pchat.testing.judges.watch import Standing

KEY = (b"me", b"you")
HERE = Standing(pair=1, gen=2, epoch=b"mine", base=5, next=9, handed=8, peer_epoch=b"theirs", peer_seen=7, waiting=4)

SOUND = """
    INSERT INTO pairs (pair, own, peer, epoch, base, next, handed, base_state, peer_state, waiting, parts, sent_through)
    VALUES (1, x'01', x'02', x'03', 5, 7, 5, x'', x'', 1, 1, 1);
    INSERT INTO messages (cursor, pair, mine, id, seq, kind, sent_ms, at_ms, opening)
    VALUES (1, 1, 1, x'0a', 4, 1, 0, 0, 1), (3, 1, 1, x'0b', 6, 1, 0, 0, 1);
    INSERT INTO outbox VALUES (1, 5, x'0b', 8, 0, x'', NULL, NULL, x''), (1, 6, x'0b', 1, 0, x'', 3, NULL, x'');
    INSERT INTO parts VALUES (1, 0, x'');
    INSERT INTO events (cursor, count, at_ms, kind, pair) VALUES (2, 1, 0, 'gap', 1);
"""


def store(*changes: str) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for statement in chain.from_iterable(MIGRATIONS):
        connection.execute(statement)
    connection.executescript(SOUND + ";".join(changes))
    return connection


def test_a_whole_store_is_no_trouble() -> None:
    check_whole("alice", store())


HALVES = {
    "an entry between the first and the last that wait is missing": "DELETE FROM outbox WHERE seq = 5",
    "an entry waits that was acknowledged, or has a number that was not given out yet": (
        "UPDATE outbox SET seq = 4 WHERE seq = 5"
    ),
    "the numbers of a log are not in order": "UPDATE pairs SET handed = 7",
    "not so many messages wait as are counted": "UPDATE pairs SET waiting = 2",
    "an entry waits whose message is not in the log, or has failed": "DELETE FROM messages WHERE cursor = 3",
    "not so many parts of a message are there as are counted": "DELETE FROM parts",
    "a message was delivered that was never sent": "UPDATE pairs SET delivered_through = 2",
    "two things have the same place in the log": "UPDATE events SET cursor = 1",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_half_done_is_told(wrong: str) -> None:
    with pytest.raises(Broken, match=f"HALF DONE: in the store of alice, {wrong}"):
        check_whole("alice", store(HALVES[wrong]))


def test_a_message_that_has_failed_does_not_wait() -> None:
    with pytest.raises(Broken, match="whose message is not in the log, or has failed"):
        check_whole("alice", store("UPDATE messages SET failed = 'expired' WHERE cursor = 3"))


def test_who_has_claimed_may_write_until_somebody_else_claims() -> None:
    fences, one, other = Fences("alice"), object(), object()
    fences.judge(one, {}, {KEY: replace(HERE, gen=1)})
    fences.judge(one, {KEY: replace(HERE, gen=1)}, {KEY: replace(HERE, gen=1, handed=9)})
    fences.judge(other, {KEY: replace(HERE, gen=1, handed=9)}, {KEY: replace(HERE, gen=2)})
    fences.judge(one, {KEY: HERE}, {KEY: replace(HERE, next=10, waiting=5)})  # whoever likes may say something
    with pytest.raises(Broken, match="NOT FENCED: alice: a process writes"):
        fences.judge(one, {KEY: HERE}, {KEY: replace(HERE, peer_seen=8)})


def test_the_mark_of_a_claim_never_goes_back() -> None:
    with pytest.raises(Broken, match="FENCE LOWERED: alice: 1 comes after 2"):
        Fences("alice").judge(object(), {KEY: HERE}, {KEY: replace(HERE, gen=1)})


def test_who_was_born_anew_has_to_claim_before_it_writes() -> None:
    fences = Fences("alice")
    fences.judge("the dead one", {KEY: HERE}, {KEY: replace(HERE, gen=3)})
    with pytest.raises(Broken, match="NOT FENCED"):
        fences.judge("the new one", {KEY: replace(HERE, gen=3)}, {KEY: replace(HERE, gen=3, base=6)})
