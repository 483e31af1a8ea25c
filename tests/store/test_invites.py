"""Invites: three attempts in all, whoever makes them and whatever dies; one success; nothing after the time is up."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from p2pchat.crypto.identity import PeerId
from p2pchat.errors import StoreCorrupt
from p2pchat.store import invites
from p2pchat.store.database import Database
from p2pchat.store.invites import LAST_ATTEMPT, MAX_ATTEMPTS
from p2pchat.store.store import Store, open_store
from tests.support.coded import ANN, BOB, MINUTES, WORDS, Clock, attempt, burn, create
from tests.support.peers import Network, virtual_env

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "history.db", wall=clock)) as db:
        yield db


def rows(db: Database) -> list[tuple[int, int]]:
    """Return what is in the table: slots, and how often each was tried."""
    return db.connection.execute("SELECT slot, attempts FROM invites ORDER BY slot").fetchall()


# ---- slots


def test_each_code_gets_the_smallest_slot_that_is_free(db: Database) -> None:
    assert [create(db, f"words-{n}") for n in range(1, 4)] == [1, 2, 3]
    assert burn(db, 2, "words-2")
    assert create(db, "again") == 2
    assert create(db, "more") == 4
    assert burn(db, 1, "words-1")
    assert create(db, "first") == 1
    assert [(invite.slot, invite.secret) for invite in invites.live(db)] == [
        (1, "first"),
        (2, "again"),
        (3, "words-3"),
        (4, "more"),
    ]


def test_what_was_made_is_what_is_kept(db: Database, clock: Clock) -> None:
    with db.transaction():
        made = invites.create(db, WORDS, lifetime_ms=MINUTES, for_peer=BOB)
    assert invites.live(db) == [made]
    assert (made.slot, made.secret, made.for_peer, made.attempts) == (1, WORDS, BOB, 0)
    assert made.expires_ms == clock.ms + MINUTES


def test_a_secret_is_in_no_log(db: Database) -> None:
    with db.transaction():
        made = invites.create(db, WORDS, lifetime_ms=MINUTES, for_peer=BOB)
    for text in (repr(made), str(made), f"{made}"):
        assert "otter" not in text
        assert "slot=1" in text


# ---- attempts


def test_three_attempts_and_no_fourth(db: Database) -> None:
    slot = create(db)
    assert MAX_ATTEMPTS == 3
    assert invites.tries_left(db, slot) == 3
    assert [attempt(db, slot) for _ in range(5)] == [WORDS, WORDS, WORDS, None, None]
    assert (invites.tries_left(db, slot), invites.tries_left(db, slot + 1)) == (0, None)
    assert invites.live(db) == []


def test_whoever_tries_it_is_the_same_three(db: Database) -> None:
    slot = create(db)
    assert [attempt(db, slot, peer) for peer in (ANN, BOB, ANN, BOB)] == [WORDS, WORDS, WORDS, None]


def test_a_slot_without_a_code_tells_nothing_and_counts_nothing(db: Database) -> None:
    slot = create(db)
    assert [attempt(db, other) for other in (0, 2, 2**32 - 1)] == [None] * 3
    assert rows(db) == [(slot, 0)]


def test_a_code_for_one_peer_is_none_for_others_who_cannot_use_it_up(db: Database) -> None:
    slot = create(db, for_peer=BOB)
    assert [attempt(db, slot, ANN) for _ in range(4)] == [None] * 4
    assert attempt(db, slot, BOB) == WORDS


def test_the_third_attempt_may_still_succeed(db: Database) -> None:
    slot = create(db)
    for _ in range(3):
        assert attempt(db, slot) == WORDS
    invites.expire(db)  # somebody looks meanwhile
    assert attempt(db, slot, BOB) is None
    assert burn(db, slot)
    assert rows(db) == []


def test_what_was_tried_for_the_last_time_goes_once_that_is_over(db: Database, clock: Clock) -> None:
    slot = create(db)
    for _ in range(3):
        attempt(db, slot)
    clock.ms += LAST_ATTEMPT - 1
    invites.expire(db)
    assert rows(db) == [(slot, 3)]
    assert create(db, "other") == slot + 1, "its slot is not given away meanwhile"
    clock.ms += 1
    invites.expire(db)
    assert rows(db) == [(slot + 1, 0)]


def test_an_attempt_that_is_rolled_back_had_no_reply_either(db: Database) -> None:
    slot = create(db)
    with suppress(ZeroDivisionError), db.transaction():
        invites.attempt(db, slot, ANN)
        raise ZeroDivisionError
    assert rows(db) == [(slot, 0)]


def test_an_attempt_costs_the_same_whatever_is_there(db: Database) -> None:
    """So the time until a reply does not tell which slots have a code; and nothing grows, whoever tries what."""
    live, foreign, spent = create(db), create(db, "for Bob", for_peer=BOB), create(db, "spent")
    for _ in range(MAX_ATTEMPTS):
        attempt(db, spent)
    db.connection.execute("PRAGMA wal_autocheckpoint = 0")
    log = db.path.with_name(f"{db.path.name}-wal")
    assert isinstance(db.connection, sqlite3.Connection)
    costs = []
    for slot in (live, foreign, spent, 77, 2**32 - 1):
        statements: list[str] = []
        before = log.stat().st_size
        db.connection.set_trace_callback(statements.append)
        attempt(db, slot)
        db.connection.set_trace_callback(None)
        verbs = [statement.split()[0] for statement in statements]
        costs.append((log.stat().st_size - before, verbs))
    assert costs == costs[:1] * 5
    assert costs[0][0] > 0
    assert costs[0][1].count("UPDATE") == 1
    size = db.one("PRAGMA page_count")
    for slot in range(100, 150):
        attempt(db, slot)
    assert db.connection.execute("SELECT attempts FROM misses").fetchall() == [(4 + 50,)]
    assert db.one("PRAGMA page_count") == size


# ---- one success


def test_a_code_works_once(db: Database) -> None:
    slot = create(db)
    assert attempt(db, slot, ANN) == attempt(db, slot, BOB) == WORDS
    assert burn(db, slot)
    assert not burn(db, slot), "who was second has used a dead code"
    assert attempt(db, slot) is None


def test_who_was_second_does_not_burn_the_next_code_in_that_slot(db: Database) -> None:
    slot = create(db)
    assert burn(db, slot)
    assert create(db, "next") == slot
    assert not burn(db, slot)
    assert attempt(db, slot) == "next"


# ---- time


def test_when_the_time_is_up_it_is_no_code(db: Database, clock: Clock) -> None:
    slot = create(db)
    clock.ms += MINUTES - 1
    assert attempt(db, slot) == WORDS
    clock.ms += 1
    assert invites.live(db) == []
    assert attempt(db, slot) is None
    assert rows(db) == []


def test_each_has_its_own_time(db: Database, clock: Clock) -> None:
    spoken, link = create(db), create(db, "a" * 26, lifetime_ms=24 * 3_600_000)
    clock.ms += MINUTES
    assert [invite.slot for invite in invites.live(db)] == [link]
    assert create(db, "next") == spoken


def test_the_dead_are_deleted_whoever_comes_next(db: Database, clock: Clock) -> None:
    for touch in (
        lambda: create(db, "next", lifetime_ms=0),
        lambda: attempt(db, 77),
        lambda: invites.expire(db),
    ):
        create(db)
        clock.ms += MINUTES
        touch()
        assert db.one("SELECT count(*) FROM invites WHERE secret = ?", (WORDS,)) == (0,)
    before = db.connection.execute("SELECT total_changes()").fetchone()
    invites.expire(db)
    invites.expire(db)
    assert db.connection.execute("SELECT total_changes()").fetchone() == before, "nothing is written for nothing"


def test_a_secret_that_is_dead_is_not_in_the_file(db: Database, clock: Clock) -> None:
    create(db)
    assert any(WORDS.encode() in path.read_bytes() for path in db.path.parent.glob("history.db*"))
    clock.ms += MINUTES
    invites.expire(db)
    db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not any(WORDS.encode() in path.read_bytes() for path in db.path.parent.glob("history.db*"))


# ---- several processes


GUESSING = """
import sys
from contextlib import closing
from pathlib import Path
from p2pchat.crypto.identity import PeerId
from p2pchat.store import invites
from p2pchat.store.database import Database

