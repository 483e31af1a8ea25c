"""A key with a passphrase: who asks for it, who is asked, and how that ends."""

from __future__ import annotations

import getpass
import os
import shlex
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from p2pchat.cli import main, passphrase
from p2pchat.crypto.identity import Identity
from p2pchat.errors import ConfigurationError, WrongPassphrase
from p2pchat.store import keyfile, keyformat
from p2pchat.store.keyformat import Locked
from tests.support.entropy import seeded
from tests.support.programs import MAIN, Home, Program

ME = Identity.from_seed(bytes(range(32)))
SOMEBODY = Identity.from_seed(bytes(32)).peer_id


def protect(path: Path) -> None:
    """Put a key at `path` that the passphrase `words` opens, in no time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyformat, "ROUNDS", 1)
        keyfile.load_or_create(path, entropy=lambda size: ME.seed[:size])
        keyfile.protect(path, ME, "words", entropy=seeded(1))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose key has a passphrase."""
    home = Home(tmp_path / "home")
    protect(home.data / "identity.key")
    return home


@pytest.fixture
def locked(home: Home, monkeypatch: pytest.MonkeyPatch) -> Locked:
    """The same key; nothing is in the environment."""
    monkeypatch.delenv(passphrase.CURRENT, raising=False)
    found = keyfile.look(home.data / "identity.key", entropy=seeded(0))
    assert isinstance(found, Locked)
    return found


def shows_what_is_typed(program: Program) -> bool:
    assert program.terminal is not None
    return bool(termios.tcgetattr(program.terminal)[3] & termios.ECHO)


# ---- without a terminal


def test_the_environment_opens_the_key_and_no_program_that_we_start_sees_it(
    locked: Locked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(passphrase.CURRENT, "words")
    assert passphrase.unlock(locked, ask=False).seed == ME.seed
    assert passphrase.CURRENT not in os.environ


def test_what_the_environment_says_counts_and_nobody_is_asked(locked: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passphrase.CURRENT, "wrong")
    with pytest.raises(WrongPassphrase, match="P2PCHAT_PASSPHRASE does not open"):
        passphrase.unlock(locked, ask=True)


def test_without_any_it_is_told_where_it_belongs(locked: Locked) -> None:
    with pytest.raises(ConfigurationError, match="has a passphrase") as told:
        passphrase.unlock(locked, ask=False)
    assert "P2PCHAT_PASSPHRASE" in told.value.hint


@pytest.mark.parametrize(
    "words",
    [
        ["listen", "localhost:0"],
        ["listen", "localhost:0", "--json"],
        ["dial", "localhost:1"],
        ["send", "localhost:1", "hello"],
    ],
)
def test_every_verb_that_needs_the_key_says_at_once_that_it_is_locked(
    home: Home, words: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(passphrase.CURRENT, raising=False)
    assert main.main([*words, "--data-dir", str(home.data)]) == 78
    told = capfd.readouterr()
    assert "has a passphrase" in (told.out if "--json" in words else told.err)


@pytest.mark.slow
def test_a_visitor_through_a_command_is_not_let_in_with_a_locked_key(home: Home) -> None:
    done = home.call("stdio")
    assert (done.returncode, done.stdout) == (78, b"")
    assert b"set P2PCHAT_PASSPHRASE" in done.stderr


@pytest.mark.slow
async def test_a_visitor_is_passed_on_to_who_listens_without_the_key(home: Home) -> None:
    opened = {passphrase.CURRENT: "words"}
    async with home.run("listen", "localhost:0", "--accept", "anyone", environ=opened) as listener:
        await listener.wait_for("listening on")
        command = f"exec:{shlex.join([*MAIN, 'stdio'])}"
        async with home.run("dial", "--guest", command, "--linger", "0") as visitor:
            await visitor.type("through the door\n")
            await visitor.end_input()
            assert await visitor.wait() == 0
        await listener.wait_for("through the door")


@pytest.mark.parametrize(
    "words",
    [
        ["id"],
        ["id", "--qr"],
        ["trust", str(SOMEBODY)],
        ["block", str(SOMEBODY)],
        ["contacts"],
        ["history"],
        ["queue"],
        ["events"],
        ["grep", "word"],
        ["config", "path"],
    ],
)
def test_who_only_looks_is_not_asked(
    home: Home, words: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(passphrase.CURRENT, raising=False)
    where = [] if words[0] == "config" else ["--data-dir", str(home.data)]
    assert main.main([*words, *where]) in {0, 1}
    assert "passphrase" not in capfd.readouterr().err


# ---- somebody who answers


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a person will type, one after the other."""
    typed: list[str] = []
    monkeypatch.setattr(getpass, "getpass", lambda _: typed.pop(0))
    return typed


def test_a_person_may_be_wrong_twice(locked: Locked, answers: list[str]) -> None:
    answers += ["word", "WORDS", "words"]
    assert passphrase.unlock(locked, ask=True).seed == ME.seed


def test_and_not_thrice(locked: Locked, answers: list[str]) -> None:
    answers += ["word", "WORDS", "", "words"]
    with pytest.raises(WrongPassphrase):
        passphrase.unlock(locked, ask=True)
    assert answers == ["words"]


def test_a_new_one_counts_when_it_was_typed_twice(answers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(passphrase.NEW, raising=False)
    answers += ["one", "two", "", ""]
    assert passphrase.choose(ask=True) == ""
    answers += ["1", "2", "3", "4", "5", "6", "7"]
    with pytest.raises(ConfigurationError, match="no passphrase was typed twice"):
        passphrase.choose(ask=True)
    assert answers == ["7"]


# ---- at a terminal


@pytest.mark.slow
async def test_a_person_types_it_unseen_before_the_chat_begins_and_may_be_wrong_twice(home: Home) -> None:
    async with home.run_in_terminal("listen", "localhost:0") as program:
        await program.wait_for("p2pchat: passphrase: $")
        assert not shows_what_is_typed(program)
        for wrong in ("word", "WORDS"):
            await program.type(f"{wrong}\n")
            await program.wait_for("does not open the key")
            program.out = program.out.partition(b"does not open the key")[2]
            await program.wait_for("p2pchat: passphrase: $")
        await program.type("words\n")
        await program.wait_for("listening on")
        assert b"word" not in program.out.lower().replace(b"password", b"")
        await program.type("/q\n")
        assert await program.wait() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("how", "code"), [("\x03", 130), ("\x04", 78), (signal.SIGTERM, 143)])
async def test_whatever_ends_the_question_leaves_the_terminal_as_it_was(
    home: Home, how: str | signal.Signals, code: int
) -> None:
    async with home.run_in_terminal("dial", "localhost:1", "--plain") as program:
        await program.wait_for("p2pchat: passphrase: $")
        assert not shows_what_is_typed(program)
        if isinstance(how, str):
            await program.type(how)
        else:
            program.signal(how)
        assert await program.wait() == code
        assert shows_what_is_typed(program)
        assert b"Traceback" not in program.out


# ---- not in the loop


IN_TRIO = """
import sys, threading
from p2pchat.store import keyformat
opened = keyformat.Locked.open
def watched(self, passphrase):
    import trio
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return opened(self, passphrase)
    sys.exit("in the loop")
keyformat.Locked.open = watched
from p2pchat.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_the_work_is_done_outside_of_the_event_loop(home: Home) -> None:
    environ = home.environ | {passphrase.CURRENT: "words"}
    done = subprocess.run(
        [sys.executable, "-c", IN_TRIO, "stdio"],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert b"in the loop" not in done.stderr
    assert done.returncode == 0
