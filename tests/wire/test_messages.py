"""What entries hold: any bytes have a meaning, if only *unreadable*."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from p2pchat.errors import LocalProtocolError
from p2pchat.wire import messages
from p2pchat.wire.messages import (
    MAX_ASSEMBLED,
    MAX_TEXT,
    Data,
    Delete,
    Edit,
    Kind,
    Profile,
    Reaction,
    Read,
    Readable,
    Text,
    Unreadable,
    Unsupported,
    Void,
    decode_bodies,
    decode_body,
    encode_bodies,
    encode_body,
)

ID = bytes(range(16))

EXAMPLES: dict[str, tuple[Readable, Kind, str]] = {
    "text": (Text("hi"), Kind.TEXT, "93a26869c0c2"),
    "a reply": (Text("hi", reply_to=ID), Kind.TEXT, f"93a26869c410{ID.hex()}c2"),
    "text with more": (Text("hi", more=True), Kind.TEXT, "93a26869c0c3"),
    "data": (Data(b"\xff\x00"), Kind.DATA, "92c402ff00c2"),
    "read": (Read(ID), Kind.READ, f"91c410{ID.hex()}"),
    "edit": (Edit(ID, "ho"), Kind.EDIT, f"92c410{ID.hex()}a2686f"),
    "reaction": (Reaction(ID, "👍"), Kind.REACTION, f"92c410{ID.hex()}a4f09f918d"),
    "delete": (Delete(ID), Kind.DELETE, f"91c410{ID.hex()}"),
    "profile": (Profile("bob"), Kind.PROFILE, "91a3626f62"),
    "void": (Void(), Kind.VOID, "90"),
}


@pytest.mark.parametrize(("body", "kind", "encoded"), EXAMPLES.values(), ids=EXAMPLES)
def test_bodies_are_read_as_they_were_written(body: Readable, kind: Kind, encoded: str) -> None:
    assert encode_body(body) == (kind, bytes.fromhex(encoded))
    assert decode_body(kind, bytes.fromhex(encoded)) == body


@given(st.text(), st.none() | st.binary(min_size=16, max_size=16), st.booleans())
def test_any_text_survives(text: str, reply_to: bytes | None, more: bool) -> None:  # noqa: FBT001  (drawn)
    said = Text(text, reply_to, more)
    assert decode_body(*encode_body(said)) == said


def test_more_may_be_missing() -> None:
    assert decode_body(Kind.TEXT, msgpack.encode(["hi", None])) == Text("hi")
    assert decode_body(Kind.DATA, msgpack.encode([b"hi"])) == Data(b"hi")


def test_what_a_newer_peer_appends_is_ignored() -> None:
    assert decode_body(Kind.TEXT, msgpack.encode(["hi", None, False, {"new": 1}])) == Text("hi")
    assert decode_body(Kind.VOID, msgpack.encode([1])) == Void()


UNREADABLE: dict[str, tuple[Kind, bytes]] = {
    "nothing": (Kind.TEXT, b""),
    "no array": (Kind.TEXT, msgpack.encode("hi")),
    "no text": (Kind.TEXT, msgpack.encode([])),
    "bytes for text": (Kind.TEXT, msgpack.encode([b"hi", None])),
    "a short id": (Kind.TEXT, msgpack.encode(["hi", bytes(15)])),
    "two bodies": (Kind.TEXT, msgpack.encode(["hi"]) * 2),
    "text that is not UTF-8": (Kind.TEXT, b"\x91\xa1\xff"),
    "nesting bomb": (Kind.TEXT, b"\x94\xa0\xc0\xc2" + b"\x91" * 60_000 + b"\x90"),
    "a long name": (Kind.PROFILE, msgpack.encode(["n" * 65])),
    "void that is not empty msgpack": (Kind.VOID, b""),
}


@pytest.mark.parametrize(("kind", "body"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_is_not_what_its_kind_says_is_kept_as_it_is(kind: Kind, body: bytes) -> None:
    assert decode_body(kind, body) == Unreadable(kind, body)


@pytest.mark.parametrize("kind", [Kind.PART, Kind.FILE_OFFER, 10, 0x100, 0xFFFF])
def test_a_kind_that_is_not_known_here_is_kept_as_it_is(kind: int) -> None:
    assert decode_body(kind, b"anything") == Unsupported(kind, b"anything")


@given(st.integers(0, 20), st.binary(max_size=60))
def test_any_body_of_any_kind_means_something(kind: int, body: bytes) -> None:
    match decode_body(kind, body):
        case Unreadable() | Unsupported() as kept:
            assert (kept.kind, kept.body) == (kind, body)
        case read:
            assert messages.encode_body(read)[0] == kind


# --- size: of the text or the data alone, in bytes, whatever stands around it

LARGEST: dict[str, Readable] = {
    "text": Text("x" * MAX_TEXT),
    "text of wide characters": Text("ž" * (MAX_TEXT // 2)),
    "a reply": Text("x" * MAX_TEXT, reply_to=ID),
    "data": Data(bytes(MAX_TEXT)),
    "edit": Edit(ID, "x" * MAX_TEXT),
}
TOO_LARGE: dict[str, Readable] = {
    "text": Text("x" * (MAX_TEXT + 1)),
    "text of wide characters": Text("ž" * (MAX_TEXT // 2) + "x"),
    "data": Data(bytes(MAX_TEXT + 1)),
    "edit": Edit(ID, "x" * (MAX_TEXT + 1)),
}


@pytest.mark.parametrize("body", LARGEST.values(), ids=LARGEST)
def test_the_largest_messages_go_through_whole(body: Readable) -> None:
    kind, encoded = encode_body(body)
    assert len(encoded) <= MAX_ASSEMBLED
    assert decode_body(kind, encoded) == body


@pytest.mark.parametrize("body", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_message_above_max_text_is_unreadable_and_never_written(body: Readable) -> None:
    with pytest.raises(LocalProtocolError):
        encode_body(body)
    encoded = msgpack.encode(body)
    kind = Kind.DATA if isinstance(body, Data) else Kind.EDIT if isinstance(body, Edit) else Kind.TEXT
    assert decode_body(kind, encoded) == Unreadable(kind, encoded)


def test_padding_around_a_short_text_does_not_count_as_text() -> None:
    body = msgpack.encode([ID, "👍", bytes(MAX_TEXT)])
    assert decode_body(Kind.REACTION, body) == Reaction(ID, "👍")


OUT_OF_BOUNDS: dict[str, Readable] = {
    "half a surrogate pair": Text("\ud83d"),
    "a reply to no id": Text("hi", reply_to=b"short"),
    "a long name": Profile("n" * 65),
    "a number for text": Text(5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("body", OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS)
def test_we_hold_ourselves_to_the_bounds(body: Readable) -> None:
    with pytest.raises(LocalProtocolError, match=f"{type(body).__name__} is out of bounds|surrogates not allowed"):
        encode_body(body)


BODIES = st.binary(max_size=9) | st.text(max_size=9).map(lambda text: msgpack.encode([text]))
TEXTS = st.builds(Text, st.text(max_size=9), st.none() | st.just(ID), st.booleans())


@given(st.lists(TEXTS, min_size=1) | st.lists(st.builds(Data, st.binary(max_size=9)), min_size=1))
def test_many_bodies_are_written_as_each_of_them(bodies: list[Text] | list[Data]) -> None:
    each = [encode_body(body) for body in bodies]
    assert encode_bodies(bodies) == (each[0][0], [encoded for _, encoded in each])


@pytest.mark.parametrize("bad", [Text("x" * (MAX_TEXT + 1)), *OUT_OF_BOUNDS.values()])
def test_one_bad_body_spoils_many(bad: Text) -> None:
    with pytest.raises(LocalProtocolError):
        encode_bodies([Text("fine"), bad])
    with pytest.raises(LocalProtocolError):
        encode_bodies([bad])


@given(st.lists(st.sampled_from([Kind.TEXT, Kind.DATA, 77]).flatmap(lambda kind: st.tuples(st.just(kind), BODIES))))
def test_many_bodies_are_read_as_each_of_them(entries: list[tuple[int, bytes]]) -> None:
    kinds, bodies = [kind for kind, _ in entries], [body for _, body in entries]
    assert decode_bodies(kinds, bodies) == [decode_body(kind, body) for kind, body in entries]


@pytest.mark.parametrize("body", [body for kind, body in UNREADABLE.values() if kind is Kind.TEXT])
def test_one_unreadable_body_spoils_no_other(body: bytes) -> None:
    fine = msgpack.encode(["fine"])
    assert decode_bodies([Kind.TEXT] * 3, [fine, body, fine]) == [
        Text("fine"),
        Unreadable(Kind.TEXT, body),
        Text("fine"),
    ]


def test_texts_that_are_too_long_together_are_read_one_by_one() -> None:
    bodies = [msgpack.encode(["x" * length]) for length in (1, MAX_TEXT, MAX_TEXT + 1)]
    first, second, third = decode_bodies([Kind.TEXT] * 3, bodies)
    assert (first, second) == (Text("x"), Text("x" * MAX_TEXT))
    assert isinstance(third, Unreadable)


def test_what_is_no_message_is_refused_with_the_list_of_what_is() -> None:
    with pytest.raises(LocalProtocolError, match="no message: int; these are: Text, "):
        messages.encode_body(5)  # type: ignore[arg-type]