path, peer, slot, times = Path(sys.argv[1]), PeerId.parse(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
with closing(Database.open(path, wall=lambda: 0.0)) as db:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(times):
        with db.transaction():
            secret = invites.attempt(db, slot, peer)
        print(secret, flush=True)
        sys.stdin.readline()
"""


def guesser(path: Path, peer: PeerId, slot: int, *, times: int) -> subprocess.Popen[str]:
    """Return a process that counts an attempt at each line it gets, and tells what the reply would be made of."""
    command = [sys.executable, "-c", GUESSING, str(path), str(peer), str(slot), str(times)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert said(process) == "ready"
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def nod(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database with five codes in it."""
    path = tmp_path / "history.db"
    with closing(Database.open(path, wall=lambda: 0.0)) as db:
        for number in range(1, 6):
            assert create(db, f"secret-{number}") == number
    return path


@pytest.mark.slow
def test_several_processes_that_are_asked_at_once_give_three_replies_in_all(path: Path) -> None:
    for slot in range(1, 4):
        guessers = [guesser(path, peer, slot, times=3) for peer in (ANN, BOB, ANN, BOB)]
        replies = []
        for _ in range(3):
            for process in guessers:
                nod(process)
            replies += [said(process) for process in guessers]
        for process in guessers:
            nod(process)
            process.communicate()
            assert process.returncode == 0
        assert sorted(replies) == ["None"] * 9 + [f"secret-{slot}"] * 3


@pytest.mark.slow
def test_a_process_that_is_killed_before_it_can_reply_has_used_up_an_attempt(path: Path) -> None:
    for count in (1, 2, 3):
        process = guesser(path, ANN, 1, times=9)
        nod(process)
        assert said(process) == "secret-1", "it is committed, and nothing was sent"
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        with closing(Database.open(path, wall=lambda: 0.0)) as db:
            assert rows(db)[0] == (1, count)
    with closing(Database.open(path, wall=lambda: 0.0)) as db:
        assert attempt(db, 1) is None


# ---- damage


@pytest.mark.parametrize(
    "change",
    ["slot = 0", "attempts = -1", "invitation = 0", "secret = ''", "for_peer = x'00'", "for_peer = zeroblob(32)"],
)
def test_a_damaged_code_is_no_code(db: Database, change: str) -> None:
    create(db, for_peer=ANN)
    with closing(sqlite3.connect(db.path)) as connection, connection:
        connection.execute(f"UPDATE invites SET {change}")
        (slot,) = connection.execute("SELECT slot FROM invites").fetchone()
    with pytest.raises(StoreCorrupt, match="it holds of the code in slot"):
        invites.live(db)
    with pytest.raises(StoreCorrupt, match="it holds of the code in slot"):
        Database.open(db.path, wall=db._wall)
    with pytest.raises(StoreCorrupt):
        attempt(db, slot)


# ---- while somebody runs the store


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Store]:
    env = virtual_env(Network(), seed=1)
    async with open_store(path, env=env) as store, trio.open_nursery() as nursery:
        await nursery.start(store.run)
        store.changed = lambda: None
        yield store
        nursery.cancel_scope.cancel()


def kept(path: Path) -> list[int]:
    """Return the slots that are in the file."""
    with closing(sqlite3.connect(path)) as connection:
        return [slot for (slot,) in connection.execute("SELECT slot FROM invites ORDER BY slot")]


async def test_a_dead_code_goes_without_anybody_asking_for_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    path = tmp_path / "history.db"

    def invite(db: Database) -> None:
        create(db, "short", lifetime_ms=5_000)
        create(db, "long", lifetime_ms=50_000)

    async with running(path) as store:
        await store.read(invite)
        await trio.sleep(4.5)
        assert kept(path) == [1, 2]
        await trio.sleep(1)
        assert kept(path) == [2]
    await trio.sleep(60)
    assert kept(path) == [2]
    async with running(path):
        assert kept(path) == [], "nor is it there when somebody begins"
