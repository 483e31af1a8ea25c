"""One live session for each pair of peers: whoever has the conversation has fenced off all others before it writes.

Seen from outside: each claim raises `gen`, and from then on only the process that claimed changes what a link changes.

Source: docs/protocol.md, section 6.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from p2pchat.testing.judges.checker import Broken

if TYPE_CHECKING:
    from p2pchat.testing.judges.watch import Key, Standing, Standings


@final
class Fences:
    """Which process of a peer may write about whom."""

    def __init__(self, name: str) -> None:
        """Begin where nobody has claimed a conversation.

        Args:
          name: of the peer, for people.
        """
        self._name = name
        self._holders: dict[Key, object] = {}

    def judge(self, process: object, before: Standings, after: Standings) -> None:
        """Judge what a transaction of `process` has changed.

        Raises:
          Broken: if it was not allowed to.
        """
        for key, new in after.items():
            old = before.get(key)
            if new.gen > (0 if old is None else old.gen):
                self._holders[key] = process
            elif old is None or old == new:
                continue
            elif new.gen < old.gen:
                raise Broken(f"FENCE LOWERED: {self._name}: {new.gen} comes after {old.gen}")
            elif _written(old) != _written(new) and self._holders.get(key) is not process:
                raise Broken(f"NOT FENCED: {self._name}: a process writes whose link another one has replaced")


def _written(standing: Standing) -> tuple[object, ...]:
    """Return what only a link changes."""
    return standing.epoch, standing.base, standing.handed, standing.peer_epoch, standing.peer_seen
