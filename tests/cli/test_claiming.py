"""Where a code comes from: a terminal, the environment or standard input, and never the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from p2pchat.cli import claiming, dial
from p2pchat.cli.chat import Terminals
from p2pchat.cli.claiming import Claim, Said
from p2pchat.crypto.codes import Code
from p2pchat.errors import BadData, ConfigurationError, Interrupted
from p2pchat.ui import stdio
from tests.support.profile import Run

CODE = Code(7, "ocean-amazing-knife")
SCRIPT = Terminals(keys=False, screen=False, errors=False)
PERSON = Terminals(keys=True, screen=False, errors=True)
SECRET = "7-ocean-amazing-knife"


@pytest.fixture
def pipe() -> Iterator[tuple[stdio.Input, int]]:
    """Something to read, and the descriptor that writes it."""
    reader, writer = os.pipe()
    yield stdio.Input(reader), writer
    for descriptor in (reader, writer):
        os.close(descriptor)


def claim(said: Said, *, terminals: Terminals = SCRIPT, reads: bool = True) -> Claim:
    return Claim(said, terminals, draws=False, reads=reads)


async def test_the_first_line_is_the_code_and_the_rest_is_for_the_chat(pipe: tuple[stdio.Input, int]) -> None:
    source, writer = pipe
    os.write(writer, b"7-ocean-amazing-knife\r\nhello\nthere\n")
    assert Code.parse(await claiming.first_line(source)) == CODE
    assert await source.receive_some() == b"hello\nthere\n"


@pytest.mark.parametrize(("data", "line"), [(b"7-oc\xff\n", "7-oc\ufffd\n"), (b"x" * 2000, "x" * claiming.MAX_CODE)])
async def test_a_line_is_read_to_its_end_or_as_far_as_a_code_goes(
    pipe: tuple[stdio.Input, int], data: bytes, line: str
) -> None:
    source, writer = pipe
    os.write(writer, data)
    assert await claiming.first_line(source) == line


async def test_input_that_ends_is_a_line_too() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"7-ocean-amazing-knife")
    os.close(writer)
    try:
        assert Code.parse(await claiming.first_line(stdio.Input(reader))) == CODE
    finally:
        os.close(reader)


async def test_a_script_says_it_in_the_environment() -> None:
    asked = claim(Said(text=SECRET, in_input=False))
    await asked.obtain()
    assert asked.code == CODE
    with pytest.raises(BadData, match="a code has at least 2 words") as told:
        await claim(Said(text="7-ocean", in_input=False)).obtain()
    assert "7-otter-amber-knife" in told.value.hint


@pytest.mark.parametrize("said", [Said(text="", in_input=False), Said(text=SECRET, in_input=True)])
async def test_where_nobody_can_be_asked_that_is_told(said: Said) -> None:
    with pytest.raises(ConfigurationError, match="no terminal to ask for the code at") as told:
        await claim(said, reads=False).obtain()
    assert "P2PCHAT_CODE" in told.value.hint


async def test_a_person_is_asked_until_there_is_a_code(
    pipe: tuple[stdio.Input, int], capfd: pytest.CaptureFixture[str]
) -> None:
    source, writer = pipe

    async def typed(line: bytes) -> Code:
        os.write(writer, line)
        return await claiming.typed(source)

    assert await typed(b"7 ocean amazing knife\n") == CODE
    assert capfd.readouterr().err == "p2pchat: the code that you were told: "

    class Lines:
        """What a terminal gives: a line at a time, then the end."""

        lines = iter([b"ocean\n", b"7-cla-knife\n", b"7-ocea-amaz-knif\n", b""])

        async def receive_some(self) -> bytes:
            return next(self.lines)

    terminal = Lines()
    assert await claiming.typed(terminal) == CODE
    told = capfd.readouterr().err
    assert told.count("the code that you were told: ") == 3
    assert "a code begins with the number" in told
    assert "'cla' may be claim, clap, clarify, claw, clay" in told
    with pytest.raises(Interrupted):
        await claiming.typed(terminal)


@pytest.mark.parametrize("words", [["--code", SECRET], [SECRET, "--code"], [f"--code={SECRET}"], ["--code", "-", "-"]])
def test_on_the_command_line_it_is_refused_and_not_repeated(run: Run, words: list[str]) -> None:
    code, out, err = run("dial", "localhost:1", *words)
    assert (code, out) == (2, [])
    assert err == [f"p2pchat: error: {dial.TYPED}", f"hint: {dial.CURE}"]


def test_other_words_behind_the_peer_are_an_error_as_ever(run: Run) -> None:
    code, _, err = run("dial", "localhost:1", "-")
    assert code == 2
    assert err[0] == "p2pchat: error: got unexpected extra argument (-)"


def test_without_a_terminal_the_cure_is_told_before_anything_is_dialed(run: Run) -> None:
    code, _, err = run("dial", "localhost:1", "--code", "--no-input")
    assert code == 78
    assert err == [
        "p2pchat: error: there is no terminal to ask for the code at",
        f"hint: {claiming.CURE}",
    ]


def test_a_link_with_a_code_needs_no_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    link = f"p2pchat:peer1qyfe3a3vd5dy2lz3hf4ykheah5hknl9fxgtzrrwgn9lyz6730kfu5mgmy82?a=tcp:localhost:1&c=8-{'a2' * 13}"
    monkeypatch.setenv("P2PCHAT_CODE", SECRET)
    code, _, err = run("dial", link)
    assert code == 65
    assert err[0] == "p2pchat: error: this link has a code of its own"
    assert "P2PCHAT_CODE" not in os.environ  # a command that is dialed does not get it
