"""`p2pchat events`: it tells the log, follows it, gets in nobody's way, and ends quietly."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from p2pchat.cli import logreader
from p2pchat.env import system_env
from p2pchat.store.database import Database
from p2pchat.transports.registry import Transports
from p2pchat.wire.messages import Text
from tests.support import contract
from tests.support.contract import Line
from tests.support.json_processes import talking
from tests.support.logbook import BOB, Logbook, open_logbook
from tests.support.profile import Run
from tests.support.programs import Home


@pytest.fixture
def book(data: Path) -> Iterator[Logbook]:
    with open_logbook(data) as book:
        yield book


def events(run: Run, *words: str) -> list[Line]:
    """What `events --json` prints."""
    code, out, err = run("events", "--json", *words)
    assert (code, err) == (0, [])
    return contract.parse("".join(f"{line}\n" for line in out).encode())


def some_talk(book: Logbook) -> None:
    book.connected(BOB)
    mine = [book.say(BOB, str(n)) for n in range(3)]
    book.hear(BOB, Text("hi\x1b[2J"))
    book.sent(BOB, mine[0], mine[-1])
    book.delivered(BOB, mine[0], mine[1])


def test_a_script_goes_on_from_any_cursor(run: Run, book: Logbook) -> None:
    some_talk(book)
    whole = events(run)
    assert [line["cursor"] for line in whole] == [f"{cursor:016}" for cursor in range(1, 11)]
    for number in (1, 6, 7, 9, 10):  # among them the middle of either range
        assert events(run, "--since", whole[number - 1]["cursor"]) == whole[number:]


def test_people_get_a_line_for_each_record_that_cannot_drive_their_terminal(run: Run, book: Logbook) -> None:
    some_talk(book)
    code, out, err = run("events")
    assert (code, err) == (0, [])
    assert len(out) == 7
    assert out[4].endswith("hi␛[2J")


def test_an_empty_profile_has_an_empty_log_and_is_not_made(data: Path, run: Run) -> None:
    assert events(run) == []
    assert list(data.glob("*.db")) == []


@pytest.mark.parametrize(("since", "code"), [("0000000000000002", 65), ("bob", 2), ("1" * 17, 2), ("-1", 2)])
def test_a_place_that_is_not_in_the_log_is_an_error(run: Run, book: Logbook, since: str, code: int) -> None:
    book.connected(BOB)
    ended, out, err = run("events", "--json", f"--since={since}")
    assert (ended, err) == (code, [])
    (error,) = contract.parse(f"{out[0]}\n".encode())
    assert error["event"] == "error"
    assert run("events", f"--since={since}")[:2] == (code, [])


def test_looking_waits_for_nobody_and_changes_nothing(data: Path, run: Run, book: Logbook) -> None:
    some_talk(book)
    files = {path: path.read_bytes() for path in data.glob("*.db*") if path.suffix != ".db-shm"}
    with closing(Database.open(data / "history.db", wall=lambda: 0)) as other, other.transaction():
        other.connection.execute("UPDATE pairs SET name = 'not yet'")
        assert len(events(run)) == 10
        assert events(run)[0]["name"] == ""
        other.connection.execute("UPDATE pairs SET name = ''")
        assert {path: path.read_bytes() for path in files} == files


def test_a_log_of_many_pages_is_told_whole(data: Path, run: Run, book: Logbook) -> None:
    for n in range(600):
        book.hear(BOB, Text(str(n) * 100))
    assert [line["text"] for line in events(run)] == [str(n) * 100 for n in range(600)]


def test_the_reader_sees_a_change_even_between_its_looks(data: Path, run: Run, book: Logbook) -> None:
    log = logreader.LogReader(data / "history.db", system_env(Transports()))

    async def follow() -> None:
        await log.check(0)
        assert await log.page(0) == []
        assert not await log.has_changed()
        book.connected(BOB)
        assert await log.has_changed()
        assert len(await log.page(0)) == 1
        assert not await log.has_changed()

    trio.run(follow)
    log.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def stored(home: Home) -> Iterator[Logbook]:
    """The log of somebody whose programs are processes."""
    home.data.mkdir(parents=True)
    with open_logbook(home.data) as book:
        yield book


@pytest.mark.slow
async def test_what_comes_is_told_while_somebody_follows(home: Home, stored: Logbook) -> None:
    stored.connected(BOB)
    async with talking(home, "events", "--follow") as reader:
        await reader.wait_for("connected")
        for n in range(3):
            stored.hear(BOB, Text(str(n)))
            await reader.wait_for("message", text=str(n))
        assert [line["cursor"] for line in reader.events] == [f"{cursor:016}" for cursor in range(1, 5)]
        reader.program.signal(signal.SIGTERM)
        assert await reader.program.wait() == 143
        assert reader.program.err == b""


@pytest.mark.slow
async def test_a_log_that_is_not_there_yet_can_be_followed(home: Home) -> None:
    async with home.run("events", "--follow") as reader:
        await trio.sleep(2 * logreader.LOOK)  # so that it has looked in vain, on most machines
        home.data.mkdir(parents=True)
        with open_logbook(home.data) as book:
            book.hear(BOB, Text("first"))
            await reader.wait_for("first")
            reader.signal(signal.SIGINT)
            assert await reader.wait() == 130
            assert reader.err == b""


@pytest.mark.slow
@pytest.mark.parametrize("last_words", [[], ["nobody reads this"]])
async def test_it_ends_when_nobody_reads_any_more(home: Home, stored: Logbook, last_words: list[str]) -> None:
    """Also if there is nothing to write, and so nothing that could fail."""
    stored.connected(BOB)
    read, write = os.pipe()
    async with home.run("events", "--follow", "--json", stdout=write) as reader:
        os.close(write)
        assert (await trio.to_thread.run_sync(os.read, read, 65536)).endswith(b"\n")
        os.close(read)
        for text in last_words:
            stored.hear(BOB, Text(text))
        assert await reader.wait() == 141
        assert reader.err == b""
