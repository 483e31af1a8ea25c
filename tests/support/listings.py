"""Byte listings for the documents, made from the recorded conversation (`tests/vectors/p2pchat-1-kat.json`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from p2pchat.wire import codec, frames, messages
from tests.support import kat, msgpack_items
from tests.support.diagrams import table, text
from tests.support.msgpack_items import Item

KAT: Final = kat.KAT
SIDES: Final = {"initiator": "I -> R", "responder": "R -> I"}
COLUMN: Final = 48  # where the meaning begins beside the bytes
ROW: Final = 16  # bytes of long content on one line


# ---- the handshake

#: What each message is made of: name and length in bytes, or 0 for the rest.
MESSAGES: Final = (
    (("preface", 8), ("length", 2), ("e", 32), ("e1", 1184)),
    (("length", 2), ("e", 32), ("enc(KEM ciphertext)", 1104), ("enc(s)", 48), ("enc(identity)", 113)),
    (("length", 2), ("enc(s)", 48), ("enc(identity)", 113)),
)


def handshake() -> str:
    """Return the three messages, field by field."""
    lines = []
    for step, fields in zip(KAT["steps"], MESSAGES, strict=False):
        wire = bytes.fromhex(step["bytes"])
        lines.append(f"{SIDES[step['from']]}   {step['what']}, {len(wire)} bytes")
        for name, length in fields:
            field, wire = wire[:length], wire[length:]
            assert len(field) == length
            lines.append(f"  {shortened(field):<46}{name}, {length}")
        assert not wire
    return text(lines)


def shortened(data: bytes) -> str:
    """Return `data` in hex, at most 42 characters; of more the beginning and the end."""
    return data.hex() if len(data) <= 20 else f"{data[:10].hex()}..{data[-10:].hex()}"


# ---- records


def records() -> str:
    """Return every record of the conversation: its plaintext, item by item."""
    return "\n\n".join(text(list(_record(step))) for step in KAT["steps"][3:])


def _record(step: dict[str, str]) -> Iterator[str]:
    wire, plaintext = bytes.fromhex(step["bytes"]), bytes.fromhex(step["frames"])
    length = int.from_bytes(wire[:2])
    padding = length - 16 - len(plaintext)
    yield f"{SIDES[step['from']]}   {len(wire)} bytes: {wire[:2].hex()} {wire[2:10].hex()} ... {wire[-8:].hex()}"
    while plaintext:
        size = int.from_bytes(plaintext[1:3])
        body, rest = plaintext[3 : 3 + size], plaintext[3 + size :]
        (frame,) = codec.decode_frames(plaintext[: 3 + size])
        yield _line(0, plaintext[:1].hex(), plaintext[1:3].hex(), f"{type(frame).__name__.upper()}, {size} bytes")
        yield from _spelled(body, type(frame), depth=1)
        plaintext = rest
    yield _line(0, "00", f"({padding} times)", "padding")


def _spelled(body: bytes, struct: type[Struct], *, depth: int) -> Iterator[str]:
    """Yield the lines of an encoded `struct`."""
    stream = msgpack_items.items(body)
    yield from _fields(next(stream), stream, struct, depth)


def _fields(array: Item, stream: Iterator[Item], struct: type[Struct], depth: int) -> Iterator[str]:
    yield _line(depth, array.head.hex(), "", "1 field" if array.number == 1 else f"{array.number} fields")
    names = struct.__struct_fields__[: array.number]
    kind = 0
    for name, item in zip(names, stream, strict=False):
        if name == "kind":
            kind = item.number
        if item.is_array:
            yield from _list(name, item, stream, depth)
        elif name == "body":
            yield _line(depth, item.head.hex(), "", f"{name}, {len(item.content)} bytes:")
            yield from _spelled(item.content, type(messages.decode_body(kind, item.content)), depth=depth + 1)
        else:
            yield from _plain(name, item, depth)
        if name == names[-1]:
            return


def _list(name: str, array: Item, stream: Iterator[Item], depth: int) -> Iterator[str]:
    yield _line(depth, array.head.hex(), "", f"{name}: {array.value}")
    for _ in range(array.number):
        item = next(stream)
        if item.is_array:
            yield from _fields(item, stream, frames.Entry, depth + 1)
        else:
            yield from _plain("", item, depth + 1)


def _plain(name: str, item: Item, depth: int) -> Iterator[str]:
    if isinstance(item.value, bytes):
        meaning = name if item.content else f"{name}, empty"
    elif isinstance(item.value, str):
        meaning = f'{name} "{item.value}"'
    else:
        meaning = f"{name} {'nil' if item.value is None else str(item.value).lower()}"
    head, content = item.head.hex(), item.content
    if not content and len(item.head) > 2:  # a long number: its type, then itself
        head, content = item.head[:1].hex(), item.head[1:]
    yield _line(depth, head, content[:ROW].hex(), meaning.strip())
    for start in range(ROW, len(content), ROW):
        yield _line(depth, " " * len(head), content[start : start + ROW].hex(), "")


def _line(depth: int, head: str, content: str, meaning: str) -> str:
    indent = "  " * depth
    return f"{indent}{head} {content}".ljust(COLUMN) + indent + meaning


# ---- values


def logs() -> str:
    """Return chain values of one log."""
    rows = [
        [n, str(at["state_bytes"]), f"`{at['block']}`", f"`{at['position']}`"] for n, at in KAT["chain"]["at"].items()
    ]
    return table(["n", "bytes of state_n", "C_k", "position_n"], rows)


def padding() -> str:
    """Return lengths of plaintexts before and after padding."""
    lengths = KAT["padded"]
    return table(["frames", *lengths], [["padded", *map(str, lengths.values())]])


def parts() -> str:
    """Return how one long body is cut."""
    entries = KAT["fragments"]["entries"]
    rows = [[str(entry["kind"]), str(entry["bytes"]), f"`{entry['sha256']}`"] for entry in entries]
    return table(["kind", "bytes of body", "SHA-256 of body"], rows)


def pipes() -> str:
    """Return what a sending pipe makes of its input, with a small limit in the place of MAX_TEXT."""
    rows = [
        [
            f"`{case['input']}`" if case["input"] else "nothing",
            str(case["instead_of_MAX_TEXT"]),
            ", ".join(f"{kind}: `{body}`" for kind, body in case["messages"]) or "none",
        ]
        for case in KAT["pipe"]
    ]
    return table(["input", "limit", "messages, kind: body"], rows)


def people() -> str:
    """Return the ids and the fingerprints of both sides."""
    rows = [
        [name, f"`{peer}`", digits]
        for name, peer, digits in zip("IR", KAT["peer_ids"], KAT["fingerprints"], strict=True)
    ]
    return table(["", "peer id", "fingerprint"], rows)


def voucher() -> str:
    """Return an identity payload with a voucher, field by field."""
    payload = KAT["guest_payload"]["payload"]
    fields = (("type", 1), ("guest's key", 32), ("signature of the guest", 64), ("extension 01, length 64", 3))
    lines, start = [], 0
    for name, length in (*fields, ("voucher: signature of the owner", 64)):
        field = payload[2 * start : 2 * (start + length)]
        start += length
        lines += [f"{field[:64]:<66}{name}", *([field[64:]] if field[64:] else [])]
    assert 2 * start == len(payload)
    return text(lines)
