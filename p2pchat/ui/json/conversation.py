"""What is remembered of one conversation: how far each of our messages has come, and what may still be read.

All of it is bounded: what is on its way by the outbox, the rest by `REMEMBERED`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from uuid import UUID

from p2pchat.node.events import State

if TYPE_CHECKING:
    from p2pchat.node.events import StatesChanged
    from p2pchat.node.session import Session

T = TypeVar("T")

REMEMBERED: Final = 4096  # messages of each side for which a receipt can still come, or go; the oldest are forgotten


@dataclass(frozen=True, slots=True)
class Mine:
    """A message of ours; `ref` is what the program calls it."""

    id: UUID
    ref: str | None


class Conversation:
    """The conversation that `session` is, as one program has seen it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.peer: str = str(session.peer)  # spelled out once: making it costs as much as a message
        self.link: int | None = None  # the number of its newest link among all of this run
        self.next_attempt: float | None = None  # wall clock; None: nobody dials
        self._queued: dict[UUID, Mine] = {}
        self._sent: dict[UUID, Mine] = {}
        self._delivered: OrderedDict[UUID, Mine] = OrderedDict()
        self._read_early: set[UUID] = set()  # of those that are sent: their receipt overtook their ACK
        self._heard: OrderedDict[UUID, None] = OrderedDict()

    # ---- our messages: each goes through all states, one after the other

    def queued(self, message_id: UUID, ref: str | None) -> Mine:
        """Note a message of ours and return it."""
        mine = self._queued[message_id] = Mine(message_id, ref)
        return mine

    def reached(self, event: StatesChanged) -> Iterator[tuple[Mine, State]]:
        """Return what is new for each message, oldest first; no message skips a state, or goes back."""
        for message_id in event.sent:
            yield from self._sent_now(message_id)
        for message_id in event.delivered:
            yield from self._delivered_now(message_id)
        for message_id in event.read:
            yield from self._read_now(message_id)
        for message_id in event.failed:
            mine = self._queued.pop(message_id, None) or self._sent.pop(message_id, None) or self._older(message_id)
            if mine is not None:
                yield mine, State.FAILED

    def _sent_now(self, message_id: UUID) -> Iterator[tuple[Mine, State]]:
        mine = self._queued.pop(message_id, None)
        if mine is not None:
            self._sent[message_id] = mine
        else:
            mine = self._older(message_id)
        if mine is not None:
            yield mine, State.SENT

    def _delivered_now(self, message_id: UUID) -> Iterator[tuple[Mine, State]]:
        yield from self._sent_now(message_id) if message_id in self._queued else ()
        mine = self._sent.pop(message_id, None) or self._older(message_id)
        if mine is None:
            return
        yield mine, State.DELIVERED
        if message_id in self._read_early:
            self._read_early.remove(message_id)
            yield mine, State.READ
        else:
            _remember(self._delivered, message_id, mine)

    def _read_now(self, message_id: UUID) -> Iterator[tuple[Mine, State]]:
        if message_id in self._sent:
            self._read_early.add(message_id)  # the receipt overtook the ACK
        elif message_id not in self._queued and (
            mine := self._delivered.pop(message_id, None) or self._older(message_id)
        ):
            yield mine, State.READ

    def _older(self, message_id: UUID) -> Mine | None:
        """Return a message of an earlier run, or of another program, about which the store tells us, too."""
        return Mine(message_id, None) if self.session.pair.durable else None

    def failed(self) -> list[Mine]:
        """Return what will never be known to have arrived, now that nobody waits for it any more; nothing keeps it."""
        if self.session.pair.durable:
            return []
        lost = [*self._sent.values(), *self._queued.values()]
        self._sent.clear()
        self._queued.clear()
        self._read_early.clear()
        return lost

    # ---- the peer's messages

    def heard(self, message_id: UUID) -> None:
        """Note that a message was given to the program, which may have read it later."""
        _remember(self._heard, message_id, None)

    def has_heard(self, message_id: UUID) -> bool:
        """Whether a receipt may go for this message: it came here, not too long ago, and none has gone."""
        return message_id in self._heard

    def receipted(self, message_id: UUID) -> None:
        """Note that a receipt for this message was queued."""
        self._heard.pop(message_id, None)


def _remember(memory: OrderedDict[UUID, T], message_id: UUID, what: T) -> None:
    memory[message_id] = what
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)


class Conversations:
    """All conversations that are not over."""

    def __init__(self) -> None:
        self._all: dict[Session, Conversation] = {}

    def __iter__(self) -> Iterator[Conversation]:
        return iter(self._all.values())

    def of(self, session: Session) -> Conversation:
        """Return the conversation that `session` is."""
        talk = self._all.get(session)
        if talk is None:
            talk = self._all[session] = Conversation(session)
        return talk

    def over(self, session: Session) -> None:
        """Forget the conversation that `session` was."""
        self._all.pop(session, None)

    def keep(self, sessions: Sequence[Session]) -> None:
        """Forget all but `sessions`."""
        if len(self._all) > len(sessions):
            self._all = {session: self.of(session) for session in sessions}
