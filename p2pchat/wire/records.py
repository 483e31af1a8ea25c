"""Cutting a byte stream into records: ``u16 length | ciphertext``, and nothing else.

The ciphertexts are views of the caller's buffer, so nothing is copied on the way to the cipher. Only the beginning of a
record that has not arrived in full is kept: `MAX_RECORD` + 1 bytes at most, whatever the peer claims or withholds.

Source: docs/protocol.md, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, final

from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.violation import Violation

MAX_RECORD: Final = 65535  # bytes of ciphertext, tag included: what a u16 can say
MIN_RECORD: Final = 17  # bytes: a tag (16) and one byte of plaintext
PREFIX_LENGTH: Final = 2  # bytes


@final
class RecordReader:
    """The incomplete end of one direction of a stream."""

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = bytearray()

    @property
    def held(self) -> int:
        """How many bytes of an incomplete record are kept."""
        return len(self._tail)

    def records(self, data: bytes | bytearray | memoryview) -> Iterator[memoryview]:
        """Yield the ciphertext of each record that `data` completes, and keep the rest.

        A view is good until the next one is asked for. Who stops asking early has ended the stream: the rest is lost.

        Raises:
          Violation: PROTOCOL at a record shorter than `MIN_RECORD`.
        """
        view = memoryview(data)
        position, end = 0, len(view)
        if self._tail:
            position = self._complete_tail(view)
            if _length(self._tail) != len(self._tail):
                return
            whole, self._tail = self._tail, bytearray()
            yield memoryview(whole)[PREFIX_LENGTH:]
        while end - position >= PREFIX_LENGTH:
            after = position + _length(view, position)
            if after > end:
                break
            yield view[position + PREFIX_LENGTH : after]
            position = after
        if position < end:
            self._tail += view[position:]

    def _complete_tail(self, view: memoryview) -> int:
        """Move what the kept record lacks out of `view`; return how many bytes that were."""
        taken = 0
        # First the prefix, which says how long the record is, then the record.
        while taken < len(view) and (missing := _length(self._tail) - len(self._tail)):
            piece = view[taken : taken + missing]
            self._tail += piece
            taken += len(piece)
        return taken


def record(ciphertext: bytes) -> bytes:
    """Return `ciphertext`, MIN_RECORD … MAX_RECORD bytes, as it goes on the wire."""
    return len(ciphertext).to_bytes(PREFIX_LENGTH) + ciphertext


def _length(data: bytearray | memoryview, start: int = 0) -> int:
    """Return how long the record at `start` is with its prefix; of the prefix alone while that is not whole.

    Raises:
      Violation: PROTOCOL if it is too short to be one.
    """
    if len(data) - start < PREFIX_LENGTH:
        return PREFIX_LENGTH
    length = data[start] << 8 | data[start + 1]
    if length < MIN_RECORD:
        raise Violation(CloseCode.PROTOCOL, f"a record of {length} bytes")
    return PREFIX_LENGTH + length
