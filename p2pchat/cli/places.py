"""Where things are on the disk. Finding a place touches nothing; only `make_private` makes a directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from p2pchat.cli import settings
from p2pchat.errors import ConfigurationError, StoreError

APP = "p2pchat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places of one profile."""

    data: Path  # the directory of the profile
    log: Path
    socket: Path  # of the process that listens for the profile

    @property
    def key(self) -> Path:
        """The file that holds who we are."""
        return self.data / "identity.key"

    @property
    def history(self) -> Path:
        """The file that holds what was said, and what still waits to be."""
        return self.data / "history.db"

    @property
    def draft(self) -> Path:
        """The file that holds what was typed and not sent, between two runs."""
        return self.data / "draft"

    @property
    def accepted(self) -> Path:
        """The file that lists who may come in."""
        return self.data / "accepted"


def find(profile: str, data_dir: Path | None = None) -> Places:
    """Return the places of `profile`; `data_dir`, if given, is its directory.

    Raises:
      ConfigurationError: if `profile` is not a name that a directory can have everywhere.
    """
    if not settings.is_profile(profile):
        raise ConfigurationError(
            f"a profile cannot be called {profile[:80]!r}", hint="letters, digits, dots, dashes: for example work"
        )
    if data_dir is None:
        data, run = platformdirs.user_data_path(APP, appauthor=False) / profile, _runtime()
    else:
        data, run = data_dir.expanduser().absolute(), None  # profiles of one name may be in many directories
    return Places(
        data=data,
        log=platformdirs.user_state_path(APP, appauthor=False) / "log",
        socket=(run or data / "run") / f"{profile}.sock",
    )


def _runtime() -> Path | None:
    """Return our directory for sockets, which is gone when the user has logged out; None if the system has none.

    Relative paths do not count, says the XDG base directory specification; platformdirs makes one up where there is
    none, and another process would make up another one.
    """
    path = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return path / APP if path.is_absolute() else None


def config() -> Path:
    """Return the file with the defaults of our user's own, `config.toml`."""
    return platformdirs.user_config_path(APP, appauthor=False) / "config.toml"


def profiles() -> list[str]:
    """Return the names of the profiles that exist where `find` looks for them. Looks at directories, opens nothing."""
    try:
        entries = sorted(platformdirs.user_data_path(APP, appauthor=False).iterdir())
        return [entry.name for entry in entries if settings.is_profile(entry.name) and entry.is_dir()]
    except OSError:
        return []


def make_private(directory: Path) -> None:
    """Make `directory`, for our user only, if it is not there.

    Raises:
      StoreError: if that is not possible.
    """
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        raise StoreError(
            f"cannot make {directory}: {exc.strerror}",
            hint="--data-dir puts it elsewhere, --guest needs no place at all",
        ) from exc
