"""`config.toml`: defaults of one's own. Every value in it is checked, whether this run needs it or not.

    name = "alice"              # for every profile

    [profiles.work]
    name = "A. Liddell"         # for this one

A wrong value is an error that names file, key and cure. An unknown key is only a warning, so that an older p2pchat can
live with the file of a newer one.
"""

from __future__ import annotations

import difflib
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from p2pchat.cli import settings
from p2pchat.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

Values = Mapping[str, object]  # by field of `Common`

PROFILE = "profile"  # the key that chooses a profile
PROFILES = "profiles"  # the table of their tables; TOML has no name for a value and a table at once

_CURE = "a table of a profile is called [profiles.NAME]"
_MISSPELT = re.compile(r"^\s*\[?\s*profile\s*[.\]]", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What the file says; of a file that is not there, nothing."""

    path: Path
    values: Values = field(default_factory=dict)  # for every profile
    profiles: Mapping[str, Values] = field(default_factory=dict)  # these stand above those
    unknown: tuple[tuple[str, str], ...] = ()  # keys that mean nothing, each with the nearest that does

    def find(self, name: str, *, profile: str) -> tuple[object, str] | None:
        """Return what the file says of the field `name`, and where in it; None if nothing."""
        if name in (own := self.profiles.get(profile, {})):
            return own[name], f"{self.path} [profiles.{profile}]"
        return (self.values[name], str(self.path)) if name in self.values else None


def read(path: Path) -> ConfigFile:
    """Return what the file at `path` says.

    Raises:
      ConfigurationError: if it cannot be read or understood, or a value in it is wrong.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a FIFO would wait for somebody who writes
            raise ConfigurationError(f"{path} is not a file", hint="move it away, or put a regular file there")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ConfigFile(path=path)
    except OSError as exc:
        raise ConfigurationError(
            f"cannot read {path}: {exc.strerror}", hint="make it readable for you, or move it away"
        ) from exc
    except UnicodeDecodeError as exc:
        raise ConfigurationError(f"{path} is not UTF-8", hint="save it as UTF-8") from exc
    return _understand(path, _parsed(path, text))


def _parsed(path: Path, text: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # not all of the former are its own: a number may have too many digits
        message = str(exc)
        raise ConfigurationError(
            f"{path} is not TOML: {message[:1].lower()}{message[1:]}",
            hint=_CURE if _MISSPELT.search(text) else 'a line of it looks like name = "alice"',
        ) from exc


def _understand(path: Path, table: Mapping[str, object]) -> ConfigFile:
    if isinstance(table.get(PROFILE), dict):
        raise ConfigurationError(f"{path}: profile is the name of one, and no table", hint=_CURE)
    profiles = table.get(PROFILES, {})
    if not isinstance(profiles, dict):
        raise ConfigurationError(f"{path}: profiles is no table", hint=_CURE)
    top = {key: value for key, value in table.items() if key != PROFILES}
    unknown = [*_unknown(top, "")]
    for name, values in profiles.items():
        if not settings.is_profile(name) or not isinstance(values, dict):
            raise ConfigurationError(
                f"{path}: [profiles] holds {name}, which is no table of a profile",
                hint='to choose a profile: profile = "work"; to set something for it: [profiles.work]',
            )
        unknown += _unknown(values, f"{PROFILES}.{name}.")
    return ConfigFile(
        path=path,
        values=_values(path, top, ""),
        profiles={name: _values(path, values, f"{PROFILES}.{name}.") for name, values in profiles.items()},
        unknown=tuple(unknown),
    )


def _known(prefix: str) -> list[str]:
    """Return the keys that mean something behind `prefix`; which profile it is, a profile cannot say."""
    return [name for name in settings.BY_NAME if not prefix or name != PROFILE]


def _unknown(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    known = _known(prefix)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key.replace("_", "-").lower(), known, n=1)
            yield f"{prefix}{key}", near[0] if near else ""


def _values(path: Path, table: Mapping[str, object], prefix: str) -> Values:
    found: dict[str, object] = {}
    for key in _known(prefix):
        if key in table:
            option = settings.BY_NAME[key]
            try:
                found[option.field] = option.kind.from_toml(table[key])
            except ValueError as exc:
                raise ConfigurationError(
                    f"{path}: {prefix}{key}: {exc}", hint=f"for example {key} = {option.kind.example}"
                ) from exc
    return found
