"""Frames to the plaintext of records and back.

A frame is ``type u8 | length u16 | body``; a record holds whole frames, as many as fit, then maybe padding. One call
into C encodes or decodes a frame with all of its entries, so a batch of hundreds of messages costs little more than one
message. Decoding trusts nothing: whatever the bytes are, the outcome is frames or a `Violation`.

Source: docs/protocol.md, sections 2 and 3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import DecodeError, msgpack

from p2pchat.errors import LocalProtocolError
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import (
    MAX_FRAME_BODY,
    Ack,
    Close,
    Frame,
    Hello,
    Known,
    Msg,
    PakeClaim,
    PakeConfirm,
    PakeReply,
    PakeResult,
    Ping,
    Pong,
    Resume,
    Typing,
    Unknown,
)
from p2pchat.wire.padding import MAX_PLAINTEXT, is_padding
from p2pchat.wire.violation import Violation

HEADER_LENGTH: Final = 3  # bytes: type u8, length u16
PADDING: Final = 0x00  # where a frame's type would be: the rest of the record is zeros
FIRST_IGNORABLE: Final = 0x80  # unknown types below are critical, those from here on are ignored

_PAKE: Final = (PakeClaim, PakeReply, PakeConfirm, PakeResult)
_KNOWN: Final[tuple[type[Known], ...]] = (Hello, Resume, Msg, Ack, Ping, Pong, Close, *_PAKE, Typing)
_DECODE: Final = {frame.TYPE: msgpack.Decoder(frame).decode for frame in _KNOWN}
_ENCODE: Final = msgpack.Encoder().encode
_header: Final = struct.Struct(">BH").pack


def encode_frames(frames: Iterable[Frame]) -> list[bytearray]:
    """Return the plaintexts, 1 … MAX_PLAINTEXT bytes each and not yet padded, of the records that carry `frames`.

    The order is kept, and each record is filled with all that fits. Every frame is held to the bounds that receivers
    hold it to. Only the entries of a `Msg` are not looked at again, for they were made within bounds and are the many.

    Raises:
      LocalProtocolError: if a frame is out of bounds.
    """
    plaintexts: list[bytearray] = []
    room = 0  # bytes left in the last plaintext
    for frame in frames:
        body = _encode_body(frame)
        size = HEADER_LENGTH + len(body)
        if size > room:
            plaintexts.append(bytearray())
            room = MAX_PLAINTEXT
        frame_type = frame.type if isinstance(frame, Unknown) else frame.TYPE
        plaintexts[-1] += _header(frame_type, len(body)) + body
        room -= size
    return plaintexts


def decode_frames(plaintext: bytes) -> Iterator[Frame]:
    """Yield the frames that `plaintext`, 1 … MAX_PLAINTEXT bytes, holds; none if it is padding alone.

    Raises:
      Violation: PROTOCOL for a frame that is cut short, out of bounds or not what its type says, and for padding that
        is not zero; UNSUPPORTED for an unknown type below 80. The frames before it were good.
    """
    view = memoryview(plaintext)
    position, end = 0, len(plaintext)
    while position < end:
        frame_type = plaintext[position]
        if frame_type == PADDING:
            if not is_padding(plaintext, position):
                raise Violation(CloseCode.PROTOCOL, "padding is not zero")
            return
        body = position + HEADER_LENGTH
        if body > end:
            raise Violation(CloseCode.PROTOCOL, "frame header is cut short")
        position = body + (plaintext[body - 2] << 8 | plaintext[body - 1])
        if position > end:
            raise Violation(CloseCode.PROTOCOL, "frame is cut short")
        yield _decode_body(frame_type, view[body:position])


def _encode_body(frame: Frame) -> bytes:
    """Return what follows the header of `frame`, checked.

    Raises:
      LocalProtocolError: if the frame is out of bounds.
    """
    if isinstance(frame, Unknown):
        if frame.type in _DECODE or not FIRST_IGNORABLE <= frame.type <= 0xFF:
            raise LocalProtocolError(f"no type that others may ignore: {frame.type:#04x}")
        body = frame.body
    else:
        try:
            body = _ENCODE(frame)
            if not isinstance(frame, Msg):
                _DECODE[frame.TYPE](body)
        except (DecodeError, OverflowError, UnicodeError) as exc:
            raise LocalProtocolError(f"{type(frame).__name__} is out of bounds: {exc}") from exc
    if len(body) > MAX_FRAME_BODY:
        raise LocalProtocolError(f"{type(frame).__name__} of {len(body)} bytes does not fit a frame")
    return body


def _decode_body(frame_type: int, body: memoryview) -> Frame:
    """Return the frame of `frame_type` that `body` holds.

    Raises:
      Violation: if there is none.
    """
    decode = _DECODE.get(frame_type)
    if decode is None:
        if frame_type < FIRST_IGNORABLE:
            raise Violation(CloseCode.UNSUPPORTED, f"unknown frame type {frame_type:#04x}")
        return Unknown(frame_type, bytes(body))
    try:
        return decode(body)
    except (DecodeError, UnicodeError, RecursionError) as exc:
        # Hostile nesting meets the interpreter's own limit, which is left where it is; nothing was built yet.
        raise Violation(CloseCode.PROTOCOL, f"bad frame of type {frame_type:#04x}: {exc}") from exc
