"""A second reader of msgpack, item by item: what a person sees beside the bytes. Only what the protocol writes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple


class Item(NamedTuple):
    """One thing in a msgpack stream. The items of an array follow it."""

    depth: int  # arrays around it
    head: bytes  # the type, with a length or a number if it has one
    content: bytes  # of a string or of binary
    value: object  # for an array: how many items it has

    @property
    def number(self) -> int:
        """The value, where it can only be a number."""
        assert isinstance(self.value, int)
        return self.value

    @property
    def is_array(self) -> bool:
        """Whether items follow that belong to it."""
        return self.head[0] in {*range(0x90, 0xA0), 0xDC, 0xDD}


_NUMBERS = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}  # first byte of an unsigned number: length of what follows
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xD9: 1, 0xDA: 2, 0xDC: 2}  # the same for lengths
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def items(data: bytes, *, depth: int = 0) -> Iterator[Item]:
    """Yield the items of the one value that `data` holds, in the order of their bytes."""
    rest = yield from _value(data, depth)
    assert not rest


def _value(data: bytes, depth: int) -> Generator[Item, None, bytes]:
    """Yield the items of the first value in `data`; return what comes after it."""
    first = data[0]
    if first < 0x80:
        yield Item(depth, data[:1], b"", first)
        return data[1:]
    if first in _CONSTANTS:
        yield Item(depth, data[:1], b"", _CONSTANTS[first])
        return data[1:]
    if first in _NUMBERS:
        end = 1 + _NUMBERS[first]
        yield Item(depth, data[:end], b"", int.from_bytes(data[1:end]))
        return data[end:]
    head, length = _head(data)
    rest = data[len(head) :]
    if Item(depth, head, b"", length).is_array:
        yield Item(depth, head, b"", length)
        for _ in range(length):
            rest = yield from _value(rest, depth + 1)
        return rest
    content = rest[:length]
    assert len(content) == length
    is_text = first not in {0xC4, 0xC5}
    yield Item(depth, head, content, content.decode() if is_text else content)
    return rest[length:]


def _head(data: bytes) -> tuple[bytes, int]:
    """Return the head of a string, binary or an array, and the length that it tells."""
    first = data[0]
    if first in _LENGTHS:
        end = 1 + _LENGTHS[first]
        return data[:end], int.from_bytes(data[1:end])
    if 0x90 <= first <= 0x9F:
        return data[:1], first & 0x0F
    assert 0xA0 <= first <= 0xBF, f"{first:#04x} is never written"
    return data[:1], first & 0x1F
