"""Invites: three attempts in all, whoever makes them and whatever dies; one success; nothing after the time is up."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from trio.testing import MockClock

from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.errors import StoreCorrupt
from p2pchat.store import invites
from p2pchat.store.database import Database
from p2pchat.store.invites import LAST_ATTEMPT, MAX_ATTEMPTS
from p2pchat.store.store import Store, open_store
from tests.support.peers import Network, virtual_env

ANN, BOB = (Identity.from_seed(bytes([n]) * 32).peer_id for n in (1, 2))
ROOT = Path(__file__).parent.parent.parent
WORDS = "otter-amber-knife"
MINUTES = 600_000  # milliseconds of a spoken code


class Clock:
    """A wall clock that stands still until it is told."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> float:
        return self.ms / 1000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "history.db", wall=clock)) as db:
        yield db


def create(db: Database, secret: str = WORDS, *, lifetime_ms: int = MINUTES, for_peer: PeerId | None = None) -> int:
    with db.transaction():
        return invites.create(db, secret, lifetime_ms=lifetime_ms, for_peer=for_peer).slot


def attempt(db: Database, slot: int, peer: PeerId = ANN) -> str | None:
    with db.transaction():
        return invites.attempt(db, slot, peer)


def burn(db: Database, slot: int, secret: str = WORDS) -> bool:
    with db.transaction():
        return invites.burn(db, slot, secret)


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
    assert [attempt(db, slot) for _ in range(5)] == [WORDS, WORDS, WORDS, None, None]
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


# ---- any order


@dataclass
class Code:
    """What should be kept of one code."""

    secret: str
    expires_ms: int
    for_peer: PeerId | None
    attempts: int = 0
    tried_ms: int = 0

    def is_dead(self, now_ms: int) -> bool:
        is_spent = self.attempts >= MAX_ATTEMPTS and self.tried_ms + LAST_ATTEMPT <= now_ms
        return self.expires_ms <= now_ms or is_spent


class Codes(RuleBasedStateMachine):
    """Two programs of a profile give out codes and count who tries them, while time goes by; against a dictionary."""

    programs = st.sampled_from([0, 1])
    peers = st.sampled_from([ANN, BOB])
    slots = st.integers(1, 3)

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name, "history.db")
        self.clock = Clock()
        self.dbs = [Database.open(self.path, wall=self.clock) for _ in range(2)]
        self.codes: dict[int, Code] = {}
        self.said: list[tuple[int, str]] = []  # all codes that there ever were
        self.told: dict[str, int] = {}  # how often somebody got a reply that depends on this secret
        self.burnt: set[str] = set()

    def teardown(self) -> None:
        for db in self.dbs:
            db.close()
        self.directory.cleanup()

    def bury(self) -> None:
        self.codes = {slot: code for slot, code in self.codes.items() if not code.is_dead(self.clock.ms)}

    @rule(program=programs, lifetime_ms=st.sampled_from([MINUTES, 24 * 3_600_000]), for_peer=st.none() | peers)
    def create(self, program: int, lifetime_ms: int, for_peer: PeerId | None) -> None:
        self.bury()
        secret = f"secret-{len(self.said)}"
        slot = create(self.dbs[program], secret, lifetime_ms=lifetime_ms, for_peer=for_peer)
        assert slot == min({*range(1, len(self.codes) + 2)} - set(self.codes))
        self.codes[slot] = Code(secret, self.clock.ms + lifetime_ms, for_peer)
        self.said.append((slot, secret))

    @rule(program=programs, slot=slots, peer=peers, times=st.integers(1, 4))
    def attempt(self, program: int, slot: int, peer: PeerId, times: int) -> None:
        self.bury()
        for _ in range(times):
            found = attempt(self.dbs[program], slot, peer)
            code = self.codes.get(slot)
            if code is None or code.attempts >= MAX_ATTEMPTS or code.for_peer not in {None, peer}:
                assert found is None
            else:
                assert found == code.secret
                code.attempts, code.tried_ms = code.attempts + 1, self.clock.ms
                self.told[found] = self.told.get(found, 0) + 1

    @rule(program=programs, data=st.data())
    def burn(self, program: int, data: st.DataObject) -> None:
        if self.said:
            slot, secret = data.draw(st.sampled_from(self.said[-4:]))
            code = self.codes.get(slot)
            is_there = code is not None and code.secret == secret
            assert burn(self.dbs[program], slot, secret) is is_there
            if is_there:
                assert secret not in self.burnt
                self.burnt.add(secret)
                del self.codes[slot]

    @rule(ms=st.sampled_from([1, LAST_ATTEMPT, MINUTES]))
    def time_goes_by(self, ms: int) -> None:
        self.clock.ms += ms

    @rule(program=programs)
    def look_after(self, program: int) -> None:
        invites.expire(self.dbs[program])
        self.bury()

    @rule(program=programs)
    def begin_again(self, program: int) -> None:
        self.dbs[program].close()
        self.dbs[program] = Database.open(self.path, wall=self.clock)

    @invariant()
    def both_see_the_codes_that_work(self) -> None:
        now_ms = self.clock.ms
        expected = {
            slot: (code.secret, code.attempts)
            for slot, code in self.codes.items()
            if code.attempts < MAX_ATTEMPTS and code.expires_ms > now_ms
        }
        for db in self.dbs:
            assert {each.slot: (each.secret, each.attempts) for each in invites.live(db)} == expected
        assert all(count <= MAX_ATTEMPTS for count in self.told.values())


TestCodes = pytest.mark.slow(Codes.TestCase)  # the disk is asked to keep each change
TestCodes.settings = settings(max_examples=max(1, settings().max_examples // 2), stateful_step_count=30)


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
    ["slot = 0", "attempts = -1", "secret = ''", "for_peer = x'00'", "for_peer = zeroblob(32)"],
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
