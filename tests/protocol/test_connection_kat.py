"""The interop contract: both machines say every byte of the recorded conversation, and tell what was said."""

from __future__ import annotations

import pytest

from p2pchat.crypto.noise import Role
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import Answer, Begin, Event, HandshakeAsked, PeerProved, Reveal, Sendable
from p2pchat.wire import codec
from p2pchat.wire.frames import Ack, Close, Entry, Frame, Hello, Msg, Ping, Pong, Resume
from p2pchat.wire.messages import Data, Readable, Text, Void, encode_body
from tests.support import kat
from tests.support.pair import events
from tests.support.pieces import Cut, by_bytes, whole

CHAIN = kat.KAT["chain"]
NO_POSITION = bytes.fromhex(CHAIN["empty"])  # of a log that nothing was seen of
SENT_MS = 1_700_000_000_000


def entry(number: int, body: Readable, *, sent_ms: int) -> Entry:
    kind, encoded = encode_body(body)
    return Entry(number.to_bytes(16), kind, SENT_MS + sent_ms, b"", encoded)


#: What is said after the handshake, by I and R in turn.
SPOKEN: list[tuple[Frame, ...]] = [
    (
        Hello("kat/1", ["x"], 4096, 2**20, "I"),
        Resume(b"A" * 8, 1, bytes(16), 3, b"", 0, NO_POSITION),
    ),
    (
        Hello("kat/1", [], 4096, 2**20, ""),
        Resume(
            b"B" * 8,
            66,
            bytes.fromhex("a2adbbb28b4b2ddae4a6843c31fa4f18") + (65).to_bytes(16),
            67,
            b"",
            0,
            NO_POSITION,
        ),
    ),
    (Msg(1, [entry(1, Text("hello"), sent_ms=0), entry(2, Text("žluťoučký"), sent_ms=1)]),),
    (Ack(2), Msg(66, [entry(66, Text("hi"), sent_ms=2)])),
    (
        Ack(66),
        Msg(
            3,
            [
                entry(3, Data(b"\xff\x00", more=True), sent_ms=3),
                entry(4, Void(), sent_ms=4),
                entry(5, Text("no newline", more=True), sent_ms=5),
            ],
        ),
        Ping(7),
    ),
    (Ack(5), Pong(7)),
    (Close(0),),
    (Close(0),),
]

STEPS: list[tuple[Sendable, ...]] = [(Begin(),), (Answer(),), (Reveal(),), *SPOKEN]
HEARD: list[list[Event]] = [
    [HandshakeAsked()],
    [PeerProved(peer=kat.BOB.peer_id, vouched=False)],
    [PeerProved(peer=kat.ALICE.peer_id, vouched=False)],
    *([*said] for said in SPOKEN),  # type: ignore[list-item]
]


def connections() -> dict[str, Connection]:
    """The two of the recording, by the names that it gives them."""
    return {
        "initiator": Connection(Role.INITIATOR, kat.ALICE, entropy=kat.initiator_entropy(), now=0.0),
        "responder": Connection(
            Role.RESPONDER, kat.BOB, entropy=kat.responder_entropy(), now=0.0, encapsulate=kat.encapsulation()
        ),
    }


@pytest.mark.parametrize("cut", [whole, by_bytes])
def test_both_sides_say_the_recorded_conversation_byte_for_byte(cut: Cut) -> None:
    sides = connections()
    for step, said, heard in zip(kat.KAT["steps"], STEPS, HEARD, strict=True):
        sender = sides[step["from"]]
        (receiver,) = (side for side in sides.values() if side is not sender)
        sealed = sender.send(*said, now=0.0)
        assert sealed.hex() == step["bytes"]
        told: list[Event] = []
        for piece in cut(sealed):
            receiver.receive_data(piece, 0.0)
            told += events(receiver)
        assert told == heard
    assert {side.binding.hex() for side in sides.values()} == {kat.KAT["binding"]}
    for side in sides.values():
        side.receive_data(b"", 0.0)
        assert [event.clean for event in events(side)] == [True]  # type: ignore[union-attr]


def test_the_recorded_plaintexts_are_what_the_codec_writes_and_reads() -> None:
    recorded = [step["frames"] for step in kat.KAT["steps"][3:]]
    assert [b"".join(codec.encode_frames(said)).hex() for said in SPOKEN] == recorded
    assert [tuple(codec.decode_frames(bytes.fromhex(text))) for text in recorded] == SPOKEN
