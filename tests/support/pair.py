"""Two connections with a wire between them that a test can cut into any pieces.

Whatever one side says goes through both machines, so every test checks both roles, and a side that breaks the protocol
is found out by the other.
"""

from __future__ import annotations

from p2pchat.crypto.noise import Role
from p2pchat.protocol.connection import Connection
from p2pchat.protocol.events import NEED_DATA, Answer, Begin, Event, PeerProved, Reveal, Sendable
from p2pchat.protocol.limits import Limits
from p2pchat.wire.records import record
from tests.support.entropy import seeded
from tests.support.framing import HELLO, RESUME
from tests.support.kat import ALICE, BOB
from tests.support.pieces import Cut, whole


def events(connection: Connection) -> list[Event]:
    """Return what `connection` has to tell, all of it."""
    return list(iter(connection.next_event, NEED_DATA))  # type: ignore[arg-type]


class ConnectionPair:
    """An initiator and a responder. `now` is the time on both sides; a test moves it."""

    def __init__(self, *, cut: Cut = whole, limits: Limits | None = None, jitter: float = 1.0) -> None:
        self.now = 0.0
        self.cut = cut
        self.initiator = Connection(
            Role.INITIATOR, ALICE, entropy=seeded(1), now=self.now, limits=limits, jitter=jitter
        )
        self.responder = Connection(Role.RESPONDER, BOB, entropy=seeded(2), now=self.now, limits=limits, jitter=jitter)

    def other(self, side: Connection) -> Connection:
        """Return whom `side` talks to."""
        return self.responder if side is self.initiator else self.initiator

    def carry(self, data: bytes, receiver: Connection) -> list[Event]:
        """Let `data` arrive in pieces; return what `receiver` tells then."""
        told: list[Event] = []
        for piece in self.cut(data):
            receiver.receive_data(piece, self.now)
            told += events(receiver)
        return told

    def say(self, sender: Connection, *said: Sendable) -> list[Event]:
        """Let `sender` say that; return what the other side tells then."""
        return self.carry(sender.send(*said, now=self.now), self.other(sender))

    def forge(self, sender: Connection, plaintext: bytes) -> list[Event]:
        """Let `sender` seal what no honest side would say; return what the other side tells then."""
        channel = sender._channel
        assert channel is not None
        return self.carry(record(channel._send.seal(plaintext)), self.other(sender))

    def end(self, sender: Connection) -> list[Event]:
        """Let the bytes of `sender` end; return what the other side tells then."""
        receiver = self.other(sender)
        receiver.receive_data(b"", self.now)
        return events(receiver)

    def tick(self, side: Connection, seconds: float) -> list[Event]:
        """Let `seconds` pass; return what `side` tells then."""
        self.now += seconds
        side.tick(self.now)
        return events(side)

    def shake_hands(self) -> ConnectionPair:
        """Go through the handshake; what both sides tell of it is asserted."""
        self.say(self.initiator, Begin())
        assert self.say(self.responder, Answer()) == [PeerProved(peer=BOB.peer_id, vouched=False)]
        assert self.say(self.initiator, Reveal()) == [PeerProved(peer=ALICE.peer_id, vouched=False)]
        return self

    def greet(self) -> ConnectionPair:
        """Have both say HELLO, after the handshake."""
        self.shake_hands()
        assert self.say(self.initiator, HELLO) == [HELLO]
        assert self.say(self.responder, HELLO) == [HELLO]
        return self

    def open(self) -> ConnectionPair:
        """Go all the way, until entries may travel both ways."""
        self.greet()
        assert self.say(self.initiator, RESUME) == [RESUME]
        assert self.say(self.responder, RESUME) == [RESUME]
        return self
