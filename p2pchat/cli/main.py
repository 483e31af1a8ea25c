"""Where the program begins and ends: words in, one verb, an exit code out.

Every error becomes one or two lines and a code here and nowhere else; this is the only place that takes exception
groups apart. Help and mistyped verbs are answered from the table, before anything heavy is imported.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import p2pchat
from p2pchat import errors
from p2pchat.cli import say, verbs
from p2pchat.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    import typer

    from p2pchat.cli.settings import Common

E = TypeVar("E", bound=BaseException)

OVERVIEW = """\
p2pchat: chat between equals from a terminal, with nobody in the middle

usage: p2pchat VERB [WORDS] [OPTIONS]

{verbs}

`p2pchat VERB --help` shows the options of a verb, `p2pchat help` the topics that are explained
"""

BEGINNING = """\
p2pchat: chat between equals from a terminal, with nobody in the middle

to begin with:
  p2pchat demo               chat with an echo, here and now
  p2pchat listen             wait for somebody
  p2pchat dial HOST          reach somebody who listens on HOST; on this machine: localhost

`p2pchat --help` shows all verbs
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line `words` (those of the process by default) and return its exit code."""
    words = sys.argv[1:] if words is None else words
    _open_missing()
    code: int = ExitCode.BUG
    try:
        code = run(words)
    except* errors.P2PChatError as group:
        _trace(group, words)
        code = say.failure(_first(group), as_json=_is_for_a_program(words))
    except* KeyboardInterrupt:
        code = ExitCode.INTERRUPT
    except* Exception as group:  # noqa: BLE001  (the edge of the program: a bug gets its line, too)
        _trace(group, words)
        bug = _first(group)
        code = say.fatal(
            ExitCode.BUG,
            f"a bug of p2pchat: {type(bug).__name__}: {bug}",
            hint="please report it, with what -vv shows",
            as_json=_is_for_a_program(words),
        )
    return code


def run(words: Sequence[str]) -> int:
    """Answer from the table, or import the one verb that was asked for and run it; whatever goes wrong is raised."""
    match words:
        case []:
            return say.text(BEGINNING)
        case ["--help" | "-h", *_]:
            return say.text(overview())
        case ["--version" | "-V", *_]:
            return say.text(f"p2pchat {p2pchat.__version__}")
        case ["__complete", *typed]:
            from p2pchat.cli import complete  # noqa: PLC0415  (for shells)

            return complete.run(typed)
    name, *rest = words
    verb = verbs.find(name)
    return _call(verb, rest) if verb else unknown(name)


def _open_missing() -> None:
    """Open those of the descriptors 0 to 2 that our parent closed, so that no socket of ours gets their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def overview() -> str:
    """Return the help of the whole program."""
    width = max(len(verb.name) for verb in verbs.VERBS)
    return OVERVIEW.format(verbs="\n".join(f"  {verb.name:<{width}}  {verb.summary}" for verb in verbs.VERBS))


def unknown(name: str) -> ExitCode:
    """Say that there is no such verb, and which one may have been meant."""
    if name.startswith("-"):
        say.error(f"options come after the verb: {name}", hint="for example `p2pchat listen --guest`")
    elif meant := verbs.nearest(name):
        say.error(f"no such verb: {name}", hint=f"did you mean `p2pchat {meant}`?")
    else:
        say.error(f"no such verb: {name}", hint="`p2pchat --help` lists them")
    return ExitCode.USAGE


def _call(verb: verbs.Verb, words: Sequence[str]) -> int:
    import typer  # noqa: PLC0415  (not needed for what is answered from the table)

    app: typer.Typer = importlib.import_module(verb.module).app
    name = f"p2pchat {verb.name}"
    try:
        code = app(args=list(words), prog_name=name, standalone_mode=False)
    except typer.TyperException as exc:
        message, hint = _usage(verb, words, exc)
        return say.fatal(ExitCode.USAGE, message, hint=hint, as_json=_is_for_a_program([verb.name, *words]))
    return int(code or ExitCode.DONE)


def _usage(verb: verbs.Verb, words: Sequence[str], wrong: typer.TyperException) -> tuple[str, str]:
    """Return what is wrong with the words behind `verb`, and what to do about it."""
    hint = f"`p2pchat {verb.name} --help` shows what it takes"
    if verb.name == "dial" and any(re.fullmatch(r"exec:\S*", word) for word in words):
        hint = "a command is one word, in quotes: `p2pchat dial 'exec:ssh box p2pchat stdio'`"
    if hasattr(wrong, "possibilities"):  # its class has no public name
        import difflib  # noqa: PLC0415  (for somebody who mistyped)

        name = str(getattr(wrong, "option_name", ""))
        if name == "--guest" and "data-dir" in verb.options:
            return f"no such option: {name}", f"{verb.name} works with what a profile keeps, and a guest keeps nothing"
        near = difflib.get_close_matches(name, [f"--{option}" for option in (*verb.options, "help")], n=1)
        return f"no such option: {name}", f"did you mean `p2pchat {verb.name} {near[0]}`?" if near else hint
    if verb.name == "dial" and any(word.startswith("--code=") for word in words):
        from p2pchat.cli import dial  # noqa: PLC0415  (was imported to run it)

        return dial.TYPED, dial.CURE
    message = wrong.format_message().rstrip(".").replace("Value error, ", "")
    if meant := re.fullmatch(r"(.*)\. Did you mean '([^']+)'.*", message):
        message, hint = meant[1], f"did you mean `p2pchat {verb.name} {meant[2]}`?"
    return message[:1].lower() + message[1:], hint


def _trace(group: BaseExceptionGroup[BaseException], words: Sequence[str]) -> None:
    """Print where it happened, if -vv asks for it, here, in the environment or in config.toml."""
    asked = sum(word.count("v") for word in words if re.fullmatch("-v+", word)) + list(words).count("--verbose")
    if _was_asked_for("verbose", {"verbose": asked} if asked else {}).verbose >= 2:
        import traceback  # noqa: PLC0415  (for those who look for a bug)

        traceback.print_exception(group)


def _is_for_a_program(words: Sequence[str]) -> bool:
    """Whether errors are to be JSON: the verb knows it, and it was asked for, wherever that can be."""
    verb = verbs.find(words[0]) if words else None
    said = [word for word in words if word in {"--json", "--no-json"}]
    asked = {"json": said[-1] == "--json"} if said else {}
    return verb is not None and "json" in verb.options and _was_asked_for("json", asked).json


def _was_asked_for(name: str, flags: Mapping[str, object]) -> Common:
    """Return the value of one option, without help of what has just failed: what cannot be read is not asked for."""
    from p2pchat.cli import configfile, places, settings, sources  # noqa: PLC0415  (something has failed: take the time)

    file = configfile.ConfigFile(path=places.config())
    with contextlib.suppress(errors.ConfigurationError):  # that is told by whoever needs the file
        file = configfile.read(file.path)
    with contextlib.suppress(errors.ConfigurationError):
        return sources.gather([settings.OPTIONS[name]], flags=flags, environ=os.environ, file=file)
    return settings.Common()


def _first(group: BaseExceptionGroup[E]) -> E:
    """Return the first exception in `group` that is not a group itself."""
    inner: E | BaseExceptionGroup[E] = group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    return inner
