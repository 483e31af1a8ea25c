"""What a process of the simulated world shows to its person, and what must hold of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from p2pchat.node import events
from p2pchat.testing.judges.checker import Broken, Fate
from p2pchat.wire import messages
from p2pchat.wire.close_codes import CloseCode

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.node.session import Session
    from p2pchat.testing.judges.checker import Line, Said
    from p2pchat.testing.simpeer import Peer

FAILURES = "SELECT id FROM messages WHERE mine AND failed IS NOT NULL"


@final
class Face:
    """What was shown in one process of `peer`."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._world = peer.world
        self._shown: set[tuple[str, int]] = set()
        self._heard_before: dict[str, int] = {}  # by line: how much was on the disk when this process began to be told
        self._accepted: list[tuple[Line, Said]] = []
        self._delivered: set[bytes] = set()  # ids of messages that were told to be
        self._failed: set[bytes] = set()  # … never to arrive
        self._address: dict[Session, Address | None] = {}

    def begin(self) -> None:
        """Note that what is on the disk now is history, and not news."""
        self._heard_before = {line.name: len(line.heard) for line in self._world.lines_to(self._peer)}

    def remember(self, line: Line, said: Said) -> None:
        """Note that somebody has said this here, and waits to be told what becomes of it."""
        self._accepted.append((line, said))

    def told(self, event: events.Event) -> None:
        """Take what a node tells.

        Raises:
          Broken: if it is not so.
        """
        world = self._world
        match event:
            case events.MessagesReceived(session=session):
                line = world.line(world.by_key[session.peer.key], self._peer)
                for message in event.messages:
                    self._show(line, message.body)
            case events.StatesChanged(session=session):
                self._delivered |= {name.bytes for name in event.delivered}
                self._failed |= {name.bytes for name in event.failed}
                self._check_delivered(world.line(self._peer, world.by_key[session.peer.key]), event)
            case events.Connected(session=session, address=address):
                self._meet_again(session)
                known = self._address.get(session)
                if known and address and known.scheme != address.scheme:
                    world.mark("moved to another transport")
                self._address[session] = address
                self._mark_link(world.by_key[session.peer.key].name, resumed=event.resumed)
            case events.Disconnected(code=CloseCode.DUPLICATE):
                world.mark("an older link was fenced")
            case events.Elsewhere(session=session):
                world.mark("continued in another process")
                self._meet_again(session)
            case _:
                pass
        if isinstance(event, events.Connected | events.Disconnected):
            world.measure(self._peer)
        world.note(self._peer.name, type(event).__name__)

    def untold(self) -> list[str]:
        """Return what this process should have been told of by now: what has come, and what was delivered."""
        heard = [
            f"{line.name} {number} was heard"
            for line in self._world.lines_to(self._peer)
            for number in line.heard[self._heard_before.get(line.name, 0) :]
            if (line.name, number) not in self._shown
        ]
        delivered = [
            f"{line.name} {said.number} was delivered"
            for line, said in self._accepted
            if said.must_arrive and said.id not in self._delivered
        ]
        return heard + delivered + self._unexplained()

    def _unexplained(self) -> list[str]:
        """Return what is out of date by what the disk says, and this process does not know it."""
        open_ones = [
            (line, said)
            for line, said in self._accepted
            if said.may_expire and said.fate is Fate.ACCEPTED and said.id not in self._delivered | self._failed
        ]
        failed = {row[0] for row in self._peer.ask(FAILURES)} if open_ones else set()
        return [f"{line.name} {said.number} has expired" for line, said in open_ones if said.id in failed]

    def _mark_link(self, other: str, *, resumed: bool) -> None:
        """Mark what is rare about the link to a peer that has just begun."""
        world = self._world
        world.mark("resumed" if resumed else "connected")
        between = world.network.between(self._peer.name, other)
        if len(between) > 1:
            world.mark("links overlap")
        if len({wire.dialer.machine.name for wire in between}) > 1:
            world.mark("dials crossed")
        if resumed and frozenset({self._peer.name, other}) in world.cut:
            world.cut.remove(frozenset({self._peer.name, other}))
            world.mark("resumed after a cut")

    def _check_delivered(self, line: Line, event: events.StatesChanged) -> None:
        for name in event.delivered:
            said = line.find(name.bytes)
            if said is not None and said.number not in line.heard and said.fate is Fate.ACCEPTED:
                raise Broken(f"DELIVERED, and not on the disk there: {line.name} {said.number}")
        if event.failed and event.reason == "expired":
            self._world.mark("expired")

    def _meet_again(self, session: Session) -> None:
        """Note that there is a link. While a window dials, others may be visited: to it, that is history."""
        if self._peer.seats > 1 and session not in self._address:
            line = self._world.line(self._world.by_key[session.peer.key], self._peer)
            self._heard_before[line.name] = len(line.heard)
        self._address.setdefault(session, None)

    def _show(self, line: Line, body: object) -> None:
        if not isinstance(body, messages.Text):
            raise Broken(f"SHOWN, and no text: {line.name}: {body!r:.60}")
        number = int(body.text.split(" ")[1])
        if (line.name, number) in self._shown:
            raise Broken(f"SHOWN TWICE: {line.name} {number}")
        if number not in line.heard:
            raise Broken(f"SHOWN, and not on the disk: {line.name} {number}")
        self._shown.add((line.name, number))
