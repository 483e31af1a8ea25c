"""Changing what is inside frames: their fields, and which of them there are, with all lengths right again.

Blind changes of bytes hardly ever make another good frame: a field that grows by a byte breaks its frame, its record
and its step. Here the plaintext of a record is taken apart down to its fields, one of which is changed blindly.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from msgspec import DecodeError, msgpack

from p2pchat.wire import codec
from tests.support.framing import EXAMPLES, plaintext

#: Changes bytes in the ways that the fuzzer has found worth while; what comes is not longer than the number.
Blind = Callable[[bytes, int], bytes]

HEADER: Final = codec.HEADER_LENGTH
LONGEST: Final = 300  # bytes of a field after a change
SMALL: Final = [bytes(codec.encode_frames([frame])[0]) for frame in EXAMPLES.values() if len(str(frame)) < LONGEST]


def split(text: bytes) -> list[bytes]:
    """Return the frames in the plaintext `text`; what is none is the last of them."""
    frames = []
    while len(text) >= HEADER:
        end = HEADER + int.from_bytes(text[1:HEADER])
        frames.append(text[:end])
        text = text[end:]
    return [*frames, text] if text else frames


def change(text: bytes, dice: Random, blind: Blind) -> bytes:
    """Return the plaintext `text` with one frame more, one less, one twice, or one with another field."""
    frames = split(text)
    place = dice.randrange(len(frames) + 1)
    match dice.randrange(8):
        case 0:
            frames.insert(place, dice.choice(SMALL))
        case 1:
            del frames[place:][:1]
        case 2 if frames:
            frames.insert(place, dice.choice(frames))
        case _ if frames:
            place %= len(frames)
            frames[place] = _changed(frames[place], dice, blind)
    return b"".join(frames)


def _changed(frame: bytes, dice: Random, blind: Blind) -> bytes:
    """Return `frame` with one field changed, if it has fields."""
    try:
        fields = msgpack.decode(frame[HEADER:])
    except (DecodeError, ValueError, RecursionError):
        return blind(frame, len(frame) + 4) if frame else frame
    return plaintext(frame[0], msgpack.encode(_other(fields, dice, blind)))


def _other(value: Any, dice: Random, blind: Blind) -> Any:
    """Return something like `value`: a field of it changed, or itself."""
    match value:
        case bool() | None:
            return not value
        case int():
            size = dice.choice((1, 2, 4, 8))
            return int.from_bytes(blind((value % 2 ** (8 * size)).to_bytes(size), size)[:size])
        case bytes():
            return blind(value, LONGEST) if dice.randrange(4) else value + value[:1]
        case str():
            return blind(value.encode(), LONGEST).decode(errors="replace")
        case list() if value:
            place = dice.randrange(len(value))
            return [*value[:place], _other(value[place], dice, blind), *value[place + 1 :]]
        case _:
            return [0]
