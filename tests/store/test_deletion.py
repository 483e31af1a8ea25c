"""What is deleted is gone from the file; that there was something is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.store import deletion, fold, history, journal, search
from p2pchat.store.deletion import Deleted, Doomed
from p2pchat.store.search import Query
from p2pchat.wire.messages import Text
from tests.support.logbook import ANN, BOB, START, Logbook, open_logbook

SECRET = "xyzzyplugh"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Logbook]:
    with open_logbook(tmp_path) as book:
        yield book


def fill(book: Logbook) -> None:
    while search.fill(book.db):
        pass


def bytes_on_disk(book: Logbook) -> bytes:
    path = book.db.path
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def everything(book: Logbook) -> Doomed:
    return Doomed(through=journal.newest(book.db))


def left(book: Logbook) -> list[int]:
    return [row.cursor for row in history.between(book.db)]


@pytest.mark.parametrize("is_indexed", [False, True])
def test_the_text_is_gone_from_the_file_and_the_id_is_not(book: Logbook, *, is_indexed: bool) -> None:
    kept = [book.hear(BOB, Text(f"kept {n}")) for n in range(50)]
    gone = book.hear(BOB, Text(f"the {SECRET} word"))
    kept += [book.hear(BOB, Text(f"kept {n}")) for n in range(50)]
    if is_indexed:
        fill(book)
    assert SECRET.encode() in bytes_on_disk(book)
    assert deletion.delete(book.db, Doomed(through=gone, id=book.id(gone))) == 1
    assert SECRET.encode() not in bytes_on_disk(book)
    assert SECRET[1:].encode() not in bytes_on_disk(book)  # terms of an index share their beginnings
    assert left(book) == kept
    assert book.db.one("SELECT id, body FROM messages WHERE cursor = ?", (gone,)) == (book.id(gone), None)
    fill(book)
    assert search.grep(book.db, Query(words=[SECRET])) == []
    assert len(search.grep(book.db, Query(words=["kept"]))) == 100


def test_one_peer(book: Logbook) -> None:
    bobs = [book.say(BOB, "1"), book.hear(BOB, Text("2"))]
    anns = [book.say(ANN, "3"), book.hear(ANN, Text("4"))]
    doomed = Doomed(through=journal.newest(book.db), peer=BOB)
    assert deletion.count(book.db, doomed) == Deleted(messages=2, waiting=1)
    assert deletion.delete(book.db, doomed) == 2
    assert left(book) == anns
    assert deletion.count(book.db, doomed) == Deleted(messages=0, waiting=0)
    assert deletion.delete(book.db, doomed) == 0
    assert bobs == [1, 2]


def test_one_message(book: Logbook) -> None:
    said = [book.say(BOB, str(n)) for n in range(3)]
    assert deletion.delete(book.db, Doomed(through=said[-1], id=book.id(said[1]))) == 1
    assert left(book) == [said[0], said[2]]


def test_what_is_older_than_a_time(book: Logbook) -> None:
    said = [book.say(BOB, str(n)) for n in range(5)]
    doomed = Doomed(through=said[-1], before_ms=START + 3000)
    assert deletion.delete(book.db, doomed) == 2
    assert left(book) == said[2:]


def test_what_comes_meanwhile_stays(book: Logbook) -> None:
    doomed = everything(book)
    said = book.say(BOB, "later")
    assert deletion.delete(book.db, doomed) == 0
    assert left(book) == [said]


def test_many_are_deleted_in_small_transactions(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "BATCH", 3)
    for n in range(10):
        book.say(BOB, f"fox {n}")
    fill(book)
    assert deletion.delete(book.db, everything(book)) == 10
    assert left(book) == []
    assert search.grep(book.db, Query(words=["fox"])) == []


def test_long_ones_are_deleted_a_few_at_a_time(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", 2000)
    for _ in range(5):
        book.hear(BOB, Text("x" * 1500))
    fill(book)
    assert deletion.delete(book.db, everything(book)) == 5
    assert left(book) == []


def test_what_waits_to_be_sent_still_waits(book: Logbook) -> None:
    arrived, waiting, withdrawn = book.say(BOB, "1"), book.say(BOB, "2"), book.say(BOB, "3")
    book.failed(BOB, withdrawn, "withdrawn")
    book.sent(BOB, arrived, arrived)
    book.delivered(BOB, arrived, arrived)
    assert deletion.count(book.db, everything(book)) == Deleted(messages=3, waiting=1)
    deletion.delete(book.db, everything(book))
    assert book.db.one("SELECT body FROM outbox WHERE cursor = ?", (waiting,)) == (b"\x93\xa12\xc0\xc2",)


def test_room_is_made_for_what_the_peer_may_still_send(book: Logbook) -> None:
    heard = [book.hear(BOB, Text("x" * 1000)), book.hear(BOB, Text("y" * 1000))]
    book.say(BOB, "z" * 1000)
    book.hear(ANN, Text("x" * 1000))
    book.db.connection.execute("UPDATE pairs SET stored_bytes = 1500")
    deletion.delete(book.db, Doomed(through=heard[0], peer=BOB))
    assert book.db.connection.execute("SELECT stored_bytes FROM pairs ORDER BY pair").fetchall() == [(494,), (1500,)]
    deletion.delete(book.db, everything(book))
    assert book.db.connection.execute("SELECT stored_bytes FROM pairs ORDER BY pair").fetchall() == [(0,), (494,)]


def test_an_interrupted_deletion_is_finished_by_whoever_fills_the_index(
    book: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(100):
        book.say(BOB, f"kept {n}")
    fill(book)
    gone = book.hear(BOB, Text(SECRET))
    fill(book)

    def interrupt(db: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(search, "purge", interrupt)
        with pytest.raises(KeyboardInterrupt):
            deletion.delete(book.db, Doomed(through=gone, id=book.id(gone)))
    assert SECRET.encode() in bytes_on_disk(book)
    assert search.grep(book.db, Query(words=[SECRET])) == []
    fill(book)
    book.db.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert SECRET.encode() not in bytes_on_disk(book)


def test_an_index_of_other_rules_is_given_up(book: Logbook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows any more what exactly stands in it, so nothing can be taken out of it alone."""
    gone, kept = book.hear(BOB, Text(SECRET)), book.say(BOB, "kept")
    with monkeypatch.context() as patch:
        patch.setattr(fold, "VERSION", "0 older")
        patch.setattr(fold, "fold", lambda text: f"{text} otherwise")
        fill(book)
    deletion.delete(book.db, Doomed(through=gone, id=book.id(gone)))
    assert SECRET.encode() not in bytes_on_disk(book)
    fill(book)
    assert [row.cursor for row in search.grep(book.db, Query(words=["kept"]))] == [kept]
