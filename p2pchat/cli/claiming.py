"""What `dial --code` does first: get the code that somebody was told, and never from the command line.

What is typed behind a command is seen by other users of the machine, and kept by the shell. So a person is asked, and a
script says it in the environment, or on the first line of its standard input, of which no more is read than that.

Source: docs/protocol.md, section 5, "Invites".
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NamedTuple, final

from p2pchat.cli import say
from p2pchat.crypto.codes import Code
from p2pchat.errors import BadData, ConfigurationError, Interrupted
from p2pchat.ui import stdio

if TYPE_CHECKING:
    from p2pchat.cli.chat import Terminals
    from p2pchat.ui.stdio import Input, Source

MAX_CODE: Final = 1024  # bytes of a line: words have a few, and who pipes a book is told at once
CURE: Final = "say it in the environment, in P2PCHAT_CODE, or on the first line of standard input, with --code -"


class Said(NamedTuple):
    """Where a code is, if a person is not to be asked for it."""

    text: str  # the code, as it was in the environment; empty if it was not
    in_input: bool  # whether it is on the first line of standard input


@final
class Claim:
    """A code that is still to be said, and, once `obtain` has returned, the code."""

    code: Code

    def __init__(self, said: Said, terminals: Terminals, *, draws: bool, reads: bool) -> None:
        """Know where the code may come from.

        Args:
          said: what was said of it so far.
          terminals: where a person may be asked.
          draws: whether a line can be edited there.
          reads: whether standard input may be read.
        """
        self._from_input = said.in_input
        self._said = said.text
        self._can_ask = terminals.can_ask
        self._draws = draws
        self._reads = reads

    async def obtain(self) -> None:
        """Get the code; a person is asked until there is one.

        Raises:
          BadData: if what a script says is no code.
          ConfigurationError: if there is nobody to ask.
          Interrupted: if a person would rather not.
          TerminalGone: if the terminal hung up.
        """
        if self._said and not self._from_input:
            self.code = Code.parse(self._said)
        elif self._can_ask:
            self.code = await (_drawn() if self._draws else typed(stdio.Input(0)))
        elif self._from_input and self._reads:
            self.code = Code.parse(await first_line(stdio.Input(0)))
        else:
            raise ConfigurationError("there is no terminal to ask for the code at", hint=CURE)


async def first_line(source: Input) -> str:
    """Return the first line of `source`, byte by byte: what follows is for the chat.

    Raises:
      StdioFailed: if it cannot be read.
    """
    line = bytearray()
    while len(line) < MAX_CODE and not line.endswith(b"\n"):
        if not (byte := await source.receive_some(1)):
            break
        line += byte
    return line.decode("utf-8", "replace")


async def typed(source: Source) -> Code:
    """Ask at a terminal that draws nothing, until a code is typed.

    Raises:
      Interrupted: if the input ends instead.
      TerminalGone: if the terminal hung up.
    """
    while True:
        say.question("the code that you were told: ")
        data = await source.receive_some()
        if not data:
            raise Interrupted("no code was typed")
        try:
            return Code.parse(data.decode("utf-8", "replace"))
        except BadData as exc:
            say.error(str(exc), hint=exc.hint)


async def _drawn() -> Code:
    from p2pchat.ui.code_prompt import CodePrompt  # noqa: PLC0415  (a toolkit of 130 modules, for those who need it)
    from p2pchat.ui.terminal import Terminal  # noqa: PLC0415

    return await CodePrompt(Terminal.on(sys.stdout)).ask()
