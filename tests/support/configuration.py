"""The table of options for the documents, made from the one in `p2pchat/cli/settings.py`."""

from __future__ import annotations

from p2pchat.cli import verbs
from p2pchat.cli.settings import OPTIONS, Option
from tests.support.diagrams import table


def options() -> str:
    """Return every option with all its names, what it takes, what it means and who takes it."""
    head = ["flag", "in `config.toml`", "in the environment", "takes", "meaning", "verbs"]
    return table(head, [_row(option) for option in OPTIONS.values()])


def _row(option: Option) -> list[str]:
    words = f"{option.flag} {option.metavar}".strip()
    return [
        f"`{words}`" + (f", `{option.short}`" if option.short else ""),
        f"`{option.name} = {option.kind.example}`",
        f"`{option.twin}`",
        option.kind.takes,
        option.help,
        ", ".join(verb.name for verb in verbs.VERBS if option.name in verb.options and verb.name != "config"),
    ]
