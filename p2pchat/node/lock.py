"""The lock of a conversation: of several processes of a profile, the one that has it keeps up the link.

It saves vain dials, and is no more than advice: the fence in the store is what messages rely on. Without a store there
is nobody to agree with, and the lock is always ours.

Source: docs/protocol.md, section 6.4.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, final

import trio

from p2pchat.protocol import fence

if TYPE_CHECKING:
    from outcome import Outcome

    from p2pchat.node.session import Session
    from p2pchat.store.base import Transaction
    from p2pchat.store.store import Store

AGAIN: Final = 1.0  # seconds until who wants to dial tries again
SOON: Final = 0.25  # seconds until who has a link already tries again
LEFT_ALONE: Final = 5.0  # seconds that belong to the process which took over


@final
class Lock:
    """The lock of `session`'s peer."""

    def __init__(self, session: Session, store: Store | None) -> None:
        self._session = session
        self._store = store
        self._not_before = -math.inf

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process has it."""
        return self._store is not None and self._store.is_elsewhere(self._session.peer)

    @property
    def is_ours(self) -> bool:
        """Whether this process has it."""
        return self._store is not None and self._store.locks.held(self._session.peer)

    def take(self) -> bool:
        """Try to have it, to dial; where locks do not work, one goes on without.

        Who had the conversation without the lock being had is dead, so its claim keeps nobody out any more. A claim
        that is found from now on was made since, by a process that was visited meanwhile.
        """
        is_new = not self.is_ours
        if not self._try():
            return False
        if is_new and self._store is not None:
            self._session.pair.submit(lambda: _forget_the_dead, _ignore)
        return True

    def _try(self) -> bool:
        if self._store is None:
            return True
        if self._session.env.clock() < self._not_before:
            return False
        return self._store.locks.try_lock(self._session.peer) is not False

    def release(self, *, to_another: bool = False) -> None:
        """Give it up; `to_another`: to a process that has taken over, and gets some time to take it."""
        if self._store is not None:
            self._store.locks.release(self._session.peer)
            if to_another:
                self._not_before = self._session.env.clock() + LEFT_ALONE

    async def keep(self) -> None:
        """Try until it is ours, for as long as we have the link."""
        self._not_before = -math.inf  # who took over has lost it again: to us
        while self._session.connected and not self._try():  # noqa: ASYNC110  (a lock of the kernel has no event)
            await trio.sleep(SOON)

    async def settle(self) -> None:
        """Wait until a link carries the session, be it of another process, which has the lock then; or it is over."""
        while not self.is_elsewhere:
            with trio.move_on_after(SOON):
                await self._session.wait_connected_or_over()
                return

    async def wait(self) -> bool:
        """Wait until it is ours; False if there is no need any more: a link came, or the conversation is over."""
        while not self.take():
            with trio.move_on_after(AGAIN):
                await self._session.wait_connected_or_over()
                return False
        return not self._session.connected and not self._session.over


def _forget_the_dead(transaction: Transaction) -> None:
    fence.forget(transaction.ledger)


def _ignore(result: Outcome[None]) -> None:
    """Leave it to the claim to tell what is wrong with the disk."""
