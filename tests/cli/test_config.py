"""`p2pchat config`, and the one table that it shows."""

from __future__ import annotations

import json
import math
import re
import tomllib
from pathlib import Path

import pytest

from p2pchat.cli import configfile, main, settings, topics, verbs
from p2pchat.cli.settings import BY_NAME, OPTIONS
from p2pchat.wire import messages
from tests.support.settings import Show

# ---- the verb


def test_show_prints_a_file_that_reads_back(
    config_file: Path, show: Show, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2PCHAT_NAME", 'a "quote", \\ and \x1b[2J')
    before = show("--timeout", "0.25")
    main.main(["config", "show", "--timeout", "0.25"])
    config_file.write_text(capfd.readouterr().out)
    monkeypatch.delenv("P2PCHAT_NAME")
    assert configfile.read(config_file).unknown == ()
    assert {name: value for name, (value, _) in show().items()} == {name: value for name, (value, _) in before.items()}


@pytest.mark.parametrize(
    ("typed", "printed"), [("1234567", "1234567"), ("0.1", "0.1"), ("5", "5"), ("1e300", "1e+300")]
)
def test_show_prints_numbers_exactly(
    typed: str, printed: str, config_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["config", "show", "--timeout", typed]) == 0
    out = capfd.readouterr().out
    assert re.search(r"^timeout = (\S+)", out, re.MULTILINE)[1] == printed  # type: ignore[index]
    assert tomllib.loads(out)["timeout"] == float(typed)


def test_show_prints_what_has_no_end_as_toml_and_as_json(config_file: Path, show: Show) -> None:
    assert show("--linger", "inf")["linger"] == (math.inf, "--linger")
    assert show("--linger", "inf", "--json")["linger"] == ("inf", "--linger")


def test_more_talk_than_there_is_is_all_there_is(config_file: Path, show: Show) -> None:
    assert show("-vvv")["verbose"] == (2, "--verbose")


def test_show_says_whether_there_is_a_file(config_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    main.main(["config", "show"])
    assert capfd.readouterr().out.startswith(f"# {config_file}  (not there)\n")
    config_file.touch()
    main.main(["config", "show", "--json"])
    told = json.loads(capfd.readouterr().out)
    assert (told["file"], told["exists"], sorted(told["settings"])) == (str(config_file), True, sorted(BY_NAME))


def test_path_is_told_even_of_a_broken_file(config_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config_file.write_text("= nonsense")
    assert main.main(["config", "path"]) == 0
    assert capfd.readouterr().out == f"{config_file}\n"


def test_a_verb_obeys_the_file(config_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config_file.write_text(f'data-dir = "{tmp_path}/work"\n')
    assert main.main(["id"]) == 0
    assert (tmp_path / "work" / "identity.key").exists()
    assert capfd.readouterr().err == ""


def test_the_file_can_ask_for_tracebacks(config_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    words = ["id", "--data-dir", str(tmp_path / "file" / "below")]
    assert main.main(words) == 73
    assert "Traceback" not in capfd.readouterr().err
    config_file.write_text("verbose = 2\n")
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


def test_the_page_shows_every_option_in_all_three_places(config_file: Path) -> None:
    page = topics.find("configuration")
    rows = re.findall(r"^  (--[\w-]+).*?  ([\w-]+ = \S+) +([A-Z0-9_]+=\S+)$", page, re.MULTILINE)
    assert [flag for flag, _, _ in rows] == [option.flag for option in OPTIONS.values()]
    config_file.write_text("\n".join(line for _, line, _ in rows))
    assert configfile.read(config_file).unknown == ()
    for flag, _, variable in rows:
        name, _, value = variable.partition("=")
        option = BY_NAME[flag.removeprefix("--")]
        assert name == option.twin
        option.kind.from_text(value)


def test_the_example_of_the_reference_is_a_good_file(config_file: Path) -> None:
    page = Path(__file__).parents[2] / "docs/reference/configuration.md"
    (example,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    config_file.write_text(example)
    read = configfile.read(config_file)
    assert (read.unknown, list(read.profiles)) == ((), ["work"])


def test_a_name_may_be_as_long_as_the_protocol_says() -> None:
    assert settings.MAX_NAME == messages.MAX_DISPLAY_NAME
