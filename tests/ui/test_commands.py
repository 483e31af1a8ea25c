"""What a typed line means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.ui.commands import COMMANDS, MAX_UNASKED, Do, Mistake, Say, doubt, parse, written


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("hello", Say("hello")),
        ("  hello ", Say("  hello ")),
        ("", Say("")),
        ("//etc/passwd", Say("/etc/passwd")),
        ("not /quit", Say("not /quit")),
        ("/q", Do("quit")),
        ("/quit", Do("quit")),
        ("/exit", Do("quit")),
        ("/QUIT", Do("quit")),
        ("/w", Do("who")),
        ("/h", Do("help")),
        ("/e", Do("quit")),
        ("/me waves", Do("me", text="/me waves")),
        ("/accept 2", Do("accept", number=2)),
        ("/acc 2", Do("accept", number=2)),
        ("/accept", Do("accept", number=0)),
        ("/reject  10 ", Do("reject", number=10)),
        ("/switch 3", Do("switch", text="3")),
        ("/switch ann of there", Do("switch", text="ann of there")),
        ("/nick ann", Do("nick", text="ann")),
        ("/rec", Do("reconnect")),
        ("/c", Do("clear")),
        ("/why", Do("why")),
        ("/why 3", Do("why", number=3)),
        ("/un 2", Do("unsend", number=2)),
        ("/hi 50", Do("history", number=50)),
        ("/grep door code", Do("grep", text="door code")),
        ("/who", Do("who")),
        ("/who Ann Other", Do("who", text="Ann Other")),
        ("/block 2", Do("block", text="2")),
        ("/verify", Do("verify")),
        ("/v 7 otter amber", Do("verify", text="7 otter amber")),
    ],
)
def test_a_line_is_read(line: str, meaning: Say | Do) -> None:
    assert parse(line) == meaning


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("/quti", "there is no command /quti, and nothing was sent", "did you mean /quit? //quti sends it as text"),
        ("/foo", "there is no command /foo, and nothing was sent", "/help lists the commands; //foo sends it as text"),
        ("/", "there is no command /, and nothing was sent", "/help lists the commands; // sends it as text"),
        ("/me", "/me needs a text", "for example /me TEXT"),
        ("/switch", "/switch needs a name or a number", "both are in /who"),
        ("/re", "/re may mean several commands", "/reconnect or /reject"),
        ("/accept bob", "/accept takes a number, not bob", "the numbers are in /who"),
        ("/why x", "/why takes a number, not x", "the numbers stand beside your messages"),
        ("/grep", "/grep needs a text", "for example /grep WORDS"),
        ("/block", "/block needs the number of a stranger, or a name", "both are in /who"),
        ("/accept ²", "/accept takes a number, not ²", "the numbers are in /who"),
        (" /quit", "a slash after blanks is not sent", "/quit runs it, //quit sends it"),
    ],
)
def test_a_mistake_is_explained_and_never_sent(line: str, message: str, hint: str) -> None:
    assert parse(line) == Mistake(message, hint)


@given(st.text())
def test_a_line_with_a_slash_in_front_is_sent_only_when_it_was_doubled(rest: str) -> None:
    meaning = parse("/" + rest)
    if isinstance(meaning, Say):
        assert meaning.text == rest
        assert rest.startswith("/")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_is_found_by_its_usage(command: object) -> None:
    usage = command.usage.replace("N", "1")  # type: ignore[attr-defined]
    assert isinstance(parse(usage), Do)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", ""),
        ("/help", ""),
        ("//one\ntwo", ""),
        ("\n".join("x" * MAX_UNASKED), ""),
        ("\n".join("x" * (MAX_UNASKED + 1)), "this text has 11 lines"),
        (" /help", "a slash after blanks may have been meant as a command"),
        ("\t/help", "a slash after blanks may have been meant as a command"),
        ("/etc\n/usr", "a text of several lines is never a command"),
    ],
)
def test_what_may_be_a_mistake_is_asked_about(text: str, reason: str) -> None:
    assert doubt(text) == reason


@pytest.mark.parametrize("line", ["hello", "//etc", "/me waves"])
def test_a_meaning_can_be_written_again(line: str) -> None:
    assert written(parse(line)) == line


@pytest.mark.parametrize("line", ["/who", "/xyzzy"])
def test_what_says_nothing_is_not_written(line: str) -> None:
    assert written(parse(line)) == ""
