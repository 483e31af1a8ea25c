"""What peers say to each other: one struct for each frame, and the bounds of every field.

The bounds are part of the types, so a decoder that accepts a frame has checked it. Structs are msgpack arrays: fields
keep their order, new ones are appended, and what a newer peer appends is ignored here. Nothing here knows about bytes
(`codec.py`), order (`protocol/phases.py`) or meaning.

Structs are frozen and not tracked by the garbage collector: a batch of hundreds costs it nothing, and none of them can
be part of a cycle.

Source: docs/protocol.md, section 3.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, TypeAlias

from msgspec import Meta, Struct

MAX_FRAME_BODY: Final = 65516  # bytes: a record's plaintext (65519) less a frame's header (3)
MAX_BODY: Final = 32000  # bytes of one entry's body; two such entries fit one frame
MAX_BATCH_COST: Final = 65500  # entries whose costs sum to no more than this always fit one frame
ENTRY_OVERHEAD: Final = 64  # bytes; an entry without its body and conversation takes at most 36 of them
LAST_SEQ: Final = 2**63 - 1

Count: TypeAlias = Annotated[int, Meta(ge=0, le=LAST_SEQ)]
Seq: TypeAlias = Annotated[int, Meta(ge=1, le=LAST_SEQ)]  # of an entry; the first one of a log is 1
U16: TypeAlias = Annotated[int, Meta(ge=0, le=2**16 - 1)]
Epoch: TypeAlias = Annotated[bytes, Meta(min_length=8, max_length=8)]
Hash: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=16)]
EntryId: TypeAlias = Annotated[bytes, Meta(min_length=16, max_length=16)]  # a UUIDv7
Slot: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]  # which of the issuer's invites
Share: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]  # CPace's; whether it is a point shows later
Tag: TypeAlias = Annotated[bytes, Meta(min_length=64, max_length=64)]
Feature: TypeAlias = Annotated[str, Meta(max_length=32)]  # ``word/number``


class Hello(Struct, array_like=True, frozen=True, gc=False):
    """The first frame of each side, once: what it is and what it is ready to hold for the other.

    `name` is what the peer calls itself: a claim, maybe empty, never an identity.
    """

    TYPE: ClassVar = 0x01

    agent: Annotated[str, Meta(max_length=64)]
    features: Annotated[list[Feature], Meta(max_length=64)]
    max_unacked: Annotated[int, Meta(ge=1, le=2**32 - 1)]  # entries
    max_unacked_bytes: Annotated[int, Meta(ge=65536, le=2**32 - 1)]  # sum of `entry_cost`
    name: Annotated[str, Meta(max_length=64)]


class Resume(Struct, array_like=True, frozen=True, gc=False):
    """Where both logs stand, once from each side: "I have accepted you, and this is where we stopped".

    Raises:
      ValueError: if the fields contradict each other, also when a decoder makes it (which calls it a bad frame).

    Source: docs/protocol.md, section 6.3.
    """

    TYPE: ClassVar = 0x02

    epoch: Epoch
    base: Seq
    base_state: Annotated[bytes, Meta(min_length=16, max_length=1024)]
    next: Seq
    peer_epoch: Annotated[bytes, Meta(max_length=8)]
    peer_seen: Count
    peer_chain: Hash

    def __post_init__(self) -> None:
        """Refuse what no honest peer can say."""
        if self.base > self.next:
            raise ValueError("the log ends before it begins")
        if len(self.base_state) != 16 * (1 + (self.base - 1) % 64):
            raise ValueError("the state does not belong to the base")
        if len(self.peer_epoch) not in {0, 8}:
            raise ValueError("an epoch is 8 bytes")
        if self.peer_seen and not self.peer_epoch:
            raise ValueError("something was seen of a log that is not known")


class Entry(Struct, array_like=True, frozen=True, gc=False):
    """One numbered thing in a log: a message, a part of one, or what is left of one. `body` is opaque to delivery."""

    id: EntryId
    kind: U16  # `messages.Kind`
    sent_ms: Count  # Unix milliseconds: the sender's claim
    conv: Annotated[bytes, Meta(max_length=32)]  # empty: the direct conversation
    body: Annotated[bytes, Meta(max_length=MAX_BODY)]


class Msg(Struct, array_like=True, frozen=True, gc=False):
    """A batch: consecutive entries, the first of which has the number `first`."""

    TYPE: ClassVar = 0x03

    first: Seq
    entries: Annotated[list[Entry], Meta(min_length=1)]

    @property
    def last(self) -> int:
        """The number of the last entry; it may be more than `LAST_SEQ`, which the delivery rules refuse."""
        return self.first + len(self.entries) - 1


class Ack(Struct, array_like=True, frozen=True, gc=False):
    """Everything up to `seq` was committed."""

    TYPE: ClassVar = 0x04

    seq: Count


class Ping(Struct, array_like=True, frozen=True, gc=False):
    """Are you there? To be answered by a `Pong` with the same number."""

    TYPE: ClassVar = 0x05

    n: Count


class Pong(Struct, array_like=True, frozen=True, gc=False):
    """The answer to a `Ping`."""

    TYPE: ClassVar = 0x06

    n: Count


class Close(Struct, array_like=True, frozen=True, gc=False):
    """The end of the sender's direction, or of both: `close_codes.close_code` says what `code` means."""

    TYPE: ClassVar = 0x07

    code: U16
    reason: Annotated[str, Meta(max_length=256)] = ""  # for a person; never acted on


class PakeClaim(Struct, array_like=True, frozen=True, gc=False):
    """I know the code of your invite in `slot`: the first of four frames, `protocol/invites.py` has their order."""

    TYPE: ClassVar = 0x08

    slot: Slot
    share: Share


class PakeReply(Struct, array_like=True, frozen=True, gc=False):
    """So do I: the issuer's answer to a `PakeClaim`, with its proof."""

    TYPE: ClassVar = 0x09

    slot: Slot
    share: Share
    tag: Tag


class PakeConfirm(Struct, array_like=True, frozen=True, gc=False):
    """The claimant's proof, or 64 zero bytes if the issuer's was wrong."""

    TYPE: ClassVar = 0x0A

    slot: Slot
    tag: Tag


class PakeResult(Struct, array_like=True, frozen=True, gc=False):
    """Whether the claim was right, says the issuer."""

    TYPE: ClassVar = 0x0B

    slot: Slot
    ok: bool


class Typing(Struct, array_like=True, frozen=True, gc=False):
    """Somebody over there types, or has stopped. Volatile: it is neither stored nor acknowledged."""

    TYPE: ClassVar = 0x80

    on: bool


class Unknown(Struct, frozen=True, gc=False):
    """A frame that may be ignored (80-FF) of a type that is not known here; also what we send as grease (F0-FF)."""

    type: int
    body: bytes  # as it is on the wire, not looked into


Pake: TypeAlias = PakeClaim | PakeReply | PakeConfirm | PakeResult
Known: TypeAlias = Hello | Resume | Msg | Ack | Ping | Pong | Close | Pake | Typing
Frame: TypeAlias = Known | Unknown


def entry_cost(entry: Entry) -> int:
    """Return what `entry` counts for in windows and batches, in bytes: never less than its encoded size.

    Source: docs/protocol.md, section 3.3.
    """
    return ENTRY_OVERHEAD + len(entry.conv) + len(entry.body)
