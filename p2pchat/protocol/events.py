"""What a connection tells its owner, and what the owner decides in the handshake.

Besides these, every frame of the peer that means something is an event as it is: `frames.Hello`, `Resume`, `Msg`,
`Ack`, `Ping`, `Pong`, `Close`, `Typing` and those of a claim, `PakeClaim` to `PakeResult`. What may be ignored is not
told.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from p2pchat.crypto.identity import Identity, PeerId
    from p2pchat.wire.close_codes import CloseCode
    from p2pchat.wire.frames import Frame, Known


class _Sentinel(enum.Enum):
    """A value that no event can be, with a type of its own."""

    NEED_DATA = enum.auto()


#: `Connection.next_event` has nothing more to tell: feed it bytes, or time.
NEED_DATA: Final = _Sentinel.NEED_DATA
NeedData: TypeAlias = Literal[_Sentinel.NEED_DATA]


# --- what the owner decides: arguments of `Connection.send`


@dataclass(frozen=True, slots=True)
class Begin:
    """(Initiator) Say the preface and message A."""


@dataclass(frozen=True, slots=True)
class Answer:
    """(Responder, after `HandshakeAsked`) Spend the 0.4 ms and say message B."""


@dataclass(frozen=True, slots=True)
class Reject:
    """(Responder, at any time before message B) Say the hint `code` instead of it, and end."""

    code: CloseCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """(Initiator, after `PeerProved`) The peer is whom we want: say message C, which tells it who we are.

    `voucher_by` is our own long-term identity when we speak as a guest to ourselves.
    """

    voucher_by: Identity | None = None


Decision: TypeAlias = Begin | Answer | Reject | Reveal
Sendable: TypeAlias = "Decision | Frame"


# --- what the connection tells


@dataclass(frozen=True, slots=True)
class HandshakeAsked:
    """(Responder) Message A is here and has cost nothing yet: `Answer`, `Reject`, or shut the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerProved:
    """The peer has proven to be `peer`; whether it may be is the owner's to say.

    (Initiator) We are not known to it yet: `Reveal`, or shut the stream. (Responder) The handshake is over: say HELLO,
    or CLOSE(SELF), CLOSE(NOT_AUTHORIZED).
    """

    peer: PeerId
    vouched: bool  # (responder) a guest for which our own key has signed


@dataclass(frozen=True, slots=True)
class RejectHint:
    """(Initiator) The responder would not begin. Anybody can forge this: show it, never act on it. `Failed` follows."""

    version: int  # the wire version that it speaks
    code: int  # `close_codes.close_code` says what it means


@dataclass(frozen=True, slots=True)
class WaitingToBeLetIn:
    """Both have greeted, but the peer has not accepted us yet: over there a person may have to decide."""


@dataclass(frozen=True, slots=True)
class PingDue:
    """Nothing came for a while: send ``Ping(n)``."""

    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The connection is over by a violation of the peer's, or its silence; the last event, once.

    Say ``send(Close(code))``, which returns the last words that are allowed (none if `silent`), and shut the stream.
    """

    code: CloseCode
    detail: str  # for our log and our user; the peer is not told
    hint: str  # what our user may do; often nothing, ""
    silent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfStream:
    """The peer's bytes have ended. `clean` only if it said CLOSE before: otherwise the connection was lost."""

    clean: bool


Event: TypeAlias = (
    "HandshakeAsked | PeerProved | RejectHint | WaitingToBeLetIn | PingDue | Failed | EndOfStream | Known"
)
