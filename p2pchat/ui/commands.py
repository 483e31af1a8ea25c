"""Slash commands: one table, and what a typed line means. Nothing here does anything.

They exist only where a person types. A line that looks like a command and is none is never sent: a typing mistake must
not end up on the other side's screen. `//text` sends a text that begins with a slash.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal, TypeAlias

Name = Literal[
    "accept",
    "block",
    "clear",
    "grep",
    "help",
    "history",
    "me",
    "nick",
    "quit",
    "reconnect",
    "reject",
    "switch",
    "unsend",
    "verify",
    "who",
    "why",
]

MAX_UNASKED = 10  # lines of one text that are sent at the first Enter: more were seldom meant to be pasted here


@dataclass(frozen=True, slots=True)
class Command:
    """One row of the table."""

    name: Name
    usage: str
    summary: str
    aliases: tuple[str, ...] = ()
    takes: Literal["nothing", "number", "message", "count", "peer", "anybody", "text"] = "nothing"
    alone: bool = False  # it means something without what it takes, too


COMMANDS = (
    Command("help", "/help", "show this list", aliases=("h",)),
    Command("quit", "/quit", "say goodbye and end (also /q, /exit)", aliases=("q", "exit")),
    Command(
        "who",
        "/who PEER",
        "who is here, and who waits; with PEER, how safe it is to talk to that one",
        aliases=("w",),
        takes="peer",
        alone=True,
    ),
    Command("me", "/me TEXT", "say what you do: /me waves", takes="text"),
    Command("nick", "/nick NAME", "call yourself NAME, for this run", takes="text"),
    Command("switch", "/switch PEER", "talk to that peer of /who: its name or its number", takes="peer"),
    Command("accept", "/accept N", "let stranger number N in, from now on", takes="number"),
    Command("reject", "/reject N", "refuse stranger number N", takes="number"),
    Command("block", "/block WHOM", "refuse stranger number N, or the peer of that name, for good", takes="anybody"),
    Command(
        "verify",
        "/verify CODE",
        "make sure whom you talk to, by a code or its 30 digits; alone, it tells what to say",
        takes="text",
        alone=True,
    ),
    Command("why", "/why N", "what became of your message number N; without N, of the newest", takes="message"),
    Command("unsend", "/unsend N", "withdraw your message number N, if it has not left", takes="message"),
    Command("history", "/history N", "the newest N messages; without N, 20", takes="count"),
    Command("grep", "/grep WORDS", "find messages in which all WORDS occur", takes="text"),
    Command("reconnect", "/reconnect", "dial now, and do not wait longer, when the connection is lost"),
    Command("clear", "/clear", "clear the screen"),
)

_NEEDED = {
    "text": ("a text", "for example {}"),
    "peer": ("a name or a number", "both are in /who"),
    "anybody": ("the number of a stranger, or a name", "both are in /who"),
}
_NUMBERS = {
    "number": "the numbers are in /who",
    "message": "the numbers stand beside your messages",
    "count": "for example /history 50",
}
_BY_WORD = {word: command for command in COMMANDS for word in (command.name, *command.aliases)}


@dataclass(frozen=True, slots=True)
class Say:
    """The line is something to send."""

    text: str


@dataclass(frozen=True, slots=True)
class Do:
    """The line is a command; `number` is 0 where none was given or none is taken. The text of /me begins with it."""

    name: Name
    text: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """The line is neither: what is wrong with it, and what to type instead."""

    message: str
    hint: str


Meaning: TypeAlias = Say | Do | Mistake


def table() -> list[str]:
    """Return the list of all commands, one a line."""
    width = max(len(command.usage) for command in COMMANDS)
    return [f"{command.usage:<{width}}  {command.summary}" for command in COMMANDS]


def doubt(text: str) -> str:
    """Return why a person should be asked before `text` is sent, an empty string if there is no reason."""
    lines = text.count("\n") + 1
    if lines > MAX_UNASKED:
        return f"this text has {lines} lines"
    if text[:1].isspace() and text.lstrip().startswith("/"):
        return "a slash after blanks may have been meant as a command"
    if lines > 1 and text.startswith("/") and not text.startswith("//"):
        return "a text of several lines is never a command"
    return ""


def parse(line: str) -> Meaning:
    """Return what a person meant by `line`, which has no newline."""
    if line.startswith("//"):
        return Say(line[1:])
    if line.startswith("/"):
        word, _, argument = line[1:].partition(" ")
        return _read_command(word, argument.strip())
    if line.lstrip().startswith("/"):
        command = line.lstrip()
        return Mistake("a slash after blanks is not sent", f"{command} runs it, /{command} sends it")
    return Say(line)


def _read_command(word: str, argument: str) -> Meaning:
    command = find(word.lower())
    if command is None:
        return _unknown(word)
    if not argument and command.takes in _NEEDED and not command.alone:
        what, hint = _NEEDED[command.takes]
        return Mistake(f"/{command.name} needs {what}", hint.format(command.usage))
    if command.name == "me":
        argument = f"/me {argument}"  # as it is sent: the other side's face reads it
    if command.takes not in _NUMBERS:
        return Do(command.name, text=argument)
    if argument and not (argument.isascii() and argument.isdigit() and len(argument) < 10):
        return Mistake(f"/{command.name} takes a number, not {argument}", _NUMBERS[command.takes])
    return Do(command.name, number=int(argument or 0))


def written(meaning: Meaning) -> str:
    """Return the line that `parse` takes for `meaning`, an empty string if it says nothing to anybody."""
    match meaning:
        case Say(text):
            return f"/{text}" if text.startswith("/") else text
        case Do(name="me", text=text):
            return text
        case _:
            return ""


def names() -> list[str]:
    """Return how commands are called in full, in the order of the table."""
    return [command.name for command in COMMANDS]


def find(word: str) -> Command | None:
    """Return the command of that name or alias, or the only one that begins with `word`."""
    if word in _BY_WORD:
        return _BY_WORD[word]
    fitting = {command.name: command for name, command in _BY_WORD.items() if word and name.startswith(word)}
    return next(iter(fitting.values())) if len(fitting) == 1 else None


def _unknown(word: str) -> Mistake:
    fitting = sorted(name for name in _BY_WORD if word and name.startswith(word.lower()))
    if fitting:
        return Mistake(f"/{word} may mean several commands", " or ".join(f"/{name}" for name in fitting))
    meant = difflib.get_close_matches(word.lower(), _BY_WORD, n=1)
    hint = f"did you mean /{meant[0]}? " if meant else "/help lists the commands; "
    return Mistake(f"there is no command /{word}, and nothing was sent", f"{hint}//{word} sends it as text".strip())
