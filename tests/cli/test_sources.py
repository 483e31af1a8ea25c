"""A flag beats the environment, which beats config.toml, which beats the default: for every option there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2pchat.cli.kinds import Flag
from p2pchat.cli.settings import BY_NAME, OPTIONS, Option
from tests.support.settings import Show

#: For each option that is no flag: what the file says, what the environment says, what is typed.
SAMPLES: dict[str, tuple[object, str, str]] = {
    "profile": ("home", "work", "play"),
    "data-dir": ("/srv/file", "/srv/environment", "/srv/flag"),
    "name": ("Filia", "Envy", "Flagg"),
    "accept": ("ask", "known", "anyone"),
    "timeout": (1.5, "2.5", "3.5"),
    "linger": (1, "2", "3"),
    "verbose": (2, "0", "1"),
}
OTHERS = [pytest.param(option, id=option.name) for option in OPTIONS.values() if not isinstance(option.kind, Flag)]
FLAGS = [pytest.param(option, id=option.name) for option in OPTIONS.values() if isinstance(option.kind, Flag)]


def plain(option: Option, text: str) -> object:
    """The value that `text` spells, as JSON has it."""
    value = option.kind.from_text(text)
    return str(value) if isinstance(value, Path) else value


def in_json(option: Option) -> list[str]:
    """The words that make `config show` print JSON, unless that is what is tried."""
    return [] if option.name == "json" else ["--json"]


@pytest.mark.parametrize("option", OTHERS)
def test_each_source_beats_the_next(
    option: Option, config_file: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_file, in_environment, typed = SAMPLES[option.name]
    assert show("--json")[option.name] == (option.default, "default")
    config_file.write_text(f"{option.name} = {json.dumps(in_file)}\n")
    assert show("--json")[option.name] == (in_file, str(config_file))
    monkeypatch.setenv(option.twin, in_environment)
    assert show("--json")[option.name] == (plain(option, in_environment), option.twin)
    words = [option.flag, typed] if option.metavar else [option.flag]
    assert show("--json", *words)[option.name] == (plain(option, typed), option.flag)


@pytest.mark.parametrize("option", FLAGS)
def test_each_source_beats_the_next_for_flags(
    option: Option, config_file: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = in_json(option)
    assert show(*words)[option.name] == (False, "default")
    config_file.write_text(f"{option.name} = true\n")
    assert show(*words)[option.name] == (True, str(config_file))
    monkeypatch.setenv(option.twin, "0")
    assert show(*words)[option.name] == (False, option.twin)
    assert show(*words, option.flag)[option.name] == (True, option.flag)


@pytest.mark.parametrize("option", FLAGS)
def test_a_flag_is_taken_back_by_its_opposite(
    option: Option, config_file: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(option.twin, "1")
    assert show(*in_json(option), option.opposite)[option.name] == (False, option.opposite)


def test_the_opposite_of_no_input_is_input() -> None:
    assert BY_NAME["no-input"].opposite == "--input"
    assert BY_NAME["plain"].opposite == "--no-plain"


def test_an_empty_variable_is_as_good_as_none(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P2PCHAT_ACCEPT", "")
    assert show()["accept"] == (None, "default: ask at a terminal, else known")


# ---- profiles


def test_a_profile_has_values_of_its_own(config_file: Path, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('name = "all"\nlinger = 1\n[profiles.work]\nname = "work"\n[profiles.play]\nname = "play"\n')
    assert show()["name"] == ("all", str(config_file))
    assert show("--profile", "work")["name"] == ("work", f"{config_file} [profiles.work]")
    assert show("--profile", "work")["linger"] == (1, str(config_file))
    monkeypatch.setenv("P2PCHAT_PROFILE", "play")
    assert show()["name"] == ("play", f"{config_file} [profiles.play]")


def test_the_file_chooses_a_profile(config_file: Path, show: Show) -> None:
    config_file.write_text('profile = "work"\n')
    assert show()["profile"] == ("work", str(config_file))
