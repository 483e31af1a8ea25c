"""What was said before, as a program reads it: the objects of a live face, and who said it and how far it has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from p2pchat.ui.json import events

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId
    from p2pchat.store.history import Row
    from p2pchat.ui.json.events import Line


class PastLines:
    """Turns messages of the store into lines."""

    def __init__(self) -> None:
        self._spelled: dict[PeerId, str] = {}  # making it costs as much as a message

    def of(self, row: Row) -> Line:
        """Return the line for a message."""
        peer = self._spelled.get(row.peer)
        if peer is None:
            peer = self._spelled[row.peer] = str(row.peer)
        line = events.heard(peer, row.name, row.message, received_ms=row.at_ms, cursor=row.cursor)
        if row.mine:
            line["received_at"] = None  # when it was received is known over there
        return line | {
            "direction": "out" if row.mine else "in",
            "ref": row.ref,
            "state": row.state,
            "reason": row.reason or None,
            "durable": not (row.mine and row.guest),
        }

    def found(self, row: Row, before: Sequence[Row], after: Sequence[Row]) -> Line:
        """Return the line for a message that was found, with what stands around it."""
        return self.of(row) | {"before": [self.of(one) for one in before], "after": [self.of(one) for one in after]}
