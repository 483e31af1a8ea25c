"""A connection between two who know each other: frames, order, and the ends of it."""

from __future__ import annotations

import math

import pytest

from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import EndOfStream
from p2pchat.wire import codec
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import MAX_BODY, Ack, Close, Frame, Ping, Pong, Typing, Unknown
from p2pchat.wire.records import MAX_RECORD
from tests.support.framing import HELLO, RESUME, msg
from tests.support.pair import ConnectionPair
from tests.support.pieces import Cut, by_bytes, whole

RECORD = 2 + 256 + 16  # bytes on the wire of anything short


def refuse(side: Connection, *frames: Frame) -> None:
    """Assert that `side` may not say `frames`, all or nothing."""
    with pytest.raises(LocalProtocolError):
        side.send(*frames, now=0.0)


@pytest.mark.parametrize("cut", [whole, by_bytes])
def test_all_that_is_said_in_one_go_arrives_in_order(cut: Cut) -> None:
    pair = ConnectionPair(cut=cut).open()
    said: list[Frame] = [msg(1, count=2), Ack(0), Ping(7), Typing(on=True), msg(3), Close(0)]
    assert pair.say(pair.initiator, *said) == said


def test_both_run_once_each_has_said_resume() -> None:
    pair = ConnectionPair().greet()
    pair.say(pair.initiator, RESUME)
    assert [pair.initiator.running, pair.responder.running] == [False, False]
    pair.say(pair.responder, RESUME)
    assert [pair.initiator.running, pair.responder.running] == [True, True]
    pair.say(pair.initiator, Close(0))
    assert [pair.initiator.running, pair.responder.running] == [False, True]


def test_hello_and_resume_may_share_a_record() -> None:
    pair = ConnectionPair().shake_hands()
    assert pair.say(pair.initiator, HELLO, RESUME) == [HELLO, RESUME]
    assert pair.say(pair.responder, HELLO, RESUME, msg()) == [HELLO, RESUME, msg()]
    assert pair.initiator.our_hello == HELLO


def test_nothing_to_say_is_no_bytes() -> None:
    pair = ConnectionPair().open()
    assert pair.initiator.send(now=0.0) == b""
    assert pair.initiator.send_frames([]) == b""


# --- records on the wire


def test_short_things_all_look_the_same() -> None:
    pair = ConnectionPair().open()
    sizes = {len(pair.initiator.send(frame, now=0.0)) for frame in (msg(), Ack(0), Ping(1), Pong(1), Typing(on=True))}
    assert sizes == {RECORD}


