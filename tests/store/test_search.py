"""What was said is found by its words, whatever stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.errors import StoreError
from p2pchat.store import fold, history, search
from p2pchat.store.database import Database
from p2pchat.store.search import Query
from p2pchat.wire.messages import Data, Profile, Text
from tests.support.logbook import ANN, BOB, ME, Logbook, open_logbook


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def fill(db: Database, limit: int = search.BATCH) -> int:
    """Fill the index; returns how many steps that took."""
    steps = 0
    while search.fill(db, limit):
        steps += 1
    return steps


def found(book: Logbook, *words: str, **how: Any) -> list[int]:
    fill(book.db)
    return [row.cursor for row in search.grep(book.db, Query(words=words, **how))]


def test_all_words_have_to_occur(book: Logbook) -> None:
    both = book.say(BOB, "the quick brown fox")
    book.say(BOB, "the slow fox")
    assert found(book, "fox", "QUICK") == [both]
    assert found(book, "quick fox") == [both]
    assert len(found(book, "fox")) == 2
    assert found(book, "fox", "wolf") == []


@pytest.mark.parametrize(
    "word",
    [
        '"',
        '"fox"',
        "AND",
        "OR",
        "NOT fox",
        "fox*",
        "fo*",
        "^fox",
        "folded:fox",
        "-fox",
        "+fox",
        "fox + dog",
        "NEAR(fox dog)",
        "who : me1",
        "'; DROP TABLE messages; --",
        "fox\0dog",
        "me1",
        "{a b}",
        "(",
    ],
)
def test_what_is_typed_is_never_a_query(word: str, book: Logbook) -> None:
    exact = book.say(BOB, f"<{word}>")
    fox = book.say(BOB, "fox")
    expected = {exact} if search.phrases([word]) else set()
    assert set(found(book, word)) - {fox} == expected
    is_fox = search.phrases([word]) == ["fox"]
    assert (fox in found(book, word)) == is_fox


@pytest.mark.slow
@given(texts=st.lists(st.text(), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_every_message_is_found_by_each_of_its_words(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with open_logbook(tmp_path_factory.mktemp("book")) as book:
        for text in texts:
            cursor = book.hear(BOB, Text(text))
            for word in text.split():
                assert (cursor in found(book, word)) == bool(search.phrases([word]))


def test_very_much_may_be_looked_for(book: Logbook) -> None:
    words = [f"word{n}" for n in range(500)]
    both = book.say(BOB, f"{' '.join(words)} {'東京' * 500}")
    book.say(BOB, " ".join(words))
    assert len(found(book, *words)) == 2
    assert found(book, *words, "東京" * 500) == [both]


def test_nothing_to_look_for_finds_nothing(book: Logbook) -> None:
    book.say(BOB, "--- $")
    assert found(book) == []
    assert found(book, "---", "$") == []


def test_bytes_are_searched_as_far_as_they_are_text(book: Logbook) -> None:
    cursor = book.hear(BOB, Data(b"caf\xc3\xa9 \xff fox"))
    assert found(book, "cafe", "fox") == [cursor]


def test_what_says_nothing_is_not_searched(book: Logbook) -> None:
    book.hear(BOB, Profile("fox"))
    book.hear(BOB, Text("fox"), kind=0x77)
    assert found(book, "fox") == []


def test_better_ones_come_first_and_newer_ones_of_equals(book: Logbook) -> None:
    long = book.say(BOB, "a fox in a long story about something else altogether")
    old, new = book.say(BOB, "a fox"), book.say(BOB, "a fox")
    twice = book.say(BOB, "fox fox")
    for n in range(10):
        book.say(BOB, f"filler {n}")
    assert found(book, "fox") == [twice, new, old, long]
    assert found(book, "fox", limit=2) == [twice, new]


def test_who_said_it_is_no_merit(book: Logbook) -> None:
    """With `--from` the order is the same as without."""
    cursors = [book.say(BOB, f"fox {'and more ' * n}") for n in range(5)]
    assert found(book, "fox") == found(book, "fox", mine=True) == cursors


def test_one_side_or_one_peer(book: Logbook) -> None:
    mine, theirs = book.say(BOB, "fox 1"), book.hear(BOB, Text("fox 2"))
    to_ann, anns = book.say(ANN, "fox 3"), book.hear(ANN, Text("fox 4"))
    assert set(found(book, "fox", mine=True)) == {mine, to_ann}
    assert set(found(book, "fox", mine=False)) == {theirs, anns}
    assert set(found(book, "fox", peer=BOB)) == {mine, theirs}
    assert found(book, "fox", peer=BOB, mine=False) == [theirs]
    assert found(book, "fox", peer=ANN, mine=True) == [to_ann]
    assert found(book, "fox", peer=ME) == []


def test_only_after_a_cursor(book: Logbook) -> None:
    first, second = book.say(BOB, "fox"), book.say(BOB, "fox")
    assert found(book, "fox", after=first) == [second]
    assert found(book, "fox", after=second) == []


def test_of_very_many_only_the_newest_are_ranked(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "CANDIDATES", 3)
    best = book.say(BOB, "fox")
    newest = [book.say(BOB, "fox and more") for _ in range(3)]
    assert found(book, "fox") == newest[::-1]
    assert found(book, "fox", peer=BOB, limit=2) == newest[:0:-1]
    assert best not in found(book, "fox")


# ---- filling


def test_filling_goes_in_steps_and_can_be_continued(book: Logbook) -> None:
    for n in range(10):
        book.say(BOB, f"fox {n}")
    assert search.fill(book.db, 4)
    assert search.fill(book.db, 4)
    assert len(search.grep(book.db, Query(words=["fox"]))) == 8
    assert fill(book.db, 4) == 1
    assert len(search.grep(book.db, Query(words=["fox"]))) == 10
    assert fill(book.db) == 0


def test_long_messages_end_a_step_earlier(book: Logbook) -> None:
    for _ in range(3):
        book.say(BOB, "fox " * 2**17)
    assert fill(book.db) == 2


def test_events_and_what_is_deleted_are_passed_by(book: Logbook) -> None:
    cursor = book.say(BOB, "fox")
    book.connected(BOB)
    book.db.connection.execute("UPDATE messages SET body = NULL")
    assert fill(book.db) == 1
    assert found(book, "fox") == []
    assert book.db.one("SELECT through FROM searchable") == (cursor,)


def test_nothing_to_do_writes_nothing(book: Logbook) -> None:
    book.say(BOB, "fox")
    fill(book.db)
    before = book.db.one("SELECT total_changes()")
    assert not search.fill(book.db)
    assert book.db.one("SELECT total_changes()") == before


def test_other_rules_begin_the_index_anew(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = book.say(BOB, "fox")
    with monkeypatch.context() as patch:
        patch.setattr(fold, "VERSION", "0 older")
        patch.setattr(fold, "fold", lambda text: text.replace("fox", "wolf"))
        assert found(book, "wolf") == [cursor]
    assert found(book, "wolf") == []
    assert found(book, "fox") == [cursor]


def test_two_that_fill_at_once_do_not_disturb_each_other(book: Logbook) -> None:
    cursors = [book.say(BOB, f"fox {n}") for n in range(6)]
    other = Database.open(book.db.path, wall=lambda: 0.0)
    while any([search.fill(book.db, 2), search.fill(other, 1)]):
        pass
    assert sorted(row.cursor for row in search.grep(other, Query(words=["fox"]))) == cursors
    other.close()


def test_a_failed_step_changes_nothing(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = book.say(BOB, "fox")
    book.db.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError):
        search.fill(book.db)
    book.db.connection.execute("PRAGMA query_only = OFF")
    assert found(book, "fox") == [cursor]


def test_a_message_that_went_away_meanwhile_is_left_out(book: Logbook) -> None:
    cursor = book.say(BOB, "fox")
    fill(book.db)
    book.db.connection.execute("UPDATE messages SET body = NULL")
    assert search.grep(book.db, Query(words=["fox"])) == []
    assert history.at(book.db, cursor) is None


def test_what_is_missing_is_counted(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    assert search.missing(book.db) == 0
    book.say(BOB, "fox")
    assert search.missing(book.db) == 1
    assert fill(book.db) == 1
    book.say(BOB, "fox")
    assert search.missing(book.db) == 1
    fill(book.db)
    monkeypatch.setattr(fold, "VERSION", "2 newer")
    assert search.missing(book.db) == 2


def test_an_empty_store_is_filled_at_once(book: Logbook) -> None:
    assert fill(book.db) == 1
    assert fill(book.db) == 0
