"""What a node tells its one listener (a face, a bot, a test), in order.

Asking for the next event says that the previous one was dealt with. For `MessagesReceived` that is the moment at which
a guest acknowledges: *shown*. So a face writes first and asks afterwards, and a guest acknowledges nothing that nobody
saw. With a store, events come from its log: a face may be as far behind as it likes.
All text in here is the peer's own and unfiltered: a face passes it through its sanitiser before it reaches a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, overload
from uuid import UUID

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId
    from p2pchat.errors import P2PChatError
    from p2pchat.node.session import Session
    from p2pchat.protocol.assembly import Messages
    from p2pchat.store.contacts import How
    from p2pchat.transports.credentials import LocalUser


class State(Enum):
    """How far a message of ours has come (product contract, promise 2)."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"

    def leads_to(self, state: State) -> bool:
        """Whether a message that is in this state can be in `state` later, by one move or by several."""
        return any(after is state or after.leads_to(state) for after in MOVES[self])


#: From which state a message of ours comes into which, and why. Whoever looks seldom may see several moves as one.
MOVES: Final[Mapping[State, Mapping[State, str]]] = {
    State.QUEUED: {State.SENT: "a link has it", State.FAILED: "withdrawn, out of time, or given up"},
    State.SENT: {State.DELIVERED: "the peer acknowledges it", State.FAILED: "given up: nobody will tell"},
    State.DELIVERED: {State.READ: "the peer says that somebody saw it"},
    State.READ: {},
    State.FAILED: {},
}


class Ids(Sequence[UUID]):
    """Names of messages; each is made when it is looked at, for nobody looks at thousands."""

    def __init__(self, ids: Sequence[bytes]) -> None:
        """Begin with 16 bytes for each."""
        self._ids = ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> UUID: ...

    @overload
    def __getitem__(self, index: slice) -> Ids: ...

    def __getitem__(self, index: int | slice) -> UUID | Ids:
        """Return one of them, or a few."""
        if isinstance(index, slice):
            return Ids(self._ids[index])
        return UUID(bytes=self._ids[index])

    def __repr__(self) -> str:
        return f"Ids({[str(name) for name in self]})"


NO_IDS: Final = Ids(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """The node can be reached at `address`, as it was really bound (never port 0)."""

    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """Somebody who is not accepted here asks to come in.

    With `waiting` they wait for `Node.accept` or `Node.reject`, for five minutes; without, they were refused already.
    `name` is what they call themselves: a claim, never an identity. `address` is None where the transport knows none.
    """

    peer: PeerId
    name: str
    address: Address | None
    waiting: bool
    user: LocalUser | None = None  # of this machine, whose process knocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`peer` and we know the same code: it is who told it to us, or who we told it to, and nobody is in between.

    `by_us`: the code was theirs, and we typed it. Without `kept` it holds for this run only: one of us is a guest.
    """

    peer: PeerId
    how: How
    by_us: bool
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFailed:
    """A claim of a code has failed, and the link ends: a warning, for somebody may be in the middle, or guessing.

    `ours`: we typed the code, on a link that ran; when a dial fails by it, the error of the dial says so instead.
    Otherwise `peer` has claimed one of ours. `reason` is one sentence for people. Whoever was trusted still is.
    """

    peer: PeerId
    address: Address | None
    ours: bool
    reason: str
    tries_left: int | None = None  # of the code of ours that was claimed; None: there is none, or only the peer knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A link to `session.peer` runs; `resumed` if the conversation had one before in this run.

    `address` is where it leads, as far as the transport knows; its scheme is the transport.
    """

    session: Session
    address: Address | None
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """The peer calls itself `session.name` now, and no longer `before`: two claims."""

    session: Session
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesReceived:
    """New messages of one peer, in its order, never twice.

    With a store they are on the disk, and acknowledged. A guest's are acknowledged when the next event is asked for.
    Iterating over them gives `Message` values; `message.body` reads what one holds.
    """

    session: Session
    messages: Messages
    cursors: Sequence[int] = ()  # of each message in the log of events; none for a guest, who keeps no log
    received_ms: Sequence[int] = ()  # when each came, Unix milliseconds by our clock; none for a guest


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidElsewhere:
    """Messages of our own that another process of the profile queued, in the conversation that this one shows."""

    session: Session
    messages: Messages
    cursors: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesChanged:
    """Messages of ours that reached another state, oldest first. One event may cover thousands.

    A message is *sent* once a link has it, *delivered* once the peer has it (on its disk; shown, if it is a guest),
    *read* if somebody over there says so. A failed one never arrives; `reason` says why, for all of them.
    """

    session: Session
    sent: Ids = NO_IDS
    delivered: Ids = NO_IDS
    read: Ids = NO_IDS
    failed: Ids = NO_IDS
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """The peer has said goodbye: no more messages will come from it. Answer with `Session.leave`.

    `going_away` is true if it will be back by itself (its program restarts), false for a real goodbye.
    """

    session: Session
    going_away: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerTyping:
    """Somebody over there types, or has stopped. A hint that may be late or missing, and is never an answer."""

    session: Session
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected:
    """The link is gone. `clean`: both sides had said goodbye. Otherwise the connection was lost: all we know.

    `redial` is the number of seconds until we dial again, None if we do not. `reason` is one sentence for people.
    """

    session: Session
    reason: str
    code: int | None  # of the CLOSE or the violation that ended it; None if it was lost without a word
    clean: bool
    redial: float | None
    by_peer: bool = False  # the other side has ended it, and `reason` is what it said
    claim: bool = False  # a code has failed (`ClaimFailed`), and ended nothing but this link


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another process of this profile has the conversation with the peer: what is said here goes through the store.

    What the peer says is shown here, too. When the other process ends, this one dials.
    """

    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingToBeLetIn:
    """We reached `peer`, and it has not let us in for a second: most likely a person over there is being asked."""

    peer: PeerId
    address: Address | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DialFailed:
    """A redial of `address` did not succeed; the next one is in `redial` seconds, or never (None)."""

    address: Address
    error: P2PChatError
    redial: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Codes were made that let somebody in, for whoever runs this program to pass on. Nothing else may tell them."""

    code: str = field(repr=False)  # to be said, ``7-otter-amber-knife``
    link: str = field(repr=False)  # with a code of its own; empty where nobody in the network reaches us
    expires_ms: int  # when the spoken one dies, Unix milliseconds
    link_expires_ms: int
    lines: tuple[str, ...] = field(repr=False)  # what to say about all that to people


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should know: one sentence, and what to do about it."""

    text: str
    hint: str = ""


Event = (
    Listening
    | Stranger
    | Verified
    | ClaimFailed
    | Connected
    | Renamed
    | MessagesReceived
    | SaidElsewhere
    | StatesChanged
    | Elsewhere
    | Leaving
    | PeerTyping
    | Disconnected
    | WaitingToBeLetIn
    | DialFailed
    | Invited
    | Notice
)
