"""Which frame is legal when: the whole order of the protocol as one table.

Rule 1: everything that decides about order is in `NEXT` and `OPENED`; `advance` only looks it up.
Rule 2: the table does not know who we are. What we send and what the peer sends is judged by the same rows, each
direction with its own phase; so a connection cannot ask of others what it does not hold itself to.

A RESUME is the gate: only when one has passed in *both* directions may entries travel in either. So nobody who was not
accepted delivers anything.

Source: docs/protocol.md, sections 3.2 and 4.1.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from p2pchat.wire.frames import (
    Ack,
    Close,
    Frame,
    Hello,
    Msg,
    PakeClaim,
    PakeConfirm,
    PakeReply,
    PakeResult,
    Ping,
    Pong,
    Resume,
    Typing,
    Unknown,
)


class Phase(enum.StrEnum):  # of strings for their names in diagrams, and since they are hashed in C
    """How far one direction has come, seen from what was said in it."""

    #: Nothing was said yet.
    SILENT = enum.auto()
    #: HELLO was said.
    GREETED = enum.auto()
    #: RESUME was said, but not yet in the other direction.
    RESUMED = enum.auto()
    #: RESUME was said in both directions: entries may travel.
    OPEN = enum.auto()
    #: Said goodbye without ever having said RESUME.
    GONE = enum.auto()
    #: Said goodbye after RESUME, but before the other direction's: what comes then is still acknowledged.
    LEAVING = enum.auto()
    #: Said goodbye: no more entries, but acknowledgements.
    LEFT = enum.auto()
    #: Ended with an error: no more frames at all.
    ENDED = enum.auto()


class Act(enum.StrEnum):
    """What a frame does, as far as order is concerned."""

    HELLO = enum.auto()
    RESUME = enum.auto()
    MSG = enum.auto()
    ACK = enum.auto()
    PING = enum.auto()
    PONG = enum.auto()
    #: The four frames of a claim; their own order is that of `invites.py`.
    PAKE = enum.auto()
    #: CLOSE with the code 0 or 1: ends one direction.
    GOODBYE = enum.auto()
    #: CLOSE with any other code: ends both.
    ABORT = enum.auto()
    #: Types 80-FF, known or not.
    VOLATILE = enum.auto()


class Phases(NamedTuple):
    """The two directions, that of a frame's sender first."""

    sender: Phase
    other: Phase


#: What may be said in a phase, and the phase after it. What is not listed is a violation.
NEXT: Final[dict[Phase, dict[Act, Phase]]] = {
    Phase.SILENT: {
        Act.HELLO: Phase.GREETED,
        Act.GOODBYE: Phase.GONE,
        Act.ABORT: Phase.ENDED,
    },
    Phase.GREETED: {
        Act.RESUME: Phase.RESUMED,
        Act.PING: Phase.GREETED,
        Act.PONG: Phase.GREETED,
        Act.PAKE: Phase.GREETED,
        Act.VOLATILE: Phase.GREETED,
        Act.GOODBYE: Phase.GONE,
        Act.ABORT: Phase.ENDED,
    },
    Phase.RESUMED: {
        Act.PING: Phase.RESUMED,
        Act.PONG: Phase.RESUMED,
        Act.PAKE: Phase.RESUMED,
        Act.VOLATILE: Phase.RESUMED,
        Act.GOODBYE: Phase.LEAVING,
        Act.ABORT: Phase.ENDED,
    },
    Phase.OPEN: {
        Act.MSG: Phase.OPEN,
        Act.ACK: Phase.OPEN,
        Act.PING: Phase.OPEN,
        Act.PONG: Phase.OPEN,
        Act.PAKE: Phase.OPEN,
        Act.VOLATILE: Phase.OPEN,
        Act.GOODBYE: Phase.LEFT,
        Act.ABORT: Phase.ENDED,
    },
    Phase.GONE: {
        Act.PING: Phase.GONE,
        Act.PONG: Phase.GONE,
        Act.ABORT: Phase.ENDED,
    },
    Phase.LEAVING: {
        Act.PING: Phase.LEAVING,
        Act.PONG: Phase.LEAVING,
        Act.ABORT: Phase.ENDED,
    },
    Phase.LEFT: {
        Act.ACK: Phase.LEFT,
        Act.PING: Phase.LEFT,
        Act.PONG: Phase.LEFT,
        Act.ABORT: Phase.ENDED,
    },
    Phase.ENDED: {},
}

#: What becomes of a direction that has said RESUME when the other one says it too.
OPENED: Final[dict[Phase, Phase]] = {Phase.RESUMED: Phase.OPEN, Phase.LEAVING: Phase.LEFT}

#: A direction in which CLOSE was said: no end of stream is a loss after that.
CLOSED: Final = frozenset({Phase.GONE, Phase.LEAVING, Phase.LEFT, Phase.ENDED})

_ACTS: Final[dict[type[Frame], Act]] = {
    Hello: Act.HELLO,
    Resume: Act.RESUME,
    Msg: Act.MSG,
    Ack: Act.ACK,
    Ping: Act.PING,
    Pong: Act.PONG,
    PakeClaim: Act.PAKE,
    PakeReply: Act.PAKE,
    PakeConfirm: Act.PAKE,
    PakeResult: Act.PAKE,
    Typing: Act.VOLATILE,
    Unknown: Act.VOLATILE,
}


def act_of(frame: Frame) -> Act:
    """Return what `frame` does to the order of things."""
    if isinstance(frame, Close):
        return Act.GOODBYE if frame.code <= 1 else Act.ABORT
    return _ACTS[type(frame)]


def advance(phases: Phases, act: Act) -> Phases | None:
    """Return the phases after the sender has done `act`, the same object if they are; None if it may not do that."""
    sender = NEXT[phases.sender].get(act)
    if sender is phases.sender:
        return phases  # nearly always
    if sender is None:
        return None
    if act is Act.RESUME and phases.other in OPENED:
        return Phases(OPENED[sender], OPENED[phases.other])
    return Phases(sender, phases.other)
