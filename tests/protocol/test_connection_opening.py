"""The handshake as the owner of a connection meets it: what it is asked, what it may say, how it ends."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.errors import LocalProtocolError
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import (
    NEED_DATA,
    Answer,
    Begin,
    EndOfStream,
    Failed,
    HandshakeAsked,
    PeerProved,
    Reject,
    RejectHint,
    Reveal,
    Sendable,
)
from p2pchat.wire.close_codes import CloseCode
from p2pchat.wire.frames import Ack, Close, Ping
from tests.support.entropy import seeded
from tests.support.framing import HELLO
from tests.support.kat import ALICE, BOB, STEPS
from tests.support.pair import ConnectionPair, events
from tests.support.pieces import Cut, by_bytes, whole

PREFACE = b"p2pchat\x01"


@pytest.mark.parametrize("cut", [whole, by_bytes])
def test_each_side_stops_where_its_owner_has_to_decide(cut: Cut) -> None:
    pair = ConnectionPair(cut=cut)
    assert pair.say(pair.initiator, Begin()) == [HandshakeAsked()]
    assert pair.say(pair.responder, Answer()) == [PeerProved(peer=BOB.peer_id, vouched=False)]
    assert [pair.initiator.peer, pair.responder.peer] == [BOB.peer_id, None]
    assert [pair.initiator.binding, pair.responder.binding] == [b"", b""]
    assert pair.say(pair.initiator, Reveal()) == [PeerProved(peer=ALICE.peer_id, vouched=False)]
    assert [pair.initiator.peer, pair.responder.peer] == [BOB.peer_id, ALICE.peer_id]
    assert pair.initiator.binding == pair.responder.binding
    assert len(pair.initiator.binding) == 32
    assert not pair.initiator.running


def test_frames_may_come_with_the_last_message_of_the_handshake() -> None:
    pair = ConnectionPair()
    pair.say(pair.initiator, Begin())
    pair.say(pair.responder, Answer())
    said = pair.initiator.send(Reveal(), now=0.0) + pair.initiator.send(HELLO, now=0.0)
    assert pair.carry(said, pair.responder) == [PeerProved(peer=ALICE.peer_id, vouched=False), HELLO]


def test_a_guest_shows_its_voucher() -> None:
    pair = ConnectionPair()
    guest = Identity.from_seed(bytes([9]) * 32)
    pair.initiator = Connection(Role.INITIATOR, guest, entropy=seeded(3), now=0.0)
    pair.say(pair.initiator, Begin())
    pair.say(pair.responder, Answer())
    with pytest.raises(LocalProtocolError):
        pair.initiator.send(Reveal(voucher_by=ALICE), now=0.0)
    assert pair.say(pair.initiator, Reveal(voucher_by=BOB)) == [PeerProved(peer=guest.peer_id, vouched=True)]
    assert pair.responder.vouched
    assert not pair.initiator.vouched


# --- what an owner may not do

TOO_EARLY: dict[str, list[Sendable]] = {
    "nothing proven yet": [Reveal()],
    "the other role's": [Answer()],
    "the other role's refusal": [Reject(CloseCode.RATE)],
    "a frame": [HELLO],
    "a goodbye": [Close(0)],
    "two decisions": [Begin(), Reveal()],
    "a decision and a frame": [Begin(), HELLO],
}


@pytest.mark.parametrize("said", TOO_EARLY.values(), ids=TOO_EARLY)
def test_what_may_not_be_said_yet_raises_and_changes_nothing(said: list[Sendable]) -> None:
    pair = ConnectionPair()
    with pytest.raises(LocalProtocolError):
        pair.initiator.send(*said, now=0.0)
    assert events(pair.initiator) == []
    pair.shake_hands()


@pytest.mark.parametrize("role", Role)
def test_before_the_handshake_nobody_is_known(role: Role) -> None:
    side = Connection(role, ALICE, entropy=seeded(1), now=0.0)
    assert (side.peer, side.vouched, side.binding, side.our_hello) == (None, False, b"", None)


def test_who_has_not_begun_does_not_read() -> None:
    pair = ConnectionPair()
    with pytest.raises(LocalProtocolError):
        pair.initiator.receive_data(b"SSH-2.0-OpenSSH_9.2", 0.0)
    pair.shake_hands()


@pytest.mark.parametrize("said", [Begin(), Reveal(), Answer()])
def test_a_responder_answers_nothing_before_message_a(said: Sendable) -> None:
    pair = ConnectionPair()
    with pytest.raises(LocalProtocolError):
        pair.responder.send(said, now=0.0)
    pair.shake_hands()


@pytest.mark.parametrize("said", [Begin(), Reveal(), Answer(), Reject(CloseCode.RATE)])
def test_nothing_is_decided_after_the_handshake(said: Sendable) -> None:
    pair = ConnectionPair().shake_hands()
    for side in (pair.initiator, pair.responder):
        with pytest.raises(LocalProtocolError):
            side.send(said, now=0.0)
    pair.say(pair.initiator, HELLO)


def test_the_hot_path_is_for_frames_after_hello() -> None:
    pair = ConnectionPair()
    with pytest.raises(LocalProtocolError, match=r"^HELLO comes first, by `send`$"):
        pair.initiator.send_frames([Ping(1)])
    pair.shake_hands()
    with pytest.raises(LocalProtocolError):
        pair.initiator.send_frames([HELLO])
    pair.say(pair.initiator, HELLO)
    assert pair.carry(pair.initiator.send_frames([Ping(1)]), pair.responder) == [Ping(1)]


# --- refusal before message B


def test_a_hint_is_told_as_a_hint_and_ends_the_connection() -> None:
    pair = ConnectionPair()
    pair.say(pair.initiator, Begin())
    hint = pair.responder.send(Reject(CloseCode.RATE), now=0.0)
    assert hint == b"\0\0\x01\x0a"
    told = pair.carry(hint, pair.initiator)
    assert told[0] == RejectHint(version=1, code=10)
    assert isinstance(told[1], Failed)
    assert (told[1].code, told[1].silent) == (CloseCode.PROTOCOL, True)  # whatever the hint claims
    assert len(told) == 2
    assert pair.initiator.send(Close(CloseCode.PROTOCOL), now=0.0) == b""


@given(st.integers(0, 255), st.integers(0, 255), st.lists(st.integers(1, 3)))
def test_any_hint_is_shown_as_it_came_in_any_pieces(version: int, code: int, places: list[int]) -> None:
    initiator = Connection(Role.INITIATOR, ALICE, entropy=seeded(1), now=0.0)
    initiator.send(Begin(), now=0.0)
    hint = bytes([0, 0, version, code])
    for start, end in pairwise(sorted({0, 4, *places})):
        initiator.receive_data(hint[start:end], 0.0)
    told = events(initiator)
    assert told[0] == RejectHint(version=version, code=code)
    assert [type(event) for event in told] == [RejectHint, Failed]


def test_a_visitor_may_be_turned_away_before_its_first_word() -> None:
    pair = ConnectionPair()
    pair.initiator.send(Begin(), now=0.0)
    told = pair.say(pair.responder, Reject(CloseCode.RATE))
    assert told[0] == RejectHint(version=1, code=CloseCode.RATE)


def test_after_a_refusal_the_responder_reads_and_says_nothing() -> None:
    pair = ConnectionPair()
    pair.say(pair.initiator, Begin())
    pair.responder.send(Reject(CloseCode.RATE), now=0.0)
    assert pair.responder.deadline == math.inf
    pair.responder.receive_data(b"what?", 0.0)
    assert events(pair.responder) == []
    assert pair.end(pair.initiator) == [EndOfStream(clean=False)]


def test_a_hint_from_an_initiator_is_no_hint() -> None:
    pair = ConnectionPair()
    pair.say(pair.initiator, Begin())
    pair.say(pair.responder, Answer())
    (failed,) = pair.carry(b"\0\0\x01\x05", pair.responder)
    assert isinstance(failed, Failed)
    assert failed.silent


# --- those who speak something else

STRANGERS_TO_R: dict[str, bytes] = {
    "a web browser": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
    "something like us": b"p2pchaT\x01",
    "a message A that is too short": PREFACE + (1215).to_bytes(2),
    "a message A that is too long": PREFACE + (1217).to_bytes(2),
    "an initiator that speaks on": STEPS[0] + b"\x00",
}
STRANGERS_TO_I: dict[str, bytes] = {
    "a web server": b"HTTP/1.1 400 Bad Request\r\n",
    "a motd": b"Welcome to the machine\n",
    "a long message B": (4097).to_bytes(2),
    "a message B of noise": (1297).to_bytes(2) + bytes(range(256)) * 5 + bytes(17),
    "a message B that is too short": (1).to_bytes(2) + b"x",
    "a responder that speaks on": STEPS[1] + b"\x00",
}


@pytest.mark.parametrize("cut", [whole, by_bytes])
@pytest.mark.parametrize("data", STRANGERS_TO_R.values(), ids=STRANGERS_TO_R)
def test_who_speaks_something_else_to_a_responder_hears_nothing(data: bytes, cut: Cut) -> None:
    pair = ConnectionPair(cut=cut)
    *before, failed = pair.carry(data, pair.responder)
    assert before in ([], [HandshakeAsked()])
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent) == (CloseCode.PROTOCOL, True)
    assert pair.responder.send(Close(failed.code), now=0.0) == b""
    assert pair.responder.deadline == math.inf


@pytest.mark.parametrize("cut", [whole, by_bytes])
@pytest.mark.parametrize("data", STRANGERS_TO_I.values(), ids=STRANGERS_TO_I)
def test_who_speaks_something_else_to_an_initiator_hears_no_more(data: bytes, cut: Cut) -> None:
    pair = ConnectionPair(cut=cut)
    pair.initiator.send(Begin(), now=0.0)
    (failed,) = pair.carry(data, pair.initiator)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent) == (CloseCode.PROTOCOL, True)
    assert pair.initiator.send(Close(failed.code), now=0.0) == b""
    assert pair.initiator.send(Reveal(), now=0.0) == b""


def test_another_version_is_told_which_one_is_spoken_here() -> None:
    pair = ConnectionPair()
    (failed,) = pair.carry(b"p2pchat\x02", pair.responder)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent) == (CloseCode.UNSUPPORTED, False)
    assert "version 2" in failed.detail
    assert failed.hint
    assert pair.responder.send(HELLO, now=0.0) == b""
    assert pair.responder.send(Close(failed.code), now=0.0) == b"\0\0\x01\x04"
    assert pair.responder.send(Close(failed.code), now=0.0) == b""  # never more than one hint


def test_a_message_a_with_impossible_keys_fails_when_it_is_answered() -> None:
    """Until then it has cost nothing; so the event comes after a `send`."""
    pair = ConnectionPair()
    assert pair.carry(PREFACE + (1216).to_bytes(2) + b"\xff" * 1216, pair.responder) == [HandshakeAsked()]
    assert pair.responder.send(Answer(), now=0.0) == b""
    (failed,) = events(pair.responder)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent) == (CloseCode.PROTOCOL, True)


def test_a_forged_message_c_fails_in_silence() -> None:
    pair = ConnectionPair()
    pair.say(pair.initiator, Begin())
    pair.say(pair.responder, Answer())
    message_c = bytearray(pair.initiator.send(Reveal(), now=0.0))
    message_c[-1] ^= 1
    (failed,) = pair.carry(bytes(message_c), pair.responder)
    assert isinstance(failed, Failed)
    assert (failed.code, failed.silent) == (CloseCode.PROTOCOL, True)
    assert pair.responder.peer is None


# --- those who go away


@pytest.mark.parametrize("stage", range(4))
def test_an_end_in_the_handshake_is_a_loss(stage: int) -> None:
    pair = ConnectionPair()
    for said in (Begin(), Answer(), Reveal())[:stage]:
        pair.say(pair.responder if isinstance(said, Answer) else pair.initiator, said)
    assert pair.end(pair.initiator) == [EndOfStream(clean=False)]
    assert pair.end(pair.initiator) == []
    assert pair.responder.send(Ack(1), now=0.0) == b""
    assert pair.responder.deadline == math.inf


def test_an_end_after_a_failure_is_not_told() -> None:
    pair = ConnectionPair()
    pair.carry(b"GET / HTTP/1.1\r\n", pair.responder)
    assert pair.end(pair.initiator) == []
    pair.responder.receive_data(b"more", 0.0)
    assert pair.responder.next_event() is NEED_DATA
