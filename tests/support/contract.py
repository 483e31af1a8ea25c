"""The contract of JSON: the schema in docs/reference/json.md, held against whatever the program writes.

The page allows what it does not know, since fields are only ever added; a test does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema

PAGE: Final = Path(__file__).parent.parent.parent / "docs" / "reference" / "json.md"

Line = dict[str, Any]

RESULTS: Final = {
    "command": "command",
    "steps": "story",
    "queued_at": "waiting",
    "deleted": "deletion",
    "verified_at": "contact",
    "link_expires_at": "invited",
    "removed": "removal",
    "virtual_seconds": "simulation",
    "sound": "soundness",
}  # by a field that only they have
WAY: Final = ["queued", "sent", "delivered", "read"]  # of a message, none left out


@cache
def blocks() -> tuple[str, ...]:
    """Return the JSON on the page: its examples, and, last, the schema."""
    return tuple(re.findall(r"(?ms)^```json\n(.*?)^```$", PAGE.read_text(encoding="utf-8")))


@cache
def schema() -> dict[str, Any]:
    """Return the schema as it is printed."""
    found: dict[str, Any] = json.loads(blocks()[-1])
    return found


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    strict = deepcopy(schema())
    for shape in strict["$defs"].values():
        if "properties" in shape:
            shape["additionalProperties"] = False
    return jsonschema.Draft202012Validator(strict | {"oneOf": [{"$ref": f"#/$defs/{name}"}]})


def check(line: object, name: str) -> None:
    """Check `line` against the definition called `name`, and for fields that are not in it."""
    _validator(name).validate(line)


def name_of(line: Line) -> str:
    """Return the definition of `line`: that of its event, or of the verb whose result it is."""
    if "direction" in line and "event" in line:
        return "said"
    if "event" in line:
        return str(line["event"])
    return next((name for field, name in RESULTS.items() if field in line), "id")


def read(output: bytes) -> list[Line]:
    """Return the events in `output`, all that a program has written, checked one by one and in their order."""
    events = parse(output)
    check_order(events)
    return events


def parse(output: bytes) -> list[Line]:
    """Return the events in `output`, each checked: printable ASCII, one whole object a line, as the schema says."""
    events: list[Line] = []
    assert output == b"" or output.endswith(b"\n")
    for raw in output.splitlines():
        assert re.fullmatch(rb"[ -~]+", raw)
        event = json.loads(raw)
        check(event, name_of(event))
        events.append(event)
    return events


def check_order(events: Iterable[Line]) -> None:
    """Check what no schema can say: `ready` is first, cursors rise, every message goes its way state by state."""
    states: dict[str, list[str]] = {}
    named: set[str] = set()  # messages that were queued in this run: others are told from where they are
    cursor = ""
    for number, event in enumerate(events):
        match event:
            case {"event": "ready"}:
                assert number == 0
            case {"event": "message", "cursor": newer}:
                assert newer > cursor
                cursor = newer
            case {"event": "state", "id": message_id, "state": state, "ref": ref}:
                states.setdefault(message_id, []).append(state)
                if ref is not None:
                    named.add(message_id)
    for message_id, way in states.items():
        hoped = way[:-1] if way[-1] == "failed" else way
        assert hoped or message_id not in named
        start = WAY.index(hoped[0]) if hoped and message_id not in named else 0
        assert hoped == WAY[start : start + len(hoped)]
