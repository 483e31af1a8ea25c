"""Whoever is on the stream says anything before it has proven a thing: to one who listens, and to one who dials.

An input is three bytes and then flights, each with its length before it. The first byte says whom they come to, the
second how they are cut, the third what the owner decides, and it decides between flights. Keys and dice are those of
the recorded conversation, so that what its other side said is an input that goes all the way, into the records, and
everything that is near to it is, too.

Promised: no exception; one last event; a few bytes of answer at the most to somebody who has proven nothing; never more
kept than the longest message and what came last; and the same story in whatever pieces it comes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

from p2pchat.crypto import kem, noise
from p2pchat.crypto.noise import Role
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import (
    Answer,
    Begin,
    EndOfStream,
    Event,
    Failed,
    HandshakeAsked,
    PeerProved,
    Reject,
    RejectHint,
    Reveal,
    Sendable,
)
from p2pchat.protocol.handshake import HINT_LENGTH, HINT_MARK, MESSAGE_B_LENGTHS, MESSAGE_LENGTHS, PREFACE
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Close
from tests.fuzz.target import Bytes, Target, must
from tests.support import kat
from tests.support.framing import HELLO, RESUME
from tests.support.pair import events

LAST: Final = (Failed, EndOfStream)
QUESTIONS: Final = (HandshakeAsked, PeerProved)  # after which the owner decides
MAX_FLIGHT: Final = 2**16
LONGEST_ANSWER: Final = 2 + MESSAGE_B_LENGTHS[0]
KEPT: Final = len(PREFACE) + 2 + MESSAGE_LENGTHS[-1]
UNPROVEN: Final = (HandshakeAsked, PeerProved, RejectHint, *LAST)


@functools.cache
def _encapsulation() -> kem.Encapsulate:
    return kat.encapsulation()


class Visit:
    """What one side tells and answers."""

    def __init__(self, role: Role, decisions: int) -> None:
        self.told: list[Event] = []
        self.answered: list[bytes] = []
        self._decisions = decisions
        self.dialed = role is Role.INITIATOR
        if role is Role.INITIATOR:
            self.side = Connection(role, kat.ALICE, entropy=kat.initiator_entropy(), now=0.0)
            self.say(Begin())
        else:
            entropy, encapsulate = kat.responder_entropy(), _encapsulation()
            self.side = Connection(role, kat.BOB, entropy=entropy, now=0.0, encapsulate=encapsulate)

    def say(self, *said: Sendable) -> None:
        """Say what the owner wants."""
        self.answered.append(self.side.send(*said, now=0.0))

    def hear(self, flight: bytes, size: int) -> None:
        """Let `flight` arrive in pieces of `size` bytes, and the owner decide."""
        told: list[Event] = []
        for start in range(0, len(flight), size):
            piece = flight[start : start + size]
            self.side.receive_data(piece, 0.0)
            handshake = self.side._handshake
            must(handshake is None or len(handshake._buffer) <= KEPT + len(piece), "little is kept of strangers")
            told += events(self.side)
        if any(isinstance(event, Failed) for event in told):
            # Who speaks before its turn is found out with, or after, what it had asked: nothing was decided yet.
            told = [event for event in told if not (self._undecided and isinstance(event, QUESTIONS))]
        self.told += told
        for event in told:
            self._decide(event)

    def end(self) -> None:
        """Let the stranger's bytes end."""
        self.side.receive_data(b"", 0.0)
        self.told += events(self.side)

    @property
    def _undecided(self) -> bool:
        return self.side._channel is None

    def _decide(self, event: Event) -> None:
        match event:
            case HandshakeAsked():
                self.say(Reject(CloseCode.RATE) if self._decisions & 1 else Answer())
            case PeerProved():
                if self._undecided:
                    self.say(Reveal())
                self.say(HELLO, RESUME)
            case Failed(code=code):
                self.say(Close(code))

    def judge(self) -> None:
        """Hold what was told against the promises."""
        *before, last = self.told
        must(isinstance(last, LAST), "the last event says that it is the last")
        must(not any(isinstance(event, LAST) for event in before), "there is one last event")
        if any(isinstance(event, PeerProved) for event in before):
            return
        must(all(isinstance(event, UNPROVEN) for event in before), "who has proven nothing says nothing")
        asked = any(isinstance(event, HandshakeAsked) for event in before)
        must(
            asked or self.dialed or sum(map(len, self.answered)) <= HINT_LENGTH, "who asks nothing gets a hint at most"
        )
        must(sum(map(len, self.answered)) <= LONGEST_ANSWER, "who has proven nothing gets one answer at most")


def tell(data: bytes, *, cut: bool) -> Visit:
    """Return the visit that `data` is, in one piece or cut."""
    script = Bytes(data)
    who, cuts, decisions = script.number(), script.number(), script.number()
    visit = Visit(list(Role)[who & 1], decisions)
    size = 1 + cuts if cut else MAX_FLIGHT
    while script:
        visit.hear(script.take(script.number(2)), size)
    visit.end()
    visit.judge()
    return visit


def run(data: bytes) -> None:
    """Tell the visit of `data` twice, whole and cut."""
    whole, cut = (tell(data, cut=cut) for cut in (False, True))
    must(_without_words(whole) == _without_words(cut), "the same is told in whatever pieces it comes")


def _without_words(visit: Visit) -> list[object]:
    """Return what was told, without what may depend on the pieces: how much of a stranger's text there was to show."""
    return [(type(event), event.code) if isinstance(event, Failed) else event for event in visit.told]


def flights(*said: bytes) -> bytes:
    """Return these flights as an input has them."""
    return b"".join(len(flight).to_bytes(2) + flight for flight in said)


def seeds() -> Iterator[bytes]:
    """The recorded conversation from both sides, whole and not; hints; and what else stands behind ports."""
    initiator, responder = (bytes([list(Role).index(role), 99, 0]) for role in (Role.INITIATOR, Role.RESPONDER))
    for to, others in ((responder, "initiator"), (initiator, "responder")):
        theirs = [said for said, step in zip(kat.STEPS, kat.KAT["steps"], strict=True) if step["from"] == others]
        yield from (to + flights(*theirs[:count]) for count in range(len(theirs) + 1))
        yield to + flights(theirs[0][:-1])
        yield to + flights(theirs[0] + b"x")
    yield responder[:2] + b"\1" + flights(kat.STEPS[0])
    yield responder + flights(PREFACE[:-1] + b"\2" + bytes(8))
    yield initiator + flights(HINT_MARK + bytes([1, CloseCode.RATE]))
    yield initiator + flights(HINT_MARK + bytes([2, CloseCode.UNSUPPORTED]))
    for text in (
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"Last login: Mon\n",
        b"\x16\x03\x01",
    ):
        yield initiator + flights(text)
        yield responder + flights(text)


def tokens() -> Iterator[bytes]:
    """Beginnings, and lengths that may be."""
    yield from (PREFACE, HINT_MARK, PREFACE + (1216).to_bytes(2))
    for length in (0, 1, 161, 1216, 1217, 1296, 1297, 2321, 2322, 4096, 4097, 65535, noise.TAG_LENGTH):
        yield length.to_bytes(2)


TARGET: Final = Target(run=run, seeds=seeds, tokens=tokens, max_length=8000)
