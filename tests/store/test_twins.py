"""An invite is a spoken code and a link for one person: the first success with either ends both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from p2pchat.store import invites
from p2pchat.store.database import Database
from tests.support.coded import MINUTES, WORDS, Clock, attempt, burn, create

TOKEN = "a" * 26


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(tmp_path: Path, clock: Clock) -> Iterator[Database]:
    with closing(Database.open(tmp_path / "history.db", wall=clock)) as db:
        yield db


def live(db: Database) -> list[int]:
    return [invite.slot for invite in invites.live(db)]


def test_of_two_codes_for_one_person_one_works(db: Database) -> None:
    other = create(db, "other")
    spoken = create(db)
    link = create(db, TOKEN, twin=spoken)
    assert attempt(db, spoken) == WORDS
    assert burn(db, link, TOKEN)
    assert not burn(db, spoken), "who was on the way with the words is too late"
    assert attempt(db, spoken) is None
    assert live(db) == [other]


def test_twins_are_burnt_both_or_neither(db: Database) -> None:
    spoken = create(db)
    link = create(db, TOKEN, twin=spoken)
    with suppress(ZeroDivisionError), db.transaction():
        assert invites.burn(db, spoken, WORDS)
        raise ZeroDivisionError
    assert live(db) == [spoken, link]
    assert burn(db, spoken)
    assert db.one("SELECT count(*) FROM invites") == (0,)


def test_a_twin_that_is_spent_leaves_the_other(db: Database, clock: Clock) -> None:
    spoken = create(db)
    link = create(db, TOKEN, lifetime_ms=2 * MINUTES, twin=spoken)
    for _ in range(4):
        attempt(db, spoken)
    clock.ms += MINUTES
    assert create(db, "next") == spoken, "of somebody else, who has nothing to do with the link"
    assert burn(db, link, TOKEN)
    assert live(db) == [spoken]
