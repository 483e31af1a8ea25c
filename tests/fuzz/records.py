"""A peer that has proven who it is says anything: frames in sealed records, in any order, at any stage and speed.

An input is two bytes and then steps. The first byte says who we are and how far both have come, the second whether the
story is told again in pieces, and in which (from 80 on: most of the time is better spent on other stories). A step is
one byte and what belongs to it: the plaintext of a record, which is sealed here with the key that we know, or bytes as
they are, or something that *we* say, or seconds that pass, or the end of the stream.

Promised: no exception but `LocalProtocolError`, and that only for what we say; one last event and then silence; no
entry before both have resumed; never more than one record is kept; and the same story in whatever pieces it comes.
"""

from __future__ import annotations

import copy
import functools
import math
from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Final

from p2pchat.crypto.noise import CipherState, Role
from p2pchat.crypto.records import RecordCipher
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import EndOfStream, Event, Failed
from p2pchat.protocol.handshake import Secured
from p2pchat.wire import codec
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import LAST_SEQ, Ack, Close, Frame, Hello, Msg, Ping, Pong, Resume, Typing
from p2pchat.wire.padding import MAX_PLAINTEXT
from p2pchat.wire.records import MAX_RECORD, RecordReader, record
from tests.fuzz import frames
from tests.fuzz.target import Bytes, Target, must
from tests.support.entropy import seeded
from tests.support.framing import EXAMPLES, HELLO, RESUME, msg
from tests.support.kat import ALICE, BOB
from tests.support.pair import events

OURS, THEIRS = bytes([1]) * 32, bytes([2]) * 32  # the keys of both directions
SAYABLE: Final[tuple[Frame, ...]] = (HELLO, RESUME, Ping(1), Pong(1), msg(), Ack(1), Close(0), Close(2))
#: How far both have come: what we have said, and the peer.
STAGES: Final[tuple[tuple[tuple[Frame, ...], tuple[Frame, ...]], ...]] = (
    ((), ()),
    ((HELLO,), (HELLO,)),
    ((HELLO,), (HELLO, RESUME)),
    ((HELLO, RESUME), (HELLO, RESUME)),
    ((HELLO, RESUME, Ping(1)), (HELLO, RESUME)),
    ((HELLO, RESUME, Close(0)), (HELLO, RESUME)),
    ((HELLO, RESUME), (HELLO, RESUME, Close(0))),
    ((HELLO, Close(0)), (HELLO,)),
)
RECORD, SAY, WAIT, RAW, END = 0, 4, 5, 6, 7  # steps; 1 to 3 are records as well, for most steps should be
LAST: Final = (Failed, EndOfStream)


