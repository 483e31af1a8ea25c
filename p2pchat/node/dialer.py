"""The dialer: reaches a peer, and reaches it again until one side says goodbye.

The first attempt is the caller's business: unless it asked for `retry`, what goes wrong is raised. After the first
running link everything is an event, and the dialer goes on with a back-off for as long as the conversation lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import trio

from p2pchat.crypto.identity import Identity
from p2pchat.crypto.noise import Role
from p2pchat.errors import CodeFailed, ConnectFailed, P2PChatError
from p2pchat.node import failures, notices
from p2pchat.node.backoff import Backoff, Redial, verdict
from p2pchat.node.events import DialFailed, Notice
from p2pchat.node.greeting import Dialing
from p2pchat.node.race import Missed, Race
from p2pchat.protocol.fence import SIMULTANEOUS
from p2pchat.transports.base import HasProgram
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.codes import Code
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.link import Link, LinkEnd
    from p2pchat.node.node import Node
    from p2pchat.node.session import Session

EXEC: Final = "exec"  # the scheme of what runs here
CONNECT_TIMEOUT: Final = 10.0  # seconds for the transport alone; as long as a whole handshake may take (4.3)


class Dialer:
    """Dials one peer for as long as somebody wants it."""

    def __init__(
        self, node: Node, addresses: Sequence[Address], *, expected: PeerId | None, code: Code | None, retry: bool
    ) -> None:
        self.code = code  # to claim where the peer answers, until it has done its work
        self._node = node
        self._addresses = addresses
        self._asked_for = expected
        self._retry = retry
        self.identity: Identity = node.identity  # who we are to the peer
        self.voucher_by: Identity | None = None  # who vouches for us, a guest; then it has to be there too
        self.expected: PeerId | None = None  # who has to answer where we dial now; None: whoever does
        self._backoff = Backoff(node.env.rng, cap=node.settings.limits.redial_cap)
        self._session: Session | None = None
        self._locked: list[Session] = []  # whose locks we took: others may dial these when we do not any more
        self._delay: float | None = None
        self._started: trio.TaskStatus[Session] = trio.TASK_STATUS_IGNORED

    @property
    def _peer(self) -> PeerId | None:
        """The peer of the conversation that goes on, our own key if we are its guest, or whom the caller wants."""
        if self._session is not None:
            return self._session.peer
        if self.voucher_by is not None:
            return self.voucher_by.peer_id
        return self._asked_for

    @property
    def wanted(self) -> bool:
        """Whether anybody still wants the peer there: the conversation may have been left while we dialed."""
        return self._session is None or not self._session.over

    def running(self, session: Session) -> None:
        """Note that messages can flow."""
        session.after_loss = self.after
        if self._session is None:
            self._session = session
            self._started.started(session)

    async def run(self, *, task_status: trio.TaskStatus[Session]) -> None:
        """Dial until the conversation is over; `started` with its session once the first link runs.

        Raises:
          P2PChatError: if the first attempt fails and `retry` was not asked for, or would fail again.
        """
        self._started = task_status
        try:
            while True:
                await self._node.feed.room()
                missed = await self._attempt()
                if missed is None:
                    if self._session is not None and not await self._next_turn(self._session):
                        return
                elif not await self._missed(missed):
                    return
        finally:
            for session in (*self._locked, self._session):
                if session is not None and not session.connected:
                    session.lock.release()

    def take_lock(self, session: Session) -> bool:
        """Try to have the lock of `session`, until we have stopped dialling and no link of ours carries it."""
        is_new = not session.lock.is_ours
        if not session.lock.take():
            return False
        if is_new:  # else it is another dialer's, or a link's
            self._locked.append(session)
        return True

    async def _attempt(self) -> Missed | None:
        """Dial everywhere once, until somebody answers, and serve the link to its end.

        None: a session ran, another process has it, or we shall be back as a guest.
        """
        await self._node.contacts.refresh()
        missed: list[Missed] = []
        for addresses in self._heats():
            self.expected = self._peer or await self._node.pinned(addresses[0])
            if self.expected is not None:
                if (why := self._node.keeps_out(self.expected)) is not None:
                    return Missed(addresses[0], why, Redial.NEVER)
                session = self._node.session_with(self.expected, self.identity)
                if not self.take_lock(session):
                    self._goes_on_elsewhere(session)
                    return None
            more = await Race(self._attempt_at).run(addresses)
            if more is None:
                return None
            missed += more
            if any(isinstance(one.error, CodeFailed) for one in more):
                break  # it is not for others to guess, and bears few attempts
        return self._in_all(missed)

    def _heats(self) -> Iterator[Sequence[Address]]:
        """Yield what to dial at once: places that can only lead to one key, and a command alone, after all others."""
        if self._peer in {None, self.identity.peer_id}:  # our own key makes us a guest at the first place
            yield from ((address,) for address in self._addresses)
            return
        network = [address for address in self._addresses if address.scheme != EXEC]
        if network:
            yield network
        yield from ((address,) for address in self._addresses if address.scheme == EXEC)

    def _in_all(self, missed: Sequence[Missed]) -> Missed:
        """Return what to tell of an attempt that failed everywhere: what says most.

        A conversation goes on while there is hope anywhere, whoever answers at the peer's other addresses by now.
        """
        worst = max(missed, key=lambda one: one.weight)
        failures.also_failed(worst.error, [one.address for one in missed if one is not worst])
        hope = next((one.redial for one in missed if one.redial is not Redial.NEVER), None)
        return worst if self._session is None or hope is None else replace(worst, redial=hope)

    async def _attempt_at(self, address: Address, proved: Callable[[Dialing], None]) -> Missed | None:
        try:
            with trio.fail_after(CONNECT_TIMEOUT):
                stream = await self._node.env.net.connect(address)
        except trio.TooSlowError:
            return Missed(address, failures.no_answer(address, CONNECT_TIMEOUT), Redial.BACK_OFF)
        except ConnectFailed as exc:
            return Missed(address, exc, Redial.BACK_OFF)

        link = self._node.new_link(stream, Role.INITIATOR, self.identity)
        link.remote = address  # as it was typed, and not as it was resolved
        greeting = Dialing(self._node, link, self, proved=proved)
        end = await self._serve(link, stream)
        if greeting.ran or await self._has_taken(greeting, end):
            return None
        ending = stream.ending if isinstance(stream, HasProgram) else ""
        error = self._error(address, greeting, end, ending=ending)
        return Missed(address, error, verdict(None if end.hint else end.code))  # hints are shown, and never acted upon

    async def _has_taken(self, greeting: Dialing, end: LinkEnd) -> bool:
        """Whether the `end` of a link that never ran is no failure: another one, or another process, is to be it."""
        may_be_guest = self.voucher_by is None and self._node.settings.own_guest
        if end.code is CloseCode.SELF and may_be_guest and self._peer in {None, self._node.id}:
            self._become_guest()
            return True
        if end.code is CloseCode.DUPLICATE and greeting.peer is not None:
            session = self._node.session_with(greeting.peer, self.identity)
            if not session.connected:
                session.lock.release()  # both of us dialed at once, and the other link stays: who has it may have this
            with trio.move_on_after(SIMULTANEOUS):
                await session.lock.settle()
            if session.connected:
                self.running(session)
                return True
            if session.lock.is_elsewhere:
                self._goes_on_elsewhere(session)
                return True
        return False

    def _error(self, address: Address, greeting: Dialing, end: LinkEnd, *, ending: str) -> P2PChatError:
        if self.expected is not None and greeting.peer not in {None, self.expected, self.identity.peer_id}:
            contact = self._node.contacts.of(self.expected)
            return failures.another_key(
                address,
                expected=self.expected,
                found=greeting.peer,
                name="" if contact is None else contact.name,
                flags=None if self._node.store is None else self._node.settings.flags,
            )
        return failures.of_dial(address, self.identity.peer_id, end, proved=greeting.peer is not None, ending=ending)

    def _goes_on_elsewhere(self, session: Session) -> None:
        """Note that another process has the peer: what is said goes by the store until that ends."""
        session.continued_elsewhere()
        if self.code is not None:
            self._node.feed.put(notices.CODE_UNTRIED)
        self.running(session)

    async def _serve(self, link: Link, stream: trio.abc.Stream) -> LinkEnd:
        """Serve `link`, and let the program between us and the peer speak, if there is one."""
        if not isinstance(stream, HasProgram):
            return await self._node.serve(link)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._pass_on, stream)
            end = await self._node.serve(link)
        return end  # noqa: RET504  (when the program has said its last words, too)

    async def _pass_on(self, program: HasProgram) -> None:
        """Tell what `program` says to people, as its words and not as ours."""
        while (remark := await program.next_remark()) is not None:
            await self._node.feed.room()
            self._node.feed.put(Notice(text=f"the command says: {remark}"))

    def _become_guest(self) -> None:
        """Our own key answered: go on under a key of this run, for which our own vouches (`docs/protocol.md` 1.3)."""
        self.voucher_by = self._node.identity
        self.identity = Identity.generate(self._node.env.urandom)
        self._node.feed.put(Notice(text="your own p2pchat answered: this one goes on as its guest, for this run"))

    async def _missed(self, missed: Missed) -> bool:
        """Deal with an attempt that failed; False if there is no sense in another one.

        Raises:
          P2PChatError: while nobody has a session yet to tell it through.
        """
        if self._session is None and (missed.redial is Redial.NEVER or not self._retry):
            raise missed.error
        delay = None if missed.redial is Redial.NEVER else self._backoff.next_delay(missed.redial)
        self._node.feed.put(DialFailed(address=missed.address, error=missed.error, redial=delay))
        if delay is None:
            if self._session is not None:
                self._session.finish()
            return False
        return await self._pause(self._session, delay)

    def after(self, end: LinkEnd, seconds: float) -> float | None:
        """Return how long we wait before dialling again, None for never; `end` came after `seconds` of running."""
        redial = Redial.NEVER if end.clean else Redial.BACK_OFF if end.claim else verdict(end.code)
        keeps = self._node.store is not None and self.voucher_by is None
        if end.code is CloseCode.DUPLICATE and end.by_peer and not keeps and not self._node.listens:
            redial = (
                Redial.NEVER
            )  # not a visit that crossed our dial: another program of ours is there, and we would fight
        if seconds >= self._node.settings.limits.redial_reset:
            self._backoff.reset()
        self._delay = None if redial is Redial.NEVER else self._backoff.next_delay(redial)
        return self._delay

    async def _next_turn(self, session: Session) -> bool:
        """Wait until `session` needs a new link; False if it needs none any more."""
        await session.wait_disconnected()  # another link may have taken over from the one that has just ended
        if session.elsewhere and not session.over:
            if await session.lock.wait():
                session.elsewhere = False
                return True
            await session.wait_disconnected()
        # Without a delay: a link took over from ours and was lost before it ran, so nobody was asked for one.
        delay = self._backoff.next_delay() if self._delay is None else self._delay
        return not session.over and await self._pause(session, delay)

    async def _pause(self, session: Session | None, delay: float) -> bool:
        """Wait for `delay` seconds, or until `Node.reconnect`; False if the conversation is over before we dial."""
        with trio.move_on_after(delay) as pause:
            self._node.pauses.add(pause)
            try:
                if session is None:
                    await trio.sleep_forever()
                else:
                    await session.wait_connected_or_over()
            finally:
                self._node.pauses.discard(pause)
        if session is None:
            return True
        await session.wait_disconnected()
        return not session.over
