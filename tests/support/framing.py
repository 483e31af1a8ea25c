"""Frames to try things with, one of each kind, any of them, and bad ones."""

from __future__ import annotations

from hypothesis import strategies as st

from p2pchat.wire.frames import (
    LAST_SEQ,
    MAX_BATCH_COST,
    MAX_BODY,
    Ack,
    Close,
    Entry,
    Frame,
    Hello,
    Msg,
    Pake,
    PakeClaim,
    PakeConfirm,
    PakeReply,
    PakeResult,
    Ping,
    Pong,
    Resume,
    Typing,
    Unknown,
    entry_cost,
)

FILES_AND_ROOMS = [*range(0x10, 0x14), 0x20, 0x2F]  # reserved types that are not built


def plaintext(frame_type: int, body: bytes) -> bytes:
    """Return a frame as a record holds it, whatever `body` is."""
    return bytes([frame_type]) + len(body).to_bytes(2) + body


def entry(number: int = 1, body: bytes = b"\x93\xa2hi\xc0\xc2", *, kind: int = 1, conv: bytes = b"") -> Entry:
    """Return an entry with an id that says which one it is."""
    return Entry(number.to_bytes(16), kind, 1_700_000_000_000 + number % 1000, conv, body)


def msg(first: int = 1, count: int = 1, body: bytes = b"\x93\xa2hi\xc0\xc2") -> Msg:
    """Return a batch of `count` entries."""
    return Msg(first, [entry(first + i, body) for i in range(count)])


HELLO = Hello(agent="test/1", features=["guest/1"], max_unacked=4096, max_unacked_bytes=2**20, name="")
RESUME = Resume(epoch=b"e" * 8, base=1, base_state=bytes(16), next=1, peer_epoch=b"", peer_seen=0, peer_chain=bytes(16))

#: One of each; also all that ever went over the wire, in the golden file of it.
EXAMPLES: dict[str, Frame] = {
    "hello": HELLO,
    "hello at its bounds": Hello("a" * 64, ["ž" * 32] * 64, 2**32 - 1, 2**32 - 1, "😀" * 64),
    "hello at its lower bounds": Hello("", [], 1, 65536, ""),
    "resume of a new log": RESUME,
    "resume of an old log": Resume(b"e" * 8, 64, bytes(1024), LAST_SEQ, b"p" * 8, LAST_SEQ, b"c" * 16),
    "msg": msg(first=7, count=2),
    "msg of large entries": Msg(LAST_SEQ, [entry(1, bytes(MAX_BODY)), entry(2, bytes(MAX_BODY), kind=65535)]),
    "msg of a room": Msg(1, [entry(1, b"", kind=0x100, conv=b"r" * 32)]),
    "ack of nothing": Ack(0),
    "ack": Ack(LAST_SEQ),
    "ping": Ping(0),
    "pong": Pong(LAST_SEQ),
    "goodbye": Close(0),
    "close with a reason": Close(65535, "ř" * 256),
    "claim": PakeClaim(7, b"a" * 32),
    "claim at its bounds": PakeClaim(2**32 - 1, b"\xff" * 32),
    "reply to a claim": PakeReply(7, b"b" * 32, b"t" * 64),
    "confirmed claim": PakeConfirm(7, b"t" * 64),
    "claim not confirmed": PakeConfirm(0, bytes(64)),
    "good claim": PakeResult(7, ok=True),
    "bad claim": PakeResult(7, ok=False),
    "typing": Typing(on=True),
    "not typing": Typing(on=False),
    "grease": Unknown(0xFA, b"\x90"),
}

_counts = st.integers(0, LAST_SEQ)
_seqs = st.integers(1, LAST_SEQ)
_slots = st.integers(0, 2**32 - 1)
_shares = st.binary(min_size=32, max_size=32)
_tags = st.binary(min_size=64, max_size=64)


@st.composite
def _resumes(draw: st.DrawFn) -> Resume:
    base, following = sorted((draw(_seqs), draw(_seqs)))
    state = draw(st.binary(min_size=16, max_size=16)) * (1 + (base - 1) % 64)
    peer_epoch = draw(st.just(b"") | st.binary(min_size=8, max_size=8))
    seen = draw(_counts) if peer_epoch else 0
    return Resume(draw(st.binary(min_size=8, max_size=8)), base, state, following, peer_epoch, seen, b"c" * 16)


entries = st.builds(
    Entry,
    id=st.binary(min_size=16, max_size=16),
    kind=st.integers(0, 65535),
    sent_ms=_counts,
    conv=st.binary(max_size=32),
    body=st.binary(max_size=100) | st.integers(0, MAX_BODY).map(bytes),
)

#: A run of entries that may be one batch.
batches = st.lists(entries, min_size=1, max_size=40).filter(lambda run: sum(map(entry_cost, run)) <= MAX_BATCH_COST)

#: Any frame of a claim.
pake_frames: st.SearchStrategy[Pake] = st.one_of(
    st.builds(PakeClaim, slot=_slots, share=_shares),
    st.builds(PakeReply, slot=_slots, share=_shares, tag=_tags),
    st.builds(PakeConfirm, slot=_slots, tag=_tags),
    st.builds(PakeResult, slot=_slots, ok=st.booleans()),
)

#: Any frame that a sender may make.
frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(
        Hello,
        agent=st.text(max_size=64),
        features=st.lists(st.text(max_size=32), max_size=64),
        max_unacked=st.integers(1, 2**32 - 1),
        max_unacked_bytes=st.integers(65536, 2**32 - 1),
        name=st.text(max_size=64),
    ),
    _resumes(),
    st.builds(Msg, first=_seqs, entries=batches),
    st.builds(Ack, _counts),
    st.builds(Ping, _counts),
    st.builds(Pong, _counts),
    st.builds(Close, code=st.integers(0, 65535), reason=st.text(max_size=256)),
    pake_frames,
    st.builds(Typing, on=st.booleans()),
    st.builds(Unknown, type=st.integers(0x81, 0xFF), body=st.binary(max_size=300)),
)