class Story:
    """What one side hears of one input."""

    def __init__(self, role: Role, stage: int, cuts: int) -> None:
        self.told: list[Event] = []
        self.said: list[bytes | None] = []  # None: it was not allowed
        self.now = 0.0
        self._cuts = Random(cuts) if cuts else None
        side, cipher, before = _begun(role, stage)
        self.side = _twin(side)
        self._seal = _twin_cipher(cipher).seal
        self.told += before

    def sealed(self, plaintext: bytes) -> bytes:
        """Return the record with which the peer says `plaintext`."""
        return record(self._seal(plaintext)) if plaintext else b""

    def say(self, frame: Frame) -> None:
        """Say it, if we may; but the last words are said by `judge`."""
        if isinstance(frame, Close) and self.told and isinstance(self.told[-1], LAST):
            return
        try:
            self.said.append(self.side.send(frame, now=self.now))
        except LocalProtocolError:
            self.said.append(None)
        self._listen()

    def hear(self, data: bytes) -> None:
        """Let `data` arrive, in pieces if this story is cut."""
        for piece in self._pieces(data):
            self.side.receive_data(piece, self.now)
            must(self.side._reader.held <= MAX_RECORD + 1, "no more than one record is kept")
            self._listen()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        if self.now >= self.side.deadline:
            self.side.tick(self.now)
            self._listen()

    def end(self) -> None:
        """Let the peer's bytes end, and see that it was the end."""
        self.side.receive_data(b"", self.now)
        self._listen()

    def judge(self) -> None:
        """Hold what was told against the promises."""
        *before, last = self.told
        must(isinstance(last, LAST), "the last event says that it is the last")
        must(not any(isinstance(event, LAST) for event in before), "there is one last event")
        must(self.side.deadline == math.inf, "who is done waits for nothing")
        must(self.side.send_frames([Ack(0)]) == b"", "who is done says nothing")
        words = self.side.send(Close(CloseCode.PROTOCOL), now=self.now)
        must(bool(words) == (isinstance(last, Failed) and not last.silent), "last words are as announced")
        must(len(words) <= 2 + 256 + 16, "last words are one small record")
        must(self.side.send(Close(CloseCode.PROTOCOL), now=self.now) == b"", "last words are said once")
        resumed = False
        for event in before:
            resumed = resumed or isinstance(event, Resume)
            must(resumed or not isinstance(event, Msg | Ack), "nothing travels before the gate is open")

    def _listen(self) -> None:
        self.told += events(self.side)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        if self._cuts is None:
            yield from [data] if data else []
            return
        while data:
            size = self._cuts.choice((1, 2, 17, 300, 70_000))
            yield data[:size]
            data = data[size:]


@functools.cache
def _begun(role: Role, stage: int) -> tuple[Connection, RecordCipher, list[Event]]:
    """Return us at that stage, the peer's cipher, and what was told by then. There is no handshake: keys are chosen."""
    send, receive, cipher = (RecordCipher(CipherState(key)) for key in (OURS, THEIRS, THEIRS))
    side = Connection(role, BOB, entropy=seeded(1), now=0.0)
    secured = Secured(peer=ALICE.peer_id, vouched=False, send=send, receive=receive, binding=bytes(32), early=b"")
    side._secure(secured, 0.0)
    ours, theirs = STAGES[stage]
    for frame in ours:
        side.send(frame, now=0.0)
    for plaintext in codec.encode_frames(theirs):
        side.receive_data(record(cipher.seal(plaintext)), 0.0)
    return side, cipher, events(side)


def _twin(side: Connection) -> Connection:
    """Return a connection that stands where `side` does: coming so far would take longer than most stories."""
    twin = copy.copy(side)
    assert side._channel is not None
    twin._channel = copy.copy(side._channel)
    twin._channel._send = _twin_cipher(side._channel._send)
    twin._channel._receive = _twin_cipher(side._channel._receive)
    twin._reader, twin._events = RecordReader(), deque()
    twin._volatile, twin._timers = copy.copy(side._volatile), copy.copy(side._timers)
    twin._volatile._times = side._volatile._times.copy()
    twin._timers._due = side._timers._due.copy()
    return twin


def _twin_cipher(cipher: RecordCipher) -> RecordCipher:
    return RecordCipher(copy.copy(cipher._cipher))


def tell(data: bytes, *, cut: bool) -> Story:
    """Return the story that `data` is, in one piece for each step or cut."""
    script = Bytes(data)
    who, cuts = script.number(), script.number()
    story = Story(list(Role)[who & 1], who >> 1 & 7, 1 + cuts if cut else 0)
    flight = b""  # what the peer says in a row comes as one run of bytes
    while script:
        step = script.number() & 7
        if step < SAY:
            flight += story.sealed(script.take(min(script.number(2), MAX_PLAINTEXT)))
            continue
        if step == RAW:
            flight += script.take(script.number())
            continue
        story.hear(flight)
        flight = b""
        if step == SAY:
            story.say(SAYABLE[script.number() % len(SAYABLE)])
        elif step == WAIT:
            story.wait(script.number())
        else:
            story.end()
    story.hear(flight)
    story.end()
    return story


