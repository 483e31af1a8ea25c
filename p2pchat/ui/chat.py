"""A chat from beginning to end, for any face: when it begins, when it is over, and what is an error.

The face shows events and says what its person or pipe says; this module decides everything that is neither. What goes
wrong in any of its tasks becomes the end of the chat there and then, so no exception groups come out but those of bugs.

Source: docs/protocol.md, section 4.2, for the manners of a goodbye.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import trio

from p2pchat import errors
from p2pchat.node import events
from p2pchat.ui import endings

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session

RETRY = "--retry keeps trying"
CLOSED = "closed here while the connection was lost"
MAX_GONE = 16  # peers whose link was lost, and who may yet come back to the same conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for."""

    listen: tuple[Address, ...] = ()
    listening: Callable[[Sequence[Address]], Awaitable[None]] | None = None  # is told, once, where others reach us
    dial: Address | None = None
    others: tuple[Address, ...] = ()  # where else the same peer may be
    expected: PeerId | None = None  # who has to answer; None: who is pinned there, or else anybody
    code: Code | None = None  # what that peer gave out for us, and both prove to know
    once: bool = False  # end after the first chat that ended with a goodbye
    retry: bool = False  # go on when the first attempt to dial fails
    timeout: float = math.inf  # seconds for reaching the peer and being let in
    patience: float = math.inf  # seconds that a lost link may stay lost


class Face(Protocol):
    """What a person or a program has in front of it."""

    #: Whether a person is there: goodbyes are answered at once, and unread input is no reason to stay.
    is_person: bool

    async def show(self, event: events.Event, chat: Chat) -> None:
        """Show `event`; it counts as shown when this returns."""

    async def listen_to_input(self, chat: Chat, nursery: trio.Nursery) -> None:
        """Say what comes in, until nothing more will; `nursery` lives as long as the chat."""


async def run(node: Node, face: Face, plan: Plan) -> None:
    """Chat until it is over.

    Raises:
      P2PChatError: if it could not begin, or ended otherwise than with a goodbye.
    """
    async with trio.open_nursery() as nursery:
        chat = Chat(node, plan, is_person=face.is_person, scope=nursery.cancel_scope)
        nursery.start_soon(chat.guard, chat.show_events, face, nursery)
        nursery.start_soon(chat.guard, face.listen_to_input, chat, nursery)
        nursery.start_soon(chat.guard, chat.begin)
    if chat.error is not None:
        raise chat.error


