"""What docs/reference/json.md says of JSON is so: its examples fit its schema, and its tables are the code's."""

from __future__ import annotations

import inspect
import json
import re

import jsonschema
import pytest

from p2pchat.cli import exit_codes, topics
from p2pchat.cli.exit_codes import ExitCode
from p2pchat.crypto.identity import PeerId
from p2pchat.protocol.limits import Limits
from p2pchat.ui.json import actions, commands, conversation, lines
from p2pchat.wire.messages import MAX_TEXT
from tests.support import contract

TEXT = contract.PAGE.read_text(encoding="utf-8")
EXAMPLES = [line for block in contract.blocks()[:-1] for line in block.splitlines()]
EVENTS = [shape["$ref"].rpartition("/")[2] for shape in contract.schema()["oneOf"]]
COMMANDS = {"send", "accept", "reject", "block", "verify", "who", "read", "close"}
SILENT = exit_codes.QUIET | {ExitCode.DONE, ExitCode.NO, ExitCode.TERMINATE}


def table(head: str) -> dict[str, str]:
    """Return the rows of the table whose first line is `head`: the word, and what stands beside it."""
    _, _, rest = TEXT.partition(head)
    return dict(re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", rest.partition("\n\n")[0]))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(contract.schema())


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_fit_the_schema(line: str) -> None:
    example = json.loads(line)
    contract.check(example, contract.name_of(example))
    assert lines.encode(example) == line


def test_every_event_and_every_command_has_a_heading_and_an_example() -> None:
    told = {json.loads(line).get("event") for line in EXAMPLES} - {None}
    assert told == set(EVENTS)
    assert [heading for heading in re.findall(r"(?m)^### (\w+)$", TEXT) if heading in EVENTS] == EVENTS
    asked = {json.loads(line).get("command") for line in EXAMPLES} - {None}
    assert asked == COMMANDS


def test_the_schema_finds_what_is_wrong() -> None:
    """The harness itself."""
    good = json.loads(EXAMPLES[0])
    for bad in [good | {"protocol": 2}, good | {"more": 1}, {"event": "ready"}, good | {"peer": "bob"}]:
        with pytest.raises(jsonschema.ValidationError):
            contract.check(bad, "ready")


def test_the_codes_about_commands_are_those_of_the_code() -> None:
    source = inspect.getsource(actions) + inspect.getsource(commands)
    assert set(table("| about a command | |")) == set(re.findall(r'Refused\(\s*"(\w+)"', source))


def test_the_codes_about_the_program_are_the_exit_codes() -> None:
    loud = {exit_codes.word(code): str(int(code)) for code in ExitCode if code not in SILENT}
    assert table("| about the program | exit code |") == loud


def test_the_numbers_are_those_of_the_code() -> None:
    for number, sentence in [
        (lines.MAX_COMMAND, "a line of more than {} bytes"),
        (MAX_TEXT, "a text of more than {} bytes"),
        (commands.MAX_REF, "a string of at most {} characters"),
        (conversation.REMEMBERED, "for one of the last {} messages"),
        (int(actions.SEND_PATIENCE), "has not made room for {} seconds"),
        (int(Limits().linger), "for `--linger` seconds ({})"),
    ]:
        assert sentence.format(number) in TEXT


def test_the_fingerprint_is_that_of_the_id() -> None:
    shown = {(json.loads(line)["peer"], json.loads(line)["fingerprint"]) for line in EXAMPLES if "fingerprint" in line}
    assert [PeerId.parse(peer).fingerprint for peer, _ in shown] == [fingerprint for _, fingerprint in shown]


def test_the_help_names_every_event_and_command() -> None:
    page = topics.find("json")
    assert set(re.findall(r'"event":"(\w+)"', page)) == set(EVENTS)
    assert set(re.findall(r'"command":"(\w+)"', page)) == COMMANDS
