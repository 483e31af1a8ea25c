"""What is set, and by whom: a flag beats the environment, which beats config.toml, which beats the default."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from p2pchat.cli import configfile, main, places, settings, topics, verbs
from p2pchat.cli.kinds import Directory, Flag, Number
from p2pchat.cli.settings import BY_NAME, OPTIONS, Option
from p2pchat.wire import messages

Show = Callable[..., dict[str, tuple[Any, str]]]
Complaint = Callable[..., tuple[int, list[str]]]

#: For each option that is no flag: what the file says, what the environment says, what is typed.
SAMPLES: dict[str, tuple[object, str, str]] = {
    "profile": ("home", "work", "play"),
    "data-dir": ("/srv/file", "/srv/environment", "/srv/flag"),
    "name": ("Filia", "Envy", "Flagg"),
    "accept": ("ask", "known", "anyone"),
    "timeout": (1.5, "2.5", "3.5"),
    "linger": (1, "2", "3"),
    "verbose": (2, "3", "1"),
}
OTHERS = [pytest.param(option, id=option.name) for option in OPTIONS.values() if not isinstance(option.kind, Flag)]
FLAGS = [pytest.param(option, id=option.name) for option in OPTIONS.values() if isinstance(option.kind, Flag)]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where config.toml is looked for; nobody has written it yet, and nothing is set in the environment."""
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setattr(places, "config", lambda: path)
    for option in OPTIONS.values():
        monkeypatch.delenv(option.twin, raising=False)
    return path


@pytest.fixture
def show(file: Path, capfd: pytest.CaptureFixture[str]) -> Show:
    """Return every setting and where it came from, as `p2pchat config show` tells it."""

    def show(*words: str) -> dict[str, tuple[Any, str]]:
        assert main.main(["config", "show", *words]) == 0
        out = capfd.readouterr().out
        if out.startswith("{"):
            rows = json.loads(out)["settings"]
            return {name: (row["value"], row["place"] or row["source"]) for name, row in rows.items()}
        values = tomllib.loads(out)
        origins = dict(re.findall(r"^(?:# )?([\w-]+) .*  # (.*)$", out, re.MULTILINE))
        return {name: (values.get(name), origin) for name, origin in origins.items()}

    return show


def toml(value: object) -> str:
    return json.dumps(value)  # the same, for what is used here


def plain(option: Option, text: str) -> object:
    """The value that `text` spells, as JSON has it."""
    value = option.kind.from_text(text)
    return str(value) if isinstance(value, Path) else value


def in_json(option: Option) -> list[str]:
    """The words that make `config show` print JSON, unless that is what is tried."""
    return [] if option.name == "json" else ["--json"]


# ---- who beats whom


@pytest.mark.parametrize("option", OTHERS)
def test_each_source_beats_the_next(option: Option, file: Path, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    in_file, in_environment, typed = SAMPLES[option.name]
    assert show("--json")[option.name] == (option.default, "default")
    file.write_text(f"{option.name} = {toml(in_file)}\n")
    assert show("--json")[option.name] == (in_file, str(file))
    monkeypatch.setenv(option.twin, in_environment)
    assert show("--json")[option.name] == (plain(option, in_environment), option.twin)
    words = [option.flag, typed] if option.metavar else [option.flag]
    assert show("--json", *words)[option.name] == (plain(option, typed), option.flag)


@pytest.mark.parametrize("option", FLAGS)
def test_each_source_beats_the_next_for_flags(
    option: Option, file: Path, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = in_json(option)
    assert show(*words)[option.name] == (False, "default")
    file.write_text(f"{option.name} = true\n")
    assert show(*words)[option.name] == (True, str(file))
    monkeypatch.setenv(option.twin, "0")
    assert show(*words)[option.name] == (False, option.twin)
    assert show(*words, option.flag)[option.name] == (True, option.flag)


@pytest.mark.parametrize("option", FLAGS)
def test_a_flag_is_taken_back_by_its_opposite(
    option: Option, file: Path, show: Show, monkeypatch: pytest.MonkeyPatch
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


def test_a_profile_has_values_of_its_own(file: Path, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('name = "all"\nlinger = 1\n[profile.work]\nname = "work"\n[profile.play]\nname = "play"\n')
    assert show()["name"] == ("all", str(file))
    assert show("--profile", "work")["name"] == ("work", f"{file} [profile.work]")
    assert show("--profile", "work")["linger"] == (1, str(file))
    monkeypatch.setenv("P2PCHAT_PROFILE", "play")
    assert show()["name"] == ("play", f"{file} [profile.play]")


def test_the_file_chooses_a_profile(file: Path, show: Show) -> None:
    file.write_text('profile = "work"\n')
    assert show()["profile"] == ("work", str(file))


# ---- what is wrong is told


@pytest.fixture
def complaint(capfd: pytest.CaptureFixture[str]) -> Complaint:
    """Run a verb; return the exit code and what it says on standard error."""

    def complaint(*words: str) -> tuple[int, list[str]]:
        code = main.main(words)
        return code, capfd.readouterr().err.splitlines()

    return complaint


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
    option: Option, value: object, file: Path, complaint: Complaint
) -> None:
    file.write_text(f"{option.name} = {toml(value)}\n")
    assert complaint("config", "show") == (
        78,
        [
            f"p2pchat: error: {file}: {option.name}: it takes {option.kind.takes}",
            f"hint: for example {option.name} = {option.kind.example}",
        ],
    )


def test_values_of_profiles_that_are_not_used_are_checked_too(file: Path, complaint: Complaint) -> None:
    file.write_text("[profile.work]\nlinger = true\n")
    code, said = complaint("id")
    assert code == 78
    assert said[0].startswith(f"p2pchat: error: {file}: profile.work.linger: it takes a number")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"name = alice", "is not TOML: invalid value (at line 1, column 8)"),
        (b'name = "\xff"', "is not UTF-8"),
        (b"[profile]\nwork = 1", ": [profile] holds work, which is no table of a profile"),
        (b'[profile."a b"]', ": [profile] holds a b, which is no table of a profile"),
    ],
)
def test_a_file_that_cannot_be_understood(text: bytes, message: str, file: Path, complaint: Complaint) -> None:
    file.write_bytes(text)
    code, said = complaint("config", "show")
    assert code == 78
    assert said[0].removeprefix(f"p2pchat: error: {file}").lstrip() == message.lstrip()
    assert said[1].startswith("hint: ")


