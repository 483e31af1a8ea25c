"""The options that verbs share, each once: its words, its help, its twin in the environment.

A flag beats the environment, which beats the default. A verb gathers what was asked for in one `Common` record; nothing
behind this module knows that there are flags.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from p2pchat.cli.verbs import BY_NAME

MAX_NAME = 64  # characters; docs/protocol.md 3.1


class AcceptChoice(StrEnum):
    """Who may come in, as it is typed; `p2pchat.node.settings.Accept` is what it means."""

    ASK = "ask"
    KNOWN = "known"
    ANYONE = "anyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every verb that opens a node was asked for."""

    guest: bool = False
    profile: str = "default"
    data_dir: Path | None = None
    name: str = ""
    accept: AcceptChoice | None = None  # None: ask where a person can answer, else known
    once: bool = False
    timeout: float | None = None  # seconds; None: the default of the face
    linger: float = 5.0  # seconds
    plain: bool = False
    no_input: bool = False
    safe: bool = False
    verbose: int = 0
    quiet: bool = False


def _option(*words: str, explain: str, metavar: str | None = None, **more: Any) -> Any:  # noqa: ANN401  (typer's own)
    """Return the option called `words`, with its twin in the environment: `--data-dir` and P2PCHAT_DATA_DIR."""
    twin = "P2PCHAT_" + words[0].removeprefix("--").replace("-", "_").upper()
    more = {"show_default": False, "show_envvar": False, **more}
    return typer.Option(*words, help=explain, metavar=metavar, envvar=twin, **more)


def _not_negative(seconds: float | None) -> float | None:
    if seconds is not None and not seconds >= 0.0:  # so that NaN is refused, too
        raise typer.BadParameter("it takes a number of seconds, 0 or more")
    return seconds


def _short_enough(name: str) -> str:
    if len(name) > MAX_NAME:
        raise typer.BadParameter(f"a name has at most {MAX_NAME} characters")
    return name


Profile = Annotated[str, _option("--profile", metavar="NAME", explain="which identity to be [default]")]
DataDir = Annotated[Path | None, _option("--data-dir", metavar="DIR", explain="keep the profile there instead")]
Verbose = Annotated[int, _option("--verbose", "-v", count=True, explain="say more; twice: with tracebacks")]
Quiet = Annotated[bool, _option("--quiet", "-q", explain="say nothing but messages and errors")]
Guest = Annotated[bool, _option("--guest", explain="be somebody new for this run, and write nothing to disk")]
Name = Annotated[
    str, _option("--name", metavar="NAME", callback=_short_enough, explain="what to call yourself [nothing]")
]
Accept = Annotated[
    AcceptChoice | None,
    _option("--accept", metavar="WHO", explain="who may come in: ask [at a terminal], known [elsewhere] or anyone"),
]
Once = Annotated[bool, _option("--once", explain="end after the first chat that ends with a goodbye")]
Retry = Annotated[bool, _option("--retry", explain="keep trying until the peer can be reached")]
Timeout = Annotated[
    float | None,
    _option(
        "--timeout",
        metavar="SECONDS",
        callback=_not_negative,
        explain="bound for reaching the peer and being let in, and for a lost link [60; at a terminal none]",
    ),
]
Linger = Annotated[
    float,
    _option(
        "--linger",
        metavar="SECONDS",
        callback=_not_negative,
        explain="wait so long for one more answer at the end [5]",
    ),
]
Plain = Annotated[bool, _option("--plain", explain="append lines, draw nothing (so far the only face)")]
NoInput = Annotated[bool, _option("--no-input", explain="read nothing, ask nothing")]
Safe = Annotated[bool, _option("--safe", explain="clean what goes to a file or a pipe as for a terminal")]


def application() -> typer.Typer:
    """Return an empty command line for one verb: plain help, our own errors."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def summary(name: str) -> str:
    """Return the line of the table of verbs, as the beginning of the help of verb `name`."""
    text = BY_NAME[name].summary
    return text[:1].upper() + text[1:]
