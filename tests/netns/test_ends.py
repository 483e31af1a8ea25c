"""What is short on one host, seen from the other: descriptors, and room on the disk."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trio

from tests.support.crash_life import Book, living
from tests.support.netns_pair import Pair, chatter
from tests.support.programs import Home

pytestmark = pytest.mark.slow

DISK = 2**20  # bytes


@contextmanager
def no_descriptors(pid: int) -> Iterator[None]:
    """Let a process open nothing more."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    lowest_free = min(set(range(len(used) + 1)) - used)  # what is open above the limit stays open
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


async def test_who_has_no_descriptors_left_goes_on_and_accepts_later(
    usual: Pair, ann: Book, bob: Book, tmp_path: Path
) -> None:
    cat = Book(Home(tmp_path / "cat"), "cat")
    async with (
        usual.talking(ann, bob) as (listener, dialer),
        chatter(listener, dialer),
        living(usual.there, cat, "dial", usual.address, "--retry") as late,
    ):
        with no_descriptors(listener.process.pid):
            with trio.move_on_after(2) as waited:
                await late.connected()
            assert waited.cancelled_caught
            await dialer.deliver()  # who is in already hears nothing of it
        await late.connected()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for a home."""
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


async def test_what_finds_no_room_waits_where_it_was_said(usual: Pair, bob: Book, small: Path) -> None:
    ann = Book(Home(small / "ann"), "ann", together=True)
    async with usual.talking(ann, bob) as (listener, dialer):
        await dialer.deliver()
        ballast = small / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(4096)):
                pass
        await listener.until_refused()
        waiting = await dialer.say(20)
        await dialer.reached("queued", *waiting[:1])
        assert "delivered" not in {dialer.states.get(name) for name in waiting}
        ballast.unlink()
        await dialer.reached("delivered", *waiting)
