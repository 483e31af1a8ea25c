"""Terminals with a screen: a private tmux server, whose panes are typed into and looked at."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.support.programs import MAIN, PATIENCE, Home

PROMPT = "shell:"  # no blank at its end: tmux cuts those off
HAS_TMUX = shutil.which("tmux") is not None


class Pane:
    """One terminal of 100 columns and 24 rows with a shell in it."""

    def __init__(self, socket: Path, name: str) -> None:
        self._socket = socket
        self.name = name

    async def tmux(self, *words: str) -> str:
        """Run a tmux command on this pane's server and return what it prints."""
        done = await trio.run_process(["tmux", "-S", str(self._socket), *words], capture_stdout=True)
        return done.stdout.decode()

    async def screen(self) -> list[str]:
        """Return the rows that are shown now, without empty ones at the end."""
        return (await self.tmux("capture-pane", "-p", "-t", self.name)).rstrip("\n").split("\n")

    async def type(self, text: str) -> None:
        """Type `text`, as it is."""
        await self.tmux("send-keys", "-t", self.name, "-l", text)

    async def press(self, *keys: str) -> None:
        """Press keys by their names: Enter, C-d."""
        await self.tmux("send-keys", "-t", self.name, *keys)

    async def enter(self, text: str) -> None:
        """Type a line and press Enter."""
        await self.type(text)
        await self.press("Enter")

    async def wait_for(self, text: str) -> list[str]:
        """Wait until `text` is on the screen, and return the screen."""
        screen: list[str] = []
        with trio.move_on_after(PATIENCE):
            while text not in "\n".join(screen := await self.screen()):  # noqa: ASYNC110  (tmux cannot tell)
                await trio.sleep(0.05)
            return screen
        raise AssertionError(f"{text!r} did not come; the screen shows {screen}")

    async def kill(self, signal: str) -> None:
        """Send a signal, by its name, to the program that runs in the pane."""
        shell = (await self.tmux("display-message", "-p", "-t", self.name, "#{pane_pid}")).strip()
        await trio.run_process(["pkill", f"-{signal}", "-P", shell])

    async def run(self, *words: str) -> None:
        """Start the program in the pane, under a shell whose screen is empty."""
        command = shlex.join([*MAIN, *words])
        await self.enter(f"clear; {command}; echo ended with $?")

    async def ended(self) -> int:
        """Wait for the end of the program; return its exit code."""
        screen = await self.wait_for("ended with ")
        return int(next(row for row in screen if "ended with " in row).rpartition(" ")[2])


@asynccontextmanager
async def open_panes(home: Home, count: int = 2) -> AsyncIterator[Sequence[Pane]]:
    """Open a tmux server of our own with `count` panes; it dies with all its programs at the end of the block."""
    socket = home.path / "tmux"
    environ = {name: value for name, value in home.environ.items() if not name.startswith("TMUX")} | {"PS1": PROMPT}
    start = ["tmux", "-S", str(socket), "-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "24"]
    names = [f"pane{number}" for number in range(count)]
    for name in names:
        await trio.run_process(
            [*start, "-s", name, "env", f"PS1={PROMPT}", "bash", "--norc", "--noprofile"], env=environ
        )
    panes = [Pane(socket, name) for name in names]
    try:
        for pane in panes:
            await pane.wait_for(PROMPT)
        yield panes
    finally:
        with trio.move_on_after(10, shield=True):
            await trio.run_process(["tmux", "-S", str(socket), "kill-server"], check=False)