def test_a_file_that_cannot_be_read(file: Path, complaint: Complaint) -> None:
    file.mkdir()
    code, said = complaint("config", "show")
    assert (code, said[0]) == (78, f"p2pchat: error: cannot read {file}: Is a directory")


@pytest.mark.parametrize(
    "option",
    [pytest.param(one, id=one.name) for one in OPTIONS.values() if not isinstance(one.kind, Directory)],  # any will do
)
def test_a_wrong_value_in_the_environment_is_told(
    option: Option, file: Path, complaint: Complaint, monkeypatch: pytest.MonkeyPatch
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
def test_an_unknown_key_is_a_warning(key: str, hint: list[str], file: Path, complaint: Complaint) -> None:
    file.write_text(f"{key} = 1\n")
    assert complaint("config", "show") == (0, [f"p2pchat: warning: {file}: unknown key {key}", *hint])
    assert complaint("config", "show", "--quiet") == (0, [])


def test_an_unknown_key_of_a_profile_is_a_warning(file: Path, complaint: Complaint) -> None:
    file.write_text('[profile.work]\nprofile = "x"\n')
    assert complaint("config", "show") == (0, [f"p2pchat: warning: {file}: unknown key profile.work.profile"])


def test_a_flag_without_sense_is_a_usage_error(complaint: Complaint, file: Path) -> None:
    code, said = complaint("config", "show", "--accept", "foo")
    assert (code, said[0]) == (
        2,
        "p2pchat: error: invalid value for '--accept': it takes ask, known or anyone",
    )


# ---- the verb


def test_show_prints_a_file_that_reads_back(
    file: Path, show: Show, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PCHAT_NAME", 'a "quote", \\ and \x1b[2J')
    before = show("--timeout", "0.25")
    main.main(["config", "show", "--timeout", "0.25"])
    file.write_text(capfd.readouterr().out)
    monkeypatch.delenv("P2PCHAT_NAME")
    assert configfile.read(file).unknown == ()
    assert {name: value for name, (value, _) in show().items()} == {name: value for name, (value, _) in before.items()}


def test_show_says_whether_there_is_a_file(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main.main(["config", "show"])
    assert capfd.readouterr().out.startswith(f"# {file}  (not there)\n")
    file.touch()
    main.main(["config", "show", "--json"])
    told = json.loads(capfd.readouterr().out)
    assert (told["file"], told["exists"], sorted(told["settings"])) == (str(file), True, sorted(BY_NAME))


def test_path_is_told_even_of_a_broken_file(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file.write_text("= nonsense")
    assert main.main(["config", "path"]) == 0
    assert capfd.readouterr().out == f"{file}\n"


def test_a_verb_obeys_the_file(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file.write_text(f'data-dir = "{tmp_path}/work"\n')
    assert main.main(["id"]) == 0
    assert (tmp_path / "work" / "identity.key").exists()
    assert capfd.readouterr().err == ""


def test_the_file_can_ask_for_tracebacks(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    words = ["id", "--data-dir", str(tmp_path / "file" / "below")]
    assert main.main(words) == 73
    assert "Traceback" not in capfd.readouterr().err
    file.write_text("verbose = 2\n")
    main.main(words)
    assert "Traceback" in capfd.readouterr().err
    main.main([*words, "-v"])
    assert "Traceback" not in capfd.readouterr().err


# ---- one table


def test_every_verb_takes_options_of_the_table() -> None:
    for verb in verbs.VERBS:
        assert set(verb.options) <= set(BY_NAME)
    config = verbs.find("config")
    assert config
    assert sorted(config.options) == sorted(BY_NAME)


def test_every_field_is_an_option() -> None:
    assert {*OPTIONS, "sources"} == set(settings.Common.__slots__)


def test_every_default_and_example_is_a_good_value() -> None:
    for option in OPTIONS.values():
        assert option.kind.from_toml(tomllib.loads(f"x = {option.kind.example}")["x"]) is not None
        assert option.help.isprintable()
        assert not option.help.endswith(".")


def test_the_page_shows_every_option_in_all_three_places(file: Path) -> None:
    page = topics.find("configuration")
    rows = re.findall(r"^  (--[\w-]+).*?  ([\w-]+ = \S+) +([A-Z0-9_]+=\S+)$", page, re.MULTILINE)
    assert [flag for flag, _, _ in rows] == [option.flag for option in OPTIONS.values()]
    file.write_text("\n".join(line for _, line, _ in rows))
    assert configfile.read(file).unknown == ()
    for flag, _, variable in rows:
        name, _, value = variable.partition("=")
        option = BY_NAME[flag.removeprefix("--")]
        assert name == option.twin
        option.kind.from_text(value)


def test_the_example_of_the_reference_is_a_good_file(file: Path) -> None:
    page = Path(__file__).parents[2] / "docs/reference/configuration.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    file.write_text(example)
    read = configfile.read(file)
    assert (read.unknown, list(read.profiles)) == ((), ["work"])


def test_a_name_may_be_as_long_as_the_protocol_says() -> None:
    assert settings.MAX_NAME == messages.MAX_DISPLAY_NAME
