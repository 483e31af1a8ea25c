"""What Tab offers. The scripts of `completion.py` ask at every Tab, so this only looks at tables and directory names.

`p2pchat __complete WORD…` gets the words behind the program's name, the last one as far as it is typed, and prints one
candidate a line, with a tab and its meaning; the line `:path` says that a path would fit as well. It never complains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from p2pchat.cli import say, settings, verbs
from p2pchat.cli.exit_codes import ExitCode

SHELLS = ("bash", "zsh", "fish")
HELP = "--help"


class Candidate(NamedTuple):
    """A word that can be typed here."""

    word: str
    meaning: str = ""


PATH = Candidate(":path")  # a path fits: the shell knows better which ones there are


def run(words: Sequence[str]) -> int:
    """Print what fits in the place of the last of `words`."""
    lines = ["\t".join(filter(None, candidate)) for candidate in candidates(words)]
    return say.text("\n".join(lines)) if lines else ExitCode.DONE


def candidates(words: Sequence[str]) -> Iterator[Candidate]:
    """Yield what fits in the place of the last of `words`, by the table of verbs and that of options."""
    *before, current = words or [""]
    if not before:
        return _beginning(_first(), current)
    verb = verbs.find(before[0])
    return _of_verb(verb, before[1:], current) if verb else iter(())


def _first() -> Iterator[Candidate]:
    for verb in verbs.VERBS:
        yield Candidate(verb.name, verb.summary)
    yield Candidate(HELP, "list the verbs")
    yield Candidate("--version", "print the version")


def _of_verb(verb: verbs.Verb, before: Sequence[str], current: str) -> Iterator[Candidate]:
    options = {option.flag: option for option in settings.named(verb.options)}
    if before and before[-1] == "=":  # bash cuts --accept=ask into three words
        before = before[:-1]
    last = before[-1] if before else ""
    name, equals, value = current.partition("=")
    if last in options and options[last].metavar:
        return _beginning(_values(options[last]), current)
    if equals and name in options:
        return (Candidate(f"{name}={word}", why) for word, why in _beginning(_values(options[name]), value))
    if current.startswith("-"):
        return _beginning(_flags(options, before), current)
    return _beginning(_words(verb, is_first=_is_first(options, before)), current)


def _is_first(options: dict[str, settings.Option], before: Sequence[str]) -> bool:
    """Whether there is nothing but options in `before`."""
    values = {at + 1 for at, word in enumerate(before) if word in options and options[word].metavar}
    return all(word.startswith("-") for at, word in enumerate(before) if at not in values)


def _flags(options: dict[str, settings.Option], before: Sequence[str]) -> Iterator[Candidate]:
    for flag, option in options.items():
        if flag not in before:
            yield Candidate(flag, option.help)
    yield Candidate(HELP, "show what the verb takes")


def _values(option: settings.Option) -> Iterator[Candidate]:
    if option.name == "data-dir":
        yield PATH
    if option.name == "profile":
        from p2pchat.cli import places  # noqa: PLC0415  (a third of the time of a Tab)

        yield from map(Candidate, places.profiles())
    yield from map(Candidate, option.kind.words)


def _words(verb: verbs.Verb, *, is_first: bool) -> Iterator[Candidate]:
    """Yield what fits where no option stands."""
    match verb.name:
        case "help" if is_first:
            from p2pchat.cli import topics  # noqa: PLC0415  (for this one place)

            yield from (Candidate(name, "a topic") for name in topics.PAGES)
            yield from (Candidate(one.name, one.summary) for one in verbs.VERBS)
        case "config" if is_first:
            yield from map(Candidate, ("show", "path"))
        case "contacts" if is_first:
            yield Candidate("list", "whom you know")
            yield Candidate("show", "all that is known of one")
            yield Candidate("rename", "give a name")
            yield Candidate("remove", "forget a contact")
        case "history" if is_first:
            yield Candidate("delete", "delete what was said")
        case "completion" if is_first:
            yield from map(Candidate, SHELLS)
        case "dial" if is_first:
            yield Candidate("localhost", "this machine")
            yield PATH
        case "listen" | "invite":
            yield Candidate("localhost", "this machine only")
            yield PATH


def _beginning(candidates: Iterator[Candidate], typed: str) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate is PATH or candidate.word.startswith(typed))
