"""Long messages: a body that does not fit one entry is cut into PARTs and a final entry, and joined again.

Everything here is a function of its arguments. A receiver judges and joins a whole batch before anything of it is kept.

Source: docs/protocol.md, section 3.4.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import MAX_BODY, Entry
from p2pchat.wire.messages import MAX_ASSEMBLED, Body, Kind, decode_bodies
from p2pchat.wire.violation import Violation

PART: Final = int(Kind.PART)
VOID: Final = int(Kind.VOID)
VOID_BODY: Final = b"\x90"  # an empty msgpack array


class Message(Struct, frozen=True, gc=False):
    """A message as it came: `entry` is its final entry with the whole body, `seq` is that entry's number."""

    seq: int
    entry: Entry
    body: Body  # what `entry.body` holds

    @property
    def id(self) -> uuid.UUID:
        """The name of the message, the same for both sides."""
        return uuid.UUID(bytes=self.entry.id)


class Messages(Struct, frozen=True, gc=False):
    """Messages in the order of their log, kept as columns: hundreds of them are made at once, and seldom one by one."""

    seqs: Sequence[int]  # the number of each final entry
    entries: Sequence[Entry]  # the final entries, each with the whole body

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Message]:
        bodies = decode_bodies([entry.kind for entry in self.entries], [entry.body for entry in self.entries])
        return map(Message, self.seqs, self.entries, bodies)


class Parts(Struct, frozen=True, gc=False):
    """The beginning of a message whose final entry has not come yet; empty most of the time."""

    conv: bytes = b""
    bodies: tuple[bytes, ...] = ()  # MAX_BODY bytes each


NO_PARTS: Final = Parts()
SHOWS_NOTHING: Final = frozenset({PART, VOID})


def shown(entries: list[Entry]) -> list[Entry]:
    """Return those of `entries` that end a message for somebody to see: no PARTs, nothing that was withdrawn."""
    if SHOWS_NOTHING.isdisjoint({entry.kind for entry in entries}):
        return entries
    return [entry for entry in entries if entry.kind not in SHOWS_NOTHING]


def cut(body: bytes) -> list[bytes]:
    """Return the bodies of the entries that carry `body`: PARTs of MAX_BODY bytes, then the final one, never empty."""
    return [body[start : start + MAX_BODY] for start in range(0, len(body), MAX_BODY)] or [body]


def assemble(parts: Parts, first: int, entries: Sequence[Entry]) -> tuple[Parts, Messages]:
    """Return what is unfinished after `entries`, the next ones of a log from number `first`, and the messages they end.

    A VOID is a final entry that shows nothing; parts that it ends are thrown away.

    Raises:
      Violation: PROTOCOL for a PART of the wrong size, or another conversation while parts are waiting; TOO_BIG for a
        message that would be longer than any may be.
    """
    if not parts.bodies and SHOWS_NOTHING.isdisjoint({entry.kind for entry in entries}):
        return parts, Messages(range(first, first + len(entries)), entries)
    seqs, wholes = [], []
    for seq, entry in enumerate(entries, first):
        if entry.kind == PART:
            parts = _with_part(parts, entry)
            continue
        body = _joined(parts, entry)
        parts = NO_PARTS
        if entry.kind != VOID:
            whole = Entry(id=entry.id, kind=entry.kind, sent_ms=entry.sent_ms, conv=entry.conv, body=body)
            seqs.append(seq)
            wholes.append(whole)
    return parts, Messages(seqs, wholes)


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
