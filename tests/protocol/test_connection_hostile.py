"""Whatever a peer sends, at whatever stage and in whatever pieces: events, or one clean failure with the right code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    RejectHint,
    Reveal,
)
from p2pchat.wire import codec
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Ack, Close, Frame, Msg, Ping, Pong, Typing, Unknown
from p2pchat.wire.padding import MAX_PLAINTEXT
from p2pchat.wire.records import MAX_RECORD, record
from tests.support import pieces
from tests.support.framing import FILES_AND_ROOMS, HELLO, RESUME, frames, msg, plaintext
from tests.support.kat import STEPS
from tests.support.pair import ConnectionPair, events
from tests.support.pieces import Cut

Stage = Callable[[ConnectionPair], ConnectionPair]


def secured(pair: ConnectionPair) -> ConnectionPair:
    return pair.shake_hands()


def greeted(pair: ConnectionPair) -> ConnectionPair:
    return pair.greet()


def knocking(pair: ConnectionPair) -> ConnectionPair:
    """The initiator has resumed; the responder has not accepted it."""
    pair.greet().say(pair.initiator, RESUME)
    return pair


def opened(pair: ConnectionPair) -> ConnectionPair:
    return pair.open()


def leaving(pair: ConnectionPair) -> ConnectionPair:
    """The initiator has said goodbye."""
    pair.open().say(pair.initiator, Close(0))
    return pair


def plain(*said: Frame) -> bytes:
    return b"".join(bytes(plaintext) for plaintext in codec.encode_frames(said))


def assert_failed(told: list[Event], code: CloseCode, pair: ConnectionPair) -> None:
    """Assert that the responder failed with `code`, tells the initiator that and nothing more, and is deaf."""
    (failed,) = told
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent, failed.hint) == (code, False, "")
    assert len(failed.detail.split()) > 1
    farewell = pair.responder.send(Close(failed.code, "not told"), now=pair.now)
    assert pair.carry(farewell, pair.initiator) == [Close(code)]
    assert pair.carry(record(bytes(40)), pair.responder) == []
    assert pair.end(pair.initiator) == []


# --- docs/protocol.md, appendix A: what breaks a rule, and the code that it gets

P, U = CloseCode.PROTOCOL, CloseCode.UNSUPPORTED
VIOLATIONS: Mapping[str, tuple[Stage, bytes, CloseCode]] = {
    "padding is not zero": (opened, b"\x00" * 200 + b"\x01", P),
    "padding hides a frame": (opened, b"\x00" + plain(Ack(0)), P),
    "frame cut short": (opened, plain(Ack(0))[:-1], P),
    "bad frame": (opened, plaintext(0x04, b"\x90"), P),
    "empty batch": (opened, plaintext(0x03, b"\x92\x01\x90"), P),
    "impossible resume": (greeted, plain(RESUME).replace(b"\xc4\x00\x00", b"\xc4\x00\x01"), P),
    "no hello": (secured, plain(Ping(1)), P),
    "unknown before hello": (secured, plain(Unknown(0xF0, b"\x90")), P),
    "resume before hello": (secured, plain(RESUME), P),
    "second hello": (greeted, plain(HELLO), P),
    "hello while running": (opened, plain(HELLO), P),
    "second resume": (knocking, plain(RESUME), P),
    "resume while running": (opened, plain(RESUME), P),
    "message without resume": (greeted, plain(msg()), P),
    "ack without resume": (greeted, plain(Ack(0)), P),
    "message before acceptance": (knocking, plain(msg()), P),
    "ack before acceptance": (knocking, plain(Ack(0)), P),
    "message after goodbye": (leaving, plain(msg()), P),
    "typing after goodbye": (leaving, plain(Typing(on=True)), P),
    "unknown after goodbye": (leaving, plain(Unknown(0xF0, b"\x90")), P),
    "second goodbye": (leaving, plain(Close(1)), P),
} | {
    f"type {frame_type:02x}, not in force": (opened, plaintext(frame_type, b"\x90"), U)
    for frame_type in [*FILES_AND_ROOMS, 0x0C, 0x7F]
}


@pytest.mark.parametrize(("stage", "said", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_violation_ends_the_connection_with_its_code(stage: Stage, said: bytes, code: CloseCode) -> None:
    pair = stage(ConnectionPair())
    assert_failed(pair.forge(pair.initiator, said), code, pair)


@pytest.mark.parametrize("length", [0, 1, 16])
def test_a_record_too_short_to_be_one_is_a_violation(length: int) -> None:
    pair = ConnectionPair().open()
    assert_failed(pair.carry(length.to_bytes(2) + bytes(length), pair.responder), CloseCode.PROTOCOL, pair)


def test_a_forged_a_repeated_and_a_reflected_record_are_violations() -> None:
    for attack in ("forged", "repeated", "reflected"):
        pair = ConnectionPair().open()
        sealed = pair.initiator.send(Ack(0), now=0.0)
        assert pair.carry(sealed, pair.responder) == [Ack(0)]
        again = {"forged": record(bytes(272)), "repeated": sealed, "reflected": pair.responder.send(Ack(0), now=0.0)}
        (failed,) = pair.carry(again[attack], pair.responder)
        assert isinstance(failed, Failed)
        assert failed.code is CloseCode.PROTOCOL


def test_a_record_left_out_is_noticed() -> None:
    pair = ConnectionPair().open()
    pair.initiator.send(msg(1), now=0.0)
    (failed,) = pair.say(pair.initiator, msg(2))
    assert isinstance(failed, Failed)


def test_what_came_before_a_violation_is_told() -> None:
    pair = ConnectionPair().open()
    told = pair.forge(pair.initiator, plain(msg(1), Ping(1)) + plaintext(0x7F, b"\x90") + plain(msg(2)))
    assert told[:2] == [msg(1), Ping(1)]
    assert_failed(told[2:], CloseCode.UNSUPPORTED, pair)


def test_an_impatient_stranger_delivers_nothing() -> None:
    pair = ConnectionPair().greet()
    told = pair.forge(pair.initiator, plain(RESUME, msg()))
    assert told[0] == RESUME
    assert_failed(told[1:], CloseCode.PROTOCOL, pair)


def test_who_has_half_closed_may_still_complain() -> None:
    pair = ConnectionPair().open()
    pair.say(pair.responder, Close(0))
    assert_failed(pair.forge(pair.initiator, plaintext(0x7F, b"\x90")), CloseCode.UNSUPPORTED, pair)


# --- floods

CHEAP: dict[str, Frame] = {"ping": Ping(1), "typing": Typing(on=True), "unknown": Unknown(0x90, b"")}


@pytest.mark.parametrize("frame", CHEAP.values(), ids=CHEAP)
@pytest.mark.parametrize("stage", [greeted, opened])
def test_two_hundred_cheap_frames_in_ten_seconds_are_enough(frame: Frame, stage: Stage) -> None:
    pair = stage(ConnectionPair())
    assert not [e for e in pair.forge(pair.initiator, plain(frame) * 200) if isinstance(e, Failed)]
    pair.now += 9.9
    assert_failed(pair.forge(pair.initiator, plain(frame)), CloseCode.RATE, pair)


def test_the_cheap_frames_are_counted_together() -> None:
    pair = ConnectionPair().open()
    told = pair.forge(pair.initiator, b"".join(map(plain, CHEAP.values())) * 67)
    assert isinstance(told[-1], Failed)
    assert told[-1].code is CloseCode.RATE


def test_two_hundred_in_each_ten_seconds_are_not_too_many() -> None:
    pair = ConnectionPair().open()
    for _ in range(5):
        assert pair.forge(pair.initiator, plain(Ping(1)) * 200) == [Ping(1)] * 200
        pair.now += 10.0


def test_what_costs_its_sender_something_is_not_counted() -> None:
    pair = ConnectionPair().open()
    said: list[Frame] = [msg(), Ack(0)]
    assert pair.forge(pair.initiator, plain(*said) * 300) == said * 300
    assert pair.forge(pair.initiator, plain(Pong(1)) * 300) == []


# --- any pieces, any bytes


def converse(said: list[Frame], cut: Cut) -> list[Event]:
    """Return all that a responder hears of a conversation whose every flight is cut."""
    pair = ConnectionPair(cut=cut)
    heard = pair.say(pair.initiator, Begin())
    pair.say(pair.responder, Answer())
    flight = pair.initiator.send(Reveal(), now=0.0) + pair.initiator.send(HELLO, RESUME, now=0.0)
    heard += pair.carry(flight, pair.responder)
    pair.say(pair.responder, HELLO, RESUME)
    sealed = [pair.initiator.send(frame, now=0.0) for frame in said]
    return heard + pair.carry(b"".join(sealed), pair.responder) + pair.end(pair.initiator)


sayable = frames.filter(lambda frame: not isinstance(frame, type(HELLO) | type(RESUME) | Close | Ping))


@pytest.mark.slow
@given(st.lists(sayable, max_size=4), st.lists(st.integers(0, 10_000), max_size=12))
@settings(max_examples=40)
def test_any_split_of_the_bytes_tells_the_same(said: list[Frame], places: list[int]) -> None:
    assert converse(said, pieces.at(places)) == converse(said, pieces.whole)


def fresh(pair: ConnectionPair) -> ConnectionPair:
    return pair


def asking(pair: ConnectionPair) -> ConnectionPair:
    pair.say(pair.initiator, Begin())
    return pair


def answered(pair: ConnectionPair) -> ConnectionPair:
    asking(pair).say(pair.responder, Answer())
    return pair


UNPROVEN, CLOSED_GATE, OPEN_GATE = [fresh, asking, answered], [secured, greeted, knocking], [opened, leaving]


def survive(side: Connection, data: bytes, cut: Cut) -> list[Event]:
    """Let `side` take `data` to its end, assert that it tells of one end and then is quiet; return the rest."""
    told: list[Event] = []
    for piece in cut(data):
        side.receive_data(piece, 0.0)
        assert side._reader.held <= MAX_RECORD + 1
    side.receive_data(b"", 0.0)
    *told, end = events(side)
    assert isinstance(end, Failed | EndOfStream)
    assert not any(isinstance(event, Failed | EndOfStream) for event in told)
    assert side.send(Ack(0), now=0.0) == b""
    assert bool(side.send(Close(CloseCode.PROTOCOL), now=0.0)) == (isinstance(end, Failed) and not end.silent)
    assert side.deadline == math.inf
    assert events(side) == []
    return told


noise = st.binary(max_size=300) | st.integers(0, 5000).map(bytes) | st.just(STEPS[0]) | st.just(STEPS[1])
cuts = st.lists(st.integers(0, 70_000), max_size=6).map(pieces.at)


@pytest.mark.slow
@given(st.sampled_from(UNPROVEN + CLOSED_GATE + OPEN_GATE), st.sampled_from(Role), noise, cuts)
@settings(max_examples=150)
def test_any_bytes_at_any_stage_are_one_clean_end(stage: Stage, role: Role, data: bytes, cut: Cut) -> None:
    pair = stage(ConnectionPair())
    side = pair.initiator if role is Role.INITIATOR else pair.responder
    if stage is fresh and role is Role.INITIATOR:
        side.send(Begin(), now=0.0)  # its owner reads nothing before
    told = survive(side, data, cut)
    assert all(isinstance(event, HandshakeAsked | PeerProved | RejectHint) for event in told)


parts = st.lists(frames.map(plain) | st.builds(plaintext, st.integers(0, 255), st.binary(max_size=20)), max_size=4)


@pytest.mark.slow
@given(st.sampled_from(CLOSED_GATE + OPEN_GATE), parts, st.binary(max_size=40), cuts)
@settings(max_examples=150)
def test_any_frames_of_a_proven_peer_are_events_and_one_clean_end(
    stage: Stage, said: list[bytes], tail: bytes, cut: Cut
) -> None:
    """Behind the keys is where most of the code is: frames in any order, whole and not."""
    pair = stage(ConnectionPair())
    channel = pair.initiator._channel
    assert channel is not None
    sealed = [record(channel._send.seal((part + tail)[:MAX_PLAINTEXT])) for part in said if part + tail]
    told = survive(pair.responder, b"".join(sealed), cut)
    if stage not in OPEN_GATE:
        assert not any(isinstance(event, Msg | Ack | Typing) for event in told)


def test_memory_stays_bounded_while_a_record_is_withheld() -> None:
    pair = ConnectionPair().open()
    pair.responder.receive_data(MAX_RECORD.to_bytes(2), 0.0)
    for _ in range(MAX_RECORD - 1):
        pair.responder.receive_data(b"x", 0.0)
    assert pair.responder._reader.held == MAX_RECORD + 1
    assert events(pair.responder) == []
    (failed,) = pair.carry(b"x" * 100_000, pair.responder)
    assert isinstance(failed, Failed)
