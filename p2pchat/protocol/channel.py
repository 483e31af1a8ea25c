"""After the handshake: frames to records and back, with both directions held to the table of phases.

What we say is judged as a whole before anything of it is sealed; what the peer says is judged frame by frame.

Source: docs/protocol.md, sections 2 and 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    __slots__ = ("_heard", "_receive", "_said", "_send")

    def __init__(self, *, send: RecordCipher, receive: RecordCipher) -> None:
        self._send = send
        self._receive = receive
        self._said = Phases(Phase.SILENT, Phase.SILENT)
        self._heard = self._said  # the same, seen from the peer

    @property
    def ours(self) -> Phase:
        """How far our direction has come."""
        return self._said.sender

    @property
    def theirs(self) -> Phase:
        """How far the peer's direction has come."""
        return self._said.other

    def may_say(self, act: Act) -> bool:
        """Return whether we may do `act` now."""
        return advance(self._said, act) is not None

    def seal(self, frames: Sequence[Frame]) -> bytes:
        """Return the records that carry `frames`, filled to the brim, padded and sealed.

        Raises:
          LocalProtocolError: if one of them is out of bounds or may not be said now. Nothing has changed then.
        """
        phases = self._said
        for frame in frames:
            moved = advance(phases, act_of(frame))
            if moved is None:
                raise LocalProtocolError(f"no {type(frame).__name__} may be sent: our side is {phases.sender}")
            phases = moved
        plaintexts = codec.encode_frames(frames)
        if phases is not self._said:
            self._said, self._heard = phases, Phases(phases.other, phases.sender)
        sealed: list[bytes] = []
        for plaintext in plaintexts:
            padding.pad(plaintext)
            sealed.append(records.record(self._send.seal(plaintext)))
        return b"".join(sealed)

    def open(self, ciphertext: memoryview) -> bytes:
        """Return the plaintext of the next record.

        Raises:
          Violation: if it is not genuine or not the next one.
        """
        try:
            return self._receive.open(ciphertext)
        except RemoteProtocolError as exc:
            raise Violation(CloseCode.PROTOCOL, f"a record cannot be opened: {exc}") from exc

    def hear(self, frame: Frame) -> None:
        """Let the peer have said `frame`.

        Raises:
          Violation: if it may not say that now.
        """
        moved = advance(self._heard, act_of(frame))
        if moved is None:
            raise Violation(CloseCode.PROTOCOL, f"{type(frame).__name__} from a side that is {self.theirs}")
        if moved is not self._heard:
            self._said, self._heard = Phases(moved.other, moved.sender), moved
