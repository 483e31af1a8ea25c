"""What people see of an entry: its kind, and what its body holds.

Delivery never looks in here. A body that cannot be read is a value too, `Unreadable` or `Unsupported`: a bad entry must
not end a connection, or it would block its log for ever.

Source: docs/protocol.md, sections 3.3 and 3.4.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct, msgpack

from p2pchat.errors import LocalProtocolError
from p2pchat.wire.frames import EntryId

MAX_TEXT: Final = 2**20  # bytes of UTF-8, or of data, in one message
MAX_ASSEMBLED: Final = MAX_TEXT + 256  # bytes of a body: text and what stands around it
MAX_DISPLAY_NAME: Final = 64  # code points


class Kind(enum.IntEnum):
    """What an entry is; 0x100-0x1FF are reserved for rooms, and other numbers mean nothing yet."""

    #: A piece of a body that is too long for one entry; the final entry has the real kind.
    PART = 0
    #: Something said.
    TEXT = 1
    #: A message of yours was read.
    READ = 2
    #: A message of mine now reads otherwise.
    EDIT = 3
    #: A sign beside a message.
    REACTION = 4
    #: Please forget a message of mine.
    DELETE = 5
    #: A file to be fetched.
    FILE_OFFER = 6
    #: I now call myself something else.
    PROFILE = 7
    #: Bytes that are not text.
    DATA = 8
    #: What is left of a message that was withdrawn before it left.
    VOID = 9


class Text(Struct, array_like=True, frozen=True, gc=False):
    """Something said; `more` says that no newline follows here (a pipe cut a line in pieces, or it never ended)."""

    text: str
    reply_to: EntryId | None = None
    more: bool = False


class Data(Struct, array_like=True, frozen=True, gc=False):
    """Bytes that are not text; `more` as in `Text`."""

    data: bytes
    more: bool = False


class Read(Struct, array_like=True, frozen=True, gc=False):
    """The receiver's person has seen the message `id`."""

    id: EntryId


class Edit(Struct, array_like=True, frozen=True, gc=False):
    """The message `id` of the same sender now reads `text`."""

    id: EntryId
    text: str


class Reaction(Struct, array_like=True, frozen=True, gc=False):
    """A sign, usually an emoji, beside the message `id`."""

    id: EntryId
    sign: str


class Delete(Struct, array_like=True, frozen=True, gc=False):
    """The sender asks to forget its message `id`."""

    id: EntryId


class Profile(Struct, array_like=True, frozen=True, gc=False):
    """The sender now calls itself `name`: a claim, maybe empty."""

    name: Annotated[str, Meta(max_length=MAX_DISPLAY_NAME)]


class Void(Struct, array_like=True, frozen=True, gc=False):
    """Nothing: the message was withdrawn."""


class Unreadable(Struct, frozen=True, gc=False):
    """A body that does not hold what its kind says, or more than a message may hold."""

    kind: int
    body: bytes


class Unsupported(Struct, frozen=True, gc=False):
    """A body of a kind that is not known here: a newer peer's."""

    kind: int
    body: bytes


Readable: TypeAlias = Text | Data | Read | Edit | Reaction | Delete | Profile | Void
Body: TypeAlias = Readable | Unreadable | Unsupported

_TYPES: Final[dict[int, type[Readable]]] = {
    Kind.TEXT: Text,
    Kind.READ: Read,
    Kind.EDIT: Edit,
    Kind.REACTION: Reaction,
    Kind.DELETE: Delete,
    Kind.PROFILE: Profile,
    Kind.DATA: Data,
    Kind.VOID: Void,
}
_KINDS: Final = {body_type: Kind(kind) for kind, body_type in _TYPES.items()}
_DECODE: Final = {kind: msgpack.Decoder(body_type).decode for kind, body_type in _TYPES.items()}
_ENCODE: Final = msgpack.Encoder().encode


def encode_body(body: Readable) -> tuple[Kind, bytes]:
    """Return the kind and the encoded body, at most MAX_ASSEMBLED bytes, of a message.

    Raises:
      LocalProtocolError: if it is no message, too long, or holds text that is not Unicode (half of a surrogate pair).
    """
    kind = _kind_of(body)
    try:
        encoded = _ENCODE(body)
    except UnicodeEncodeError as exc:
        raise LocalProtocolError(f"text that cannot be encoded: {exc}") from exc
    # A short plain text, which nearly all messages are, cannot be out of bounds: no second look at those.
    is_plain = type(body) is Text and body.reply_to is None and type(body.text) is str and len(encoded) <= MAX_TEXT
    if not is_plain and isinstance(decode_body(kind, encoded), Unreadable):
        raise LocalProtocolError(f"{type(body).__name__} is out of bounds")
    return kind, encoded


def _kind_of(body: Readable) -> Kind:
    kind = _KINDS.get(type(body))
    if kind is None:
        names = ", ".join(body_type.__name__ for body_type in _TYPES.values())
        raise LocalProtocolError(f"no message: {type(body).__name__}; these are: {names}")
    return kind


def encode_bodies(bodies: Sequence[Readable]) -> tuple[Kind, list[bytes]]:
    """Return the kind and the encoded bodies of messages that are all of one type, at a fraction of the cost of each.

    Raises:
      LocalProtocolError: as `encode_body`.
    """
    kind = _kind_of(bodies[0])
    if not [
        body for body in bodies if type(body) is not Text or body.reply_to is not None or type(body.text) is not str
    ]:
        with suppress(UnicodeEncodeError):
            encoded = list(map(_ENCODE, bodies))
            if max(map(len, encoded)) <= MAX_TEXT:
                return kind, encoded
    return kind, [encode_body(body)[1] for body in bodies]


def decode_body(kind: int, body: bytes) -> Body:
    """Return what an entry of `kind` holds; whatever the bytes are, there is an answer."""
    decode = _DECODE.get(kind)
    if decode is None:
        return Unsupported(kind, body)
    try:
        decoded = decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Unreadable(kind, body)
    if len(body) > MAX_TEXT and _content_length(decoded) > MAX_TEXT:
        return Unreadable(kind, body)
    return decoded


def decode_bodies(kinds: Sequence[int], bodies: Sequence[bytes]) -> list[Body]:
    """Return what entries of these kinds hold, as `decode_body`, at half the cost for texts."""
    if set(kinds) == {Kind.TEXT} and max(map(len, bodies)) <= MAX_TEXT:
        with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
            return list(map(_DECODE[Kind.TEXT], bodies))
    return list(map(decode_body, kinds, bodies))


def _content_length(body: Readable) -> int:
    """Return how many bytes the text or the data in `body` has; 0 for what holds none."""
    match body:
        case Text(text) | Edit(_, text):
            return len(text.encode())
        case Data(data):
            return len(data)
        case _:
            return 0
