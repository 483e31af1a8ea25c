"""The terminal below a prompt that stays: what is printed goes above it, and neither tears the other.

To print, the prompt is erased, the text written and the prompt drawn again, and the terminal gets all three in one
write. In between nothing of it flickers, no key is echoed, and a paste is never taken for typing.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast, final

import trio
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

if TYPE_CHECKING:
    from prompt_toolkit.application import Application


@final
class Terminal(Vt100_Output):
    """prompt_toolkit's idea of a terminal, except that it never asks one where its cursor is.

    An answer to such a question could arrive late, and then would be typed into somebody else's program.
    """

    _held = False
    _owes_end_of_pastes = False

    @classmethod
    def on(cls, stdout: TextIO) -> Terminal:
        """Return the terminal behind `stdout`; NO_COLOR is honoured."""
        return cast("Terminal", cls.from_pty(stdout, default_color_depth=ColorDepth.from_env(), enable_bell=False))

    @property
    def responds_to_cpr(self) -> bool:
        """Nothing asks for the position of the cursor."""
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep back what is written in the block; it goes with the next flush."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    def flush(self) -> None:
        """Give the terminal what it should have; one that hung up takes everything."""
        if self._held:
            return
        if self._owes_end_of_pastes:
            self.disable_bracketed_paste()
        try:
            super().flush()
        except OSError as exc:
            if exc.errno != errno.EIO:
                raise

    def enable_bracketed_paste(self) -> None:
        """Let the terminal tell pastes from keys."""
        self._owes_end_of_pastes = False
        super().enable_bracketed_paste()

    def disable_bracketed_paste(self) -> None:
        """End that, unless the prompt is back in the same write: what is pasted just now would count as typed."""
        self._owes_end_of_pastes = self._held
        if not self._held:
            super().disable_bracketed_paste()


@final
class Printer:
    """Appends lines above the prompt, or simply appends them while there is none; a `p2pchat.ui.stdio.Sink`."""

    def __init__(self, terminal: Terminal, *, encoding: str) -> None:
        """Begin without a prompt; `encoding` is that of the bytes to come."""
        self._terminal = terminal
        self._encoding = encoding
        self._prompt: Application[Any] | None = None
        self._drawn = trio.Event()

    def stay_above(self, prompt: Application[Any]) -> None:
        """Keep `prompt` below everything from now on, whenever it runs."""
        self._prompt = prompt
        prompt.after_render += self._note_drawn

    @property
    def columns(self) -> int:
        """The width of the terminal now."""
        return self._terminal.get_size().columns

    async def send_all(self, data: bytes) -> None:
        """Print `data`, whole lines; the terminal has it when this returns."""
        prompt = self._prompt
        self.write(data.decode(self._encoding))
        await trio.lowlevel.checkpoint()
        if prompt is not None and prompt.is_running:
            await self._drawn.wait()

    def write(self, text: str) -> None:
        """Print `text`, whole lines; the terminal has it soon. With `flush` enough of a file for logging."""
        prompt = self._prompt
        if prompt is None or not prompt.is_running:
            self._terminal.write_raw(text)
            self._terminal.flush()
            return
        with self._terminal.held():
            prompt.renderer.erase()
            self._terminal.write_raw(text)
        if self._drawn.is_set():
            self._drawn = trio.Event()
        prompt.invalidate()

    def flush(self) -> None:
        """Do nothing: what was written is on its way."""

    def clear(self) -> None:
        """Clear the screen but for the prompt."""
        if self._prompt is not None:
            self._prompt.renderer.clear()
            self._prompt.invalidate()

    def _note_drawn(self, _: Application[Any]) -> None:
        self._drawn.set()