def run(data: bytes) -> None:
    """Tell the story of `data`, and maybe once more, cut."""
    whole = tell(data, cut=False)
    whole.judge()
    if data[1:2] < b"\x80":
        return
    cut = tell(data, cut=True)
    cut.judge()
    must(whole.told == cut.told, "the same is told in whatever pieces it comes")
    must(whole.said == cut.said, "the same is said in whatever pieces it comes")


def said(*plaintexts: bytes) -> bytes:
    """Return the steps in which the peer says these, a record each."""
    return b"".join(bytes([RECORD]) + len(text).to_bytes(2) + text for text in plaintexts)


def plain(*said: Frame) -> bytes:
    """Return these frames as one record holds them."""
    return b"".join(map(bytes, codec.encode_frames(said)))


def seeds() -> Iterator[bytes]:
    """Each kind of frame at each stage, small ones; whole conversations; and what else may happen."""
    small = [plain(frame) for frame in EXAMPLES.values() if len(plain(frame)) <= 1200]
    for stage in range(len(STAGES)):
        for number, text in enumerate(small):
            yield bytes([2 * stage + number % 2, 0x70 + number]) + said(text)
    hello, resume = said(plain(HELLO)), said(plain(RESUME))
    for order in ((SAY, 0, SAY, 1), (SAY, 0, WAIT, 2, SAY, 1, WAIT, 40), (SAY, 0, SAY, 6)):
        yield (
            bytes([1, 0x87]) + hello + bytes(order) + resume + said(plain(msg(1, 3), Ack(1), Ping(2), Typing(on=True)))
        )
    yield bytes([6, 0x81]) + said(plain(Ping(1)) * 201)
    yield bytes([6, 0x82]) + bytes([WAIT, 31, SAY, 2]) + said(plain(Pong(1))) + bytes([WAIT, 200])
    yield bytes([6, 0x83]) + bytes([RAW, 4, 0, 2, 9, 9]) + bytes([RAW, 20, 0, 18, *range(18)])
    yield from (bytes([6, 0x85]) + said(plain(Ack(1)) + bytes([number, 0, 1, 0x90])) for number in (0x0C, 0x7F, 0x81))
    yield bytes([6, 0x84]) + said(plain(Ack(1)) + bytes(100), plain(Ack(1)) + bytes(9) + b"\1")


def tokens() -> Iterator[bytes]:
    """Headers of frames, and values at the bounds of their fields, as msgpack has them."""
    for frame in EXAMPLES.values():
        text = plain(frame)
        yield text[:3]
        yield text[3:][:60]
    for number in (0, 1, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 65535, 65536, LAST_SEQ, LAST_SEQ + 1, 2**64 - 1):
        yield from (number.to_bytes(size) for size in (2, 4, 8) if number < 2 ** (8 * size))
    yield from (plain(Hello("", [], 1, 65536, "")), b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91\x91\x91")


def change(data: bytes, dice: Random, blind: frames.Blind) -> bytes:
    """Return the same story with another record, or told at another stage."""
    if not dice.randrange(8):
        return bytes([dice.randrange(16)]) + data[1:]
    script = Bytes(data[2:])
    steps: list[bytes] = []
    records: list[int] = []  # which of them are
    while script:
        step = script.number()
        if step & 7 < SAY:
            text = script.take(script.number(2))
            records.append(len(steps))
            steps.append(text)
        else:
            steps.append(bytes([step]))
            if step & 7 != END:
                size = script.number()
                steps[-1] += bytes([size]) + (script.take(size) if step & 7 == RAW else b"")
    if records:
        place = dice.choice(records)
        steps[place] = frames.change(steps[place], dice, blind)
    told = (said(step) if place in records else step for place, step in enumerate(steps))
    return data[:2].ljust(2, b"\0") + b"".join(told)


TARGET: Final = Target(run=run, seeds=seeds, tokens=tokens, max_length=6000, change=change)