class Chat:
    """What a face may ask and decide while it runs."""

    def __init__(self, node: Node, plan: Plan, *, is_person: bool, scope: trio.CancelScope) -> None:
        self.node = node
        self.sessions: list[Session] = []  # in the order of their coming; those that are over are gone
        self.error: errors.P2PChatError | None = None
        self.parting: set[Session] = set()  # those to whom goodbye is said as soon as they have everything of ours
        self._plan = plan
        self._is_person = is_person
        self._scope = scope
        self._first: Session | None = None
        self._came = trio.Event()
        self._reached = False
        self._input_ended = trio.Event()
        self._last_said_at = -math.inf
        self._last_heard_at = -math.inf
        self._lost: dict[Session, trio.Event] = {}
        self._answers: dict[Session, trio.CancelScope] = {}  # goodbyes that are about to be answered

    # ---- for faces

    @property
    def dials(self) -> bool:
        """Whether there is one peer, which we reached ourselves; otherwise anybody may come."""
        return self._plan.dial is not None

    async def first_session(self) -> Session:
        """Wait for the first peer that we may talk to, and return its session: from then on always the same."""
        while self._first is None:
            await self._came.wait()
        return self._first

    def note_said(self) -> None:
        """Note that something was sent: a pipe that still talks is not cut off by its peer's goodbye."""
        self._last_said_at = self.node.env.clock()

    async def finish_input(self, session: Session | None = None) -> None:
        """Note that a pipe has no more to say: a dialer then says goodbye to `session`, a listener falls silent."""
        self._input_ended.set()
        if self.dials and session is not None:
            await self.part(session)

    async def part(self, session: Session) -> None:
        """Say goodbye to `session` once it has everything of ours; again on its next link, if that gets lost.

        Where another process of ours has the link, nobody lingers for us: then we do, while answers keep coming.
        """
        self.parting.add(session)
        await session.drained()
        if session.elsewhere:
            await self._linger()
        session.goodbye()

    async def _linger(self) -> None:
        """Wait until nothing was heard for as long as we wait for an answer."""
        began = self.node.env.clock()
        while True:
            heard_at = max(self._last_heard_at, began)
            left = heard_at + self.node.settings.limits.linger - self.node.env.clock()
            if left <= 0:
                return
            await trio.sleep(left)

    def close(self, session: Session, nursery: trio.Nursery) -> None:
        """End one conversation: `part`, or now if its link is lost and only the peer could bring it back.

        Whoever comes under the same key later may know nothing of this conversation, and must not be hung up on.
        """
        if session in self.parting or session.over:
            return
        if session.reachable or self.dials:
            self.parting.add(session)  # at once: the next thing said may be meant for it
            nursery.start_soon(self.part, session)
        else:
            session.finish()
            self.node.feed.put(events.Disconnected(session=session, reason=CLOSED, code=None, clean=True, redial=None))

    async def leave(self) -> dict[Session, int]:
        """Say goodbye to everybody; returns how many messages stay unsaid, for whom there are any."""
        unsaid: dict[Session, int] = {}

        async def leave(session: Session) -> None:
            if count := await session.leave():
                unsaid[session] = count

        async with trio.open_nursery() as nursery:
            for session in {*self.sessions, *self.node.sessions}:  # some may be here that nobody was told of yet
                nursery.start_soon(self.guard, leave, session)
        return unsaid

    def end(self, error: errors.P2PChatError | None = None) -> None:
        """End the chat now; the first call decides how."""
        if not self._scope.cancel_called:
            self.error = error
            self._scope.cancel()

    async def guard(self, function: Callable[..., Awaitable[None]], *args: object) -> None:
        """Run one task of the chat; an expected failure of it is the end of the chat."""
        try:
            await function(*args)
        except errors.P2PChatError as exc:
            self.end(exc)

    # ---- beginning

    async def begin(self) -> None:
        """Listen and dial as planned; ends before the chat does.

        Raises:
          ConnectFailed: or any other error of `Node.dial` and `Node.listen`.
          NotLetIn: if the peer was reached, but did not let us in in time.
        """
        bound = [place for address in self._plan.listen for place in await self.node.listen(address)]
        if self._plan.listening is not None:
            await self._plan.listening(bound)
        if self._plan.dial is None:
            return
        with trio.move_on_after(self._plan.timeout) as scope:
            try:
                await self.node.dial(
                    self._plan.dial,
                    *self._plan.others,
                    expected=self._plan.expected,
                    code=self._plan.code,
                    retry=self._plan.retry,
                )
            except errors.ConnectFailed as exc:
                if self._plan.retry:
                    raise
                raise errors.ConnectFailed(str(exc), hint="; ".join(filter(None, [exc.hint, RETRY]))) from exc
        if scope.cancelled_caught:
            raise endings.too_late(self._plan.dial, self._plan.timeout, reached=self._reached)

    # ---- events

    async def show_events(self, face: Face, nursery: trio.Nursery) -> None:
        """Show every event, and act on it where it is not the face's business."""
        async for event in self.node.feed:
            self._note(event)
            await face.show(event, self)
            self._act(event, nursery)

    def _note(self, event: events.Event) -> None:
        """Know about `event` before the face asks."""
        match event:
            case events.WaitingToBeLetIn():
                self._reached = True
            case events.MessagesReceived():
                self._last_heard_at = self.node.env.clock()
            case events.Connected(session=session) | events.Elsewhere(session=session):
                if session not in self.sessions:
                    self.sessions.append(session)
                    self._forget()
                if self._first is None:
                    self._first = session
                    self._came.set()

    def _forget(self) -> None:
        """Keep a bounded number of peers that are gone and to whom nothing is left to say."""
        gone = [session for session in self.sessions if session.idle]
        for session in gone[:-MAX_GONE]:
            self.sessions.remove(session)

    def _act(self, event: events.Event, nursery: trio.Nursery) -> None:
        match event:
            case events.Connected(session=session) | events.Elsewhere(session=session):
                back = self._lost.pop(session, None)
                if back is not None:
                    back.set()
                if session in self.parting and not session.has_unsaid:
                    session.goodbye()  # everything had arrived, only the goodbye was lost
            case events.Leaving(session=session, going_away=False):
                self._answers[session] = scope = trio.CancelScope()
                nursery.start_soon(self._answer_goodbye, session, scope)
            case events.Disconnected(session=session):
                self._disconnected(event, nursery)
            case events.DialFailed(error=error, redial=None):
                self.end(error)

    async def _answer_goodbye(self, session: Session, scope: trio.CancelScope) -> None:
        """Say goodbye, too: a person at once, a pipe at the end of its input or when it has been quiet for a while.

        `scope` ends with the link: a goodbye must not meet the next one, on which the peer came back.
        """
        if self._is_person:
            await session.leave()
            return
        quiet = self.node.settings.limits.pipe_quiet
        heard_at = self.node.env.clock()
        with scope:
            while not self._input_ended.is_set():
                left = max(self._last_said_at, heard_at) + quiet - self.node.env.clock()
                if left <= 0:
                    break
                with trio.move_on_after(left):
                    await self._input_ended.wait()
            await session.drained()
            session.goodbye()

    def _disconnected(self, event: events.Disconnected, nursery: trio.Nursery) -> None:
        session = event.session
        if session in self._answers:
            self._answers.pop(session).cancel()
        is_over = event.clean and event.redial is None
        if is_over and session in self.sessions:
            self.sessions.remove(session)
            self.parting.discard(session)
        if self._plan.dial is None and not self._plan.once:
            return
        if is_over:
            self.end()
        elif self._plan.dial is not None and event.redial is None:
            nursery.start_soon(self.guard, self._lost_for_good, event)
        elif self._plan.patience < math.inf and session not in self._lost:
            self._lost[session] = back = trio.Event()
            nursery.start_soon(self.guard, self._wait_for, session, back)

    async def _wait_for(self, session: Session, back: trio.Event) -> None:
        """End the chat if `session` is not `back` in time."""
        with trio.move_on_after(self._plan.patience):
            await back.wait()
            return
        raise endings.lost_too_long(session, self._plan.patience, unsaid=await session.unsaid())

    async def _lost_for_good(self, end: events.Disconnected) -> None:
        raise endings.lost_for_good(end, unsaid=await end.session.unsaid())
