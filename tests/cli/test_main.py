"""The edge of the program: words in, lines and an exit code out."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer

from p2pchat import errors
from p2pchat.cli import exit_codes, main, say, verbs
from p2pchat.cli.exit_codes import ExitCode
from tests.support.programs import Home
from tests.support.unmeasured import ENVIRON, modules_loaded_by

MAIN = "import sys; from p2pchat.cli.main import main; sys.exit(main())"
RUNTIME = {"trio", "cryptography", "msgspec", "asyncio", "prompt_toolkit", "rich", "sqlite3"}
HEAVY = {*RUNTIME, "typer", "socket", "ssl"}


def run(*words: str, fresh: bool = False) -> subprocess.CompletedProcess[str]:
    """Run the program and return what came of it."""
    with TemporaryDirectory() as home:
        done = Home(Path(home)).call(*words, fresh=fresh)
    return subprocess.CompletedProcess(words, done.returncode, done.stdout.decode(), done.stderr.decode())


def errors_of(*words: str, fresh: bool = False) -> tuple[int, str]:
    done = run(*words, fresh=fresh)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_without_a_verb_it_says_how_to_begin() -> None:
    done = run(fresh=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "p2pchat demo" in done.stdout


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_verb(flag: str) -> None:
    done = run(flag, fresh=True)
    assert (done.returncode, done.stderr) == (0, "")
    for verb in verbs.VERBS:
        assert re.search(rf"^  {verb.name} +{re.escape(verb.summary)}$", done.stdout, re.MULTILINE)


def test_the_version_is_one_line() -> None:
    assert re.fullmatch(r"p2pchat \d+\.\d+\.\d+\n", run("--version", fresh=True).stdout)


@pytest.mark.parametrize("verb", [verb.name for verb in verbs.VERBS])
def test_the_help_of_a_verb_has_an_example(verb: str) -> None:
    done = run(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Example: {'echo hi | ' if verb == 'dial' else ''}p2pchat {verb}" in done.stdout
    assert run("help", verb).stdout == done.stdout


def test_a_mistyped_verb_gets_the_nearest() -> None:
    assert errors_of("lisen", fresh=True) == (
        2,
        "p2pchat: error: no such verb: lisen\nhint: did you mean `p2pchat listen`?\n",
    )


def test_an_unknown_verb_gets_the_way_to_the_list() -> None:
    assert errors_of("xyzzy") == (2, "p2pchat: error: no such verb: xyzzy\nhint: `p2pchat --help` lists them\n")


def test_options_before_the_verb_are_explained() -> None:
    code, said = errors_of("-v", "listen")
    assert code == 2
    assert said.startswith("p2pchat: error: options come after the verb: -v\nhint: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dial"], "missing argument 'PEER'"),
        (["dial", "x", "--xyzzy"], "no such option: --xyzzy"),
        (
            ["dial", "x", "--accept", "foo"],
            "invalid value for '--accept': it takes ask, known or anyone",
        ),
        (["dial", "x", "--timeout", "-1"], "invalid value for '--timeout': it takes a number of seconds, 0 or more"),
        (["dial", "x", "--timeout", "nan"], "invalid value for '--timeout': it takes a number of seconds, 0 or more"),
        (["listen", "--name", "n" * 65], "invalid value for '--name': it takes at most 64 characters"),
        (["id", "--profile"], "option '--profile' requires an argument"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_usage_error_is_one_line_and_a_hint(words: list[str], message: str) -> None:
    code, said = errors_of(*words)
    assert code == 2
    assert said == f"p2pchat: error: {message}\nhint: `p2pchat {words[0]} --help` shows what it takes\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["dial", "x", "--timout", "5"], "did you mean `p2pchat dial --timeout`?"),
        (["connect", "x", "--gest"], "did you mean `p2pchat dial --guest`?"),
        (["id", "--timeout", "5"], "`p2pchat id --help` shows what it takes"),
        (["send", "x", "--guest"], "send works with what a profile keeps, and a guest keeps nothing"),
    ],
)
def test_a_mistyped_option_gets_the_nearest_of_the_verb(words: list[str], hint: str) -> None:
    flag = next(word for word in words if word.startswith("--"))
    assert errors_of(*words) == (2, f"p2pchat: error: no such option: {flag}\nhint: {hint}\n")


def test_a_mistyped_word_of_config_gets_the_nearest() -> None:
    said = "p2pchat: error: no such command 'shwo'\nhint: did you mean `p2pchat config show`?\n"
    assert errors_of("config", "shwo", fresh=True) == (2, said)


@pytest.mark.parametrize("rest", [["p2pchat", "stdio"], ["-p", "22"]], ids=" ".join)
def test_a_command_without_quotes_gets_the_quotes(rest: list[str]) -> None:
    code, said = errors_of("dial", "exec:ssh", *rest)
    assert code == 2
    assert said.endswith("\nhint: a command is one word, in quotes: `p2pchat dial 'exec:ssh box p2pchat stdio'`\n")


def test_an_alias_is_the_verb() -> None:
    assert verbs.find("connect") is verbs.find("dial")


@pytest.mark.parametrize("words", [["--help"], ["--version"], [], ["lisen"]], ids=" ".join)
def test_what_needs_no_verb_imports_nothing_heavy(words: list[str]) -> None:
    assert modules_loaded_by(f"from p2pchat.cli.main import main; main({words!r})") & HEAVY == set()


@pytest.mark.parametrize("words", [["listen", "--help"], ["dial", "--xyzzy"], ["id", "--help"], ["help", "exit-codes"]])
def test_the_help_of_a_verb_and_its_usage_errors_import_no_runtime(words: list[str]) -> None:
    assert modules_loaded_by(f"from p2pchat.cli.main import main; main({words!r})") & RUNTIME == set()


def test_what_draws_nothing_imports_nothing_to_draw_with() -> None:
    program = "import os; os.dup2(os.open(os.devnull, os.O_RDWR), 0)\nfrom p2pchat.cli.main import main; main(['demo'])"
    assert modules_loaded_by(program) & {"asyncio", "prompt_toolkit"} == set()


def cpu_seconds(*words: str) -> float:
    """Return the least CPU time of a few runs of this interpreter with `words`."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True, timeout=30, env=ENVIRON)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(5))


