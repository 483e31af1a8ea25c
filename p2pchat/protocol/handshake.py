"""The handshake: from the first byte of a connection to two proven identities and the keys of both directions.

Everything between the preface and message C is here; what the messages hold is Noise's (`crypto/noise.py`) and the
proof's (`crypto/proof.py`). No I/O, no clock. Nothing is judged here but the protocol: *who* the other side may be is
its owner's question, so each side stops where its owner must decide.

=============  =====================  ===========================  ==================
initiator      `Initiator.begin`      receive → PROVED             `Initiator.reveal`
responder      receive → ASKED        `Responder.answer`/`reject`  receive → SECURED
=============  =====================  ===========================  ==================

The other side is told nothing about a failure, save the reject hint: whatever is wrong raises `HandshakeFailed`, whose
text is for our log and our user. After it only `HandshakeFailed.reply` may be sent, and the stream is shut.

Source: docs/protocol.md, section 1.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from p2pchat.crypto import kem
from p2pchat.crypto.identity import Identity, PeerId
from p2pchat.crypto.records import RecordCipher
from p2pchat.errors import RemoteProtocolError

VERSION = 1  # of records and handshake; changes only with them
PREFACE = b"p2pchat" + bytes([VERSION])

MESSAGE_A_LENGTH = 1216  # bytes: e, e1
MAX_MESSAGE_LENGTH = 4096  # bytes, of B and C; the longest that an honest peer makes is 2321


class Step(enum.Enum):
    """Where a handshake stands; what its owner may do next."""

    #: (initiator) Nothing was sent: `Initiator.begin`.
    FRESH = enum.auto()
    #: Bytes of the other side are missing: feed them to `receive`.
    READING = enum.auto()
    #: (responder) Message A is here and has cost nothing yet: `Responder.answer` or `Responder.reject`.
    ASKED = enum.auto()
    #: (initiator) The peer has proven its identity, we have not: judge `Initiator.peer`, then `Initiator.reveal`.
    PROVED = enum.auto()
    #: Both identities are proven: take `secured`.
    SECURED = enum.auto()
    #: Failed or refused: shut the stream.
    OVER = enum.auto()


class HandshakeFailed(RemoteProtocolError):
    """The other side does not speak our handshake, or could not prove who it is."""

    reply = b""  # what may still be sent before the stream is shut


class WrongVersion(HandshakeFailed):
    """(Responder) The initiator speaks another version; `reply` is the hint that says so."""


class Hinted(HandshakeFailed):
    """(Initiator) The responder sent a reject hint: it is not authenticated, so show it and never act on it."""

    def __init__(self, version: int, code: int) -> None: ...


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """What a finished handshake leaves: whom we talk to, and how."""

    peer: PeerId  # proven; the owner judges it, and its own id too
    vouched: bool  # (responder) the peer is a guest of ours: our own key has signed for it
    send: RecordCipher
    receive: RecordCipher
    binding: bytes  # 32 bytes that name this connection; equal on both sides
    early: bytes  # (responder) records that came in one read with message C; b"" if none


@final
class Initiator:
    """The side that dialed: ``begin() → receive()… → reveal()``."""

    step: Step
    peer: PeerId  # from PROVED on
    secured: Secured  # from SECURED on

    def __init__(self, identity: Identity, *, entropy: Callable[[int], bytes]) -> None:
        """Prepare to speak as `identity`; nothing is computed yet.

        Args:
          identity: who we are, or the guest of this run.
          entropy: draws the static, the ephemeral and the KEM key of this connection.
        """

    def begin(self) -> bytes:
        """Return the preface and message A, 1226 bytes.

        Raises:
          ConfigurationError: if the installed `cryptography` has no ML-KEM.
        """
        raise NotImplementedError

    def receive(self, data: bytes | bytearray | memoryview) -> Step:
        """Take what the stream gave and return READING or PROVED.

        Raises:
          Hinted: if the responder would not begin.
          HandshakeFailed: if it broke the protocol or proved nothing.
        """
        raise NotImplementedError

    def reveal(self, *, voucher_by: Identity | None = None) -> bytes:
        """Return message C, which tells the peer who we are, and become SECURED.

        Args:
          voucher_by: the long-term identity that vouches for us, a guest. Its voucher is only for itself.

        Raises:
          LocalProtocolError: if the peer is not `voucher_by`: a voucher is never shown to a stranger.
        """
        raise NotImplementedError


@final
class Responder:
    """The side that was reached: ``receive()… → answer() → receive()…``."""

    step: Step
    secured: Secured  # from SECURED on

    def __init__(
        self,
        identity: Identity,
        *,
        entropy: Callable[[int], bytes],
        encapsulate: kem.Encapsulate = kem.encapsulate,
    ) -> None:
        """Prepare to speak as `identity`; nothing is computed yet.

        Args:
          identity: who we are.
          entropy: draws the static and the ephemeral of this connection.
          encapsulate: tests replay recorded secrets through it.
        """

    def receive(self, data: bytes | bytearray | memoryview) -> Step:
        """Take what the stream gave and return READING, ASKED or SECURED.

        Message A alone costs nothing: it is looked into by `answer`.

        Raises:
          WrongVersion: if the initiator speaks another version; send its `reply`, then shut.
          HandshakeFailed: if it broke the protocol or proved nothing.
        """
        raise NotImplementedError

    def answer(self) -> bytes:
        """Return message B.

        Raises:
          HandshakeFailed: if message A holds keys that nobody can use.
          ConfigurationError: if the installed `cryptography` has no ML-KEM.
        """
        raise NotImplementedError

    def reject(self, code: int) -> bytes:
        """Return the hint that says why there will be no message B, and end."""
        raise NotImplementedError
