"""The rows about port, locale and terminal: red where something is in the way, skipped where nobody reads."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from p2pchat.testing.soundness import person as soundness_person
from p2pchat.testing.soundness.finding import Subject
from tests.support.soundness import red, skipped, subject_in, told

UTF_8 = {"LANG": "C.UTF-8", "TERM": "xterm-256color"}
LISTEN = "import socket; s = socket.create_server(('{host}', 0)); print(s.getsockname()[1], flush=True); input()"


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return subject_in(tmp_path, environ=UTF_8)


@pytest.fixture
def screen() -> Iterator[int]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    yield theirs
    os.close(ours)
    os.close(theirs)


# ---- the port


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


@contextmanager
def listening(*words: str, host: str = "127.0.0.1") -> Iterator[tuple[int, int]]:
    """Yield the port on which another program listens, which has `words` on its command line, and its process."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTEN.format(host=host), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        yield int(program.stdout.readline()), program.pid
        program.kill()


def test_a_free_port_stays_free(subject: Subject) -> None:
    port = free_port()
    assert told("port", replace(subject, port=port)) == f"port {port} is free for `p2pchat listen`"
    assert told("port", replace(subject, port=port))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_another_program_has(subject: Subject, host: str) -> None:
    with listening("something", host=host) as (port, pid):
        what, cure = red("port", replace(subject, port=port))
    assert what.startswith(f"port {port}, on which `p2pchat listen` waits, is taken by ")
    assert sys.platform != "linux" or f"(process {pid})" in what
    assert cure == f"end that, or choose another port: p2pchat listen '*:{port + 1}'"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose a socket is")
def test_a_p2pchat_that_listens_is_no_failure(subject: Subject) -> None:
    with listening("p2pchat") as (port, _):
        assert f"a p2pchat of yours listens on port {port}" in told("port", replace(subject, port=port))


def test_a_system_that_does_not_tell_who_has_the_port(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundness_person, "_rows", lambda table: [])
    with listening("something") as (port, _):
        what, _ = red("port", replace(subject, port=port))
    assert "taken by another program" in what


@pytest.mark.parametrize(("number", "says"), [(13, "only for root"), (1, "cannot be bound")])
def test_a_port_that_is_refused(subject: Subject, monkeypatch: pytest.MonkeyPatch, number: int, says: str) -> None:
    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "socket", Refusing)
    what, cure = red("port", subject)
    assert says in what
    assert "PORT" in cure


# ---- the locale


@pytest.mark.parametrize("environ", [{"LC_ALL": "C"}, {"LANG": "de_DE.ISO-8859-1"}, {}])
def test_a_locale_without_utf_8(subject: Subject, screen: int, environ: dict[str, str]) -> None:
    what, cure = red("locale", replace(subject, environ=environ, screen=screen))
    assert "not one of UTF-8" in what
    assert cure == "export LC_ALL=C.UTF-8"
    assert "on a terminal only" in skipped("locale", replace(subject, environ=environ))


def test_a_locale_of_utf_8(subject: Subject, screen: int) -> None:
    assert told("locale", subject) == told("locale", replace(subject, screen=screen)) == "UTF-8 (C.UTF-8)"


# ---- the terminal


def test_no_terminal(subject: Subject) -> None:
    assert "terminal" in skipped("terminal", subject)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "xterm-256color, 100 columns and 24 rows, colours, pastes are told from keys"),
        ({"NO_COLOR": "1"}, "xterm-256color, 100 columns and 24 rows, no colours, pastes are told from keys"),
        ({"TERM": "linux"}, "linux, 100 columns and 24 rows, colours, pastes count as typed"),
        ({"TERM": "vt220"}, "vt220, 100 columns and 24 rows, no colours, pastes count as typed"),
    ],
)
def test_a_terminal(subject: Subject, screen: int, environ: dict[str, str], says: str) -> None:
    assert told("terminal", replace(subject, environ=UTF_8 | environ, screen=screen)) == says


@pytest.mark.parametrize("name", ["dumb", ""])
def test_a_terminal_that_can_do_nothing(subject: Subject, screen: int, name: str) -> None:
    what, cure = red("terminal", replace(subject, environ=UTF_8 | {"TERM": name}, screen=screen))
    assert f"(TERM={name})" in what
    assert "--plain" in cure


def test_a_terminal_that_does_not_tell_its_size(subject: Subject, screen: int) -> None:
    """As over a serial line: 80 columns are taken for granted then."""
    termios.tcsetwinsize(screen, (0, 0))
    assert ", of a size that nobody knows, " in told("terminal", replace(subject, screen=screen))


def test_a_terminal_that_is_too_narrow(subject: Subject, screen: int) -> None:
    termios.tcsetwinsize(screen, (24, 10))
    what, cure = red("terminal", replace(subject, screen=screen))
    assert "10 columns wide" in what
    assert "stty" in cure