@pytest.mark.slow
def test_help_costs_little_more_than_an_interpreter() -> None:
    """Performance target T18: 9 times `python -c pass` at most."""
    assert cpu_seconds("-c", MAIN, "--help") <= 9 * cpu_seconds("-c", "pass")


def test_a_closed_reader_of_help_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "--help"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=30,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_descriptors_that_the_parent_closed_are_opened() -> None:
    program = textwrap.dedent("""
        import os
        os.close(0), os.close(2)
        from p2pchat.cli.main import main
        main(["--version"])
        assert os.read(0, 1) == b"" and os.write(2, b"x") == 1
        assert os.open(os.devnull, os.O_RDONLY) > 2
        print("good")
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout.splitlines()[1:] == ["good"]


# ---- every way to fail has its line and its code


class Failing:
    """A module with a verb that raises; what `verbs.VERBS` names."""

    def __init__(self, error: BaseException) -> None:
        self.app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)

        @self.app.command()
        def fail() -> None:
            raise error


def run_failing(monkeypatch: pytest.MonkeyPatch, error: BaseException, *words: str) -> int:
    monkeypatch.setitem(sys.modules, "failing", Failing(error))
    monkeypatch.setitem(verbs.BY_NAME, "fail", verbs.Verb("fail", "failing", "fails"))
    return main.main(["fail", *words])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AddressError("x"), 2),
        (errors.ConnectFailed("x"), 69),
        (errors.ListenFailed("x"), 73),
        (errors.StoreError("x"), 73),
        (errors.StdioFailed("x"), 74),
        (errors.LinkLost("x"), 74),
        (errors.RemoteProtocolError("x"), 76),
        (errors.UntrustedPeer("x"), 77),
        (errors.ConfigurationError("x"), 78),
        (errors.NotLetIn("x"), 124),
        (errors.LocalProtocolError("x"), 70),
        (errors.P2PChatError("x"), 70),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_expected_failure_has_its_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: errors.P2PChatError, code: int
) -> None:
    assert run_failing(monkeypatch, error) == code
    assert capfd.readouterr().err == "p2pchat: error: x\n"


@pytest.mark.parametrize(("error", "code"), [(errors.StdoutClosed("x"), 141), (errors.TerminalGone("x"), 129)])
def test_some_ends_are_quiet(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: errors.P2PChatError, code: int
) -> None:
    assert run_failing(monkeypatch, error) == code
    assert capfd.readouterr().err == ""


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_failing(monkeypatch, KeyboardInterrupt()) == 130
    assert "rror" not in capfd.readouterr().err


def test_the_hint_follows(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    run_failing(monkeypatch, errors.ConnectFailed("nobody answers", hint="try --retry"))
    assert capfd.readouterr().err == "p2pchat: error: nobody answers\nhint: try --retry\n"


def test_an_error_that_quotes_a_peer_cannot_drive_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run_failing(monkeypatch, errors.RemoteProtocolError("it said \x1b[2J\np2pchat: error: more"))
    assert capfd.readouterr().err == "p2pchat: error: it said ␛[2J p2pchat: error: more\n"


def test_a_bug_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_failing(monkeypatch, ValueError("so wrong")) == 70
    assert capfd.readouterr().err == (
        "p2pchat: error: a bug of p2pchat: ValueError: so wrong\nhint: please report it, with what -vv shows\n"
    )


def test_groups_are_taken_apart_and_a_bug_in_them_wins(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    group = ExceptionGroup("", [errors.LinkLost("lost"), ExceptionGroup("", [KeyError("k")])])
    assert run_failing(monkeypatch, group) == 70
    assert capfd.readouterr().err.startswith("p2pchat: error: lost\np2pchat: error: a bug of p2pchat: KeyError")


def test_a_traceback_only_where_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("P2PCHAT_VERBOSE", "2")
    run_failing(monkeypatch, ValueError("so wrong"))
    assert "Traceback" in capfd.readouterr().err


def test_all_classes_of_errors_have_a_code() -> None:
    """A new class must not fall through to "a bug" by oversight."""

    def below(kind: type[errors.P2PChatError]) -> set[type[errors.P2PChatError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__() if child.__module__ == "p2pchat.errors"))

    for kind in below(errors.P2PChatError) - {errors.P2PChatError, errors.LocalProtocolError}:
        assert exit_codes.of(kind("x")) != ExitCode.BUG


def test_every_code_has_a_meaning_and_the_contract_is_printed() -> None:
    assert set(exit_codes.MEANINGS) == set(ExitCode)
    printed = run("help", "exit-codes").stdout
    assert [int(line.split()[0]) for line in printed.splitlines()[2:-2]] == sorted(int(code) for code in ExitCode)


def test_a_full_disk_does_not_hide_behind_a_good_code(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("only Linux has a disk that is always full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "--help"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=30
        )
    assert done.returncode == 74


def test_what_a_terminal_cannot_show_is_escaped(capfd: pytest.CaptureFixture[str]) -> None:
    assert say.text("done") == 0
    assert capfd.readouterr().out == "done\n"
