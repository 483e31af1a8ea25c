"""The handshake: from the first byte of a connection to two proven identities and the keys of both directions.

Everything between the preface and message C is here; what the messages hold is Noise's (`crypto/noise.py`) and the
proof's (`crypto/proof.py`). No I/O, no clock. Nothing is judged here but the protocol: *who* the other side may be is
its owner's question, so each side stops where its owner has to decide (`Step`):

    initiator   begin               -> receive until PROVED     -> reveal
    responder   receive until ASKED -> answer, or reject        -> receive until SECURED

The other side is told nothing about a failure, save the reject hint: whatever is wrong raises `HandshakeFailed`, whose
text is for our log and our user. After it only `HandshakeFailed.reply` may be sent, and the stream is shut.

Source: docs/protocol.md, section 1.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from p2pchat.crypto import kem, noise, proof
from p2pchat.crypto.noise import Role
from p2pchat.crypto.records import RecordCipher
from p2pchat.errors import LocalProtocolError, RemoteProtocolError
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.crypto.identity import Identity, PeerId

VERSION = 1  # of records and handshake; it changes only with them
PREFACE = b"p2pchat" + bytes([VERSION])

MESSAGE_A_LENGTHS = range(1216, 1216 + 1)  # bytes: e, e1
MESSAGE_LENGTHS = range(1, 4096 + 1)  # bytes, of B and C; honest ones have 1297 and 161, and at most 1024 more
# An initiator waits for no B that cannot be honest: a line feed and a letter, where text comes first, are 2592 or more.
MESSAGE_B_LENGTHS = range(1297, 1297 + proof.MAX_EXTENSIONS + 1)
LENGTH_PREFIX = 2  # bytes
HINT_MARK = b"\0\0"  # a message of no bytes: no handshake begins with it
HINT_LENGTH = 4  # bytes

Data = bytes | bytearray | memoryview


class Step(enum.Enum):
    """Where a handshake stands, and what its owner may do next."""

    #: (initiator) Nothing was sent: `Initiator.begin`.
    FRESH = enum.auto()
    #: Bytes of the other side are missing: `receive`.
    READING = enum.auto()
    #: (responder) Message A is here and has cost nothing yet: `Responder.answer` or `Responder.reject`.
    ASKED = enum.auto()
    #: (initiator) The peer has proven who it is, we have not: judge `Initiator.peer`, then `Initiator.reveal`.
    PROVED = enum.auto()
    #: Both have proven who they are: go on with `secured`.
    SECURED = enum.auto()
    #: It failed, or was rejected: shut the stream.
    OVER = enum.auto()


class HandshakeFailed(RemoteProtocolError):
    """The other side does not speak our handshake, or could not prove who it is."""

    reply: bytes = b""  # what may still be sent before the stream is shut
    code: CloseCode = CloseCode.PROTOCOL  # for our own events; the other side is not told


@final
class WrongVersion(HandshakeFailed):
    """(Responder) The initiator speaks another version; `reply` is the hint that says so."""

    code: CloseCode = CloseCode.UNSUPPORTED

    def __init__(self, version: int) -> None:
        super().__init__(_versions_differ(version), hint="update the older of the two")
        self.reply: bytes = encode_hint(self.code)


@final
class Hinted(HandshakeFailed):
    """(Initiator) The responder would not begin. Nothing proves the hint: show it, never act on it."""

    def __init__(self, version: int, claim: int) -> None:
        self.version = version  # that the other side says it speaks
        self.claim = claim  # why: a `CloseCode`, if it is honest
        if version != VERSION:
            super().__init__(_versions_differ(version), hint="update the older of the two")
        elif claim == CloseCode.RATE:
            super().__init__("the other side has too many visitors", hint="try again in a minute")
        else:
            super().__init__(f"the other side would not begin (code {claim})")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """What a finished handshake leaves: whom we talk to, and how."""

    peer: PeerId  # proven; the owner judges it, and whether it is its own
    vouched: bool  # (responder) the peer is a guest of ours: our own key has signed for it
    send: RecordCipher
    receive: RecordCipher
    binding: bytes  # 32 bytes that name this connection, equal on both sides
    early: bytes  # (responder) what came together with message C: the first records


class _Side:
    """What both sides do alike."""

    step: Step
    secured: Secured  # from SECURED on

    _noise: noise.HandshakeState  # from our first message on

    def __init__(self, role: Role, identity: Identity, entropy: Callable[[int], bytes], *, step: Step) -> None:
        self.step = step
        self._role = role
        self._identity = identity
        self._entropy = entropy
        self._buffer = bytearray()

    def _open_noise(self, encapsulate: kem.Encapsulate) -> None:
        """Draw the static of this connection; it is never used again, so it cannot be stolen for later."""
        static = X25519PrivateKey.from_private_bytes(self._entropy(noise.KEY_LENGTH))
        keys = noise.Keys(entropy=self._entropy, static=static, encapsulate=encapsulate)
        self._noise = noise.HandshakeState(noise.XXHFS, self._role, keys, prologue=PREFACE)

    def _expect(self, step: Step) -> None:
        if self.step is not step:
            raise LocalProtocolError(f"the handshake is {self.step.name}, not {step.name}")

    @contextmanager
    def _judging(self, message: str) -> Iterator[None]:
        """Let whatever is wrong with `message` be the end of this handshake."""
        try:
            yield
        except HandshakeFailed:
            self.step = Step.OVER
            raise
        except RemoteProtocolError as exc:
            self.step = Step.OVER
            raise HandshakeFailed(f"{message}: {exc}") from exc

    def _keep(self, data: Data) -> None:
        """Add `data` to what is not read yet."""
        if self.step not in {Step.ASKED, Step.PROVED}:
            self._expect(Step.READING)
        self._buffer += data
        if self.step is not Step.READING:
            self._refuse_more()

    def _refuse_more(self) -> None:
        """Refuse what follows a message that was not answered: nobody can have made it in good faith."""
        if self._buffer:
            raise HandshakeFailed("the other side spoke before its turn")

    def _take_message(self, lengths: range, *, start: int = 0) -> bytes:
        """Return the message at `start` of the buffer and drop all up to its end; b"" while bytes are missing.

        Raises:
          RemoteProtocolError: if its length is not one of `lengths`, before any of it is waited for.
        """
        body = start + LENGTH_PREFIX
        if len(self._buffer) < body:
            return b""
        length = int.from_bytes(self._buffer[start:body])
        if length not in lengths:
            raise RemoteProtocolError(f"it cannot be {length} bytes long")
        end = body + length
        if len(self._buffer) < end:
            return b""
        message = bytes(self._buffer[body:end])
        del self._buffer[:end]
        return message

    def _read_proof(self, message: bytes, *, owner: PeerId | None) -> proof.Proof:
        """Return what the other side proves in `message`."""
        payload, channel = self._noise.read_message(message)
        bond = proof.Bond(role=self._role.other, hash=channel, static=self._noise.remote_static)
        return proof.verify(payload, bond, owner=owner)

    def _prove(self, channel: bytes, *, voucher_by: Identity | None = None) -> bytes:
        """Return our identity payload for a handshake whose hash is `channel`."""
        bond = proof.Bond(role=self._role, hash=channel, static=self._noise.static)
        return proof.prove(self._identity, bond, voucher_by=voucher_by)

    def _secure(self, peer: PeerId, *, vouched: bool) -> None:
        transport = self._noise.split()
        self.secured = Secured(
            peer=peer,
            vouched=vouched,
            send=RecordCipher(transport.send),
            receive=RecordCipher(transport.receive),
            binding=transport.hash,
            early=bytes(self._buffer),
        )
        self.step = Step.SECURED


@final
class Initiator(_Side):
    """The side that dialed."""

    step: Step
    peer: PeerId  # proven; from PROVED on

    def __init__(self, identity: Identity, *, entropy: Callable[[int], bytes]) -> None:
        """Prepare to speak as `identity`; nothing is computed yet.

        Args:
          identity: who we are: ourselves, or the guest of this run.
          entropy: draws the keys of this connection: the static (32 bytes), the ephemeral (32), the KEM's seed (64).
        """
        super().__init__(Role.INITIATOR, identity, entropy, step=Step.FRESH)

    def begin(self) -> bytes:
        """Return the preface and message A, 1226 bytes.

        Raises:
          ConfigurationError: if the installed `cryptography` has no ML-KEM.
        """
        self._expect(Step.FRESH)
        self._open_noise(kem.encapsulate)
        message = self._noise.write_message(lambda _: b"")
        self.step = Step.READING
        return PREFACE + _with_length(message)

    def receive(self, data: Data) -> Step:
        """Take what the stream gave and return READING or PROVED.

        Raises:
          Hinted: if the responder would not begin.
          HandshakeFailed: if it broke the protocol or proved nothing.
        """
        with self._judging("message B"):
            self._keep(data)
            if self._buffer.startswith(HINT_MARK):
                self._read_hint()
            elif message := self._take_message_b():
                self._refuse_more()
                self.peer = self._read_proof(message, owner=None).peer
                self.step = Step.PROVED
        return self.step

    def reveal(self, *, voucher_by: Identity | None = None) -> bytes:
        """Return message C, which tells the peer who we are, and become SECURED.

        Args:
          voucher_by: who lets us, a guest, in at its own node. Nobody else may see a voucher.

        Raises:
          LocalProtocolError: if the peer is not `voucher_by`.
        """
        self._expect(Step.PROVED)
        if voucher_by is not None and voucher_by.peer_id != self.peer:
            raise LocalProtocolError("a voucher is only for the one who gives it")
        message = self._noise.write_message(lambda channel: self._prove(channel, voucher_by=voucher_by))
        self._secure(self.peer, vouched=False)
        return _with_length(message)

    def _take_message_b(self) -> bytes:
        """Take what should be message B; a length that cannot be is the beginning of something else."""
        try:
            return self._take_message(MESSAGE_B_LENGTHS)
        except RemoteProtocolError as exc:
            raise _not_ours(self._buffer) from exc

    def _read_hint(self) -> None:
        if len(self._buffer) >= HINT_LENGTH:
            raise Hinted(version=self._buffer[2], claim=self._buffer[3])


@final
class Responder(_Side):
    """The side that was reached."""

    step: Step

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
          entropy: draws the keys of this connection: the static (32 bytes), then the ephemeral (32).
          encapsulate: tests replay recorded secrets through it.
        """
        super().__init__(Role.RESPONDER, identity, entropy, step=Step.READING)
        self._encapsulate = encapsulate
        self._message_a = b""

    def receive(self, data: Data) -> Step:
        """Take what the stream gave and return READING, ASKED or SECURED.

        Until ASKED bytes are compared and counted, no more: what message A holds is for `answer` to look at.

        Raises:
          WrongVersion: if the initiator speaks another version; send its `reply`, then shut.
          HandshakeFailed: if it broke the protocol or proved nothing.
        """
        with self._judging("message C" if self._message_a else "message A"):
            self._keep(data)
            if self._message_a:
                self._read_message_c()
            else:
                self._read_opening()
        return self.step

    def answer(self) -> bytes:
        """Return message B: all that a handshake costs before its initiator has done a thing.

        Raises:
          HandshakeFailed: if message A holds keys that nobody can use.
          ConfigurationError: if the installed `cryptography` has no ML-KEM.
        """
        self._expect(Step.ASKED)
        self._open_noise(self._encapsulate)
        with self._judging("message A"):
            self._noise.read_message(self._message_a)
            message = self._noise.write_message(self._prove)
        self.step = Step.READING
        return _with_length(message)

    def reject(self, code: CloseCode) -> bytes:
        """Return the hint that there will be no message B, and end; message A need not have come.

        Raises:
          LocalProtocolError: if message A was answered, or the handshake is over.
        """
        if self.step is not Step.READING or self._message_a:
            self._expect(Step.ASKED)
        self.step = Step.OVER
        return encode_hint(code)

    def _read_opening(self) -> None:
        """Compare the preface as far as it has come, then wait for message A."""
        start = bytes(self._buffer[: len(PREFACE)])
        if not PREFACE.startswith(start):
            raise WrongVersion(start[-1]) if start[:-1] == PREFACE[:-1] else _not_ours(self._buffer)
        self._message_a = self._take_message(MESSAGE_A_LENGTHS, start=len(PREFACE))
        if self._message_a:
            self._refuse_more()
            self.step = Step.ASKED

    def _read_message_c(self) -> None:
        if message := self._take_message(MESSAGE_LENGTHS):
            proven = self._read_proof(message, owner=self._identity.peer_id)
            self._secure(proven.peer, vouched=proven.vouched)


def encode_hint(code: CloseCode) -> bytes:
    """Return what a responder says instead of message B, with the version that it speaks and the reason."""
    return HINT_MARK + bytes([VERSION, code])


def _with_length(message: bytes) -> bytes:
    return len(message).to_bytes(LENGTH_PREFIX) + message


def _versions_differ(theirs: int) -> str:
    return f"the other side speaks version {theirs} of the protocol, this one version {VERSION}"


def _not_ours(received: bytearray) -> HandshakeFailed:
    """Return the error that shows what came, so that people see what they have reached: a web server, a motd."""
    shown = received[:40].decode("latin-1").encode("unicode_escape").decode()  # a character for each byte, plain ones
    return HandshakeFailed(
        f"this is not a p2pchat: it said '{shown}'",
        hint="check the address: something else answers there",
    )
