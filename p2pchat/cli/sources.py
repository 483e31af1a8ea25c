"""Where a value comes from: a flag beats the environment, which beats config.toml, which beats the default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from p2pchat.cli import settings
from p2pchat.cli.settings import Common, Option, Source
from p2pchat.errors import ConfigurationError

if TYPE_CHECKING:
    from p2pchat.cli.configfile import ConfigFile

DEFAULT = Source("default")


def gather(
    options: Iterable[Option], *, flags: Mapping[str, object], environ: Mapping[str, str], file: ConfigFile
) -> Common:
    """Return the values of `options`, each with its source; of all others the defaults.

    Args:
      options: those that the verb takes.
      flags: what was typed, by field, as values.
      environ: the environment of the process.
      file: what config.toml says.

    Raises:
      ConfigurationError: if the environment holds a wrong value.
    """
    of_profile = settings.OPTIONS["profile"]
    profile, _ = _find(of_profile, flags, environ, file, profile="")
    found = {option.field: _find(option, flags, environ, file, profile=str(profile)) for option in options}
    values = {name: value for name, (value, _) in found.items()}
    return Common(**values, sources={name: source for name, (_, source) in found.items()})


def _find(
    option: Option, flags: Mapping[str, object], environ: Mapping[str, str], file: ConfigFile, *, profile: str
) -> tuple[Any, Source]:
    if option.field in flags:
        value = flags[option.field]
        return value, Source("flag", option.opposite if value is False else option.flag)
    if text := environ.get(option.twin):  # set and empty is as good as not set
        try:
            return option.kind.from_text(text), Source("environment", option.twin)
        except ValueError as exc:
            raise ConfigurationError(
                f"{option.twin} in the environment: {exc}", hint=f"unset {option.twin}, or correct it"
            ) from exc
    if said := file.find(option.field, profile=profile):
        value, place = said
        return value, Source("file", place)
    return option.default, DEFAULT
