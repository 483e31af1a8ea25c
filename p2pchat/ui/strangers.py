"""Numbers for the strangers that a person is asked about. None comes twice, so a late answer never fits another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2pchat.crypto.identity import PeerId

MAX_ASKED = 64  # questions remembered; far more than may wait at once (docs/protocol.md 4.4)


class Strangers:
    """Who was shown under which number, and was not answered yet."""

    def __init__(self) -> None:
        self._asked = 0
        self._peers: dict[int, PeerId] = {}

    def add(self, peer: PeerId) -> int:
        """Return the number of `peer`: the one it has, or the next."""
        for number, known in self._peers.items():
            if known == peer:
                return number
        self._asked += 1
        self._peers[self._asked] = peer
        if len(self._peers) > MAX_ASKED:
            del self._peers[next(iter(self._peers))]
        return self._asked

    def find(self, number: int) -> PeerId | None:
        """Return who has `number`; None if nobody does."""
        return self._peers.get(number)

    def forget(self, peer: PeerId) -> None:
        """Forget the question about `peer`, if there is one."""
        self._peers = {number: known for number, known in self._peers.items() if known != peer}

    def waiting(self) -> list[tuple[int, PeerId]]:
        """Return all questions that were not answered."""
        return list(self._peers.items())
