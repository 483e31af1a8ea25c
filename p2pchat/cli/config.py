"""`p2pchat config`: what is set, by whom, and where the file is."""

from __future__ import annotations

import math
from pathlib import Path

from p2pchat.cli import options, places, say, settings

HELP = """\
Show what is set and where each value came from, or where the file with your own defaults is. `p2pchat help
configuration` has the rest.

Example: p2pchat config show --profile work
"""

app: options.Application = options.application()


@app.callback(help=HELP)
def config() -> None:
    """Let typer know that there are words to choose from, even if there were only one."""


@app.command()
@options.gathered("config")
def show(*, common: settings.Common) -> int:
    """Show every option as a chat would find it, in the form of the file; with --json as one object."""
    return say.text(_as_json(common) if common.json else _as_toml(common))


@app.command()
def path() -> int:
    """Show where config.toml is looked for, whether it is there or not. It is not opened."""
    return say.text(str(places.config()))


def _as_toml(common: settings.Common) -> str:
    file = places.config()
    rows = [(_assignment(option, getattr(common, option.field)), _origin(option, common)) for option in _rows()]
    width = max(len(left) for left, _ in rows)
    note = "" if file.exists() else "  (not there)"
    return "\n".join([f"# {file}{note}", "", *(f"{left:<{width}}  # {right}" for left, right in rows)])


def _assignment(option: settings.Option, value: object) -> str:
    return f"# {option.name}" if value is None else f"{option.name} = {_toml(value)}"


def _origin(option: settings.Option, common: settings.Common) -> str:
    source = common.sources[option.field]
    if source.place:
        return source.place
    return f"default: {option.usual or 'none'}" if getattr(common, option.field) is None else "default"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value).removesuffix(".0")  # exact, and `inf` is TOML
    quoted = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08X}" for char in quoted) + '"'


def _as_json(common: settings.Common) -> str:
    import json  # noqa: PLC0415  (for those who ask for it)

    def row(option: settings.Option) -> dict[str, object]:
        value = getattr(common, option.field)
        source = common.sources[option.field]
        return {
            "value": str(value) if isinstance(value, Path) or value == math.inf else value,  # JSON has no infinity
            "source": source.kind,
            "place": source.place or None,
        }

    file = places.config()
    return json.dumps(
        {"file": str(file), "exists": file.exists(), "settings": {option.name: row(option) for option in _rows()}}
    )


def _rows() -> list[settings.Option]:
    return list(settings.OPTIONS.values())
