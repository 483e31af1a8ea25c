"""What happens, in sentences: one place for the wording of all faces. Nothing here writes anything.

Short and kind, lower case, no full stop, and what to do where there is something to do. Everything that a peer chose
(names, reasons, addresses) has passed the sanitiser when it leaves this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from p2pchat.node import events
from p2pchat.ui import clocks, endings, sanitize

if TYPE_CHECKING:
    from p2pchat.address import Address
    from p2pchat.crypto.identity import PeerId
    from p2pchat.node.session import Session
    from p2pchat.ui.marks import Marks

SHOWN_START, SHOWN_END = 13, 4  # characters of an id that people see: enough to tell two apart, not to trust one
OURSELVES = "you"  # how names begin that only we give


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
        self._me = me
        self._reach = reach
        self._let_in = let_in
        self._options = options

    def peer(self, peer: PeerId) -> str:
        """Return an id, shortened for people."""
        return shortened(peer, self.marks)

    def name(self, session: Session, others: Iterable[Session] = ()) -> str:
        """Return what to call the peer of `session`: what it calls itself, told apart from all `others`."""
        if session.vouched:
            return "you (guest)"
        if session.peer == self._me:
            return "you (over there)"
        claimed = _claimed(session)
        if not claimed:
            return self.peer(session.peer)
        taken = {_claimed(other) for other in others if other.peer != session.peer}
        told_apart = claimed in taken or claimed.casefold().startswith(OURSELVES)
        return f"{claimed} [{self.peer(session.peer)}]" if told_apart else claimed

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
        claimed = sanitize.clean_line(event.name)
        return [
            f"a stranger {what}" + (f", calling itself {claimed}" if claimed else ""),
            f"  id           {event.peer}",
            f"  fingerprint  {event.peer.fingerprint}",
            f"  address      {event.address or 'unknown'}",
        ]

    def _connected(self, event: events.Connected, name: str) -> list[str]:
        session = event.session
        if event.resumed:
            return [f"connected again: {name}"]
        if session.vouched or session.peer == self._me:
            return [f"connected: {name}"]
        short = self.peer(session.peer)
        who = name if short in name else f"{name} ({short})"
        return [f"connected: {who}" + (", a guest: it keeps nothing" if session.guest else "")]


def shortened(peer: PeerId, marks: Marks) -> str:
    """Return an id as people see it."""
    text = str(peer)
    return f"{text[:SHOWN_START]}{marks.dots}{text[-SHOWN_END:]}"


def _claimed(session: Session) -> str:
    """Return what a peer calls itself, without a colon: what follows one would look like something that was said."""
    return sanitize.clean_line(session.name).replace(":", "_")


def _because(sentence: str, reason: str) -> str:
    reason = sanitize.clean_line(reason)
    return f"{sentence} ({reason})" if reason and reason not in sentence else sentence


def _again(delay: float | None) -> str:
    if delay is None:
        return ""
    return f"; trying again in {delay:.0f} s" if delay >= 0.5 else "; trying again now"
