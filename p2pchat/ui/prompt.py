"""The line in which a person types: editing, history, completion, and what each key means.

It is one prompt_toolkit application for the whole chat: Enter hands the text over and empties the line without leaving
it, so no key falls between two prompts. All callbacks run as asyncio's and must not wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from prompt_toolkit import PromptSession
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.shortcuts import CompleteStyle

from p2pchat import errors
from p2pchat.ui import bridge

if TYPE_CHECKING:
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.key_binding.key_processor import KeyProcessor

    from p2pchat.ui.terminal import Printer, Terminal

MAX_LINE = 16_384  # characters in the line: every redraw lays out all of them anew, which takes some 40 ms by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a prompt asks its face; each is called from asyncio."""

    head: Callable[[], list[str]]  # the lines above the typed text, and what stands before it; redrawn at any time
    entered: Callable[[str], bool]  # Enter: True if the text was taken, False if it should stay
    interrupted: Callable[[], None]  # Ctrl-C on an empty line, twice in a row
    warned: Callable[[], None]  # the first of those
    ended: Callable[[], None]  # Ctrl-D on an empty line
    refused: Callable[[], None]  # a key or a paste that would have made the text longer than MAX_LINE, first of a row


@final
class Prompt:
    """A prompt that is up while `run` runs."""

    def __init__(
        self, terminal: Terminal, printer: Printer, answers: Answers, *, completer: Completer, keys: Input | None = None
    ) -> None:
        """Make a prompt on `terminal` that stays below what `printer` prints; `keys` are those of the process."""
        self.unsent: str = ""  # after the end of `run`: what was in the line
        self._answers = answers
        self._armed = False  # whether the next Ctrl-C is the second one
        self._is_full = False  # whether that was said since anything fitted
        self._before = Document()  # what the key that is being handled has found
        self._session: PromptSession[str] = PromptSession(
            message=self._head,
            multiline=True,
            key_bindings=self._bindings(),
            completer=completer,
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            enable_suspend=True,
            search_ignore_case=True,
            erase_when_done=True,
            input=keys,
            output=terminal,
        )
        self._buffer.on_text_changed += self._disarm
        for buffer in (self._buffer, self._session.search_buffer):
            buffer.on_text_changed += self._bound
        self._session.app.key_processor.before_key_press += self._remember
        printer.stay_above(self._session.app)

    @property
    def _buffer(self) -> Buffer:
        return self._session.default_buffer

    async def run(self, text: str) -> None:
        """Let a person type, with `text` of at most MAX_LINE in the line to begin with, until cancelled.

        Raises:
          TerminalGone: if the terminal hung up.
        """
        self._buffer.reset(Document(text))
        try:
            await bridge.from_aio(self._run)
        except EOFError as exc:
            raise errors.TerminalGone("the terminal is gone") from exc
        finally:
            self.unsent = self._buffer.text

    async def _run(self) -> None:
        # Signals are Trio's, and what goes wrong in here is raised by `from_aio`: no handlers of the toolkit.
        await self._session.app.run_async(handle_sigint=False, set_exception_handler=False)

    def refresh(self) -> None:
        """Draw the head again, soon."""
        self._session.app.invalidate()

    def give_back(self, text: str) -> None:
        """Put `text` into the line again, unless something else was typed meanwhile."""
        if not self._buffer.text:
            self._buffer.set_document(Document(text))

    def _head(self) -> StyleAndTextTuples:
        return [("", "\n".join(self._answers.head()))]

    def _disarm(self, _: Buffer) -> None:
        self._armed = False

    def _remember(self, _: KeyProcessor) -> None:
        self._before = self._session.app.current_buffer.document

    def _bound(self, buffer: Buffer) -> None:
        """Undo what makes the text too long, whichever key did it."""
        if len(buffer.text) <= MAX_LINE:
            self._is_full = False
            return
        was_full = self._is_full
        buffer.set_document(self._before)
        self._is_full = True
        if not was_full:
            self._answers.refused()

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        typing = has_focus(DEFAULT_BUFFER)  # and not searching
        is_empty = Condition(lambda: not self._buffer.text)

        @bindings.add("enter", filter=typing)
        def enter(event: KeyPressEvent) -> None:
            self._armed = False
            if self._answers.entered(event.current_buffer.text):
                event.current_buffer.reset(append_to_history=True)

        @bindings.add("escape", "enter", filter=typing)
        def new_line(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @bindings.add("c-c", filter=typing & ~is_empty)
        def take_back(event: KeyPressEvent) -> None:
            event.current_buffer.reset(append_to_history=True)  # so that Up brings it back

        @bindings.add("c-c", filter=typing & is_empty)
        def interrupt(event: KeyPressEvent) -> None:  # noqa: ARG001  (what every key gets)
            if self._armed:
                self._answers.interrupted()
            else:
                self._armed = True
                self._answers.warned()

        @bindings.add("c-d", filter=typing & is_empty)
        def end(event: KeyPressEvent) -> None:  # noqa: ARG001
            self._answers.ended()

        return bindings
