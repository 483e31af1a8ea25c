"""Long messages: a body that does not fit one entry is cut into PARTs and a final entry, and joined again.

Everything here is a function of its arguments. A receiver judges and joins a whole batch before anything of it is kept.

Source: docs/protocol.md, section 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import MAX_BODY, Entry
from p2pchat.wire.messages import MAX_ASSEMBLED, Kind
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PART: Final = int(Kind.PART)
VOID: Final = int(Kind.VOID)
VOID_BODY: Final = b"\x90"  # an empty msgpack array


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message as it came: `entry` is its final entry with the whole body, `seq` is that entry's number."""

    seq: int
    entry: Entry


@dataclass(frozen=True, slots=True)
class Parts:
    """The beginning of a message whose final entry has not come yet; empty most of the time."""

    conv: bytes = b""
    bodies: tuple[bytes, ...] = ()  # MAX_BODY bytes each


NO_PARTS: Final = Parts()
SHOWS_NOTHING: Final = frozenset({PART, VOID})


def shown(entries: Iterable[Entry]) -> list[Entry]:
    """Return those of `entries` that end a message for somebody to see: no PARTs, nothing that was withdrawn."""
    return [entry for entry in entries if entry.kind not in SHOWS_NOTHING]


def cut(body: bytes) -> list[bytes]:
    """Return the bodies of the entries that carry `body`: PARTs of MAX_BODY bytes, then the final one, never empty."""
    return [body[start : start + MAX_BODY] for start in range(0, len(body), MAX_BODY)] or [body]


def assemble(parts: Parts, first: int, entries: Sequence[Entry]) -> tuple[Parts, list[Message]]:
    """Return what is unfinished after `entries`, the next ones of a log from number `first`, and the messages they end.

    A VOID is a final entry that shows nothing; parts that it ends are thrown away.

    Raises:
      Violation: PROTOCOL for a PART of the wrong size, or another conversation while parts are waiting; TOO_BIG for a
        message that would be longer than any may be.
    """
    if not parts.bodies and SHOWS_NOTHING.isdisjoint([entry.kind for entry in entries]):
        return parts, list(map(Message, count(first), entries))
    messages = []
    for seq, entry in enumerate(entries, first):
        if entry.kind == PART:
            parts = _with_part(parts, entry)
            continue
        body = _joined(parts, entry)
        parts = NO_PARTS
        if entry.kind != VOID:
            whole = Entry(id=entry.id, kind=entry.kind, sent_ms=entry.sent_ms, conv=entry.conv, body=body)
            messages.append(Message(seq, whole))
    return parts, messages


def _with_part(parts: Parts, entry: Entry) -> Parts:
    if len(entry.body) != MAX_BODY:
        raise Violation(CloseCode.PROTOCOL, f"a part of {len(entry.body)} bytes")
    return Parts(entry.conv, (*parts.bodies, _fitting(parts, entry)))


def _joined(parts: Parts, entry: Entry) -> bytes:
    return b"".join((*parts.bodies, _fitting(parts, entry)))


def _fitting(parts: Parts, entry: Entry) -> bytes:
    """Return the body of `entry` if it can go on where `parts` end."""
    if parts.bodies and entry.conv != parts.conv:
        raise Violation(CloseCode.PROTOCOL, "another conversation inside a message")
    if len(parts.bodies) * MAX_BODY + len(entry.body) > MAX_ASSEMBLED:
        raise Violation(CloseCode.TOO_BIG, "a message is longer than any may be")
    return entry.body
