"""What Tab may mean: a command, the peer or the stranger that a command is about, a word of a code, or a path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final, final

from prompt_toolkit.completion import Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from p2pchat.crypto import codes
from p2pchat.ui import commands, sanitize

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent

PATHS_BEGIN = ("~", "/", "./", "../")
_LAST_WORD: Final = re.compile(r"[0-9]+[- ](?:[^- ]+[- ])*([^- ]+)")  # of a code, behind its number


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What there is to choose from at the moment."""

    peers: Callable[[], Iterable[str]]  # names, clean
    strangers: Callable[[], Iterable[int]]  # numbers


@final
class Tab(Completer):
    """Completes what stands before the cursor."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Return all that the word before the cursor may become."""
        line = document.text_before_cursor
        word, blank, argument = line.partition(" ")
        if line.startswith("/") and not line.startswith("//") and "\n" not in line:
            command = commands.find(word[1:].lower())
            if not blank:
                yield from _beginning_with(word, (f"/{name}" for name in commands.names()), add=" ")
            elif command is not None:
                yield from _beginning_with(*self._argument(command, argument.lstrip()))
        else:
            last = line.split()[-1] if line and not line[-1].isspace() else ""
            if last.startswith(PATHS_BEGIN):
                for found in self._paths.get_completions(Document(last), complete_event):
                    if found.text == sanitize.clean_line(found.text):  # a name that cannot be shown is not offered
                        yield found

    def _argument(self, command: commands.Command, typed: str) -> tuple[str, Iterable[str]]:
        """Return which part of what was `typed` behind `command` may go on, and how."""
        match command:
            case commands.Command(takes="peer"):
                return typed, self._choices.peers()
            case commands.Command(takes="number"):
                return typed, map(str, self._choices.strangers())
            case commands.Command(takes="anybody"):
                return typed, chain(map(str, self._choices.strangers()), self._choices.peers())
            case commands.Command(name="verify") if found := _LAST_WORD.fullmatch(typed):
                return found[1], codes.completions(found[1])
            case _:
                return typed, ()


def _beginning_with(typed: str, choices: Iterable[str], *, add: str = "") -> Iterator[Completion]:
    """Return the `choices` that begin with what was `typed`, in whatever case, and `add` behind each."""
    for choice in choices:
        if choice.casefold().startswith(typed.casefold()):
            yield Completion(choice + add, start_position=-len(typed), display=choice)
