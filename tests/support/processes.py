"""Who runs: members of a process group, descendants of a process. Linux only: it reads /proc."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import trio

from p2pchat.transports.exec import ExecStream

PATIENCE = 10.0  # seconds; on a busy machine the kernel needs a moment to end what it was told to


class Process(NamedTuple):
    """A process that has not died yet."""

    pid: int
    parent: int
    group: int


def running() -> list[Process]:
    """All processes but zombies: init buries orphans when it finds the time."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group, *_ = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append(Process(int(stat.parent.name), int(parent), int(group)))
    return found


def descendants(pid: int) -> set[int]:
    """The children of `pid`, and theirs."""
    processes = running()
    found, new = set[int](), {pid}
    while new:
        new = {process.pid for process in processes if process.parent in new}
        found |= new
    return found


def group_of(stream: ExecStream) -> int:
    """The process group that the command of `stream` leads; its number is that of the command."""
    return stream._command._process.pid


async def wait_for_nobody(group: int) -> None:
    """Wait until `group` has no members."""
    await _wait_until(lambda: not [process for process in running() if process.group == group])


async def wait_for_the_end_of(pids: Collection[int]) -> None:
    """Wait until none of `pids` runs."""
    await _wait_until(lambda: not [process for process in running() if process.pid in pids])


async def _wait_until(condition: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE):
        while not condition():  # noqa: ASYNC110  (nobody tells us of the end of orphans)
            await trio.sleep(0.01)
