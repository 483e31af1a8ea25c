"""What happens, in sentences: one place for the wording of all faces. Nothing here writes anything.

Short and kind, lower case, no full stop, and what to do where there is something to do. Everything that a peer chose
(names, reasons, addresses) has passed the sanitiser when it leaves this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from p2pchat.node import events
from p2pchat.ui import clocks, endings, sanitize
from p2pchat.ui.names import Names

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.session import Session
    from p2pchat.ui.marks import Marks


class Words:
    """Sentences about one node."""

    def __init__(
        self,
        *,
        me: PeerId,
        marks: Marks,
        reach: Callable[[Address], list[str]],
        let_in: Callable[[PeerId], str],
        options: str = "",
    ) -> None:
        """Begin to talk about the node `me`.

        Args:
          me: our own id.
          marks: what the terminal can draw.
          reach: returns what to type elsewhere to reach an address of ours.
          let_in: returns the command that lets a refused peer in next time.
          options: what leads another command to our profile, each word with a blank before it.
        """
        self.marks = marks
        self.names: Names = Names(marks)
        self._me = me
        self._reach = reach
        self._let_in = let_in
        self._options = options

    def peer(self, peer: PeerId) -> str:
        """Return what to call somebody of whom only the id counts: the name that I gave it, or the id, shortened."""
        return self.names.of(peer, "")

    def name(self, session: Session, others: Iterable[Session] = ()) -> str:
        """Return what to call the peer of `session`, told apart from all `others`."""
        if session.vouched:
            return "you (guest)"
        if session.peer == self._me:
            return "you (over there)"
        return self.names.of(session.peer, session.name, ((other.peer, other.name) for other in others))

    def tell(self, event: events.Event, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines for `event`; none for what is not news, or is shown otherwise."""
        lines: list[str] = []
        match event:
            case events.Listening(address=address):
                lines = self._reach(address)
            case events.Invited(lines=told):
                lines = list(told)
            case events.Connected(session=session):
                lines = self._connected(event, self.name(session, sessions))
            case events.Elsewhere(session=session):
                lines = [
                    f"another p2pchat of yours has the connection to {self.name(session, sessions)}",
                    "what you say here goes by way of it",
                ]
            case events.Leaving(session=session, going_away=going_away, reason=reason):
                name = self.name(session, sessions)
                lines = [_because(f"{name} went away" if going_away else f"goodbye from {name}", reason)]
            case events.Disconnected(session=session, clean=False):  # of a clean end the goodbye was told
                lost = f"connection lost: {self.name(session, sessions)}"
                lines = [_because(lost, event.reason) + _again(event.redial)]
            case events.WaitingToBeLetIn(peer=peer):
                lines = [f"reached {self.peer(peer)}; waiting to be let in"]
            case events.DialFailed(error=error, redial=redial):
                lines = [f"{sanitize.clean_line(str(error))}{_again(redial)}"]
            case events.Notice(text=text, hint=hint):
                lines = [sanitize.clean_line(line) for line in (text, hint) if line]
            case events.Stranger(waiting=False):
                lines = [*self._stranger(event, "was refused"), f"to let it in next time: {self._let_in(event.peer)}"]
            case _:
                pass
        return lines

    def unsaid(self, session: Session, count: int, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines about `count` messages that the peer of `session` has not got when we leave."""
        if not session.pair.durable:
            return [f"{self.marks.failed} {endings.not_kept(count)}"]
        return [f"{self.marks.queued} {endings.kept(count, self.name(session, sessions))}"]

    def unshown(self, session: Session, count: int, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines about `count` messages that came to an earlier process and were not written by it."""
        if not count:
            return []
        name, are = self.name(session, sessions), "messages" if count > 1 else "message"
        command = f"p2pchat history {session.peer}{self._options}"
        came = f"{count} {are} of {name} came earlier and {'were' if count > 1 else 'was'} not shown"
        return [f"{came} (the last of what was shown may be among them): `{command}` has them"]

    def clock(self, session: Session, ahead: float, sessions: Iterable[Session] = ()) -> list[str]:
        """Return the lines about a clock that is so many seconds ahead of ours, or behind."""
        where = "ahead of" if ahead > 0 else "behind"
        name, length = self.name(session, sessions), clocks.length(abs(ahead))
        return [f"the clock of {name} is about {length} {where} yours; the times shown are yours"]

    def question(self, event: events.Stranger, number: int) -> list[str]:
        """Return the lines that ask whether to let a stranger in; nothing is the default."""
        return [
            *self._stranger(event, "asks to be let in"),
            f"/accept {number} lets it in, /reject {number} refuses",
        ]

    def _stranger(self, event: events.Stranger, what: str) -> list[str]:
        claimed = self.names.claimed(event.name)
        imitated = self.names.imitated(event.peer, event.name)
        misleads = f": it calls itself {imitated}, is not your {imitated}" if imitated else ""
        return [
            f"a stranger {what}" + (f", calling itself {claimed}" if claimed else misleads),
            f"  id           {event.peer}",
            f"  fingerprint  {event.peer.fingerprint}",
            f"  address      {event.address or 'unknown'}",
        ]

    def _connected(self, event: events.Connected, name: str) -> list[str]:
        session = event.session
        if session.vouched or session.peer == self._me:
            return [f"connected again: {name}" if event.resumed else f"connected: {name}"]
        misleads = self.misleads(session.peer, session.name)
        if event.resumed:
            return [f"connected again: {name}", *misleads]
        short = self.names.short(session.peer)
        who = name if short in name else f"{name} ({short})"
        return [f"connected: {who}" + (", a guest: it keeps nothing" if session.guest else ""), *misleads]

    def misleads(self, peer: PeerId, claim: str) -> list[str]:
        """Return the line about a peer that calls itself as I call somebody else."""
        imitated = self.names.imitated(peer, claim)
        return [f"{self.peer(peer)} calls itself {imitated}, is not your {imitated}"] if imitated else []


def _because(sentence: str, reason: str) -> str:
    reason = sanitize.clean_line(reason)
    return f"{sentence} ({reason})" if reason and reason not in sentence else sentence


def _again(delay: float | None) -> str:
    if delay is None:
        return ""
    return f"; trying again in {delay:.0f} s" if delay >= 0.5 else "; trying again now"
