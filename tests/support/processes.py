"""Whether anybody is left of a process group."""

from __future__ import annotations

from pathlib import Path

import trio

from p2pchat.transports.exec import ExecStream

PATIENCE = 10.0  # seconds; on a busy machine the kernel needs a moment to end what it was told to


def group_of(stream: ExecStream) -> int:
    """The process group that the command of `stream` leads; its number is that of the command."""
    return stream._command._process.pid


def members(group: int) -> list[int]:
    """Who belongs to `group`; zombies do not count, for init buries orphans when it finds the time."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


async def wait_for_nobody(group: int) -> None:
    """Wait until `group` has no members: a killed process needs a moment to die, and nobody tells us of orphans."""
    with trio.fail_after(PATIENCE):
        while members(group):  # noqa: ASYNC110  (what would set an event?)
            await trio.sleep(0.01)
