"""An old copy of a store is put back: what was said since is not there, and nobody is told otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Line, living, name_in
from tests.support.crash_verdict import doubles, history, log

pytestmark = pytest.mark.slow


async def talk(forks: Forks, ann: Book, bob: Book, door: Path) -> dict[str, list[str]]:
    """Let both say something in new processes, until all is delivered; returns the names of what each said."""
    async with (
        living(forks, ann, "listen", str(door)) as listener,
        living(forks, bob, "dial", str(door), "--retry") as dialer,
    ):
        said = {}
        for life in (listener, dialer):
            await life.connected()
            said[life.book.name] = await life.say(20)
        for life in (listener, dialer):
            await life.reached("delivered", *said[life.book.name])
        return said


async def leave_unsent(forks: Forks, ann: Book, bob: Book, door: Path) -> list[str]:
    """Let Ann say something while Bob is gone; returns the names."""
    async with living(forks, ann, "listen", str(door)) as listener:
        async with living(forks, bob, "dial", str(door), "--retry") as dialer:
            await listener.connected()
            await dialer.connected()
        await listener.until(lambda: bool(listener.told("disconnected")))
        names = await listener.say(10)
        await listener.reached("queued", *names)
        return names


@pytest.mark.parametrize("restored", ["ann", "bob"])
async def test_what_is_lost_is_lost_once_and_told(
    forks: Forks, ann: Book, bob: Book, tmp_path: Path, restored: str
) -> None:
    door, backup = tmp_path / "door", tmp_path / "backup"
    book = {"ann": ann, "bob": bob}[restored]
    other = {"ann": bob, "bob": ann}[restored]
    first = await talk(forks, ann, bob, door)
    waiting = await leave_unsent(forks, ann, bob, door)
    shutil.copytree(book.home.data, backup, ignore=shutil.ignore_patterns("run"))  # sockets
    forgotten = await talk(forks, ann, bob, door)
    shutil.rmtree(book.home.data)
    shutil.copytree(backup, book.home.data)
    last = await talk(forks, ann, bob, door)

    unsent = {"ann": waiting, "bob": []}
    old, new = await history(forks, book), await history(forks, other)
    assert names(new, "in") == first[restored] + unsent[restored] + forgotten[restored] + last[restored]
    assert names(old, "out") == first[restored] + unsent[restored] + last[restored]
    assert names(new, "out") == first[other.name] + unsent[other.name] + forgotten[other.name] + last[other.name]
    came = names(old, "in")
    assert doubles(came) == 0
    assert came == [name for name in names(new, "out") if name in came], "in order"
    assert {*first[other.name], *last[other.name]} <= {*came}
    assert not {*forgotten[other.name]} & {*came}
    told = [line["event"] for line in await log(forks, book)]
    assert told.count("gap") == 1
    assert told.count("rolled_back") == 1


def names(lines: list[Line], direction: str) -> list[str]:
    return [name_in(line["text"]) for line in lines if line["direction"] == direction]
