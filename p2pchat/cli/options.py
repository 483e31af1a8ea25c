"""The one place that turns the table of options into flags of typer.

A verb is a function of its own words and one `Common` record; `gathered` gives it the flags that `verbs.py` lists,
fills the record, and says what config.toml holds that nobody understands. Nothing behind this module knows that there
are flags.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from p2pchat.cli import configfile, places, say, settings, sources, verbs
from p2pchat.cli.kinds import Flag, Number

if TYPE_CHECKING:
    from p2pchat.cli.settings import Common, Option

Application = typer.Typer
Verb = Callable[..., int]


def application() -> Application:
    """Return an empty command line for one verb: plain help, our own errors."""
    return Application(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def gathered(name: str, **usual: str) -> Callable[[Verb], Verb]:
    """Return a decorator for the function of the verb `name`: what typer sees has flags where it has `common`.

    `usual` says of options by their fields what their default is in words, where it is another one for this verb.
    """
    named = settings.named(verbs.BY_NAME[name].options)
    options = [option._replace(usual=usual.get(option.field, option.usual)) for option in named]

    def decorate(function: Verb) -> Verb:
        @functools.wraps(function)
        def run(**words: object) -> int:
            flags = {option.field: _value(option, words) for option in options if _is_given(option, words)}
            own = {name: words[name] for name in signature.parameters if name in words and name != "common"}
            return function(**own, common=_gather(options, flags))

        signature = inspect.signature(function, eval_str=True)
        own = [parameter for parameter in signature.parameters.values() if parameter.name != "common"]
        flags = [flag for option in options for flag in _flags(option)]
        run.__signature__ = signature.replace(parameters=[*own, *flags])  # type: ignore[attr-defined]  # PEP 362
        return run

    return decorate


def _gather(options: list[Option], flags: Mapping[str, object]) -> Common:
    file = configfile.read(places.config())
    common = sources.gather(options, flags=flags, environ=os.environ, file=file)
    if not common.quiet:
        for key, near in file.unknown:
            say.warning(f"{file.path}: unknown key {key}", hint=f"did you mean {near}?" if near else "")
    return common


def _flags(option: Option) -> Iterator[inspect.Parameter]:
    """Yield the parameters for typer: `--plain`, and, hidden, `--no-plain`, which takes it back."""
    words = [option.flag, option.short] if option.short else [option.flag]
    if isinstance(option.kind, Flag):
        yield _parameter(option.field, bool, *words, help=option.help)
        yield _parameter(_opposite(option), bool, option.opposite, hidden=True)
    elif isinstance(option.kind, Number) and not option.metavar:
        yield _parameter(option.field, int, *words, help=option.help, count=True)
    else:
        yield _parameter(option.field, str, *words, help=option.help, metavar=option.metavar)


def _parameter(name: str, kind: type, *words: str, **more: Any) -> inspect.Parameter:  # noqa: ANN401  (typer's own)
    option = typer.Option(*words, show_default=False, **more)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]  # made at run time, for typer
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _opposite(option: Option) -> str:
    return f"not_{option.field}"


def _is_given(option: Option, words: Mapping[str, object]) -> bool:
    return words.get(option.field) is not None or words.get(_opposite(option)) is not None


def _value(option: Option, words: Mapping[str, object]) -> object:
    """Return what the flag says; typer has cut the words, what they mean is read like everything else."""
    if words.get(_opposite(option)):
        return False
    given = words[option.field]
    if isinstance(option.kind, Number) and isinstance(given, int):
        return min(given, option.kind.most)  # how often it was typed: who says -vvv wants all there is
    if not isinstance(given, str):
        return given
    try:
        return option.kind.from_text(given)
    except ValueError as exc:
        raise typer.BadParameter(str(exc), param_hint=f"'{option.flag}'") from exc
