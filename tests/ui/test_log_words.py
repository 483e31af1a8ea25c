"""The log in words: a line for each record, and nothing in it that a peer could pass off as ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2pchat.store import contacts, journal, queue, timeline
from p2pchat.ui.log_words import INDENT, MARGIN, LogWords
from p2pchat.ui.marks import ASCII, UNICODE
from p2pchat.ui.names import Names
from p2pchat.ui.transcript import columns_of
from p2pchat.wire.messages import Text
from tests.support.logbook import ANN, BOB, ME, Logbook, open_logbook

WHO = "peer1qyklqsf9…8y5q"


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logbook]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    with open_logbook(tmp_path) as book:
        yield book
    monkeypatch.undo()
    time.tzset()


def told(book: Logbook) -> list[str]:
    return [line for record in journal.since(book.db, 0) for line in LogWords(UNICODE).record(record)]


def story(book: Logbook, cursor: int) -> list[str]:
    found = timeline.why(book.db, ME, book.id(cursor))
    assert found
    return LogWords(UNICODE).story(found, withdraw="/unsend 7")


def name(cursor: int) -> str:
    return f"019ab0c4-{cursor:04x}-7000-9000-{cursor:012x}"


def test_the_log_is_one_line_for_each_record(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.connected(BOB, "tcp:box:7272", link=3)
    mine = [book.say(BOB, "hello"), book.say(BOB, "there")]
    book.sent(BOB, mine[0], mine[-1], link=3)
    book.delivered(BOB, mine[0], mine[0], link=3)
    book.hear(BOB, Text("hi"))
    book.failed(BOB, mine[1], "the guest is gone")
    book.disconnected(BOB, "said goodbye", clean=True, link=3)
    book.connected(BOB, "", link=4)
    book.disconnected(BOB, "", link=4)
    book.event(BOB, "gap")
    book.event(BOB, "rolled_back")
    lines = told(book)
    assert [line[:47] for line in lines] == [f'2026-11-22 12:00:{n:02}  {WHO} "bob"  ' for n in range(1, 13)]
    assert [line[47:] for line in lines] == [
        "connected, link 3 (tcp:box:7272)",
        f"· queued {name(2)}: hello",
        f"· queued {name(3)}: there",
        f"→ sent 2 messages, up to {name(3)}",
        f"✓ delivered {name(2)}",
        f"said {name(7)}: hi",
        f"✗ failed {name(3)}: the guest is gone",
        "disconnected: said goodbye",
        "connected, link 4",
        "connection lost: nobody knows why",
        "messages may be missing before what comes next",
        "our history turned out to be an old backup; what was said since may be missing",
    ]


def test_a_guest_keeps_nothing_and_a_terminal_may_have_no_more_than_ascii(book: Logbook) -> None:
    book.pair(BOB, guest=True)
    mine = book.say(BOB, "hello")
    book.delivered(BOB, mine, mine)
    words = LogWords(ASCII)
    *_, [line] = [words.record(record) for record in journal.since(book.db, 0)]
    assert line == f"2026-11-22 12:00:02  peer1qyklqsf9...8y5q  + delivered {name(1)} to a guest, who keeps nothing"


def test_nothing_of_a_peer_looks_like_ours(book: Logbook) -> None:
    book.pair(BOB, name="bob  said")
    book.connected(BOB, "plug:\x1b[2J")
    book.hear(BOB, Text("one\n2026-11-22 12:00:00  two\x1b[2J"))
    book.hear(BOB, Text("x" * 5000))
    lines = told(book)
    for line in lines:
        assert line.startswith(f"2026-11-22 12:00:0{lines.index(line) + 1}  {WHO}  ")
        assert line.isprintable()
        assert len(line) < 500
    assert lines[0].endswith("link 1 (plug:␛[2J)")
    assert lines[1].endswith("one␊2026-11-22 12:00:00  two␛[2J")


def test_contacts_come_under_the_names_that_i_gave_them(book: Logbook) -> None:
    for peer, name in ((BOB, "Robert"), (ANN, "bob")):
        book.pair(peer, name=name)
        book.hear(peer, Text("hi"))
    with book.db.transaction():
        contacts.rename(book.db, BOB, "bob")
    words = LogWords(UNICODE, names=Names.kept(UNICODE, book.db))
    [mine], [posing] = [words.record(record) for record in journal.since(book.db, 0)]
    assert mine.startswith(f"2026-11-22 12:00:01  bob ({WHO})  said")
    assert '"' not in posing


def test_what_does_not_fit_the_screen_never_begins_at_its_edge(book: Logbook) -> None:
    forged = "2026-11-22 12:00:00  peer1qyklqsf9…8y5q  said"
    book.pair(BOB, name="א" * 60)
    cursor = book.hear(BOB, Text("x" * 30 + forged))
    book.disconnected(BOB, " ".join(["no"] * 50))
    words = LogWords(UNICODE, width=60)
    for record in journal.since(book.db, 0):
        first, *rest = words.record(record)
        assert first.startswith("2026-11-22 12:00:0")
        assert rest
        for line in (first, *rest):
            assert columns_of(line) <= 60
        for line in rest:
            assert line.startswith(INDENT)
    found = timeline.why(book.db, ME, book.id(cursor))
    assert found
    lines = words.story(found, withdraw="")
    assert len(lines) > 3
    assert all(line.startswith(("019ab0c4", MARGIN)) for line in lines)


def test_what_was_deleted_here_is_told_so(book: Logbook) -> None:
    cursor = book.hear(BOB, Text("secret"))
    book.db.connection.execute("UPDATE messages SET body = NULL")
    assert told(book) == [f"2026-11-22 12:00:01  {WHO}  said {name(1)}: (deleted here)"]
    assert story(book, cursor)[-1] == "  what it said was deleted here"


def test_what_waits_is_one_line(book: Logbook) -> None:
    mine = [book.say(BOB, "hello", expires_ms=1_795_349_000_000), book.say(BOB, "you", expires_ms=1_795_349_000_000)]
    book.say(BOB, "there")
    book.db.connection.execute("UPDATE pairs SET waiting = 3, sent_through = ?", (mine[0],))
    assert [line for one in queue.waiting(book.db) for line in LogWords(UNICODE).waiting(one)] == [
        f"2026-11-22 12:00:01  {WHO}  → sent {name(1)}  9 bytes",
        f"2026-11-22 12:00:02  {WHO}  · queued {name(2)}  7 bytes, until 2026-11-22 12:03:20",
        f"2026-11-22 12:00:03  {WHO}  · queued {name(3)}  9 bytes",
    ]


def test_the_story_of_what_was_read(book: Logbook) -> None:
    book.pair(BOB, name="bob")
    book.connected(BOB)
    mine = book.say(BOB, "hello")
    book.sent(BOB, mine, mine)
    book.delivered(BOB, mine, mine)
    book.read(BOB, mine)
    assert story(book, mine) == [
        f'{name(2)} to {WHO} "bob": ✓✓ read',
        "  2026-11-22 12:00:00.000  composed",
        "  2026-11-22 12:00:02.000  stored on this disk",
        "  2026-11-22 12:00:03.000  sent on link 1 (tcp:box:7272)",
        "  2026-11-22 12:00:04.000  acknowledged on link 1 (tcp:box:7272): it is on the disk over there",
        "  2026-11-22 12:00:05.000  read",
    ]


def test_the_story_of_what_a_guest_was_shown(book: Logbook) -> None:
    book.pair(BOB, guest=True)
    mine = book.say(BOB, "hello")
    book.sent(BOB, mine, mine)
    book.delivered(BOB, mine, mine)
    assert story(book, mine)[-1] == "  2026-11-22 12:00:03.000  acknowledged: shown to a guest, who keeps nothing"


def test_the_story_of_what_waits(book: Logbook) -> None:
    mine = book.say(BOB, "hello", expires_ms=1_795_349_000_000)
    goes = "it goes out when any p2pchat of this profile meets that peer"
    withdraw = [
        "  if it has not left by 2026-11-22 12:03:20, it is withdrawn",
        "  to withdraw it: /unsend 7",
    ]
    assert story(book, mine)[3:] == [f"  it waits: there was no link to {WHO} yet", f"  {goes}", *withdraw]
    book.connected(BOB)
    assert story(book, mine)[3:] == [
        "  it waits for its turn on link 1 (tcp:box:7272)",
        f"  should that link be gone, {goes}",
        *withdraw,
    ]
    book.disconnected(BOB, "it went away")
    assert story(book, mine)[3:] == [
        "  it waits: no link since 2026-11-22 12:00:03 (it went away)",
        f"  {goes}",
        *withdraw,
    ]


def test_the_story_of_what_was_sent_and_never_acknowledged(book: Logbook) -> None:
    book.connected(BOB)
    mine = book.say(BOB, "hello")
    book.sent(BOB, mine, mine)
    again = "it is sent again when any p2pchat of this profile meets that peer"
    assert story(book, mine)[4:] == [
        "  it waits for its acknowledgement on link 1 (tcp:box:7272)",
        f"  should that link be gone, {again}",
    ]
    book.disconnected(BOB, "")
    assert story(book, mine)[4:] == [
        "  it waits: no link since 2026-11-22 12:00:04 (nobody knows why)",
        f"  {again}",
    ]


def test_the_story_of_what_failed(book: Logbook) -> None:
    mine = book.say(BOB, "hello")
    book.failed(BOB, mine, "withdrawn")
    assert story(book, mine)[0] == f"{name(1)} to {WHO}: ✗ failed"
    assert story(book, mine)[-1] == "  2026-11-22 12:00:02.000  failed: withdrawn"


def test_the_story_of_what_came(book: Logbook) -> None:
    book.connected(BOB, "unix:/run/x")
    cursor = book.hear(BOB, Text("hi"))
    book.db.connection.execute("UPDATE messages SET read_ms = 1795349000000, sent_ms = ?", (2**60,))
    assert story(book, cursor) == [
        f"{name(2)} from {WHO}: received",
        "  at no time of any calendar  composed, says its sender",
        "  2026-11-22 12:00:02.000  received on link 1 (unix:/run/x)",
        "  2026-11-22 12:03:20.000  a receipt for it was queued",
    ]
