"""A disk without room: what cannot be kept is not accepted, with a word on what to do, and with room it goes on."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.crash_forks import Forks
from tests.support.crash_life import Book, Line, living
from tests.support.crash_verdict import judge
from tests.support.programs import Home

pytestmark = pytest.mark.slow

DISK = 2**20  # bytes


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for a home."""
    path = tmp_path / "small"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(path)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk, and not everywhere")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room; return what takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


def refusals(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["event"] == "error" and "ref" in line]


async def test_who_has_no_room_says_what_to_do_and_goes_on_with_room(
    forks: Forks, bob: Book, tmp_path: Path, small: Path
) -> None:
    ann = Book(Home(small / "ann"), "ann")
    door = str(tmp_path / "door")
    async with living(forks, ann, "listen", door) as listener, living(forks, bob, "dial", door, "--retry") as dialer:
        await listener.connected()
        await listener.deliver()
        ballast = fill(small)
        await listener.until_refused()
        refused = refusals(listener.events)[0]
        assert refused["code"] == "io"
        assert "not accepted" in refused["message"]
        assert "room" in refused["hint"]
        waiting = await dialer.say(5)
        await dialer.reached("queued", *waiting[:1])
        ballast.unlink()
        await dialer.reached("delivered", *waiting)
        await listener.deliver()
    verdict = await judge(forks, ann, bob)
    assert verdict.faults == {}, verdict


async def test_send_says_that_nothing_is_stored(forks: Forks, ann: Book, tmp_path: Path, small: Path) -> None:
    home = Home(small / "bob")
    door = str(tmp_path / "door")
    async with living(forks, ann, "listen", door) as listener:
        await listener.until(lambda: bool(listener.told("listening")))
        before = await forks.call(home, "send", door, "before")
        assert before.process.returncode == 0
        ballast = fill(small)
        full = await forks.call(home, "send", door, "x" * 20_000, "--json")
        assert full.process.returncode == 74
        assert json.loads(full.out)["hint"].startswith("make room")
        ballast.unlink()
        after = await forks.call(home, "send", door, "after")
        assert after.process.returncode == 0, after.err
        await listener.until(lambda: "after" in listener.heard)
    assert listener.heard == ["before", "after"]


async def test_a_file_that_must_not_grow_is_told_too(forks: Forks, ann: Book, bob: Book, tmp_path: Path) -> None:
    door = str(tmp_path / "door")
    async with living(forks, ann, "listen", door) as listener:
        async with living(forks, bob, "dial", door, "--retry", largest_file=400_000) as dialer:
            await dialer.connected()
            await dialer.until_refused()
            refused = refusals(dialer.events)[0]
            assert "not accepted" in refused["message"]
            assert refused["hint"]
        async with living(forks, bob, "dial", door, "--retry") as dialer:
            await dialer.connected()
            await dialer.deliver()
            await listener.deliver()
    verdict = await judge(forks, ann, bob)
    assert verdict.faults == {}, verdict
