"""What is said in a session, from the call of a face until it is in the log: on the disk, or in a guest's memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import UUID

import trio

from p2pchat.env import unix_ms
from p2pchat.errors import LocalProtocolError
from p2pchat.node.outgoing import Outgoing, Saying, Settled
from p2pchat.node.transact import transact
from p2pchat.protocol import outbox
from p2pchat.protocol.ids import EntryIds
from p2pchat.wire import messages

if TYPE_CHECKING:
    from p2pchat.env import Env
    from p2pchat.node.feed import Feed
    from p2pchat.node.states import States
    from p2pchat.protocol.limits import Limits
    from p2pchat.store.base import Pair, Transaction

FAIRNESS = 256  # messages sent between two checkpoints: one each would cost more than the rest of the path together


class Speaking(ABC):
    """The half of a `Session` that faces talk into. Its verbs may be called whether a link runs or not."""

    _states: States  # what a guest has to tell of them

    def __init__(self, pair: Pair, feed: Feed, *, env: Env, limits: Limits) -> None:
        self.pair = pair
        self.feed = feed
        self.env = env
        self.limits = limits
        self.outgoing: Outgoing = Outgoing(
            pair,
            EntryIds(env.urandom),
            max_cost=limits.outgoing + limits.max_unacked_bytes,
            settled=self._note_settled,
        )
        self._changed = trio.Event()
        self._breathe_at = FAIRNESS  # the next message that waits until others had their turn

    async def send(self, text: str, *, more: bool = False) -> None:
        """Queue one message; `more` says that no newline follows (pipes).

        Once it returns, the message is queued: on the disk, if there is a store. A cancellation comes before, and
        nothing was queued; or it has to wait until the transaction is written. Waits while the outbox is full, so a
        peer that does not read makes its sender wait. Without a store it is a checkpoint only when it waits, and at
        every `FAIRNESS`-th message.

        Raises:
          LocalProtocolError: if the text is none or over `MAX_TEXT` bytes, if we have said goodbye, or if the
            conversation is over.
          StoreError: if the disk does not take it; nothing of it is kept.
        """
        if type(text) is not str:
            _require_text(text)
        if self.outgoing.said >= self._breathe_at or self.outgoing.room <= 0:
            await self._breathe()
        kind, body = messages.encode_body(messages.Text(text, None, more))
        saying = self._say(kind, [body])
        if self.pair.durable:
            await saying.wait()

    async def post(
        self,
        body: messages.Readable,
        *,
        expires_ms: int | None = None,
        key: str | None = None,
        ref: str | None = None,
    ) -> UUID:
        """Queue one message of any kind and return its name; otherwise like `send`.

        Args:
          body: what to say.
          expires_ms: when it is withdrawn if no link has it by then, Unix milliseconds.
          key: at most one message of each key is queued for a peer: a second one is the first.
          ref: what the program calls it, for the log of events.
        """
        if self.outgoing.said >= self._breathe_at or self.outgoing.room <= 0:
            await self._breathe()
        kind, encoded = messages.encode_body(body)
        saying = Saying(kind, self.now_ms(), expires_ms=expires_ms, key=key, ref=ref)
        saying.bodies = [encoded]
        self._require_may_say()
        self.outgoing.add(saying)
        self._hand_over(is_first=True)
        self.outgoing.settle()
        await saying.wait()
        return UUID(bytes=saying.ids[0])

    async def send_many(self, bodies: Sequence[messages.Readable]) -> None:
        """Queue several messages, at less cost each; otherwise like `send`."""
        await self._breathe()
        sayings = [
            self._say(kind, encoded)
            for kind, encoded in [messages.encode_bodies(list(alike)) for _, alike in groupby(bodies, type)]
        ]
        if self.pair.durable:
            for saying in sayings:
                await saying.wait()

    async def unsend(self, message_id: UUID) -> outbox.Withdrawal:
        """Withdraw a message of ours that no link has yet; tells what came of it.

        Raises:
          StoreError: if the disk refuses; nothing has changed.
        """

        def withdraw(transaction: Transaction) -> outbox.Withdrawal:
            result = outbox.void(transaction.ledger, message_id.bytes)
            if result is outbox.Withdrawal.WITHDRAWN:
                transaction.failed([message_id.bytes], "withdrawn")
            return result

        self.outgoing.settle()
        result = await transact(self.pair, withdraw)
        if result is outbox.Withdrawal.WITHDRAWN:
            if not self.pair.durable:
                self._states.add(failed=[message_id.bytes], reason="withdrawn")
            self.look()
        return result

    async def unsaid(self) -> int:
        """Return how many messages of ours the peer has not acknowledged.

        Raises:
          StoreError: if that cannot be read.
        """
        self.outgoing.settle()
        return await transact(self.pair, lambda transaction: transaction.unsaid())

    def now_ms(self) -> int:
        """Return the wall clock in Unix milliseconds: for people, and for expiry."""
        return unix_ms(self.env.wall())

    # ---- what the other half knows

    @property
    @abstractmethod
    def may_say(self) -> bool:
        """Whether anything can be said now: not after our goodbye, or when all is over."""

    @abstractmethod
    def look(self) -> None:
        """Look at what may have changed in the store."""

    @abstractmethod
    def _require_may_say(self) -> None:
        """Go on if anything can be said now.

        Raises:
          LocalProtocolError: if not.
        """

    @abstractmethod
    def _leave_soon(self) -> None:
        """Let the link know that something is about to be in the log."""

    @abstractmethod
    def _settled(self, settled: Settled) -> None:
        """Note what came of a transaction with what was said."""

    def _say(self, kind: messages.Kind, bodies: Sequence[bytes]) -> Saying:
        self._require_may_say()
        is_first = not self.outgoing.is_waiting
        saying = self.outgoing.say(kind, bodies, now_ms=self.now_ms())
        self._hand_over(is_first=is_first)
        return saying

    def _hand_over(self, *, is_first: bool) -> None:
        """Let the log have what was said, and the link what is in the log; with a store that is one transaction."""
        if self.pair.durable:
            self.outgoing.settle()
        if is_first:
            self._leave_soon()

    def _note_settled(self, settled: Settled) -> None:
        self._settled(settled)
        if self.outgoing.is_unsettled:  # a step that was asked for before that was on its way has not seen it
            self._leave_soon()

    async def _breathe(self) -> None:
        """Let others run; while the outbox is full, wait until there is room in it."""
        self._breathe_at = self.outgoing.said + FAIRNESS
        await trio.lowlevel.checkpoint()
        while self.outgoing.room <= 0 and self.may_say:
            await self._changed.wait()

    def _note_change(self) -> None:
        """Wake all who wait for anything."""
        self._changed.set()
        self._changed = trio.Event()


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        hint = "`post` and `send_many` take `Data`, for bytes, and all other kinds of messages"
        raise LocalProtocolError(f"`send` takes a str and not {type(text).__name__}", hint=hint)
