"""The options, in one table. Everything else about them is made from it.

A field of `Common` is an option: `data_dir` is the flag `--data-dir`, its twin P2PCHAT_DATA_DIR in the environment, the
key `data-dir` in config.toml, a line of help and a row of docs/reference/configuration.md. Which verb takes which is in
`verbs.py`; how a value is found is in `sources.py`; that there is a typer is known to `options.py` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from p2pchat.cli.kinds import Choice, Directory, Flag, Kind, Number, Word

MAX_NAME = 64  # characters; docs/protocol.md 3.1
MAX_VERBOSE = 2
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # a name of one directory, and of nothing else


class AcceptChoice(StrEnum):
    """Who may come in, as it is typed; `p2pchat.node.settings.Accept` is what it means."""

    ASK = "ask"
    KNOWN = "known"
    ANYONE = "anyone"


class Source(NamedTuple):
    """Where a value came from."""

    kind: str  # "flag", "environment", "file" or "default"
    place: str = ""  # the flag, the variable, or the file


class Option(NamedTuple):
    """One row of the table: all names of an option, and what it means."""

    field: str  # its field in `Common`
    name: str  # its key in config.toml
    short: str
    kind: Kind
    metavar: str  # empty for a flag without a value
    explain: str
    default: object
    usual: str  # the default in words, where somebody would wonder

    @property
    def flag(self) -> str:
        """How it is spelled on the command line."""
        return f"--{self.name}"

    @property
    def opposite(self) -> str:
        """How a flag without a value is taken back on the command line."""
        return f"--{self.name.removeprefix('no-')}" if self.name.startswith("no-") else f"--no-{self.name}"

    @property
    def twin(self) -> str:
        """How it is called in the environment."""
        return f"P2PCHAT_{self.field.upper()}"

    @property
    def help(self) -> str:
        """One line about it."""
        return f"{self.explain} [{self.usual}]" if self.usual else self.explain


def is_profile(text: str) -> bool:
    """Whether a profile can be called `text`: everywhere, a directory can."""
    return bool(_PROFILE.fullmatch(text))


def _option(  # noqa: PLR0913  (the columns of the table)
    explain: str, kind: Kind, *, default: object = False, metavar: str = "", usual: str = "", short: str = ""
) -> Any:  # noqa: ANN401  (a field stands for its value, as those of `dataclasses` do)
    """Return a field that is an option."""
    about = {"kind": kind, "explain": explain, "metavar": metavar, "usual": usual, "short": short}
    return field(default=default, metadata=about)


_SECONDS = Number("a number of seconds, 0 or more", example="60")


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What a verb was asked for; None where it decides for itself."""

    profile: str = _option(
        "which identity to be",
        Word("a name of letters, digits, dots and dashes", example='"work"', fits=is_profile),
        default="default",
        metavar="NAME",
        usual="default",
    )
    data_dir: Path | None = _option(  # noqa: RUF009  (a field, whatever the annotation)
        "keep the profile there instead", Directory(), default=None, metavar="DIR"
    )
    guest: bool = _option("be somebody new for this run, and write nothing to disk", Flag())
    name: str = _option(
        "what to call yourself",
        Word(f"at most {MAX_NAME} characters", example='"alice"', fits=lambda text: len(text) <= MAX_NAME),
        default="",
        metavar="NAME",
        usual="nothing",
    )
    accept: AcceptChoice | None = _option(  # noqa: RUF009
        "who may come in: ask, known or anyone",
        Choice(AcceptChoice),
        default=None,
        metavar="WHO",
        usual="ask at a terminal, else known",
    )
    once: bool = _option("end after the first chat that ends with a goodbye", Flag())
    retry: bool = _option("keep trying until the peer can be reached", Flag())
    timeout: float | None = _option(
        "bound for reaching the peer and being let in, and for a lost link",
        _SECONDS,
        default=None,
        metavar="SECONDS",
        usual="60; at a terminal none; send: 30",
    )
    linger: float = _option(
        "wait so long for one more answer at the end", _SECONDS, default=5.0, metavar="SECONDS", usual="5"
    )
    plain: bool = _option("append lines, draw nothing", Flag())
    json: bool = _option("print JSON, for programs", Flag())
    no_input: bool = _option("read nothing, ask nothing", Flag())
    safe: bool = _option("clean what goes to a file or a pipe as for a terminal", Flag())
    no_receipts: bool = _option("do not tell peers which of their messages you have read", Flag())
    verbose: int = _option(
        "say more; twice: with tracebacks",
        Number("0, 1 or 2", example="1", whole=True, most=MAX_VERBOSE),
        default=0,
        short="-v",
    )
    quiet: bool = _option("say nothing but messages and errors", Flag(), short="-q")

    sources: Mapping[str, Source] = field(default_factory=dict)  # by field; where each value came from


#: The table, by field.
OPTIONS: Mapping[str, Option] = {
    one.name: Option(field=one.name, name=one.name.replace("_", "-"), default=one.default, **one.metadata)
    for one in fields(Common)
    if one.metadata
}

#: The same by the key in config.toml.
BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS.values()}


def named(names: Iterable[str]) -> list[Option]:
    """Return the options called `names`."""
    return [BY_NAME[name] for name in names]