def test_a_flood_of_frames_fills_few_records() -> None:
    pair = ConnectionPair().open()
    batches = [msg(1 + 200 * i, count=200, body=bytes(64)) for i in range(20)]
    sealed = pair.initiator.send_frames(batches)
    records = 0
    rest = sealed
    while rest:
        length = int.from_bytes(rest[:2])
        assert length <= MAX_RECORD
        rest = rest[2 + length :]
        records += 1
    one = sum(len(pair.responder.send_frames([batch])) for batch in batches[:1])
    assert records == -(-len(batches) // (MAX_RECORD // one))
    assert pair.carry(sealed, pair.responder) == batches


def test_the_keys_change_and_nobody_notices() -> None:
    """After every 4096th record of a direction."""
    pair = ConnectionPair().open()
    for n in range(4100):
        pair.responder.receive_data(pair.initiator.send_frames([Ack(0)]), 0.0)
        assert pair.responder.next_event() == Ack(0), n


def test_padding_alone_is_a_sign_of_life() -> None:
    pair = ConnectionPair().open()
    before = pair.responder.deadline
    pair.now = 10.0
    assert pair.forge(pair.initiator, bytes(300)) == []
    assert pair.responder.deadline == before + 10.0


# --- what we may not say


def test_no_entry_leaves_before_both_have_resumed() -> None:
    pair = ConnectionPair().shake_hands()
    refuse(pair.initiator, msg())
    pair.say(pair.initiator, HELLO)
    refuse(pair.initiator, msg())
    refuse(pair.initiator, RESUME, msg())
    pair.say(pair.initiator, RESUME)
    for early in (msg(), Ack(0), HELLO, RESUME):
        refuse(pair.initiator, early)
    pair.say(pair.responder, HELLO)
    refuse(pair.initiator, msg())
    pair.say(pair.responder, RESUME)
    assert pair.say(pair.initiator, msg()) == [msg()]


def test_after_a_goodbye_no_entry_leaves_but_acks_do() -> None:
    pair = ConnectionPair().open()
    assert pair.say(pair.initiator, Close(0)) == [Close(0)]
    for late in (msg(), Typing(on=True), Unknown(0xF0, b"\x90"), Close(0), Close(1), HELLO, RESUME):
        refuse(pair.initiator, late)
    assert pair.say(pair.responder, msg(), Ping(1)) == [msg(), Ping(1)]
    assert pair.say(pair.initiator, Ack(1), Pong(1), Ping(2)) == [Ack(1), Pong(1), Ping(2)]
    assert pair.say(pair.responder, Close(0)) == [Close(0)]
    assert pair.say(pair.initiator, Close(CloseCode.STORE_FAILED)) == [Close(CloseCode.STORE_FAILED)]


def test_what_is_refused_changes_nothing() -> None:
    """Not the phase, not the nonce, not the pings: what follows is understood."""
    pair = ConnectionPair().open()
    refuse(pair.initiator, Ping(1), Close(0), msg())
    refuse(pair.initiator, msg(), msg(count=3, body=bytes(MAX_BODY)))
    refuse(pair.initiator, Close(CloseCode.INTERNAL), Ack(0))
    assert pair.say(pair.initiator, Ping(1), msg(), Close(0)) == [Ping(1), msg(), Close(0)]


def test_at_most_one_ping_is_under_way() -> None:
    pair = ConnectionPair().open()
    refuse(pair.initiator, Ping(1), Ping(2))
    pair.say(pair.initiator, Ping(1))
    refuse(pair.initiator, Ping(2))
    assert pair.say(pair.responder, Pong(2)) == []  # an answer to nothing means nothing
    refuse(pair.initiator, Ping(2))
    assert pair.say(pair.responder, Pong(1)) == [Pong(1)]
    assert pair.say(pair.initiator, Ping(2)) == [Ping(2)]


def test_typing_is_not_told_before_both_have_resumed() -> None:
    pair = ConnectionPair().greet()
    assert pair.say(pair.initiator, Typing(on=True)) == []
    pair.say(pair.initiator, RESUME)
    assert pair.say(pair.initiator, Typing(on=True)) == []
    pair.say(pair.responder, RESUME)
    assert pair.say(pair.initiator, Typing(on=True)) == [Typing(on=True)]


def test_typing_is_told_once_both_have_resumed() -> None:
    pair = ConnectionPair().open()
    assert pair.say(pair.initiator, Typing(on=True)) == [Typing(on=True)]


def test_frames_from_the_future_are_passed_over() -> None:
    pair = ConnectionPair().greet()
    assert pair.say(pair.initiator, Unknown(0xF3, b"\x90"), Ping(1)) == [Ping(1)]


# --- the end


@pytest.mark.parametrize("code", [CloseCode.NORMAL, CloseCode.GOING_AWAY])
def test_the_end_of_the_stream_after_a_goodbye_is_clean(code: CloseCode) -> None:
    pair = ConnectionPair().open()
    pair.say(pair.initiator, msg(), Close(code))
    assert pair.end(pair.initiator) == [EndOfStream(clean=True)]


def test_the_end_of_the_stream_without_the_peers_goodbye_is_a_loss() -> None:
    """Also when we have said ours: the other side had not said that this was all."""
    pair = ConnectionPair().open()
    pair.say(pair.responder, Close(0))
    assert pair.end(pair.initiator) == [EndOfStream(clean=False)]


def test_a_stranger_may_say_goodbye_before_anything_else() -> None:
    pair = ConnectionPair().shake_hands()
    pair.say(pair.initiator, Close(0))
    assert pair.end(pair.initiator) == [EndOfStream(clean=True)]


def test_a_refused_stranger_hears_why_and_nothing_more_is_read() -> None:
    pair = ConnectionPair().greet()
    assert pair.say(pair.responder, Close(CloseCode.NOT_AUTHORIZED)) == [Close(CloseCode.NOT_AUTHORIZED)]
    assert pair.responder.deadline == math.inf
    assert pair.carry(b"whatever comes now", pair.responder) == []
    refuse(pair.responder, Ping(1))


@pytest.mark.parametrize("code", [CloseCode.PROTOCOL, CloseCode.SELF, 13, 65535])
def test_any_other_close_ends_both_directions_at_once(code: int) -> None:
    pair = ConnectionPair().open()
    (plaintext,) = codec.encode_frames([msg(1), Close(code), msg(2)])
    assert pair.forge(pair.initiator, bytes(plaintext)) == [msg(1), Close(code)]
    assert not pair.responder.running
    assert pair.responder.deadline == math.inf
    # What the peer does never makes a call raise: there is just nobody to talk to.
    assert pair.responder.send(msg(), now=0.0) == b""
    assert pair.responder.send(Close(0), now=0.0) == b""
    assert pair.responder.send_frames([Ack(1)]) == b""
    assert pair.carry(b"more", pair.responder) == []
    assert pair.end(pair.initiator) == [EndOfStream(clean=True)]


def test_a_goodbye_each_way_leaves_time_for_the_last_ack() -> None:
    pair = ConnectionPair().open()
    pair.say(pair.initiator, Close(0))
    pair.say(pair.responder, msg(), Close(CloseCode.GOING_AWAY))
    assert pair.say(pair.initiator, Ack(1)) == [Ack(1)]
