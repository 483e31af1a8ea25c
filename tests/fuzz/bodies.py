"""What a peer has said is looked into: entries are joined, and their bodies read.

An input is entries: what they are, how long they are, and the beginning of their body; the rest of it is one byte again
and again, so that a short input makes parts of full length.

Promised: `assemble` knows no exception but `Violation`, and joins nothing longer than any message may be; whatever a
body holds, there is an answer, and what can be read can be written again and means the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import msgpack

from p2pchat.protocol import pipes
from p2pchat.protocol.assembly import NO_PARTS, Parts, assemble
from p2pchat.wire.frames import MAX_BODY, Entry
from p2pchat.wire.messages import (
    MAX_ASSEMBLED,
    MAX_TEXT,
    Body,
    Data,
    Delete,
    Edit,
    Kind,
    Profile,
    Reaction,
    Read,
    Readable,
    Text,
    Unreadable,
    Unsupported,
    Void,
    decode_bodies,
    decode_body,
    encode_body,
)
from p2pchat.wire.violation import Violation
from tests.fuzz.target import Bytes, Target, must

ID: Final = bytes(range(16))
EXAMPLES: Final[tuple[Readable, ...]] = (
    *(Text("hello"), Text("é😀", ID, more=True), Data(b"\xff\0"), Data(b"", more=True), Read(ID), Edit(ID, "now so")),
    *(Reaction(ID, "👍"), Delete(ID), Profile("Ann"), Void()),
)


def entry(script: Bytes) -> Entry:
    """Return the entry that comes next in `script`."""
    kind = script.number()
    conv = script.number() & 1
    length, beginning = min(script.number(2), MAX_BODY), script.take(script.number())
    filler = beginning[-1:] or b"\0"
    body = beginning + filler * (length - len(beginning))
    return Entry(ID, kind, 0, b"r" * conv, body)


def run(data: bytes) -> None:
    """Join and read the entries of `data`, one by one and all at once."""
    script = Bytes(data)
    entries: list[Entry] = []
    while script:
        entries.append(entry(script))
    parts, one_by_one = NO_PARTS, []
    try:
        for number, one in enumerate(entries, start=1):
            parts, messages = assemble(parts, number, [one])
            must(_size(parts) <= MAX_ASSEMBLED, "what waits is no longer than a message")
            one_by_one += list(messages)
    except Violation:
        try:
            assemble(NO_PARTS, 1, entries)
        except Violation:
            return
        raise
    rest, together = assemble(NO_PARTS, 1, entries)
    must(rest == parts, "a batch leaves the same parts as its entries")
    must(list(together) == one_by_one, "a batch makes the same messages as its entries")
    for message in one_by_one:
        must(len(message.entry.body) <= MAX_ASSEMBLED, "a message has its bound")
        judge(message.entry.kind, message.entry.body, message.body)
    kinds, bodies = [one.entry.kind for one in one_by_one], [one.entry.body for one in one_by_one]
    if kinds:
        must(decode_bodies(kinds, bodies) == list(map(decode_body, kinds, bodies)), "many are read as one is")


def judge(kind: int, raw: bytes, body: Body) -> None:
    """Hold what was read against what was there."""
    if isinstance(body, Unreadable | Unsupported):
        must(body.body == raw, "what cannot be read is kept as it is")
        return
    written_kind, written = encode_body(body)
    must(written_kind == kind, "what was read is of its kind")
    must(decode_body(kind, written) == body, "what can be read can be written")
    must(len(pipes.to_bytes(body)) <= MAX_TEXT + 1, "a pipe gets no more than was said")


def _size(parts: Parts) -> int:
    return sum(map(len, parts.bodies))


def written(kind: int, body: bytes, *, length: int | None = None, conv: int = 0) -> bytes:
    """Return an entry as an input has it."""
    length = len(body) if length is None else length
    return bytes([kind, conv]) + length.to_bytes(2) + bytes([len(body)]) + body


def long(parts: Sequence[int], last: int, *, kind: int = Kind.TEXT) -> bytes:
    """Return parts of these lengths and a final entry."""
    head = b"\x93\xdb" + (sum(parts) + last - 10).to_bytes(4) + b"a"
    pieces = [written(Kind.PART, b"a" if number else head, length=size) for number, size in enumerate(parts)]
    return b"".join(pieces) + written(kind, b"a" * 9 + b"\xc0\xc2", length=last)


def seeds() -> Iterator[bytes]:
    """Each kind of body; parts that can be joined and that cannot."""
    for example in EXAMPLES:
        yield written(*encode_body(example))
    yield b"".join(written(*encode_body(example)) for example in EXAMPLES)
    for kind in (*Kind, 10, 255):
        yield written(kind, b"\x90")
    yield long([MAX_BODY], 11)
    yield long([MAX_BODY] * 32, 24576)
    yield long([MAX_BODY] * 32, 24576 + 257)
    yield long([MAX_BODY], 11, kind=Kind.VOID)
    yield long([MAX_BODY - 1], 11)
    yield written(Kind.PART, b"a", length=MAX_BODY, conv=1) + written(Kind.TEXT, b"\x91\xa0")


def tokens() -> Iterator[bytes]:
    """Beginnings of bodies, and lengths that may be."""
    yield from (MAX_BODY.to_bytes(2), (MAX_BODY - 1).to_bytes(2), (24576 + 256).to_bytes(2))
    yield from (
        b"\x93\xdb",
        b"\x92\xc6",
        b"\xc0\xc2",
        b"\xc3",
        b"\xc4\x10" + ID,
        b"\xed\xa0\x80",
        b"\xdd\xff\xff\xff\xff",
    )
    yield from (msgpack.encode(number) for number in (-1, 2**16, 2**63, 0.5))


TARGET: Final = Target(run=run, seeds=seeds, tokens=tokens, max_length=1500)
