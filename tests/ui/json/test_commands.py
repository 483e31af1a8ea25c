"""Commands: what each line means, and why others mean nothing."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.ui.json import commands
from p2pchat.ui.json.commands import Refused, parse
from tests.support import contract

EXAMPLES = [line for block in contract.blocks()[:-1] for line in block.splitlines() if '"command"' in line]


@pytest.mark.parametrize("line", EXAMPLES)
def test_the_examples_of_the_page_are_commands(line: str) -> None:
    contract.check(json.loads(line), "command")
    assert isinstance(parse(line.encode()), commands.Command)


def test_each_field_is_read() -> None:
    uuid = UUID("019ab0c4-7d2e-7c3a-9f00-5ad9f3c1b2aa")
    assert parse(b'{"command":"send","text":"a","ref":"r","peer":"p"}') == commands.Send("a", ref="r", peer="p")
    assert parse(b'{"command":"send","text":"a","ref":null}') == commands.Send("a")
    assert parse(b'{"command":"accept","peer":"p"}') == commands.Accept("p")
    assert parse(b'{"command":"reject","peer":"p"}') == commands.Reject("p")
    assert parse(b'{"command":"read","id":"019AB0C4-7D2E-7C3A-9F00-5AD9F3C1B2AA","ref":"r"}') == commands.Read(
        uuid, ref="r"
    )
    assert parse(b' {"peer":"p", "command" : "close"} \r') == commands.Close("p")


def test_unknown_fields_are_ignored() -> None:
    assert parse(b'{"command":"close","at":[{"x":1}],"text":7}') == commands.Close()


@pytest.mark.parametrize(
    "line",
    [
        b"hello",
        b"[]",
        b"null",
        b"{}",
        b'"send"',
        b'{"command":"sned","text":"a"}',
        b'{"command":1}',
        b'{"command":"send"}',
        b'{"command":"send","text":5}',
        b'{"command":"send","text":null}',
        b'{"command":"send","text":"a"} {"command":"close"}',
        b'{"command":"send","text":"a","command":"close"}',
        b'{"command":"send","text":"\\ud800"}',
        b'{"command":"send","text":"\\ud800x"}',
        b'{"command":"send","text":"\xff"}',
        b'{"command":"send","text":"a","ref":7}',
        b'{"command":"send","text":"a","ref":"%s"}' % (b"x" * 257),
        b'{"command":"read","id":"nope"}',
        b'\xef\xbb\xbf{"command":"close"}',
        b'{"command":"close","x":%s}' % (b"[" * 100_000),
    ],
    ids=lambda line: line[:60].decode("latin-1"),
)
def test_a_bad_line_says_what_is_wrong_with_it(line: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse(line)
    assert refused.value.code == "bad_command"
    assert 0 < len(str(refused.value)) <= commands.MAX_EXPLANATION


@given(st.binary())
def test_no_input_is_a_bug(line: bytes) -> None:
    with pytest.raises(Refused):
        parse(line)


def test_a_long_wrong_line_gets_a_short_answer() -> None:
    with pytest.raises(Refused) as refused:
        parse(b'{"command":"%s"}' % (b"x" * 10**6))
    assert len(str(refused.value)) == commands.MAX_EXPLANATION


def test_the_ref_of_a_bad_command_comes_back() -> None:
    with pytest.raises(Refused) as refused:
        parse(b'{"command":"send","txt":"a","ref":"42"}')
    assert refused.value.ref == "42"
