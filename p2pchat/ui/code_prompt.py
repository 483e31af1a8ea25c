"""The line in which a person types the code of an invite: Tab completes its words, and what is no code stays there.

A code may be tried three times only, so a word that is in no list is asked about before it costs a try. Nothing of the
code is left on the screen. Callbacks run as asyncio's and must not wait.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.shortcuts import CompleteStyle

from p2pchat.crypto import codes
from p2pchat.crypto.codes import Code
from p2pchat.errors import BadData, Interrupted, TerminalGone
from p2pchat.ui import bridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPressEvent

    from p2pchat.ui.terminal import Terminal

EXPLAINED: Final = "the code that you were told, like 7-otter-amber-knife; Tab completes a word, Ctrl-C ends"
PROMPT: Final = "code> "
MAX_CODE: Final = 200  # characters; what is longer is no code, and is not drawn again at each key


@final
class Words(Completer):
    """Completes the words of a code; its number, nobody can know."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        """Return what the word before the cursor may become."""
        number, *words = re.split(r"[\s_\-.,]+", document.text_before_cursor.lstrip())
        if number and words and words[-1]:
            for word in codes.completions(words[-1]):
                yield Completion(word, start_position=-len(words[-1]))


@final
class CodePrompt:
    """A prompt that is up until a code was typed."""

    def __init__(self, terminal: Terminal, *, keys: Input | None = None) -> None:
        """Make a prompt on `terminal`; `keys` are those of the process."""
        self._told = EXPLAINED
        self._doubted = ""  # the text that is taken if Enter comes again
        self._session: PromptSession[str] = PromptSession(
            message=self._head,
            key_bindings=self._bindings(),
            completer=Words(),
            complete_while_typing=False,
            complete_style=CompleteStyle.READLINE_LIKE,
            erase_when_done=True,
            input=keys,
            output=terminal,
        )

    async def ask(self) -> Code:
        """Return the code that a person types.

        Raises:
          Interrupted: if the person pressed Ctrl-C, or Ctrl-D, instead.
          TerminalGone: if the terminal hung up.
        """
        try:
            return Code.parse(await bridge.from_aio(self._run))
        except EOFError as exc:
            raise TerminalGone("the terminal is gone") from exc

    async def _run(self) -> str:
        # Signals are Trio's, and what goes wrong in here is raised by `from_aio`: no handlers of the toolkit.
        return await self._session.app.run_async(handle_sigint=False, set_exception_handler=False)

    def _head(self) -> StyleAndTextTuples:
        return [("", f"-- {self._told}\n{PROMPT}")]

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()

        @bindings.add("enter")
        def enter(event: KeyPressEvent) -> None:
            text = event.current_buffer.text
            if why := self._doubt(text):
                self._told = why
            else:
                event.app.exit(result=text)

        @bindings.add("c-c")
        @bindings.add("c-d")
        def end(event: KeyPressEvent) -> None:
            event.app.exit(exception=Interrupted("no code was typed"))

        return bindings

    def _doubt(self, text: str) -> str:
        """Return why `text` is not taken, empty if it is."""
        try:
            code = Code.parse(text[:MAX_CODE])
        except BadData as exc:
            return f"{exc}; {exc.hint}"
        strange = unknown_word(code)
        if not strange or text == self._doubted:
            return ""
        self._doubted = text
        return f"{strange!a} is no word of ours: Enter again tries it all the same"


def unknown_word(code: Code) -> str:
    """Return the first word of `code` that we would never have made a code of, empty if there is none."""
    words = code.secret.split("-")
    is_token = len(words) == 1
    return "" if is_token else next((word for word in words if word not in codes.completions(word)), "")
