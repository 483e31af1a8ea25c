"""After the handshake: frames to bytes and records to frames, both held to the table of phases.

`Channel.seal` is all or nothing: what is not legal now is refused before anything was sealed or has changed.
`Channel.open` yields what is legal and stops at the first thing that is not.

Source: docs/protocol.md, sections 2 and 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, final

from p2pchat.errors import LocalProtocolError, RemoteProtocolError
from p2pchat.protocol.phases import Act, Phase, Phases, act_of, advance
from p2pchat.wire import codec, padding, records
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.violation import Violation

if TYPE_CHECKING:
    from p2pchat.crypto.records import RecordCipher
    from p2pchat.wire.frames import Frame


@final
class Channel:
    """Two directions of records between proven peers, and how far each has come."""

    __slots__ = ("_receive", "_send", "ours", "theirs")

    def __init__(self, *, send: RecordCipher, receive: RecordCipher) -> None:
        self._send = send
        self._receive = receive
        self.ours = Phase.SILENT
        self.theirs = Phase.SILENT

    def seal(self, frames: Sequence[Frame]) -> bytes:
        """Return the records that carry `frames`, filled to the brim, padded and sealed.

        Raises:
          LocalProtocolError: if one of them is out of bounds or may not be said now. Nothing has changed then.
        """
        phases = Phases(self.ours, self.theirs)
        for frame in frames:
            moved = advance(phases, act_of(frame))
            if moved is None:
                raise LocalProtocolError(f"no {type(frame).__name__} may be sent: our side is {phases.sender}")
            phases = moved
        plaintexts = codec.encode_frames(frames)
        self.ours, self.theirs = phases
        sealed: list[bytes] = []
        for plaintext in plaintexts:
            padding.pad(plaintext)
            sealed.append(records.record(self._send.seal(plaintext)))
        return sealed[0] if len(sealed) == 1 else b"".join(sealed)

    def open(self, ciphertext: memoryview) -> Iterator[Frame]:
        """Yield the frames of the next record.

        Raises:
          Violation: at the first thing that is not genuine, not whole, out of bounds or not legal now.
        """
        try:
            plaintext = self._receive.open(ciphertext)
        except RemoteProtocolError as exc:
            raise Violation(CloseCode.PROTOCOL, f"a record cannot be opened: {exc}") from exc
        for frame in codec.decode_frames(plaintext):
            moved = advance(Phases(self.theirs, self.ours), act_of(frame))
            if moved is None:
                raise Violation(CloseCode.PROTOCOL, f"{type(frame).__name__} from a side that is {self.theirs}")
            self.theirs, self.ours = moved
            yield frame

    def may_send(self, act: Act) -> bool:
        """Return whether we may do `act` now."""
        return advance(Phases(self.ours, self.theirs), act) is not None
