"""What is wrong with config.toml or the environment is told with its cure; what is merely unknown is a warning."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2pchat.cli.kinds import Directory, Flag, Number
from p2pchat.cli.settings import OPTIONS, Option
from tests.support.settings import Complaint


def wrong(option: Option) -> Iterator[object]:
    """Values that the file may not hold."""
    yield from ([], "no" if isinstance(option.kind, Flag | Number) else 5)
    if isinstance(option.kind, Number):
        yield from (-1, True)
    if option.name in {"profile", "data-dir"}:
        yield "../here"
    if option.name == "name":
        yield "n" * 65


WRONG = [
    pytest.param(option, value, id=f"{option.name}-{number}")
    for option in OPTIONS.values()
    for number, value in enumerate(wrong(option))
]


@pytest.mark.parametrize(("option", "value"), WRONG)
def test_a_wrong_value_is_told_with_file_key_and_cure(
    option: Option, value: object, config_file: Path, complaint: Complaint
) -> None:
    config_file.write_text(f"{option.name} = {json.dumps(value)}\n")
    assert complaint("config", "show") == (
        78,
        [
            f"p2pchat: error: {config_file}: {option.name}: it takes {option.kind.takes}",
            f"hint: for example {option.name} = {option.kind.example}",
        ],
    )


def test_values_of_profiles_that_are_not_used_are_checked_too(config_file: Path, complaint: Complaint) -> None:
    config_file.write_text("[profiles.work]\nlinger = true\n")
    code, said = complaint("id")
    assert code == 78
    assert said[0].startswith(f"p2pchat: error: {config_file}: profiles.work.linger: it takes a number")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"name = alice", "is not TOML: invalid value (at line 1, column 8)"),
        (b'name = "\xff"', "is not UTF-8"),
        (b"[profiles]\nwork = 1", ": [profiles] holds work, which is no table of a profile"),
        (b'[profiles."a b"]', ": [profiles] holds a b, which is no table of a profile"),
        (b"profiles = 1", ": profiles is no table"),
        (b"timeout = 1" + b"0" * 400, ": timeout: it takes a number of seconds, 0 or more"),
    ],
)
def test_a_file_that_cannot_be_understood(text: bytes, message: str, config_file: Path, complaint: Complaint) -> None:
    config_file.write_bytes(text)
    code, said = complaint("config", "show")
    assert code == 78
    assert said[0].removeprefix(f"p2pchat: error: {config_file}").lstrip() == message.lstrip()
    assert said[1].startswith("hint: ")


@pytest.mark.parametrize("text", ["timeout = 1" + "0" * 5000, "name = " + "[" * 5000], ids=["digits", "brackets"])
def test_what_the_parser_of_python_cannot_take_is_no_bug_of_ours(
    text: str, config_file: Path, complaint: Complaint
) -> None:
    config_file.write_text(text)
    code, said = complaint("config", "show")
    assert code == 78
    assert said[0].startswith(f"p2pchat: error: {config_file} is not TOML: ")


@pytest.mark.parametrize("before", ["", 'profile = "work"\n'], ids=["alone", "beside the key"])
@pytest.mark.parametrize("table", ["[profile.work]", "[profile]", "profile.work.name = 1"])
def test_a_table_called_like_the_key_gets_its_right_name(
    before: str, table: str, config_file: Path, complaint: Complaint
) -> None:
    config_file.write_text(f"{before}{table}\n")
    code, said = complaint("config", "show")
    assert (code, said[1]) == (78, "hint: a table of a profile is called [profiles.NAME]")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_regular_file_is_not_opened(
    make: Callable[[Path], None], config_file: Path, complaint: Complaint
) -> None:
    make(config_file)
    assert complaint("config", "show") == (
        78,
        [f"p2pchat: error: {config_file} is not a file", "hint: move it away, or put a regular file there"],
    )


def test_a_file_that_cannot_be_read(config_file: Path, complaint: Complaint) -> None:
    config_file.symlink_to(config_file.name)
    code, said = complaint("config", "show")
    assert (code, said[0]) == (
        78,
        f"p2pchat: error: cannot read {config_file}: Too many levels of symbolic links",
    )


@pytest.mark.parametrize(
    "option",
    [pytest.param(one, id=one.name) for one in OPTIONS.values() if not isinstance(one.kind, Directory)],  # any will do
)
def test_a_wrong_value_in_the_environment_is_told(
    option: Option, config_file: Path, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(option.twin, "/" * 65)
    code, said = complaint("config", "show")
    assert code == 78
    assert said[0].startswith(f"p2pchat: error: {option.twin} in the environment: it takes ")
    assert said[1] == f"hint: unset {option.twin}, or correct it"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("accpt", ["hint: did you mean accept?"]),
        ("data_dir", ["hint: did you mean data-dir?"]),
        ("Name", ["hint: did you mean name?"]),
        ("xyzzy", []),
    ],
)
def test_an_unknown_key_is_a_warning(key: str, hint: list[str], config_file: Path, complaint: Complaint) -> None:
    config_file.write_text(f"{key} = 1\n")
    assert complaint("config", "show") == (0, [f"p2pchat: warning: {config_file}: unknown key {key}", *hint])
    assert complaint("config", "show", "--quiet") == (0, [])


def test_an_unknown_key_of_a_profile_is_a_warning(config_file: Path, complaint: Complaint) -> None:
    config_file.write_text('[profiles.work]\nprofile = "x"\n')
    assert complaint("config", "show") == (0, [f"p2pchat: warning: {config_file}: unknown key profiles.work.profile"])


@pytest.mark.parametrize("option", ["name", "data-dir"])
def test_text_that_is_not_utf_8_is_refused_where_it_is_read(
    option: str, config_file: Path, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_text = os.fsdecode(b"/a\xffb")
    code, said = complaint("config", "show", f"--{option}", no_text)
    assert (code, said[0]) == (2, f"p2pchat: error: invalid value for '--{option}': it takes text in UTF-8")
    monkeypatch.setenv(OPTIONS[option.replace("-", "_")].twin, no_text)
    code, said = complaint("config", "show")
    assert code == 78
    assert said[0].endswith(" in the environment: it takes text in UTF-8")


def test_no_directory_is_not_the_current_one(complaint: Complaint) -> None:
    code, said = complaint("config", "show", "--data-dir", "")
    assert code == 2
    assert said[0].endswith("it takes a directory, not nothing")


def test_a_lone_surrogate_is_no_text_in_the_file(config_file: Path, complaint: Complaint) -> None:
    config_file.write_text('name = "\\ud800"\n')
    assert complaint("config", "show")[0] == 78


@pytest.mark.parametrize("number", ["3", "7", "-1"])
def test_there_is_no_third_level_of_talk(
    number: str, config_file: Path, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PCHAT_VERBOSE", number)
    code, said = complaint("config", "show")
    assert (code, said[0]) == (78, "p2pchat: error: P2PCHAT_VERBOSE in the environment: it takes 0, 1 or 2")


def test_a_flag_without_sense_is_a_usage_error(complaint: Complaint, config_file: Path) -> None:
    code, said = complaint("config", "show", "--accept", "foo")
    assert (code, said[0]) == (
        2,
        "p2pchat: error: invalid value for '--accept': it takes ask, known or anyone",
    )
