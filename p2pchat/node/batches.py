"""What came for a guest and waits in the feed: it is taken when it can be shown, and acknowledged when it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

from p2pchat.node.events import MessagesReceived
from p2pchat.node.feed import Arrival
from p2pchat.protocol.assembly import Messages

if TYPE_CHECKING:
    from p2pchat.node.exchange import Exchange


@final
class Batches(Arrival):
    """Batches that came over one link, one after the other, and wait in the feed."""

    def __init__(self, exchange: Exchange) -> None:
        self.count: int = 1
        self._exchange = exchange
        self._mark: int | None = None
        self._few = False

    async def take(self) -> MessagesReceived | None:
        """Take them all; None if nothing of them is to be shown."""
        count, self.count = self.count, 0
        if not count:
            return None
        messages, mark = self._exchange.take(count)
        if not messages:
            if mark is not None:
                self._exchange.confirmed(mark, few=False)
            return None
        self._mark = mark
        self._few = len(messages) == 1
        return MessagesReceived(session=self._exchange.session, messages=messages)

    def confirm(self) -> None:
        """Let their ACK go."""
        if self._mark is not None:
            self._exchange.confirmed(self._mark, few=self._few)


def joined(batches: Sequence[Messages]) -> Messages:
    """Return all messages of `batches`, in order."""
    if len(batches) == 1:
        return batches[0]
    return Messages(
        [seq for batch in batches for seq in batch.seqs], [entry for batch in batches for entry in batch.entries]
    )
