"""Tab: what is offered where, and that real shells offer it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import platformdirs
import pytest

from p2pchat.cli import complete, main, settings, topics, verbs
from tests.support import tmux
from tests.support.programs import MAIN, Home
from tests.support.unmeasured import modules_loaded_by

VERBS = [verb.name for verb in verbs.VERBS]


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two profiles, and beside them what only looks like one."""
    data = tmp_path / "data"
    for name in ("work", "default", "two words"):
        (data / name).mkdir(parents=True)
    (data / "file").touch()
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: data)


def offered(line: str) -> list[str]:
    """Return the words that fit at the end of `line`."""
    return [candidate.word for candidate in complete.candidates(line.split(" ")[1:])]


def options_of(verb: str) -> list[str]:
    return [option.flag for option in settings.named(verbs.BY_NAME[verb].options)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("p2pchat ", [*VERBS, "--help", "--version"]),
        ("p2pchat d", ["dial", "demo"]),
        ("p2pchat --v", ["--version"]),
        ("p2pchat xyzzy ", []),
        ("p2pchat dial ", ["localhost", ":path"]),
        ("p2pchat connect lo", ["localhost", ":path"]),
        ("p2pchat dial ./s", [":path"]),
        ("p2pchat dial localhost ", []),
        ("p2pchat listen localhost ", ["localhost", ":path"]),
        ("p2pchat dial --t", ["--timeout"]),
        ("p2pchat dial --timeout 5 --t", []),
        ("p2pchat dial -", [*options_of("dial"), "--help"]),
        ("p2pchat dial --timeout ", []),
        ("p2pchat dial --accept ", ["ask", "known", "anyone"]),
        ("p2pchat dial --accept a", ["ask", "anyone"]),
        ("p2pchat dial --accept=a", ["--accept=ask", "--accept=anyone"]),
        ("p2pchat dial --accept = a", ["ask", "anyone"]),
        ("p2pchat dial --accept ask ", ["localhost", ":path"]),
        ("p2pchat dial --xyzzy=", []),
        ("p2pchat id --profile ", ["default", "work"]),
        ("p2pchat id --data-dir ", [":path"]),
        ("p2pchat id ", []),
        ("p2pchat demo --profile", []),
        ("p2pchat help ", [*topics.PAGES, *VERBS]),
        ("p2pchat help e", ["exit-codes", "events"]),
        ("p2pchat help exit-codes ", []),
        ("p2pchat config ", ["show", "path"]),
        ("p2pchat completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_what_fits_is_offered(line: str, words: list[str]) -> None:
    assert offered(line) == words


def test_a_home_without_profiles_is_no_trouble(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "nowhere")
    assert offered("p2pchat id --profile ") == []


def test_candidates_come_with_their_meaning(capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["__complete", "dial", "--ti"]) == 0
    assert capfd.readouterr().out == f"--timeout\t{settings.BY_NAME['timeout'].help}\n"


def test_nothing_is_said_where_nothing_fits(capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["__complete", "id", "--timeout", ""]) == 0
    assert main.main(["__complete"]) == 0
    assert capfd.readouterr().out.startswith("listen\t")


@pytest.mark.parametrize("words", [["dial", "--accept", ""], ["help", ""], ["id", "--profile", ""]])
def test_a_tab_imports_nothing_heavy(words: list[str]) -> None:
    loaded = modules_loaded_by(f"from p2pchat.cli.main import main; main({['__complete', *words]!r})")
    heavy = {"trio", "asyncio", "cryptography", "msgspec", "prompt_toolkit", "typer", "rich", "sqlite3", "socket"}
    assert loaded & heavy == set()


@pytest.mark.parametrize(
    ("shell", "hint"), [("fsh", "did you mean `p2pchat completion fish`?"), ("tcl", "there is bash, zsh, fish")]
)
def test_another_shell_is_an_error(shell: str, hint: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main.main(["completion", shell]) == 2
    assert capfd.readouterr().err == f"p2pchat: error: no completion for {shell}\nhint: {hint}\n"


# ---- real shells


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose shells find `p2pchat`, and in it a profile and a file."""
    home = Home(tmp_path / "home")
    (home.path / "data" / "p2pchat" / "holidays").mkdir(parents=True)
    (home.path / "sockets").touch()
    program = home.path / "bin" / "p2pchat"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(MAIN)} "$@"\n')
    program.chmod(0o755)
    return home


SETUP = {
    "bash": 'eval "$(p2pchat completion bash)"',
    "zsh": 'autoload -Uz compinit && compinit -D && eval "$(p2pchat completion zsh)"',
    "fish": "p2pchat completion fish | source",
}
START = {"bash": "bash --norc --noprofile", "zsh": "zsh -f", "fish": "fish --no-config"}

TYPED = [
    ("p2pchat compl", "p2pchat completion"),
    ("p2pchat dial --ret", "p2pchat dial --retry"),
    ("p2pchat dial --accept kn", "p2pchat dial --accept known"),
    ("p2pchat dial --accept=kn", "p2pchat dial --accept=known"),
    ("p2pchat help exi", "p2pchat help exit-codes"),
    ("p2pchat id --profile hol", "p2pchat id --profile holidays"),
    ("p2pchat dial ./sock", "p2pchat dial ./sockets"),
    ("~/bin/p2pchat dem", "~/bin/p2pchat demo"),
]


@pytest.mark.slow
@pytest.mark.skipif(not tmux.HAS_TMUX, reason="no tmux here")
@pytest.mark.parametrize("shell", SETUP)
async def test_tab_in_a_real_shell(shell: str, home: Home) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    async with tmux.open_panes(home, 1) as (pane,):
        await pane.enter(f"cd {shlex.quote(str(home.path))}; export HOME=$PWD PATH=$PWD/bin:$PATH; {START[shell]}")
        await pane.enter(f"{SETUP[shell]}; echo re''ady")
        await pane.wait_for("ready")
        for typed, completed in TYPED:
            await pane.type(typed)
            await pane.press("Tab")
            await pane.wait_for(completed)
            await pane.press("C-u")
            await pane.enter("clear")


@pytest.mark.skipif(not shutil.which("fish"), reason="no fish here")
def test_fish_shows_meanings(home: Home) -> None:
    done = subprocess.run(
        ["fish", "--no-config", "-c", "p2pchat completion fish | source; complete -C 'p2pchat dial --ti'"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={**home.environ, "PATH": f"{home.path}/bin:{home.environ['PATH']}"},
    )
    assert done.stdout == f"--timeout\t{settings.BY_NAME['timeout'].help}\n"
