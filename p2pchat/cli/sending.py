"""One run of `send`: messages are stored, their peer is reached, and somebody looks how far they come.

To a peer whose key is known everything is stored first, so that nothing is lost by what happens then. To an address
without a pin nothing is stored before somebody has let us in there: until then nobody knows whose it would be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import UUID

import trio

from p2pchat.errors import ConnectFailed, LinkLost, NotLetIn, P2PChatError, StoreError
from p2pchat.node import events
from p2pchat.node.events import State
from p2pchat.store import expiry, journal, queue, timeline
from p2pchat.ui import endings

if TYPE_CHECKING:
    from p2pchat.cli.peers import Target
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session
    from p2pchat.store.database import Database
    from p2pchat.store.store import Store
    from p2pchat.store.timeline import Timeline
    from p2pchat.wire import messages

TIMEOUT: Final = 30.0  # seconds, if nothing else is said
PARTING: Final = 1.0  # seconds for the peer to answer our goodbye: all is done by then, and somebody waits for us
BETWEEN: Final = 1.0  # seconds between a goodbye of the peer and our next attempt

_ORDER: Final = (State.QUEUED, State.SENT, State.DELIVERED, State.READ)


def is_reached(state: State, wait: State) -> bool:
    """Return whether a message in `state` has come as far as `wait`; a failed one has not."""
    return state in _ORDER[_ORDER.index(wait) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be sent, and how far."""

    body: messages.Text | messages.Data | None  # None: what waits already
    wait: State = State.DELIVERED
    timeout: float = TIMEOUT  # seconds for everything
    expires: float | None = None  # seconds from now
    key: str | None = None  # at most one message with it is queued for a peer
    retry: bool = False  # go on where nobody answers at an address without a pin


class Sending:
    """What has come of it so far."""

    def __init__(
        self, node: Node, store: Store, target: Target, wish: Wish, *, notice: Callable[[events.Notice], None]
    ) -> None:
        self.error: P2PChatError | None = None  # why it is not there; None once it is, or if we were interrupted
        self.ids: list[UUID] = []  # of the messages, which are stored
        self.session: Session | None = None
        self._node = node
        self._store = store
        self._target = target
        self._wish = wish
        self._notice = notice
        self._left: set[UUID] | None = None  # those of them that are not there yet; None until that is known
        self._was_reached = False  # somebody answers there, who has not let us in
        self._trouble: P2PChatError | None = None  # what went wrong last
        self._gone = trio.Event()  # the conversation has ended, and nobody dials
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Go on until everything is there, or cannot be, or the time is up; then `error` says why it is not."""
        with trio.move_on_after(self._wish.timeout) as self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._guard, self._follow)
                await self._guard(self._send)
                nursery.cancel_scope.cancel()
        if self.error is None and self._left != set():
            self.error = self._too_late()

    async def told(self) -> list[Timeline]:
        """Return what the store knows of the messages now; what is out of date has failed, if the disk takes that.

        Raises:
          StoreError: if it cannot be read.
        """

        def read(db: Database) -> list[Timeline]:
            with suppress(StoreError):
                expiry.expire(db)
            found = (timeline.why(db, self._node.id, one.bytes) for one in self.ids)
            return [told for told in found if told is not None]

        return await self._store.read(read)

    async def part(self) -> None:
        """Say goodbye to the peer, and wait a moment for its answer."""
        if self.session is not None and self.session.connected:
            self.session.goodbye()
            with trio.move_on_after(PARTING):
                await self.session.wait_disconnected()

    async def _guard(self, function: Callable[[], Awaitable[None]]) -> None:
        """Run one task; what goes wrong in it is the end of all."""
        try:
            await function()
        except P2PChatError as exc:
            self.error = self.error or exc
            self._scope.cancel()

    # ---- to send

    async def _send(self) -> None:
        if self._target.peer is None:
            self.session = await self._node.dial(*self._target.network, retry=self._wish.retry)
        else:
            self.session = self._node.session(self._target.peer)
        with trio.CancelScope(shield=True):  # a transaction and two looks at the disk, which bounds them
            await self._keep(self.session)
        if self._left:
            await self._keep_reaching(self.session)

    async def _keep(self, session: Session) -> None:
        """Store what is new, and know of each message how far it is."""
        if self._wish.body is None:
            newest, self.ids = await self._store.read(partial(_waiting, own=session.own, peer=session.peer))
            session.follow_log(newest)
        else:
            expires = self._wish.expires
            expires_ms = None if expires is None else session.now_ms() + int(1000 * expires)
            self.ids = [await session.post(self._wish.body, expires_ms=expires_ms, key=self._wish.key)]
        self._left = left = set(self.ids)  # before we look: what changes from here on is told
        left -= {UUID(bytes=one.named.id) for one in await self.told() if self._is_over(State(one.state))}

    def _is_over(self, state: State) -> bool:
        return state is State.FAILED or is_reached(state, self._wish.wait)

    async def _keep_reaching(self, session: Session) -> None:
        """Dial whenever nobody has the peer, until cancelled.

        Raises:
          P2PChatError: if there is no sense in another attempt.
        """
        while True:
            if not session.reachable:
                await self._reach(session)
            await self._gone.wait()
            self._gone = trio.Event()
            await trio.sleep(BETWEEN)

    async def _reach(self, session: Session) -> None:
        if self._target.network:
            await self._node.dial(*self._target.network, expected=session.peer, retry=True)
        elif session.lock.is_elsewhere:
            session.continued_elsewhere()
        else:
            raise ConnectFailed(
                f"no address of {self._target.word} is known here",
                hint=f"`p2pchat trust {session.peer} ADDRESS{self._node.settings.flags}` says where to reach that peer",
            )

    # ---- to look

    async def _follow(self) -> None:
        async for event in self._node.feed:
            match event:
                case events.StatesChanged(session=session) if session is self.session:
                    self._note(event)
                case events.Notice():
                    self._notice(event)
                case events.WaitingToBeLetIn():
                    self._was_reached = True
                case events.DialFailed(error=error):
                    self._trouble = error
                case events.Connected():
                    self._trouble = None
                case events.Leaving(session=session, going_away=False):
                    session.goodbye()
                case events.Disconnected(reason=reason, redial=redial):
                    self._trouble = LinkLost(reason)
                    if redial is None:
                        self._gone.set()

    def _note(self, event: events.StatesChanged) -> None:
        if self._left is None:
            return  # whoever finds out what is left sees this, too
        changed = {State.SENT: event.sent, State.DELIVERED: event.delivered, State.READ: event.read}
        for state, ids in changed.items():
            if is_reached(state, self._wish.wait):
                self._left.difference_update(ids)
        self._left.difference_update(event.failed)
        if not self._left:
            self._scope.cancel()

    def _too_late(self) -> P2PChatError:
        seconds = endings.within(self._wish.timeout)
        where = self._target.word
        if self._was_reached:
            return NotLetIn(f"{where} did not let us in {seconds}", hint="ask the other side to accept you")
        if self.session is None or not self.session.reachable:
            because, hint = (f": {self._trouble}", self._trouble.hint) if self._trouble else ("", "check the address")
            return ConnectFailed(f"cannot reach {where} {seconds}{because}", hint=hint)
        return LinkLost(f"{where} has not said so {seconds}")


def _waiting(db: Database, *, own: PeerId, peer: PeerId) -> tuple[int, list[UUID]]:
    """Return the newest cursor, and then what waits: what happens later is in the log behind it."""
    newest = journal.newest(db)
    return newest, [UUID(bytes=one.id) for one in queue.waiting(db, peer) if one.own == own]
